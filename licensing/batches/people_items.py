"""The items of a batch about people, one for each of them."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from licensing.batches.people_plans import PeoplePlan
from licensing.batches.reasons import RETIRED_MEANWHILE
from licensing.models import Batch, BatchItem, BatchKind, ItemState
from organizations.bulk import execute, returned

ITEMS, BATCHES = BatchItem._meta.db_table, Batch._meta.db_table


def fill(batch: Batch, plan: PeoplePlan) -> None:
    """Everybody of the plan, those who are left out with the reason."""
    execute(
        _INSERT,
        {
            "batch": batch.pk,
            "going": [person.client_user_id for person in plan.go],
            "skipped": [holder for holder, _ in plan.skipped],
            "messages": [reason.sentence for _, reason in plan.skipped],
            "now": timezone.now(),
        },
    )


def drop_what_is_planned(batch: Batch, holders: Sequence[str]) -> set[int]:
    """Who is retired gets, and waits for, nothing any more; answers the batches of what is dropped.

    What is just being sent runs to its end, and retiring waits for it.
    """
    rows = returned(
        _DROP,
        {
            "organization": batch.organization_id,
            "account": batch.account_id,
            "holders": list(holders),
            "message": RETIRED_MEANWHILE,
            "now": timezone.now(),
        },
    )
    return {batch_id for (batch_id,) in rows}


_INSERT = f"""
    INSERT INTO {ITEMS} (organization_id, account_id, batch_id, kind, priority, holder_kind, holder,
                         state, message, attempts, caution, changed_at)
    SELECT batch.organization_id, batch.account_id, batch.id, batch.kind, batch.priority, 'user',
           wanted.holder, wanted.state, wanted.message, 0, 0, %(now)s
    FROM {BATCHES} AS batch, (
        SELECT 1 AS part, place, holder, '{ItemState.PLANNED}' AS state, '' AS message
        FROM unnest(%(going)s::text[]) WITH ORDINALITY AS one(holder, place)
        UNION ALL
        SELECT 2, place, holder, '{ItemState.SKIPPED}', message
        FROM unnest(%(skipped)s::text[], %(messages)s::text[])
             WITH ORDINALITY AS one(holder, message, place)) AS wanted
    WHERE batch.id = %(batch)s
    ORDER BY wanted.part, wanted.place
    ON CONFLICT DO NOTHING
"""  # noqa: S608  table names are the models'

# Whoever has locked one of them is sending it.
_DROP = f"""
    WITH unsent AS (
        SELECT id FROM {ITEMS}
        WHERE organization_id = %(organization)s AND account_id = %(account)s
          AND holder_kind = 'user' AND holder = ANY(%(holders)s) AND kind <> '{BatchKind.RETIRE}'
          AND (state = '{ItemState.WAITING}' OR state = '{ItemState.PLANNED}' AND attempts = 0)
        ORDER BY id FOR UPDATE SKIP LOCKED
    ), dropped AS (
        UPDATE {ITEMS} AS item
        SET state = '{ItemState.CANCELLED}', message = %(message)s, changed_at = %(now)s
        FROM unsent WHERE item.id = unsent.id
        RETURNING item.batch_id)
    SELECT DISTINCT batch_id FROM dropped
"""  # noqa: S608
