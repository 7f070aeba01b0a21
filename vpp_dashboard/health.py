"""Is the process alive, and can it work? For load balancers, compose and `./dev demo`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import redis
from django.apps import apps
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, JsonResponse
from django.utils.module_loading import module_has_submodule
from django.views.decorators.http import require_safe

from vpp_dashboard.broker import broker

MIGRATIONS = "migrations"


@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """The process answers; says nothing about what it needs."""
    return JsonResponse({"status": "ok"})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """503 where no page could be answered: without a database, or with one of an older release.

    Without the broker pages go on, so it is only told: all processes lose it at the same time, and a
    balancer that took them all away would make an outage of a delay.
    """
    missing = _missing_migrations() if (database := _database_answers()) else []
    checks = {
        "database": database,
        "migrations": database and not missing,
        "broker": _broker_answers(),
    }
    works = database and not missing
    status = "ok" if all(checks.values()) else "degraded" if works else "unavailable"
    told = {"status": status, "checks": checks, "missingMigrations": missing}
    return JsonResponse(told, status=200 if works else 503)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _missing_migrations() -> list[str]:
    applied = MigrationRecorder(connection).applied_migrations()
    return sorted(f"{app}.{name}" for app, name in _known_migrations() - applied.keys())


@cache
def _known_migrations() -> frozenset[tuple[str, str]]:
    """Those of this release. By the names of their files: to import them all takes seconds."""
    return frozenset(
        (config.label, module.name)
        for config in apps.get_app_configs()
        if module_has_submodule(config.module, MIGRATIONS)
        for module in iter_modules(import_module(f"{config.name}.{MIGRATIONS}").__path__)
        if not module.ispkg
    )


def _broker_answers() -> bool:
    try:
        with broker() as connection:
            return bool(connection.ping())
    except redis.RedisError:
        return False
