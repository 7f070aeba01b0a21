"""Who may change an account's users and licenses, and what everybody else is told."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import PermissionDenied

from organizations.models import Membership
from vpp_accounts.models import AllowedAdmins, VppAccount
from vpp_accounts.states import words_for

READ_ONLY = "You have read-only access; a full admin of the organization can do it."
OWNERS = "Owners belong to the organization; ask an admin with full access to it."
NAMED_AT_ONCE = 10


def refuse_strangers(account: VppAccount, membership: Membership) -> None:
    """Answered with 403 and the reason, on pages as over REST."""
    if why := why_not(account, membership):
        raise PermissionDenied(why)


def why_not(account: VppAccount, membership: Membership) -> str:
    """Why this admin can change no user and no license of the account; empty where they may."""
    if not membership.can_write_somewhere:
        return READ_ONLY
    known = account.with_rights_of(membership)
    return "" if known.is_manageable else _who_may(known, membership)


def obstacle_of(account: VppAccount, membership: Membership) -> str:
    """Why this admin can change no license of this account now; empty where they can."""
    if why := why_not(account, membership):
        return why
    if account.takes_no_changes:
        words = words_for(account)
        return f"{account.name} {words.headline} {words.what_to_do}"
    return ""


def why_no_owners(membership: Membership) -> str:
    """Why this admin can neither add people nor change what is said of them."""
    if membership.can_write:
        return ""
    return OWNERS if membership.can_write_somewhere else READ_ONLY


def _who_may(account: VppAccount, membership: Membership) -> str:
    if account.allowed_admins == AllowedAdmins.ALL:
        return f"Only admins with full access to the organization manage {account.name}."
    whom = "You" if membership.can_write else "A full admin of the organization"
    return (
        f"Only its allowed admins manage {account.name}: {_allowed(account)}."
        f" {whom} can change them on Organization > MDM."
    )


def _allowed(account: VppAccount) -> str:
    if account.allowed_admins == AllowedAdmins.NAMED:
        return in_short(account.admin_names) or "nobody"
    return f"those who may write in {in_short(account.network_names) or 'its networks'}"


def in_short(names: Sequence[str], most: int = NAMED_AT_ONCE) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")
