"""Writing what was found at Apple: bulk statements, each with its audit events.

What our own batches do is written by batches/outcomes.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from django.dispatch import Signal
from django.utils import timezone

from licensing.models import Assignment, BatchItem, BatchKind, ItemState
from organizations.audit import APPLE, current_request_id
from organizations.bulk import execute, stage
from organizations.models import AuditEvent
from vpp_accounts.models import VppAccount

# `licenses_moved(account, title_ids)`: licenses came or went that no batch of ours has granted or taken
# back. `supply_moved(account, title_ids)`: more can be given out, or a title came or went. In the
# transaction.
licenses_moved = Signal()
supply_moved = Signal()

TABLE = Assignment._meta.db_table
AUDIT = AuditEvent._meta.db_table


class Changed(NamedTuple):
    """How many rows were written; what was so already is not among them."""

    added: int
    gone: int


def apply(
    account: VppAccount,
    *,
    new: Collection[str],
    gone: Collection[str],
    origin: Assignment.Origin = Assignment.Origin.APPLE,
    audited: bool = True,
    as_of: datetime | None = None,
) -> Changed:
    """Insert and delete lines (`licensed_app_id \\t holder_kind \\t holder`) inside a transaction.

    What is there already, or gone already, changes nothing and is no news. A first sync is one
    piece of news per title (sync/assets.py), not one per license: `audited=False`.

    `as_of` is when the reading began that these lines come from. What a batch has granted or revoked
    since then, or is just changing, is the batch's to write, and so are all licenses of whom it
    retires: the reading may be older than its result.
    """
    stage(
        "assignment_change",
        'gone boolean, licensed_app_id bigint, holder_kind text, holder text COLLATE "C"',
        _marked(new, gone),
    )
    parameters = {
        "organization": account.organization_id,
        "account": account.pk,
        "origin": origin,
        "now": timezone.now(),
        "as_of": as_of or timezone.now(),
        "request_id": current_request_id(),
    }
    delete, insert = (_DELETE_TOLD, _INSERT_TOLD) if audited else (_DELETE, _INSERT)
    removed = execute(delete, parameters) if gone else 0
    added = execute(insert, parameters) if new else 0
    if removed or added:
        titles = {int(line.partition("\t")[0]) for line in chain(new, gone)}
        licenses_moved.send(Assignment, account=account, title_ids=titles)
    return Changed(added, removed)


def _marked(new: Iterable[str], gone: Iterable[str]) -> Iterable[str]:
    yield from ("f\t" + line for line in new)
    yield from ("t\t" + line for line in gone)


_IS_THE_BATCHES = f"""
    EXISTS (SELECT 1 FROM {BatchItem._meta.db_table} AS item
            WHERE item.organization_id = %(organization)s AND item.holder = change.holder
              AND item.holder_kind = change.holder_kind
              AND (item.licensed_app_id = change.licensed_app_id
                   OR item.kind = '{BatchKind.RETIRE}' AND item.account_id = %(account)s)
              AND (item.state = '{ItemState.SENT}'
                   OR item.state = '{ItemState.SUCCEEDED}' AND item.changed_at >= %(as_of)s))
"""  # noqa: S608  table names are the models'

# Sorted by key, so that each index page is visited once.
_INSERT = f"""
    INSERT INTO {TABLE} (account_id, licensed_app_id, holder_kind, holder,
                         organization_id, origin, since)
    SELECT %(account)s, licensed_app_id, holder_kind, holder,
           %(organization)s, %(origin)s, %(now)s
    FROM assignment_change AS change WHERE NOT gone AND NOT {_IS_THE_BATCHES}
    ORDER BY licensed_app_id, holder_kind, holder
    ON CONFLICT DO NOTHING
"""  # noqa: S608  table names are the models'

_DELETE = f"""
    DELETE FROM {TABLE} AS held USING assignment_change AS change
    WHERE change.gone AND held.account_id = %(account)s
      AND held.licensed_app_id = change.licensed_app_id
      AND held.holder_kind = change.holder_kind AND held.holder = change.holder
      AND held.since < %(as_of)s AND NOT {_IS_THE_BATCHES}
"""  # noqa: S608


def _told(change: str, *, action: str, before: str, after: str) -> str:
    """The statement with an audit event for each row that it really changed."""
    return f"""
    WITH changed AS ({change} RETURNING {"held." if "AS held" in change else ""}*)
    INSERT INTO {AUDIT} (organization_id, at, actor_kind, actor_id, actor_name, action,
                         target_kind, target_id, target_name, before, after, refused, request_id)
    SELECT %(organization)s, %(now)s, '{APPLE.kind}', NULL, '{APPLE.name}', '{action}',
           'licensedapp', changed.licensed_app_id,
           left(coalesce(nullif(app.name, ''), 'Adam ID ' || app.adam_id), 254),
           {before}, {after}, false, %(request_id)s
    FROM changed
    JOIN licensing_licensedapp AS title ON title.id = changed.licensed_app_id
    JOIN apps_catalog_app AS app ON app.id = title.app_id
    """  # noqa: S608


_HOLDER = "jsonb_build_object('holder', holder, 'kind', holder_kind)"
# Who did it is said only where Apple told: as another MDM's location was taken over.
_WHOSE = "jsonb_strip_nulls(jsonb_build_object('origin', nullif(changed.origin, 'apple')))"
_INSERT_TOLD = _told(
    _INSERT, action="assignment.found", before="NULL::jsonb", after=f"{_HOLDER} || {_WHOSE}"
)
_DELETE_TOLD = _told(_DELETE, action="assignment.gone", before=_HOLDER, after="NULL::jsonb")
