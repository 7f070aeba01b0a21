"""What a person can do with a batch that has begun: cancel what is not sent, retry what failed,
and change the waiting list.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from licensing.batches.facts import DEVICE, USER
from licensing.batches.planning import Wish, make_plan
from licensing.batches.refusals import NothingToCancel, NothingToRetry, NothingWaits
from licensing.batches.registering import begin_again
from licensing.batches.rights import refuse_control, refuse_ordering, refuse_taking_off
from licensing.batches.starting import OFF_THE_LIST, start
from licensing.batches.tallies import tally
from licensing.models import Batch, BatchItem, BatchKind, BatchState, ItemState, LicensedApp
from organizations import audit
from organizations.audit import Actor
from organizations.models import Membership
from users.models import VppUser

STOPPED = "Cancelled before it was sent to Apple."
NOT_WRITTEN = "Cancelled before the mail was written."
HIGHEST = 100  # priority, and as much below zero
MOST_NAMED = 20  # holders in one audit event


@transaction.atomic
def cancel(*, by: Actor, batch: Batch, membership: Membership | None = None) -> int:
    """Stop what Apple has not been asked for; answers how many items. What is sent runs to its end.

    An item whose answer got lost has been asked for: whether it is stopped nobody could say.
    """
    refuse_control(batch, membership)
    unsent = BatchItem.objects.filter(
        Q(state=ItemState.PLANNED, attempts=0) | Q(state=ItemState.WAITING), batch=batch
    )
    ids = list(
        unsent.select_for_update(skip_locked=True).order_by("pk").values_list("pk", flat=True)
    )
    if not ids:
        raise NothingToCancel
    unsent.filter(pk__in=ids).update(
        state=ItemState.CANCELLED,
        message=NOT_WRITTEN if batch.kind == BatchKind.INVITE else STOPPED,
        changed_at=timezone.now(),
    )
    Batch.objects.filter(pk=batch.pk, state__in=Batch.UNFINISHED).update(state=BatchState.CANCELLED)
    tally([batch.pk])
    audit.record(
        "batch.cancelled",
        by=by,
        organization=batch.organization,
        target=batch,
        after={"about": batch.about, "cancelled": len(ids)},
    )
    batch.refresh_from_db()
    return len(ids)


@transaction.atomic
def retry(*, by: Actor, membership: Membership | None, batch: Batch) -> Batch:
    """A new batch of what failed in this one, planned as the world is now; the same one if asked twice."""
    refuse_control(batch, membership)
    Batch.objects.select_for_update(of=("self",), no_key=True).get(pk=batch.pk)
    again: Batch | None = batch.retries.order_by("-pk").first()
    if again is not None:
        return again
    if not BatchItem.objects.filter(batch=batch, state=ItemState.FAILED).exists():
        raise NothingToRetry
    if batch.kind in (BatchKind.REGISTER, BatchKind.UPDATE):
        return _tell_again(by, batch)
    plan = make_plan(by=by, membership=membership, account=batch.account, wish=_what_failed(batch))
    return start(by=by, membership=membership, plan=plan, confirm_irrevocable=True)


def _tell_again(by: Actor, batch: Batch) -> Batch:
    again = begin_again(by=by, batch=batch)
    if again is None:
        raise NothingToRetry
    return again


def _what_failed(batch: Batch) -> Wish:
    """Exactly the failed pairs: what was cancelled stays so, and who holds one by now is skipped."""
    left = BatchItem.objects.filter(batch=batch, state=ItemState.FAILED)
    holders = set(left.values_list("holder_kind", "holder"))
    ids = [holder for kind, holder in holders if kind == USER]
    people = VppUser.objects.filter(account=batch.account, client_user_id__in=ids)
    titles = left.exclude(licensed_app=None).values_list("licensed_app", flat=True)
    return Wish(
        kind=batch.kind,
        titles=sorted(set(titles)),
        serials=sorted(holder for kind, holder in holders if kind == DEVICE),
        users=list(people.order_by("pk").values_list("pk", flat=True)),
        everything=batch.everything,
        priority=batch.priority,
        why=f"Again what failed in #{batch.pk}.",
        again_of=batch.pk,
    )


@transaction.atomic
def take_off(*, by: Actor, items: QuerySet[BatchItem], membership: Membership | None = None) -> int:
    """These wait no longer for a license; answers how many. Who is being served keeps it."""
    refuse_taking_off(items, membership)
    rows = _lock_waiting(items)
    _still(rows).update(state=ItemState.CANCELLED, message=OFF_THE_LIST, changed_at=timezone.now())
    tally({row.batch_id for row in rows})
    _record("assignment.taken_off_the_list", by, rows)
    return len(rows)


@transaction.atomic
def move_in_queue(
    *, by: Actor, items: QuerySet[BatchItem], step: int, membership: Membership | None = None
) -> int:
    """Raise or lower the priority of those who wait; who has the highest is served first."""
    refuse_ordering(membership)
    rows = _lock_waiting(items)
    bounds = {"priority__lt": HIGHEST} if step > 0 else {"priority__gt": -HIGHEST}
    _still(rows).filter(**bounds).update(priority=F("priority") + step)
    _record("assignment.priority_changed", by, rows, step=step)
    return len(rows)


def _lock_waiting(items: QuerySet[BatchItem]) -> list[BatchItem]:
    """What is locked is just being served, and does not wait any more."""
    waiting = items.filter(state=ItemState.WAITING).order_by("pk")
    shown = ("batch_id", "licensed_app_id", "holder")
    rows = list(waiting.select_for_update(of=("self",), skip_locked=True).only(*shown))
    if not rows:
        raise NothingWaits
    return rows


def _still(rows: list[BatchItem]) -> QuerySet[BatchItem]:
    return BatchItem.objects.filter(pk__in=[row.pk for row in rows], state=ItemState.WAITING)


def _record(action: str, by: Actor, rows: list[BatchItem], **facts: Any) -> None:
    """One event for each title, so that it is told to those who may see the title."""
    titles = LicensedApp.objects.filter(pk__in={row.licensed_app_id for row in rows})
    for title in titles.select_related("organization").order_by("pk"):
        holders = [row.holder for row in rows if row.licensed_app_id == title.pk]
        audit.record(
            action,
            by=by,
            organization=title.organization,
            target=title,
            after={"holders": holders[:MOST_NAMED], "count": len(holders)} | facts,
        )
