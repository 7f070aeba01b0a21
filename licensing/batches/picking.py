"""What is to be sent next, as far as one look reaches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from licensing.batches.calls import REGISTER, RETIRE, REVOKE_ALL, UPDATE, Call, Planned, plan_calls
from licensing.models import (
    OPEN_ITEMS,
    AppleOperation,
    Assignment,
    Batch,
    BatchItem,
    BatchKind,
    ItemState,
    LicensedApp,
)
from organizations.bulk import returned
from users.models import VppUser
from vpp_accounts.apple.types import Limits
from vpp_accounts.models import VppAccount

LOOK = 25_000  # items at a time: a full request of 25 titles for 1,000 holders

ITEMS, TITLES = BatchItem._meta.db_table, LicensedApp._meta.db_table
OPERATIONS = AppleOperation._meta.db_table
HELD, PEOPLE = Assignment._meta.db_table, VppUser._meta.db_table
DEVICE, USER = Assignment.HolderKind.DEVICE, Assignment.HolderKind.USER


def _is_older(kind: str) -> str:
    """Kind by kind: only so the database looks at one row each."""
    return f"""EXISTS (
        SELECT 1 FROM {ITEMS} AS older
        WHERE older.account_id = item.account_id AND older.kind = '{kind}'
          AND older.holder = item.holder AND older.licensed_app_id IS NULL
          AND older.state IN {tuple(str(state) for state in OPEN_ITEMS)} AND older.id < item.id)"""  # noqa: S608


# Of what people are registered, changed and retired by, one thing waits for the other.
_WAITS_FOR_AN_OLDER_ONE = (
    "item.licensed_app_id IS NULL AND ("
    f"{_is_older(REGISTER)} OR {_is_older(UPDATE)} OR {_is_older(RETIRE)})"
)

# What was asked for before somebody is retired is over first: else a license could be given to
# somebody who is gone, and nobody would take it back.
# The list is made once for all of them, and only where somebody is to be retired.
_WAITS_FOR_LICENSES = f"""
    item.kind = '{BatchKind.RETIRE}' AND item.holder IN (
        SELECT holder FROM {ITEMS}
        WHERE account_id = %(account)s AND state = '{ItemState.PLANNED}'
          AND licensed_app_id IS NOT NULL AND holder_kind = '{USER}'
        UNION ALL
        SELECT sent.holder FROM {OPERATIONS} AS operation
        JOIN {ITEMS} AS sent ON sent.operation_id = operation.id
        WHERE operation.account_id = %(account)s AND operation.settled_at IS NULL
          AND sent.state = '{ItemState.SENT}' AND sent.licensed_app_id IS NOT NULL
          AND sent.holder_kind = '{USER}')
"""  # noqa: S608

# Licenses of people whom Apple does not know yet wait until they are registered; those of holders
# who are just losing everything, until that is over: it could take them, too.
_NEXT = f"""
    SELECT item.id, item.kind, title.adam_id, title.pricing_param, item.holder,
           item.holder_kind = '{DEVICE}', item.caution, batch.everything,
           item.priority
    FROM {ITEMS} AS item
    JOIN {Batch._meta.db_table} AS batch ON batch.id = item.batch_id
    LEFT JOIN {TITLES} AS title ON title.id = item.licensed_app_id
    WHERE item.account_id = %(account)s AND item.state = '{ItemState.PLANNED}'
      AND item.kind <> '{BatchKind.INVITE}'
      AND NOT ({_WAITS_FOR_AN_OLDER_ONE})
      AND NOT ({_WAITS_FOR_LICENSES})
      AND NOT (item.kind = '{BatchKind.GRANT}' AND item.holder_kind = '{USER}' AND EXISTS (
          SELECT 1 FROM {PEOPLE} AS person
          WHERE person.account_id = item.account_id AND person.client_user_id = item.holder
            AND person.apple_status = ''))
      AND NOT (item.kind = '{BatchKind.GRANT}' AND (item.holder_kind, item.holder) IN (
          SELECT losing.holder_kind, losing.holder FROM {OPERATIONS} AS operation
          JOIN {ITEMS} AS losing ON losing.operation_id = operation.id
          WHERE operation.account_id = %(account)s AND operation.settled_at IS NULL
            AND operation.path = '{REVOKE_ALL}'))
    ORDER BY item.priority DESC, item.id
    LIMIT {LOOK}
"""  # noqa: S608

# Holders to whom something revocable would be left, or that are being given something. EXCEPT, since
# NOT EXISTS becomes a loop in a loop where PostgreSQL has not counted the rows yet.
_KEEPING = f"""
    SELECT holder_kind = '{DEVICE}', holder FROM (
        SELECT held.licensed_app_id, held.holder_kind, held.holder
        FROM {HELD} AS held JOIN {TITLES} AS title ON title.id = held.licensed_app_id
        WHERE held.organization_id = %(organization)s AND held.account_id = %(account)s
          AND held.holder = ANY(%(holders)s) AND title.revocable
        EXCEPT
        SELECT licensed_app_id, holder_kind, holder FROM {ITEMS}
        WHERE organization_id = %(organization)s AND account_id = %(account)s
          AND holder = ANY(%(holders)s) AND kind = '{BatchKind.REVOKE}'
          AND state IN ('{ItemState.PLANNED}', '{ItemState.SENT}')) AS kept
    UNION
    SELECT item.holder_kind = '{DEVICE}', item.holder FROM {ITEMS} AS item
    WHERE item.organization_id = %(organization)s AND item.account_id = %(account)s
      AND item.holder = ANY(%(holders)s) AND item.kind = '{BatchKind.GRANT}'
      AND item.state IN ('{ItemState.PLANNED}', '{ItemState.SENT}')
"""  # noqa: S608


def next_calls(account: VppAccount, limits: Limits) -> list[Call]:
    """Requests for what is planned. While more follows, only those that are full."""
    rows, more_follow = _look(account)
    wholly = {(row[5], row[4]) for row in rows if row[1] == BatchKind.REVOKE and row[7]}
    wholly -= _keeping(account, sorted(holder for _, holder in wholly))
    calls = plan_calls([_planned(row, wholly) for row in rows], limits)
    if not more_follow:
        return calls
    return [call for call in calls if _is_full(call, limits)] or calls


def _look(account: VppAccount) -> tuple[list[tuple[Any, ...]], bool]:
    """The items of the highest priority, and whether there are more of them."""
    rows = returned(_NEXT, {"account": account.pk})
    first = [row for row in rows if row[-1] == rows[0][-1]]
    return first, len(first) == LOOK


def _planned(row: Sequence[Any], wholly: set[tuple[bool, str]]) -> Planned:
    item_id, kind, adam_id, pricing_param, holder, is_device, caution, everything, _ = row
    return Planned(
        id=item_id,
        kind=str(kind),
        key=None if adam_id is None else (str(adam_id), str(pricing_param)),
        holder=str(holder),
        is_device=bool(is_device),
        caution=caution,
        takes_all=bool(everything) and (is_device, holder) in wholly,
    )


def _keeping(account: VppAccount, holders: list[str]) -> set[tuple[bool, str]]:
    if not holders:
        return set()
    ours = {"organization": account.organization_id, "account": account.pk}
    return set(returned(_KEEPING, {**ours, "holders": holders}))


def _is_full(call: Call, limits: Limits) -> bool:
    if call.is_about_people:
        return len(call.holders) >= limits.max_users
    smallest = min(limits.max_serial_numbers, limits.max_client_user_ids)
    return len(call.holders) >= smallest or (
        not call.assets and len(call.holders) >= limits.max_revoke_serial_numbers
    )
