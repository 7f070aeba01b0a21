"""How far batches are: their counts, and the states that follow from them."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.dispatch import Signal
from django.utils import timezone

from licensing.models import Batch, BatchItem, BatchState
from licensing.webhooks import tell_of_ends
from organizations import audit
from organizations.audit import Actor
from organizations.bulk import returned
from organizations.models import AuditEvent

# `batches_moved(organization_ids, over)`: items were settled, and these batches ended with it. Sent
# after the commit.
batches_moved = Signal()

BATCHES, ITEMS = Batch._meta.db_table, BatchItem._meta.db_table

_COUNTS = ", ".join(
    f"count(*) FILTER (WHERE item.state = '{name}') AS {name}" for name in Batch.COUNTED
)
_SET = ", ".join(f"{name} = counted.{name}" for name in Batch.COUNTED)
_IS_OVER = "counted.planned + counted.sent = 0"
_HAS_BEGUN = f"batch.state = '{BatchState.PLANNED}' AND batch.started_at IS NULL"

# Once finished, a batch stays so: what waited in it and is served later changes its counts only.
_TALLY = f"""
    UPDATE {BATCHES} AS batch SET {_SET},
        state = CASE
            WHEN batch.finished_at IS NOT NULL THEN batch.state
            WHEN {_IS_OVER} AND batch.state <> '{BatchState.CANCELLED}' THEN '{BatchState.FINISHED}'
            WHEN {_HAS_BEGUN} AND counted.sent + counted.succeeded + counted.failed > 0
                THEN '{BatchState.RUNNING}'
            ELSE batch.state END,
        reason = CASE WHEN {_IS_OVER} THEN '' ELSE batch.reason END,
        started_at = CASE WHEN counted.sent + counted.succeeded + counted.failed > 0
            THEN coalesce(batch.started_at, %(now)s) ELSE batch.started_at END,
        finished_at = CASE WHEN {_IS_OVER} THEN coalesce(batch.finished_at, %(now)s)
            ELSE batch.finished_at END
    FROM (SELECT locked.id AS batch_id, {_COUNTS}
          FROM unnest(%(ids)s) AS locked(id) LEFT JOIN {ITEMS} AS item ON item.batch_id = locked.id
          GROUP BY locked.id) AS counted
    WHERE batch.id = counted.batch_id
    RETURNING batch.id, batch.finished_at = %(now)s, batch.organization_id
"""  # noqa: S608  names are the models'


@transaction.atomic
def tally(batch_ids: Iterable[int]) -> None:
    """Count the items of these batches again; says in the log which of them are over now."""
    ids = sorted(set(batch_ids))
    if not ids:
        return
    # Two tallies at once would each see half of it, and the older one could be written last.
    list(
        Batch.objects.select_for_update(no_key=True)
        .filter(pk__in=ids)
        .order_by("pk")
        .values_list("pk")
    )
    rows = returned(_TALLY, {"ids": ids, "now": timezone.now()})
    over = [pk for pk, ends, _ in rows if ends]
    ended = list(Batch.objects.select_related("organization", "account").filter(pk__in=over))
    for batch in ended:
        _record_end(batch)
    tell_of_ends(ended)
    places = sorted({organization_id for _, _, organization_id in rows})
    transaction.on_commit(
        lambda: batches_moved.send(Batch, organization_ids=places, over=over), robust=True
    )


def _record_end(batch: Batch) -> None:
    counts = {name: getattr(batch, name) for name in Batch.COUNTED if getattr(batch, name)}
    audit.record(
        "batch.finished",
        by=actor_of(batch),
        organization=batch.organization,
        target=batch,
        after={"kind": batch.kind, "about": batch.about, **counts},
    )


def actor_of(batch: Batch) -> Actor:
    """Whoever began the batch, for what is done in its name."""
    return Actor(
        kind=AuditEvent.ActorKind(batch.actor_kind), name=batch.actor_name, id=batch.actor_id
    )
