"""What webhooks are told of licenses. Each is called in the transaction of what happened, and reads
more only where somebody listens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import Count

from licensing.models import (
    Assignment,
    Batch,
    BatchItem,
    BatchKind,
    ItemState,
    LicensedApp,
    Reclaim,
)
from licensing.models.batches import BatchItemQuerySet
from organizations.models import AuditEvent, EventKind
from organizations.webhooks import emit, emit_each
from vpp_accounts.models import SyncRun, VppAccount
from vpp_accounts.runs import BY_THEMSELVES

Data = dict[str, Any]
MOST_SERIALS = 1000


def tell_of_sync(run: SyncRun, account: VppAccount) -> None:
    """Runs of the schedule's own that changed nothing would bury those that did."""
    failed = run.outcome == SyncRun.Outcome.FAILED
    if failed or run.counts or run.trigger not in BY_THEMSELVES:
        emit(account.organization_id, EventKind.SYNC_FINISHED, lambda: _sync(run, account))


def _sync(run: SyncRun, account: VppAccount) -> Data:
    return {
        **_account(account),
        "syncRunId": str(run.pk),
        "trigger": run.trigger,
        "outcome": run.outcome,
        "message": run.message,
        "errorNumber": run.error_number,
        "counts": run.counts,
        "startedAt": run.started_at,
        "finishedAt": run.finished_at,
    }


def tell_of_ends(batches: Sequence[Batch]) -> None:
    """These batches of one organization are over now, once and for all. With their accounts, please."""
    if not batches:
        return
    place = batches[0].organization_id
    emit_each(place, EventKind.BATCH_FINISHED, lambda: map(_batch, batches))
    revoked = [each for each in batches if each.kind == BatchKind.REVOKE and each.succeeded]
    if revoked:
        emit_each(place, EventKind.DEVICE_RECLAIMED, lambda: _reclaimed(revoked))


def _batch(batch: Batch) -> Data:
    counts = {name: getattr(batch, name) for name in Batch.COUNTED}
    sent, planned = counts.pop("sent"), counts.pop("planned")
    return {
        **_account(batch.account),
        "batchId": str(batch.pk),
        "kind": batch.kind,
        "state": batch.state,
        "about": batch.about,
        "why": batch.why,
        "counts": {"total": batch.total, "pending": planned + sent, **counts},
        "createdAt": batch.created_at,
        "createdBy": batch.actor_name,
        "startedAt": batch.started_at,
        "finishedAt": batch.finished_at,
    }


def _reclaimed(batches: Sequence[Batch]) -> Iterator[Data]:
    """Of those that a rule began, or somebody under VPP > Reclaim."""
    reclaims = Reclaim.objects.filter(batch_id__in=[batch.pk for batch in batches])
    chosen = set(reclaims.values_list("batch_id", flat=True))
    for batch in batches:
        if batch.actor_kind == AuditEvent.ActorKind.RULE or batch.pk in chosen:
            yield from _taken_back(batch)


def _taken_back(batch: Batch) -> Iterator[Data]:
    device = Assignment.HolderKind.DEVICE
    items = BatchItem.objects.filter(batch=batch, state=ItemState.SUCCEEDED, holder_kind=device)
    counted = items.aggregate(licenses=Count("pk"), devices=Count("holder", distinct=True))
    if not counted["licenses"]:
        return
    serials = items.order_by("holder").values_list("holder", flat=True).distinct()[:MOST_SERIALS]
    yield {
        **_account(batch.account),
        "batchId": str(batch.pk),
        "rule": batch.actor_name,
        "why": batch.why,
        **counted,
        "serialNumbers": list(serials),
    }


def tell_of_shortage(organization_id: int, items: BatchItemQuerySet) -> None:
    """These items wait for a license now: once for each title and batch, when the first do."""
    emit_each(organization_id, EventKind.LICENSE_SHORTAGE, lambda: _shortages(items))


def _shortages(items: BatchItemQuerySet) -> Iterator[Data]:
    new = _by_batch_and_title(items)
    batches, titles = {batch for batch, _ in new}, {title for _, title in new}
    same = BatchItem.objects.filter(batch__in=batches, licensed_app__in=titles)
    every = _by_batch_and_title(same.filter(state=ItemState.WAITING))
    known = LicensedApp.objects.select_related("app", "account").in_bulk(titles)
    for (batch_id, title_id), waiting in new.items():
        if every[batch_id, title_id] == waiting:
            yield {**_title(known[title_id]), "batchId": str(batch_id), "waiting": waiting}


def _by_batch_and_title(items: BatchItemQuerySet) -> Counter[tuple[int, int]]:
    rows = items.order_by().values_list("batch", "licensed_app").annotate(n=Count("pk"))
    return Counter({(batch, title): n for batch, title, n in rows})


def tell_of_low(account: VppAccount, titles: Iterable[tuple[LicensedApp, int]]) -> None:
    """These have fallen below their thresholds."""
    emit_each(
        account.organization_id,
        EventKind.LICENSE_LOW,
        lambda: [_title(title) | {"threshold": threshold} for title, threshold in titles],
    )


def _title(title: LicensedApp) -> Data:
    return {
        **_account(title.account),
        "adamId": title.adam_id,
        "pricingParam": title.pricing_param,
        "name": title.app.name or None,
        "available": title.available_count,
    }


def _account(account: VppAccount) -> Data:
    return {"vppAccountId": str(account.pk), "vppAccountName": account.name}
