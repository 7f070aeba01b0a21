"""Row-level security: the second wall between organizations, put up after every migration.

A table whose rows name their organization gets a policy by itself; the few others are listed here.
The owner's role is not held by policies (migrations see every row) and serves nobody; the system
role bypasses them, for sweeps across organizations. docs/security.md tells what each role can do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

HERE = "nullif(current_setting('vpp.organization', true), '')::bigint"
# Selected, so that the database reads the list once: as a plain array it would do so for every row,
# which took seconds with 2,000 organizations (benchmarks/organizations.py).
AMONG = (
    "(SELECT unnest(string_to_array(nullif(current_setting('vpp.among', true), ''), ','))::bigint)"
)

# Asked before anybody knows in whose organization: by a key's hash, by an admin who signs in.
OUTSIDE = {"organizations_apikey"}
# What the overview over all my organizations reads of many at once (`tenancy.among`).
OVERVIEW = {
    "licensing_batch",
    "licensing_licensedapp",
    "organizations_membership",
    "organizations_network",
    "organizations_networkaccess",
    "organizations_organization",
    "vpp_accounts_syncrun",
    "vpp_accounts_vppaccount",
}
ORGANIZATION = "organizations_organization"


@dataclass(frozen=True, slots=True)
class Policy:
    table: str
    name: str
    command: str  # ALL or SELECT
    rule: str

    @property
    def statement(self) -> str:
        return f"CREATE POLICY {self.name} ON {self.table} FOR {self.command} USING ({self.rule})"


def policies() -> Iterator[Policy]:
    """Every policy that should stand, for every table of a tenant."""
    for model in apps.get_models(include_auto_created=True):
        table, column = model._meta.db_table, organization_column(model)
        if column:
            yield Policy(table, "of_its_organization", "ALL", f"{column} = {HERE}")
            if table in OVERVIEW:
                yield Policy(table, "of_the_overview", "SELECT", f"{column} IN {AMONG}")
        elif parent := _parent(model):
            # A row between two others is seen by whoever sees the first; that table's policy decides.
            name = parent.remote_field.model._meta.db_table
            rule = f"EXISTS (SELECT FROM {name} parent WHERE parent.id = {table}.{parent.column})"
            yield Policy(table, "of_its_parent", "ALL", rule)


def organization_column(model: type[models.Model]) -> str:
    """By which column a row names its organization; empty for what belongs to none."""
    table = model._meta.db_table
    if table == ORGANIZATION:
        return "id"
    columns = {field.column for field in model._meta.local_concrete_fields}
    return "organization_id" if "organization_id" in columns and table not in OUTSIDE else ""


def _parent(model: type[models.Model]) -> models.ForeignKey[models.Model, models.Model] | None:
    """The first side of a many-to-many table, where that belongs to an organization."""
    if not model._meta.auto_created:
        return None
    first = next(
        field for field in model._meta.local_fields if isinstance(field, models.ForeignKey)
    )
    return first if organization_column(first.remote_field.model) else None


def put_up(connection: BaseDatabaseWrapper) -> None:
    """Bring the database to `policies()`; what stands already is left alone, since each change locks."""
    wanted = {(each.table, each.name): each for each in policies()}
    with connection.cursor() as cursor:
        standing = _standing(cursor)
        for table, name in standing.keys() - wanted.keys():
            cursor.execute(f"DROP POLICY {name} ON {table}")
        for key, policy in wanted.items():
            if standing.get(key) != policy.statement:
                cursor.execute(f"DROP POLICY IF EXISTS {policy.name} ON {policy.table}")
                cursor.execute(policy.statement)
                cursor.execute(
                    f"COMMENT ON POLICY {policy.name} ON {policy.table} IS %s", [policy.statement]
                )
        for table in {policy.table for policy in wanted.values()} - _walled(cursor):
            cursor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")


def _standing(cursor: CursorWrapper) -> dict[tuple[str, str], str]:
    """Our statement of each policy; PostgreSQL itself keeps a rule in words of its own."""
    cursor.execute(
        "SELECT polrelid::regclass::text, polname, obj_description(oid, 'pg_policy') FROM pg_policy"
    )
    return {(table, name): told or "" for table, name, told in cursor.fetchall()}


def _walled(cursor: CursorWrapper) -> set[str]:
    cursor.execute("SELECT oid::regclass::text FROM pg_class WHERE relrowsecurity")
    return {table for (table,) in cursor.fetchall()}
