"""Whether what an admin says about an app may be saved."""

from __future__ import annotations

from dataclasses import replace

from django.core.exceptions import PermissionDenied

from apps_catalog.managing.accounts import refuse_accounts, refuse_other_peoples_licenses
from apps_catalog.managing.details import ManagedAppDetails
from apps_catalog.managing.methods import possible_methods
from apps_catalog.managing.refusals import MethodNotPossible, NumberOutOfRange
from apps_catalog.models import ManagedApp, PurchaseMethod
from organizations.models import Membership
from organizations.scopes import checked_scope

LONGEST_GRACE = 365
HIGHEST_PRIORITY = 100
# What decides who gets licenses.
OF_LICENSES = (
    "scope",
    "purchase_method",
    "account_ids",
    "grants_automatically",
    "revokes_automatically",
    "grace_days",
)
ORDER = (
    "All networks share a title's waiting list, so only admins with full access to the organization"
    " can change an app's priority."
)


def checked(
    details: ManagedAppDetails,
    managed_app: ManagedApp,
    membership: Membership,
    *,
    was: ManagedAppDetails,
) -> ManagedAppDetails:
    """The details as they are kept. `was`: as they are now, which may stay though it is not
    allowed any more.
    """
    _check_numbers(details)
    if details.priority != was.priority and not membership.can_write:
        raise PermissionDenied(ORDER)
    method = PurchaseMethod(details.purchase_method)
    possible = possible_methods(managed_app)
    if method not in possible and method != was.purchase_method:
        raise MethodNotPossible(method.label, [str(each.label) for each in possible])
    if any(getattr(details, name) != getattr(was, name) for name in OF_LICENSES):
        refuse_other_peoples_licenses(was.account_ids, membership)
    account_ids = tuple(dict.fromkeys(details.account_ids))
    refuse_accounts(account_ids, managed_app.network, membership, drawn=was.account_ids)
    # A scope whose last tag was deleted may stay while something else is changed.
    scope = details.scope
    if scope != was.scope:
        scope = checked_scope(scope, managed_app.organization_id)
    return replace(details, scope=scope, account_ids=account_ids)


def _check_numbers(details: ManagedAppDetails) -> None:
    if not 0 <= details.grace_days <= LONGEST_GRACE:
        raise NumberOutOfRange("grace_days", "The grace period in days", 0, LONGEST_GRACE)
    if abs(details.priority) > HIGHEST_PRIORITY:
        raise NumberOutOfRange("priority", "The priority", -HIGHEST_PRIORITY, HIGHEST_PRIORITY)
