"""Holders and open items of a title, each a range of an index."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from licensing.models import OPEN_ITEMS, Assignment, BatchItem, BatchKind, ItemState, LicensedApp
from licensing.models.assignments import AssignmentQuerySet
from licensing.models.batches import OfAccount
from organizations.models import Membership

DEVICE = Assignment.HolderKind.DEVICE
USER = Assignment.HolderKind.USER
SHOWN_FAILURES = timedelta(days=7)
LAST_CHARACTER = chr(0x10FFFF)


def holders_of(title: LicensedApp, kind: Assignment.HolderKind) -> AssignmentQuerySet:
    """A range of the primary key: a million rows are entered at any holder at once.

    The organization is that of the title; named, it would lure the database to another index.
    """
    return Assignment.objects.filter(
        account=title.account_id, licensed_app=title.pk, holder_kind=kind
    )


def open_items_of(title: LicensedApp, kind: Assignment.HolderKind) -> OfAccount:
    """What is under way or waited for: one item at most for each holder."""
    return BatchItem.objects.filter(licensed_app=title, holder_kind=kind, state__in=OPEN_ITEMS)


@dataclass(frozen=True, slots=True)
class Pending:
    """What Apple's count of a title will become by what is under way."""

    giving: int
    taking: int


def pending_of(title: LicensedApp) -> Pending:
    items = BatchItem.objects.filter(licensed_app=title, state__in=OPEN_ITEMS)
    counts = items.exclude(state=ItemState.WAITING).aggregate(
        giving=Count("pk", filter=Q(kind=BatchKind.GRANT)),
        taking=Count("pk", filter=Q(kind=BatchKind.REVOKE)),
    )
    return Pending(counts["giving"] + title.grants_since_read, counts["taking"])


def failed_items_of(title: LicensedApp, kind: Assignment.HolderKind) -> OfAccount:
    return recently_failed().filter(licensed_app=title, holder_kind=kind)


def recently_failed() -> OfAccount:
    """Items that failed in the last days, and after which nothing else was done about it."""
    later = BatchItem.objects.filter(
        organization=OuterRef("organization"),
        licensed_app=OuterRef("licensed_app"),
        holder_kind=OuterRef("holder_kind"),
        holder=OuterRef("holder"),
        state__in=(*OPEN_ITEMS, ItemState.SUCCEEDED),
        pk__gt=OuterRef("pk"),
    )
    since = timezone.now() - SHOWN_FAILURES
    return BatchItem.objects.filter(~Exists(later), state=ItemState.FAILED, changed_at__gte=since)


def begins_with(text: str) -> Q:
    # A range and not LIKE: it uses the key's index also under row-level security.
    return Q(holder__gte=text, holder__lt=text + LAST_CHARACTER)


def elsewhere(title: LicensedApp, membership: Membership) -> QuerySet[LicensedApp, Any]:
    """The same Adam ID in the organization's other accounts, or in its other edition."""
    ours = LicensedApp.objects.visible_to(membership).present().filter(adam_id=title.adam_id)
    return (
        ours.exclude(pk=title.pk).select_related("account", "app").order_by("account__name", "pk")
    )
