"""What a rule does: batches, cancelled items, and installations that move on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import structlog
from django.utils import timezone

from apps_catalog.installations.transitions import Transition, move
from apps_catalog.models import Installation, InstallationState, ManagedApp
from licensing import batches
from licensing.automation import steps
from licensing.automation.known import Held
from licensing.automation.sources import Titles
from licensing.automation.standing import Moves
from licensing.automation.words import BY, CAUSES, actor_of, why_of
from licensing.batches.controls import HIGHEST
from licensing.batches.tallies import tally
from licensing.leases import Hold
from licensing.models import Batch, BatchItem, BatchKind, ItemState, LicensedApp
from organizations.bulk import execute, returned
from organizations.models import AuditEvent
from organizations.refusals import Refusal
from users.models import VppUser

log = structlog.get_logger(__name__)

AT_A_TIME = 5_000  # installations in one transaction
ITEMS, BATCHES = BatchItem._meta.db_table, Batch._meta.db_table


@dataclass(frozen=True, slots=True)
class Act:
    """Licenses of one title for or from these holders; always one batch."""

    kind: BatchKind
    title_id: int
    holders: Sequence[str]
    to_people: bool


def begin(app: ManagedApp, act: Act) -> bool:
    """Whether a batch was begun. What is refused is looked at again in the next run."""
    title = LicensedApp.objects.select_related("account__organization").get(pk=act.title_id)
    by = actor_of(app, act.kind)
    wish = batches.wish_for(
        kind=act.kind,
        titles=[title],
        serials=() if act.to_people else act.holders,
        users=_people(title.account_id, act.holders) if act.to_people else (),
        priority=app.priority,
        why=why_of(app, act.kind),
    )
    try:
        plan = batches.make_plan(by=by, membership=None, account=title.account, wish=wish)
        batches.start(by=by, membership=None, plan=plan, confirm_irrevocable=True)
    except Refusal as refusal:
        log.warning("automation.refused", managed_app=app.pk, reason=str(refusal))
        return False
    return True


def _people(account_id: int, client_user_ids: Sequence[str]) -> list[int]:
    """In the order in which they are to be served."""
    users = VppUser.objects.filter(account=account_id, client_user_id__in=client_user_ids)
    ids = dict(users.values_list("client_user_id", "pk"))
    return [ids[each] for each in client_user_ids if each in ids]


def cancel(item_ids: Collection[int], why: str, hold: Hold) -> set[str]:
    """Items of which Apple has not heard; answers the holders whose item really was cancelled."""
    cancelled: set[str] = set()
    for some in _chunks(sorted(item_ids)):
        with hold.transaction():
            rows = returned(_CANCEL, {"ids": some, "why": why, "now": timezone.now()})
            tally(batch_id for batch_id, _ in rows)
        cancelled |= {holder for _, holder in rows}
    return cancelled


# What a worker is just serving or marking is locked, and no longer to be cancelled.
_CANCEL = f"""
    UPDATE {ITEMS} SET state = '{ItemState.CANCELLED}', message = %(why)s, changed_at = %(now)s
    WHERE id IN (
        SELECT id FROM {ITEMS} WHERE id = ANY(%(ids)s)
          AND (state = '{ItemState.WAITING}' OR state = '{ItemState.PLANNED}' AND attempts = 0)
        ORDER BY id FOR UPDATE SKIP LOCKED)
    RETURNING batch_id, holder
"""  # noqa: S608  the table's name is the model's


def follow_priority(app: ManagedApp, titles: Titles, hold: Hold) -> None:
    """Who waits because of this app moves with its priority; steps that people made stay."""
    facts = {"app": app.pk, "titles": titles.ids, "priority": app.priority}
    with hold.transaction():
        if batches_begun := [pk for (pk,) in returned(_OTHER_PRIORITY, facts)]:
            execute(_FOLLOW, facts | {"batches": batches_begun})
            Batch.objects.filter(pk__in=batches_begun).update(priority=app.priority)


_OTHER_PRIORITY = f"""
    SELECT batch.id FROM {BATCHES} AS batch
    WHERE batch.actor_kind = '{AuditEvent.ActorKind.RULE}' AND batch.actor_id = %(app)s
      AND batch.kind = '{BatchKind.GRANT}' AND batch.priority <> %(priority)s
      AND batch.id IN (SELECT item.batch_id FROM {ITEMS} AS item
          WHERE item.licensed_app_id = ANY(%(titles)s) AND item.state = '{ItemState.WAITING}')
    ORDER BY batch.id FOR NO KEY UPDATE OF batch
"""  # noqa: S608  table names are the models'

# What is locked is just being served, and does not wait any more.
_FOLLOW = f"""
    UPDATE {ITEMS} AS item
    SET priority = greatest(least(item.priority + %(priority)s - batch.priority, {HIGHEST}), -{HIGHEST})
    FROM {BATCHES} AS batch
    WHERE batch.id = item.batch_id AND item.id IN (
        SELECT id FROM {ITEMS} WHERE batch_id = ANY(%(batches)s) AND state = '{ItemState.WAITING}'
        ORDER BY id FOR UPDATE SKIP LOCKED)
"""  # noqa: S608


def carry_out(moves: Moves, hold: Hold) -> set[InstallationState]:
    """Answers the states that something moved to."""
    reached: set[InstallationState] = set()
    for held, ids in moves.licenses.items():
        _note_license(held, ids, hold)
        reached.add(InstallationState.LICENSED)
    for (old, stand), ids in moves.moves.items():
        transition = Transition(
            to=stand.state,
            cause=CAUSES.get(stand.state, ""),
            by=BY,
            reason=stand.reason,
            detail=stand.detail,
        )
        for some in _chunks(ids):
            with hold.transaction():
                moved = move(some, transition, only_from=[InstallationState(old)])
            if moved and old != stand.state:
                reached.add(stand.state)
            steps.reached(steps.MOVED)
    return reached


def _note_license(held: Held, ids: Iterable[int], hold: Hold) -> None:
    for some in _chunks(sorted(ids)):
        with hold.transaction():
            rows = Installation.objects.filter(pk__in=some).order_by("pk")
            list(rows.select_for_update(no_key=True).values_list("pk"))
            rows.order_by().update(account_id=held.account_id, licensed_app_id=held.title_id)


def _chunks(ids: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), AT_A_TIME):
        yield list(ids[start : start + AT_A_TIME])


def forget_ended(app: ManagedApp, hold: Hold) -> None:
    """Installations of which nothing is left, and which nobody wants."""
    with hold.transaction():
        ended = Installation.objects.filter(
            managed_app=app, state=InstallationState.REMOVED, is_wanted=False
        )
        ended._raw_delete(using="default")
