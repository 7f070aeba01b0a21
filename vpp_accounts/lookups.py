"""Accounts and what belongs to them, asked before the organization is known (organizations/lookups.py)."""

from __future__ import annotations

from uuid import UUID

from organizations.lookups import Found, Lookup

_ACCOUNT = "SELECT id, organization_id FROM vpp_accounts_vppaccount WHERE"
_CLAIM = "SELECT id, organization_id FROM vpp_accounts_formerclaim WHERE"

account = Lookup("account", "bigint", f"{_ACCOUNT} id = $1")
# Where Apple posts its notifications.
account_of_address = Lookup("account_of_address", "uuid", f"{_ACCOUNT} uuid = $1")
# A location, or a token's file, belongs to one account of the installation.
account_of_location = Lookup("account_of_location", "text", f"{_ACCOUNT} uid = $1")
account_of_token = Lookup("account_of_token", "text", f"{_ACCOUNT} token_hash = $1")
former_claim = Lookup("former_claim", "bigint", f"{_CLAIM} id = $1")
former_claim_of_mark = Lookup("former_claim_of_mark", "text", f"{_CLAIM} mdm_id = $1")
leaving_claim_of_mark = Lookup(
    "leaving_claim_of_mark", "text", f"{_CLAIM} mdm_id = $1 AND next_attempt_at IS NOT NULL"
)
sync_run = Lookup(
    "sync_run", "bigint", "SELECT id, organization_id FROM vpp_accounts_syncrun WHERE id = $1"
)


def account_of_mark(mdm_id: str) -> Found | None:
    """The account that calls itself so at Apple; other MDMs' marks may be any text."""
    try:
        return account_of_address.first(UUID(mdm_id))
    except ValueError:
        return None
