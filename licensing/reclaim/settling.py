"""What became of each: taken back, refused by Apple, or no longer needed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from licensing.models import OPEN_ITEMS, BatchItem, BatchKind, ItemState, Reclaim
from licensing.reclaim.causes import CAUSES, HELD
from organizations.bulk import execute

TABLE, ITEMS = Reclaim._meta.db_table, BatchItem._meta.db_table
State = Reclaim.State
MOST_ATTEMPTS = 3
AGAIN_AFTER = timedelta(days=1)
CANCELLED = "The batch that was to take it back was cancelled."
NOT_HELD = "Nobody holds this license any more."


@transaction.atomic
def settle(organization_id: int) -> None:
    """Each step one conditional statement: whoever comes later finds nothing more to do."""
    facts = _facts(organization_id)
    for statement in (_TAKEN, _NOT_HELD, _NEVER_MIND, _CANCELLED, _REFUSED):
        execute(statement, facts)
    for cause, how in CAUSES.items():
        over = _OVER.format(over=how.over)
        execute(over, facts | {"cause": cause, "note": how.over_because})


def _facts(organization_id: int) -> dict[str, Any]:
    now = timezone.now()
    return {
        "organization": organization_id,
        "now": now,
        "again": now + AGAIN_AFTER,
        "most": MOST_ATTEMPTS,
    }


_IS_HELD = f"""EXISTS (
    SELECT FROM {HELD} AS held
    WHERE held.account_id = reclaim.account_id AND held.licensed_app_id = reclaim.licensed_app_id
      AND held.holder_kind = reclaim.holder_kind AND held.holder = reclaim.holder)
"""

_ITEM = f"""
    SELECT FROM {ITEMS} AS item
    WHERE item.organization_id = reclaim.organization_id AND item.holder = reclaim.holder
      AND item.licensed_app_id = reclaim.licensed_app_id
      AND item.holder_kind = reclaim.holder_kind AND item.kind = '{BatchKind.REVOKE}'
"""

_TOOK = f"""EXISTS ({_ITEM} AND item.state = '{ItemState.SUCCEEDED}'
    AND (item.batch_id = reclaim.batch_id OR item.changed_at >= reclaim.found_at))"""
_OURS = f"reclaim.organization_id = %(organization)s AND reclaim.state = '{State.STARTED}'"
_NOT_STARTED = (
    "reclaim.organization_id = %(organization)s"
    f" AND reclaim.state IN ('{State.FOUND}', '{State.PLANNED}')"
)

# Whatever batch took it: also one that a person began.
_TAKEN = f"""
    UPDATE {TABLE} AS reclaim SET state = '{State.DONE}', changed_at = %(now)s
    WHERE {_OURS} AND (NOT {_IS_HELD} OR {_TOOK})
       OR {_NOT_STARTED} AND NOT {_IS_HELD} AND {_TOOK}
"""  # noqa: S608

_NOT_HELD = f"""
    UPDATE {TABLE} AS reclaim SET state = '{State.VOID}', changed_at = %(now)s, note = '{NOT_HELD}'
    WHERE {_NOT_STARTED} AND reclaim.state = '{State.PLANNED}' AND NOT {_IS_HELD}
"""  # noqa: S608

# What was only found leaves no history.
_NEVER_MIND = f"""
    DELETE FROM {TABLE} AS reclaim
    WHERE {_NOT_STARTED} AND reclaim.state = '{State.FOUND}' AND NOT {_IS_HELD}
"""  # noqa: S608

_CANCELLED = f"""
    UPDATE {TABLE} AS reclaim SET state = '{State.UNDONE}', changed_at = %(now)s,
        note = '{CANCELLED}'
    WHERE {_OURS} AND EXISTS ({_ITEM} AND item.batch_id = reclaim.batch_id
                                AND item.state = '{ItemState.CANCELLED}')
"""  # noqa: S608

_REFUSED = f"""
    UPDATE {TABLE} AS reclaim
    SET state = CASE WHEN attempts + 1 < %(most)s THEN '{State.PLANNED}' ELSE '{State.FAILED}' END,
        due_at = %(again)s, attempts = attempts + 1, changed_at = %(now)s,
        note = coalesce((SELECT left(item.message, 300) FROM {ITEMS} AS item
                         WHERE item.batch_id = reclaim.batch_id AND item.holder = reclaim.holder
                           AND item.licensed_app_id = reclaim.licensed_app_id LIMIT 1), '')
    WHERE {_OURS} AND NOT EXISTS ({_ITEM}
        AND item.state IN {tuple(str(state) for state in OPEN_ITEMS)})
"""  # noqa: S608

# What the rules found in vain is deleted by the next look (finding.py).
_OVER = f"""
    UPDATE {TABLE} AS reclaim SET state = '{State.VOID}', changed_at = %(now)s, note = %(note)s
    WHERE reclaim.organization_id = %(organization)s AND reclaim.state = '{State.PLANNED}'
      AND reclaim.cause = %(cause)s AND ({{over}})
"""  # noqa: S608
