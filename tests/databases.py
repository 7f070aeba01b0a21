"""A database for one pytest process: made and migrated by the owner's role, used by the app's."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from tests.database import SystemConnection

ALIASES = ("default", "owner", "system")


@contextmanager
def fresh_database(name: str) -> Iterator[None]:
    _as_owner(f'DROP DATABASE IF EXISTS "{name}"', f'CREATE DATABASE "{name}"')
    before = {alias: settings.DATABASES[alias]["NAME"] for alias in ALIASES}
    _point_at(dict.fromkeys(ALIASES, name))
    connections["system"] = SystemConnection(connections["default"])
    call_command("migrate", verbosity=0, interactive=False)
    try:
        yield
    finally:
        connections.close_all()
        _point_at(before)
        _as_owner(f'DROP DATABASE IF EXISTS "{name}"')


def _point_at(names: dict[str, str]) -> None:
    for alias, name in names.items():
        connections[alias].close()
        settings.DATABASES[alias]["NAME"] = name
        connections[alias].settings_dict["NAME"] = name


def _as_owner(*statements: str) -> None:
    owner = settings.DATABASES["owner"]
    connection = psycopg2.connect(
        host=owner["HOST"],
        port=owner["PORT"] or 5432,
        user=owner["USER"],
        password=owner["PASSWORD"],
        dbname=owner["NAME"],
    )
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    finally:
        connection.close()
