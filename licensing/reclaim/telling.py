"""Who may decide, and what the audit log is told: an event for each title, so that it is told to
those who may see the title."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied

from licensing.models import LicensedApp
from organizations import audit
from organizations.audit import Actor
from organizations.models import AuditEvent, Membership
from vpp_accounts.permissions import READ_ONLY

MOST_NAMED = 20  # holders in one event
ONLY_FULL = "Only admins with full access to the organization decide this."
WHOLE = ""  # all titles
Pair = tuple[int, str]  # title, holder


def why_not_full(membership: Membership) -> str:
    """Why this admin cannot decide for the whole organization; empty where they can."""
    if membership.can_write:
        return ""
    return ONLY_FULL if membership.can_write_somewhere else READ_ONLY


def refuse_all_but_full(membership: Membership) -> None:
    if why := why_not_full(membership):
        raise PermissionDenied(why)


def rule_of(cause_label: str) -> Actor:
    """“Reclaim: device unenrolled”."""
    return Actor(kind=AuditEvent.ActorKind.RULE, name=f"Reclaim: {cause_label.lower()}")


def record_by_title(*, action: str, by: Actor, pairs: Iterable[Pair], **facts: Any) -> None:
    holders: dict[int, list[str]] = {}
    for title_id, holder in pairs:
        holders.setdefault(title_id, []).append(holder)
    titles = LicensedApp.objects.filter(pk__in=holders).select_related("organization", "app")
    for title in titles.order_by("pk"):
        told = sorted(holders[title.pk])
        after = {"holders": told[:MOST_NAMED], "count": len(told)} | facts
        audit.record(action, by=by, organization=title.organization, target=title, after=after)
