"""What stands in the tables: all of it in one number, and what should not stand in it."""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import apps
from django.db import connection

from organizations import walls
from organizations.models import Admin, ApiKey

# Who looks or is refused may leave these behind.
TRACES = ("last_active_at", "last_used_at", "last_used_address", "last_login")
REFUSALS = "organizations_auditevent"


def tables_of_tenants() -> dict[str, str]:
    """Every table whose rows name their organization, with the column that does."""
    models = apps.get_models(include_auto_created=True)
    columns = {model._meta.db_table: walls.organization_column(model) for model in models}
    return {table: column for table, column in columns.items() if column}


def tables_between() -> set[str]:
    """Those between two tables of an organization: they follow the first one's policy."""
    return {policy.table for policy in walls.policies()} - set(tables_of_tenants())


def fingerprint(organization: int | None = None) -> dict[str, str]:
    """A number for each table, other than before where a row was added, changed or removed."""
    tables = dict.fromkeys(_shared_tables(), "") if organization is None else {}
    tables |= tables_of_tenants()
    parts = [_number_of(table, column, organization) for table, column in tables.items()]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        return dict(cursor.fetchall())


def _shared_tables() -> set[str]:
    return {Admin._meta.db_table, ApiKey._meta.db_table, *tables_between()}


def _number_of(table: str, column: str, organization: int | None) -> str:
    here = f"{column} = {int(organization)}" if organization else "true"
    kept = f"{here} AND NOT refused" if table == REFUSALS else here
    row = f"(to_jsonb(t) - '{{{','.join(TRACES)}}}'::text[])::text"
    return (
        f"SELECT '{table}', md5(coalesce(string_agg(md5({row}), '' ORDER BY md5({row})), ''))"
        f" FROM {table} t WHERE {kept}"
    )


def strangers_in(organization: int, words: Iterable[str]) -> list[str]:
    """Which rows of this organization tell one of these words of another one."""
    pattern = "|".join(words)
    parts = [
        f"SELECT '{table}: ' || to_jsonb(t)::text FROM {table} t"
        f" WHERE {column} = %s AND to_jsonb(t)::text ~* %s"
        for table, column in tables_of_tenants().items()
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), [organization, pattern] * len(parts))
        return [found for (found,) in cursor.fetchall()]
