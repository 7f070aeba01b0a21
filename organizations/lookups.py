"""The few questions that are asked before anybody knows in whose organization the answer lies.

Each is a named function in the database that runs with its owner's rights and gives back ids only:
of the row, and of its organization. Whoever asks then works `inside` that organization. They are
defined beside the tables they read (`lookups.py` of each app) and installed after every migration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from organizations import tenancy


@dataclass(frozen=True, slots=True)
class Found:
    id: int
    organization_id: int


class Lookup:
    """`statement` selects two ids, the row's and its organization's, and names what is asked `$1`."""

    every: ClassVar[dict[str, Lookup]] = {}

    def __init__(self, name: str, kind: str, statement: str) -> None:
        self.name, self.kind, self.statement = f"vpp_{name}", kind, statement
        self.every[self.name] = self

    def all(self, asked: Any) -> list[Found]:
        with connection.cursor() as cursor:
            cursor.callproc(self.name, [asked])
            return [Found(*row) for row in cursor.fetchall()]

    def first(self, asked: Any) -> Found | None:
        return next(iter(self.all(asked)), None)

    def organization(self, asked: Any) -> int | None:
        """In which organization to work; None, and nothing is seen, where there is no such row."""
        found = self.first(asked)
        return found.organization_id if found else None

    def inside(self, asked: Any) -> Any:
        """`with lookup.inside(x):` works in the organization of the row."""
        return tenancy.inside(self.organization(asked))

    @property
    def definition(self) -> str:
        # Without a fixed search path, whoever calls could put their own tables in the way.
        return (
            f"CREATE OR REPLACE FUNCTION {self.name}({self.kind})"
            " RETURNS TABLE (id bigint, organization_id bigint) LANGUAGE sql STABLE"
            f" SECURITY DEFINER SET search_path = public, pg_temp AS $${self.statement}$$"
        )


def install(connection: BaseDatabaseWrapper, roles: str) -> None:
    """For the application's roles alone."""
    with connection.cursor() as cursor:
        for lookup in Lookup.every.values():
            cursor.execute(lookup.definition)
            cursor.execute(f"REVOKE ALL ON FUNCTION {lookup.name}({lookup.kind}) FROM PUBLIC")
            cursor.execute(f"GRANT EXECUTE ON FUNCTION {lookup.name}({lookup.kind}) TO {roles}")


accepted_memberships_of = Lookup(
    "accepted_memberships_of_admin",
    "bigint",
    "SELECT id, organization_id FROM organizations_membership"
    " WHERE admin_id = $1 AND accepted_at IS NOT NULL",
)
# Whether there is anything to switch between, of somebody who may have thousands.
two_memberships_of = Lookup(
    "two_memberships_of_admin",
    "bigint",
    "SELECT id, organization_id FROM organizations_membership"
    " WHERE admin_id = $1 AND accepted_at IS NOT NULL LIMIT 2",
)
invitations_of = Lookup(
    "admin_invitations_of_admin",
    "bigint",
    "SELECT id, organization_id FROM organizations_membership"
    " WHERE admin_id = $1 AND accepted_at IS NULL",
)
membership = Lookup(
    "membership", "bigint", "SELECT id, organization_id FROM organizations_membership WHERE id = $1"
)
network = Lookup(
    "network", "bigint", "SELECT id, organization_id FROM organizations_network WHERE id = $1"
)
identity_provider = Lookup(
    "identity_provider",
    "uuid",
    "SELECT id, organization_id FROM organizations_identityprovider WHERE uuid = $1",
)
# An import's own id is a UUID, which nobody needs here.
device_import = Lookup(
    "device_import",
    "uuid",
    "SELECT organization_id, organization_id FROM organizations_deviceimport WHERE id = $1",
)
