"""When taking back is so much at once that a person decides first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from licensing.models import (
    OPEN_ITEMS,
    Assignment,
    AutomationHold,
    Batch,
    BatchItem,
    BatchKind,
    ItemState,
    LicensedApp,
)
from organizations.models import AuditEvent

MORE_THAN = 5
SHARE = 0.2  # of a title's assignments
LATELY = timedelta(days=1)
PERMITTED_FOR = LATELY  # what a person allowed, and was not needed then


def exceeds(revokes: int, assigned: int) -> bool:
    return revokes > MORE_THAN and revokes > SHARE * assigned


def too_many(revokes: Mapping[int, int]) -> dict[int, int]:
    """Of these numbers by title those that are, with how many are assigned.

    Together with what rules took back lately: many small steps are a large one.
    """
    if not revokes:
        return {}
    assigned, lately = assigned_of(revokes), _lately(revokes)
    return {
        pk: assigned.get(pk, 0)
        for pk, number in revokes.items()
        for begun, done in [lately.get(pk, NOTHING)]
        if exceeds(number + begun, assigned.get(pk, 0) + done)
    }


class Taken(NamedTuple):
    begun: int
    done: int  # of these; no longer assigned


NOTHING = Taken(0, 0)


def _lately(title_ids: Collection[int]) -> dict[int, Taken]:
    """By title what apps' rules took back, without what a person has allowed."""
    titles = LicensedApp.objects.filter(pk__in=title_ids)
    since = timezone.now() - LATELY
    batches = Batch.objects.filter(
        organization__in=set(titles.values_list("organization", flat=True)),
        kind=BatchKind.REVOKE,
        actor_kind=AuditEvent.ActorKind.RULE,
        actor_id__isnull=False,  # of an app; what is reclaimed was shown to a person
        created_at__gt=since,
    )
    items = BatchItem.objects.filter(
        batch__in=list(batches.values_list("pk", flat=True)),
        licensed_app__in=list(title_ids),
        state__in=(*OPEN_ITEMS, ItemState.SUCCEEDED),
    )
    done = Count("pk", filter=Q(state=ItemState.SUCCEEDED))
    rows = items.order_by().values_list("licensed_app", "licensed_app__adam_id")
    allowed = _allowed(titles, since)
    return {
        pk: Taken(max(0, begun - allowed.get(adam_id, 0)), taken)
        for pk, adam_id, begun, taken in rows.annotate(begun=Count("*"), done=done)
    }


def _allowed(titles: QuerySet[LicensedApp], since: datetime) -> dict[str, int]:
    """By Adam ID: how many were taken back because a person had decided so."""
    holds = AutomationHold.objects.filter(
        organization__in=titles.values("organization"),
        managed_app__adam_id__in=titles.values("adam_id"),
        allowed=True,
        decided_at__gt=since - PERMITTED_FOR,
    )
    used: Counter[str] = Counter()
    for adam_id, shown, left in holds.values_list(
        "managed_app__adam_id", "revokes", "allowed_up_to"
    ):
        used[adam_id] += shown - (left or 0)
    return used


def assigned_of(title_ids: Collection[int]) -> dict[int, int]:
    """How many licenses of each title are in use. By account too: only so the index is used."""
    titles = LicensedApp.objects.filter(pk__in=title_ids)
    accounts = set(titles.values_list("account", flat=True))
    rows = Assignment.objects.filter(account__in=accounts, licensed_app__in=list(title_ids))
    counted = rows.order_by().values("licensed_app").annotate(n=Count("*"))
    return {row["licensed_app"]: row["n"] for row in counted}
