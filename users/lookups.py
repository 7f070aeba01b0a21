"""Invitations and imports, asked before the organization is known (organizations/lookups.py)."""

from __future__ import annotations

from organizations.lookups import Lookup

invitation = Lookup(
    "invitation", "bigint", "SELECT id, organization_id FROM users_invitation WHERE id = $1"
)
# An import's own id is a UUID, which nobody needs here.
people_import = Lookup(
    "people_import",
    "uuid",
    "SELECT organization_id, organization_id FROM users_peopleimport WHERE id = $1",
)
