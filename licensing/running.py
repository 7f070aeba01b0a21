"""What runs now, as the header of every page shows it: syncs and batches, with where to look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef
from django.urls import reverse

from licensing.models import Batch, BatchState
from organizations.models import AuditEvent, Membership
from vpp_accounts.models import SyncRun, VppAccount

MOST_COUNTED = 99  # batches that run at once
SHOWN_DETAILS = 5  # of them, in the tooltip
SOON, SELDOM = 3, 30  # seconds until it is asked again; the second while all of it is paused


@dataclass(frozen=True, slots=True)
class Work:
    """What of one kind runs now."""

    number: str  # “3”, “99+”
    what: str
    details: str
    url: str
    is_paused: bool = False


def open_syncs(membership: Membership) -> list[Any]:
    """Those of closed accounts as well, but not how much there is to be read."""
    is_open = Exists(VppAccount.objects.open_to(membership).filter(pk=OuterRef("account")))
    runs = SyncRun.objects.visible_to(membership).open().select_related("account")
    return list(runs.annotate(tells_progress=is_open).order_by("pk"))


def open_batches(membership: Membership) -> list[Batch]:
    """Up to one more than are counted."""
    unfinished = Batch.objects.visible_to(membership).filter(finished_at=None)
    return list(unfinished.order_by("pk")[: MOST_COUNTED + 1])


def work_of_syncs(runs: Sequence[Any]) -> list[Work]:
    if not runs:
        return []
    url = reverse("licensing:mdm", args=[runs[0].organization_id])
    return [Work(str(len(runs)), "syncing", " · ".join(map(_sync_in_words, runs)), url)]


def _sync_in_words(run: Any) -> str:
    """“North: Reading assignments, page 5 of 20”."""
    progress = f", {run.progress_text}" if run.total and run.tells_progress else ""
    return f"{run.account.name}: {run.get_phase_display()}{progress}"


def work_of_batches(batches: Sequence[Batch]) -> list[Work]:
    if not batches:
        return []
    number = f"{MOST_COUNTED}+" if len(batches) > MOST_COUNTED else str(len(batches))
    what = "batch" if len(batches) == 1 else "batches"
    is_paused = all(batch.state == BatchState.PAUSED for batch in batches)
    details = [f"{b.get_kind_display()}: {b.about}, {b.percent} %" for b in batches[:SHOWN_DETAILS]]
    return [
        Work(
            number,
            f"{what} paused" if is_paused else what,
            " · ".join(details),
            _where_to_look(batches),
            is_paused,
        )
    ]


def _where_to_look(batches: Sequence[Batch]) -> str:
    """At the one batch, or at the list of those that run."""
    organization = batches[0].organization_id
    if len(batches) == 1:
        return reverse("licensing:batch_detail", args=[organization, batches[0].pk])
    return reverse("licensing:batch_list", args=[organization]) + "?state=running"


def seconds_until_asked_again(work: Sequence[Work]) -> int | None:
    """None where nothing runs."""
    if not work:
        return None
    return SELDOM if all(each.is_paused for each in work) else SOON


def started_by(membership: Membership, batch: Batch) -> bool:
    by_an_admin = batch.actor_kind == AuditEvent.ActorKind.ADMIN
    return by_an_admin and batch.actor_id == membership.admin_id
