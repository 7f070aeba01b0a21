"""What becomes of items that were sent: set-based, each transition together with what follows from it.

Every function here expects the operation's row to be locked, so that a notification and a poll of the
same event, or a worker that comes back from the dead, do not meet half way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Case, F, QuerySet, Value, When
from django.utils import timezone

from licensing.batches import retiring
from licensing.batches.plans import Sent
from licensing.changes import AUDIT, TABLE
from licensing.models import (
    AppleOperation,
    Assignment,
    Batch,
    BatchItem,
    BatchKind,
    ItemState,
    LicensedApp,
)
from organizations.audit import current_request_id
from organizations.bulk import execute, returned
from organizations.models import AuditEvent

ITEMS, BATCHES = BatchItem._meta.db_table, Batch._meta.db_table
TITLES = LicensedApp._meta.db_table

State = AppleOperation.State
ONE_MORE, ONE_CALL = F("attempts") + 1, F("calls") + 1

_DONE = f"""
    UPDATE {ITEMS} AS item
    SET state = '{ItemState.SUCCEEDED}', error_number = NULL, message = '', changed_at = %(now)s
    FROM {BATCHES} AS batch
    WHERE item.operation_id = %(operation)s AND item.state = '{ItemState.SENT}'
      AND item.batch_id = batch.id AND (%(ids)s::bigint[] IS NULL OR item.id = ANY(%(ids)s))
    RETURNING item.organization_id, item.account_id, item.licensed_app_id, item.holder_kind,
              item.holder, item.batch_id, item.kind, batch.actor_kind, batch.actor_id,
              batch.actor_name
"""  # noqa: S608  table names are the models'

# Where a sync saw the license first, it becomes ours now: it is ours that Apple carried out.
_GRANTED = f"""
    INSERT INTO {TABLE} AS held (account_id, licensed_app_id, holder_kind, holder,
                                 organization_id, origin, batch_id, rule_id, since)
    SELECT account_id, licensed_app_id, holder_kind, holder, organization_id,
           CASE WHEN actor_kind = '{AuditEvent.ActorKind.RULE}'
               THEN '{Assignment.Origin.RULE}' ELSE '{Assignment.Origin.MANUAL}' END,
           batch_id, CASE WHEN actor_kind = '{AuditEvent.ActorKind.RULE}' THEN actor_id END, %(now)s
    FROM done WHERE kind = '{BatchKind.GRANT}' AND licensed_app_id IS NOT NULL
    ORDER BY licensed_app_id, holder_kind, holder
    ON CONFLICT (account_id, licensed_app_id, holder_kind, holder)
        DO UPDATE SET origin = excluded.origin, batch_id = excluded.batch_id,
                      rule_id = excluded.rule_id
"""  # noqa: S608

_REVOKED = f"""
    DELETE FROM {TABLE} AS held USING done
    WHERE done.kind = '{BatchKind.REVOKE}' AND held.account_id = done.account_id
      AND held.licensed_app_id = done.licensed_app_id
      AND held.holder_kind = done.holder_kind AND held.holder = done.holder
"""  # noqa: S608

_TOLD = f"""
    INSERT INTO {AUDIT} (organization_id, at, actor_kind, actor_id, actor_name, action,
                         target_kind, target_id, target_name, before, after, refused, request_id)
    SELECT done.organization_id, %(now)s, done.actor_kind, done.actor_id, done.actor_name,
           CASE done.kind WHEN '{BatchKind.GRANT}' THEN 'assignment.granted'
                          ELSE 'assignment.revoked' END,
           'licensedapp', done.licensed_app_id,
           left(coalesce(nullif(app.name, ''), 'Adam ID ' || app.adam_id), 254),
           CASE done.kind WHEN '{BatchKind.REVOKE}' THEN told.holder END,
           CASE done.kind WHEN '{BatchKind.GRANT}' THEN told.holder END, false, %(request_id)s
    FROM done
    JOIN {TITLES} AS title ON title.id = done.licensed_app_id
    JOIN apps_catalog_app AS app ON app.id = title.app_id
    CROSS JOIN LATERAL (SELECT jsonb_build_object(
        'holder', done.holder, 'kind', done.holder_kind, 'batch', done.batch_id) AS holder) AS told
    ORDER BY done.licensed_app_id
"""  # noqa: S608

_TOUCHED = f"""
    UPDATE {TITLES} AS title
    SET touched_at = %(now)s, unread_grants = counted.granted +
        CASE WHEN title.touched_at > title.counts_as_of THEN title.unread_grants ELSE 0 END
    FROM (SELECT licensed_app_id, count(*) FILTER (WHERE kind = '{BatchKind.GRANT}') AS granted
          FROM done WHERE licensed_app_id IS NOT NULL GROUP BY licensed_app_id) AS counted
    WHERE title.id = counted.licensed_app_id
"""  # noqa: S608

_SUCCEEDED = f"""
    WITH done AS ({_DONE}), granted AS ({_GRANTED}), revoked AS ({_REVOKED}),
         told AS ({_TOLD}), touched AS ({_TOUCHED})
    SELECT batch_id, array_agg(holder) FILTER (WHERE kind = '{BatchKind.RETIRE}')
    FROM done GROUP BY batch_id
"""  # noqa: S608


def succeed(operation: AppleOperation, item_ids: Sequence[int] | None = None) -> set[int]:
    """These items of the operation, or all of them, are done at Apple; answers their batches."""
    rows = returned(
        _SUCCEEDED,
        {
            "operation": operation.pk,
            "ids": None if item_ids is None else list(item_ids),
            "now": timezone.now(),
            "request_id": current_request_id(),
        },
    )
    for batch_id, retired in rows:
        if retired:
            retiring.take_effect(batch_id, retired)
    return {batch_id for batch_id, _ in rows}


def move(
    operation: AppleOperation,
    item_ids: Sequence[int],
    state: ItemState,
    *,
    number: int | None = None,
    message: str = "",
    more_caution: bool = False,
    unsent: bool = False,
) -> set[int]:
    """Items that were sent go on to `failed`, `waiting`, or back to `planned`; answers their batches.

    `unsent`: Apple did nothing with them, so it does not count as an attempt.
    """
    rows = returned(
        _MOVE,
        {
            "operation": operation.pk,
            "ids": list(item_ids),
            "state": state,
            "number": number,
            "message": message[:300],
            "caution": int(more_caution),
            "unsent": int(unsent),
            "now": timezone.now(),
        },
    )
    return {batch_id for (batch_id,) in rows}


_MOVE = f"""
    WITH moved AS (
        UPDATE {ITEMS} SET state = %(state)s, error_number = %(number)s, message = %(message)s,
            caution = caution + %(caution)s, attempts = attempts - %(unsent)s, changed_at = %(now)s
        WHERE operation_id = %(operation)s AND state = '{ItemState.SENT}' AND id = ANY(%(ids)s)
        RETURNING batch_id)
    SELECT DISTINCT batch_id FROM moved
"""  # noqa: S608


def end(operation: AppleOperation, state: AppleOperation.State, **facts: Any) -> None:
    """The operation is over: nothing is asked about it any more."""
    AppleOperation.objects.filter(pk=operation.pk).update(
        state=state, settled_at=timezone.now(), next_poll_at=None, **facts
    )


def lock(operation_id: int) -> AppleOperation | None:
    """The operation, ours until the end of the transaction; None when it is settled already."""
    open_ = AppleOperation.objects.filter(pk=operation_id, settled_at=None)
    return open_.select_for_update(of=("self",)).first()


def sent_items(operation: AppleOperation) -> list[Sent]:
    """Those of which nobody knows yet how they ended."""
    return _items(BatchItem.objects.filter(operation=operation, state=ItemState.SENT))


def all_items(operation: AppleOperation) -> list[Sent]:
    return _items(BatchItem.objects.filter(operation=operation))


def _items(rows: QuerySet[BatchItem]) -> list[Sent]:
    found = rows.order_by("pk").values_list(
        "pk",
        "licensed_app__adam_id",
        "licensed_app__pricing_param",
        "holder",
        "holder_kind",
    )
    return [
        Sent(
            pk, (adam_id, param) if adam_id else None, holder, kind == Assignment.HolderKind.DEVICE
        )
        for pk, adam_id, param, holder, kind in found
    ]


def batches_of(operation: AppleOperation) -> set[int]:
    carried = BatchItem.objects.filter(operation=operation)
    return set(carried.order_by().values_list("batch", flat=True).distinct())


def count_call(operation: AppleOperation) -> set[int]:
    """One more request for the batches whose items it carries."""
    ids = batches_of(operation)
    batches = Batch.objects.filter(pk__in=ids)
    # In the order in which whoever counts the items locks them.
    list(batches.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    batches.update(calls=ONE_CALL)
    return ids


def counts_are_old(item_ids: Sequence[int]) -> None:
    """Apple's word about these items' titles shows that its count is another than the one we hold."""
    titles = BatchItem.objects.filter(pk__in=item_ids).values("licensed_app")
    LicensedApp.objects.filter(pk__in=titles).update(
        touched_at=timezone.now(),
        unread_grants=Case(
            When(touched_at__gt=F("counts_as_of"), then=F("unread_grants")), default=Value(0)
        ),
    )


def has_items_left(operation: AppleOperation) -> bool:
    return BatchItem.objects.filter(operation=operation, state=ItemState.SENT).exists()


def forget_items(account_id: int) -> None:
    """Everything about an account that is being removed, in one statement."""
    execute(f"DELETE FROM {ITEMS} WHERE account_id = %s", [account_id])  # noqa: S608
