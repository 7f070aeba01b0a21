"""The waiting list: who gets a license when one is free again, by priority, then by age."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from licensing.batches.boundaries import leave_out
from licensing.batches.tallies import tally
from licensing.models import BatchItem, BatchKind, ItemState, LicensedApp
from licensing.models.apps import UNLIMITED
from organizations.bulk import returned
from vpp_accounts.models import VppAccount

ITEMS, TITLES = BatchItem._meta.db_table, LicensedApp._meta.db_table

_UNREAD = "CASE WHEN title.touched_at > title.counts_as_of THEN title.unread_grants ELSE 0 END"

_WANTED = f"""
    SELECT title.id FROM {TITLES} AS title
    WHERE title.account_id = %(account)s AND title.gone_at IS NULL
      AND title.available_count > 0 AND EXISTS (
          SELECT 1 FROM {ITEMS} AS item WHERE item.licensed_app_id = title.id
            AND item.state IN ('planned', 'sent', 'waiting')
            AND item.state = '{ItemState.WAITING}')
    ORDER BY title.id
    FOR NO KEY UPDATE OF title
"""  # noqa: S608  table names are the models'

# Whom Apple had no license for waits until the counts have been read again since, and each time it
# happens for half a minute longer, should Apple's count be wrong.
_SERVE = f"""
    WITH free AS (
        SELECT title.id, title.counts_as_of, CASE WHEN title.total_count >= {UNLIMITED}
            THEN {UNLIMITED} ELSE title.available_count - {_UNREAD} - (
                SELECT count(*) FROM {ITEMS} AS busy WHERE busy.licensed_app_id = title.id
                  AND busy.kind = '{BatchKind.GRANT}'
                  AND busy.state IN ('{ItemState.PLANNED}', '{ItemState.SENT}')) END AS count
        FROM {TITLES} AS title WHERE title.id = ANY(%(titles)s)
    ), queue AS (
        SELECT item.id, free.count, row_number() OVER (
            PARTITION BY item.licensed_app_id ORDER BY item.priority DESC, item.id) AS place
        FROM {ITEMS} AS item JOIN free ON free.id = item.licensed_app_id
        WHERE item.state = '{ItemState.WAITING}'
          AND (item.attempts = 0
               OR item.changed_at < free.counts_as_of - (item.attempts - 1) * interval '30 seconds')
    ), served AS (
        UPDATE {ITEMS} AS item SET state = '{ItemState.PLANNED}', changed_at = %(now)s
        FROM queue WHERE queue.id = item.id AND queue.place <= queue.count
          AND item.state = '{ItemState.WAITING}'
        RETURNING item.batch_id
    )
    SELECT batch_id, count(*) FROM served GROUP BY batch_id
"""  # noqa: S608


@transaction.atomic
def serve(account: VppAccount) -> int:
    """Call those for whom a license is free; answers how many."""
    tally(leave_out(account))
    titles = [pk for (pk,) in returned(_WANTED, {"account": account.pk})]
    if not titles:
        return 0
    rows = returned(_SERVE, {"titles": titles, "now": timezone.now()})
    tally(batch_id for batch_id, _ in rows)
    return sum(count for _, count in rows)
