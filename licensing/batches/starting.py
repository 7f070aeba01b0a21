"""From a confirmed plan to a batch with its items, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from licensing.batches import people_items
from licensing.batches.facts import DEVICE, USER
from licensing.batches.people_planning import Proposal, lock, propose
from licensing.batches.planning import (
    AnySummary,
    Gathered,
    Summary,
    Wish,
    add,
    decide,
    gather,
    has_got_worse,
    make_plan,
)
from licensing.batches.plans import TitlePlan
from licensing.batches.reasons import Reason
from licensing.batches.refusals import AccountCannotWrite, ConfirmIrrevocable, PlanGotWorse
from licensing.batches.registering import register
from licensing.batches.rights import refuse_beginning
from licensing.batches.tallies import tally
from licensing.batches.waking import wake
from licensing.models import (
    Batch,
    BatchItem,
    BatchKind,
    BatchPlan,
    ItemState,
    LicensedApp,
)
from licensing.webhooks import tell_of_shortage
from organizations import audit, bulk
from organizations.audit import Actor
from organizations.models import Membership
from users.models import VppUser
from vpp_accounts.models import VppAccount

ITEMS = BatchItem._meta.db_table
OFF_THE_LIST = "Taken off the waiting list."


def start(
    *,
    by: Actor,
    membership: Membership | None,
    plan: BatchPlan,
    confirm_irrevocable: bool = False,
) -> Batch:
    """Begin what the plan says, as the world is now; the same batch when it has begun already.

    Whoever starts it needs the rights now, whoever made the plan. Refused with a new plan where
    that would come out worse than what was shown.
    """
    wish = Wish(**plan.request)
    account = VppAccount.objects.select_related("organization").get(pk=plan.account_id)
    refuse_beginning(account, membership, priority=wish.priority)
    with transaction.atomic():
        locked = BatchPlan.objects.select_for_update(of=("self",)).get(pk=plan.pk)
        if locked.batch_id is not None:
            return Batch.objects.get(pk=locked.batch_id)
        _refuse_in_vain(account, wish)
        summary, fill = _prepare(by, account, wish, membership)
        if not has_got_worse(locked, summary):
            if summary.irrevocable and not confirm_irrevocable:
                raise ConfirmIrrevocable(wish.kind, summary.irrevocable)
            batch = _create(by, account, wish)
            locked.batch = batch
            locked.save(update_fields=["batch"])
            return _begin(by, batch, summary, fill)
    raise PlanGotWorse(make_plan(by=by, membership=membership, account=account, wish=wish))


@transaction.atomic
def invite(*, by: Actor, account: VppAccount, user_ids: Sequence[int], why: str) -> Batch | None:
    """Invite these people without a plan that anybody looks at; None where nobody can be invited."""
    wish = Wish(kind=BatchKind.INVITE, titles=[], users=list(user_ids), why=why)
    summary, fill = _prepare(by, account, wish, None)
    if not summary.go:
        return None
    return _begin(by, _create(by, account, wish), summary, fill)


Fill = Callable[[Batch], None]


def _prepare(
    by: Actor, account: VppAccount, wish: Wish, membership: Membership | None
) -> tuple[AnySummary, Fill]:
    """What comes of the wish now that nobody else decides about the same, and how to write it down."""
    if wish.is_about_people:
        lock(account, wish.users)
        proposal = propose(account, wish.kind, wish.users)
        return proposal.summary, partial(_fill_with_people, by, proposal)
    # Whoever counts what is left of these titles does it after us.
    titles = LicensedApp.objects.filter(pk__in=wish.titles).order_by("pk")
    list(titles.select_for_update(no_key=True).values_list("pk"))
    known = gather(account, wish, membership)
    summary = Summary()
    lines = list(_lines(known, summary))
    return summary, partial(_fill, by, known, lines)


def _begin(by: Actor, batch: Batch, summary: AnySummary, fill: Fill) -> Batch:
    fill(batch)
    _record(by, batch, summary)
    tally([batch.pk])
    wake(batch.account)
    batch.refresh_from_db()
    if batch.waiting:
        waiting = BatchItem.objects.filter(batch=batch, state=ItemState.WAITING)
        tell_of_shortage(batch.organization_id, waiting)
    return batch


def _refuse_in_vain(account: VppAccount, wish: Wish) -> None:
    """An account that waits for a person would leave the batch waiting without end; mail does not."""
    if account.takes_no_changes and wish.kind != BatchKind.INVITE:
        raise AccountCannotWrite(account.name, account.get_state_display(), account.state_reason)


def _create(by: Actor, account: VppAccount, wish: Wish) -> Batch:
    return Batch.objects.create(
        organization_id=account.organization_id,
        account=account,
        kind=wish.kind,
        everything=wish.everything,
        priority=wish.priority,
        actor_kind=by.kind,
        actor_id=by.id,
        actor_name=by.name[:254],
        why=wish.why,
        about=_about(wish),
        retry_of_id=wish.again_of,
    )


def _about(wish: Wish) -> str:
    """“Keynote · 40 devices, 2 people”; of people alone “40 people”, or the one's name."""
    if wish.is_about_people:
        return _about_people(wish.users)
    names = [
        str(t.app) for t in LicensedApp.objects.filter(pk__in=wish.titles[:2]).select_related("app")
    ]
    what = ", ".join(names) if len(wish.titles) <= 2 else f"{len(wish.titles):,} titles"
    if wish.everything:
        what = "All licenses"
    devices = len(wish.serials) + len(wish.unserialed)
    counts = ((devices, "device", "devices"), (len(wish.users), "person", "people"))
    whom = ", ".join(f"{n:,} {one if n == 1 else many}" for n, one, many in counts if n)
    return f"{what} · {whom}"[:300]


def _about_people(user_ids: Sequence[int]) -> str:
    user = VppUser.objects.filter(pk__in=user_ids[:1]).first()
    if user is None or len(user_ids) > 1:
        return f"{len(user_ids):,} people"
    return user.name or str(user)


def _lines(known: Gathered, summary: Summary) -> Iterator[str]:
    """COPY lines: place of the holder, title, kind, holder, state, message."""
    place: dict[tuple[str, str], int] = {}
    place |= {(DEVICE, each.holder): number for number, each in enumerate(known.devices)}
    place |= {(USER, each.holder): number for number, each in enumerate(known.people)}
    for kind, plan in decide(known):
        add(summary, kind, plan, is_grant=known.wish.is_grant)
        for holder, state, message in _outcomes(plan):
            (text,) = bulk.escaped([holder])
            yield f"{place[kind, holder]}\t{plan.title.id}\t{kind}\t{text}\t{state}\t{message}"


def _outcomes(plan: TitlePlan) -> Iterator[tuple[str, str, str]]:
    for holder in plan.go:
        yield holder, ItemState.PLANNED, ""
    for holder in plan.wait:
        yield holder, ItemState.WAITING, ""
    for holder in plan.unwait:
        yield holder, ItemState.SKIPPED, OFF_THE_LIST
    sentences = {reason: reason.sentence for reason in Reason}
    for holder, reason in plan.skipped:
        yield holder, ItemState.SKIPPED, sentences[reason]


def _fill(by: Actor, known: Gathered, lines: Iterable[str], batch: Batch) -> None:
    """Holder by holder, so that a stretch of items makes few and large requests."""
    bulk.stage(
        "wanted_item",
        'place int, licensed_app_id bigint, holder_kind text, holder text COLLATE "C", state text,'
        " message text",
        lines,
    )
    if not known.wish.is_grant:
        _take_off_the_waiting_list()
    bulk.execute(_INSERT, {"batch": batch.pk, "now": timezone.now()})
    if known.wish.is_grant and known.unregistered:
        _register_the_unknown(by, known.account, known.wish.users)


def _fill_with_people(by: Actor, proposal: Proposal, batch: Batch) -> None:
    if batch.kind == BatchKind.RETIRE:
        tally(people_items.drop_what_is_planned(batch, proposal.holders))
    people_items.fill(batch, proposal.plan)
    if batch.kind == BatchKind.INVITE and proposal.unregistered:
        _register_the_unknown(by, batch.account, proposal.unregistered)


def _take_off_the_waiting_list() -> None:
    touched = bulk.returned(_UNWAIT, {"now": timezone.now(), "message": OFF_THE_LIST})
    tally({batch_id for (batch_id,) in touched})


_INSERT = f"""
    INSERT INTO {ITEMS} (organization_id, account_id, batch_id, kind, priority, licensed_app_id,
                         holder_kind, holder, state, message, attempts, caution, changed_at)
    SELECT batch.organization_id, batch.account_id, batch.id, batch.kind, batch.priority,
           licensed_app_id, holder_kind, holder, wanted.state, message, 0, 0, %(now)s
    FROM wanted_item AS wanted, {Batch._meta.db_table} AS batch
    WHERE batch.id = %(batch)s
    ORDER BY place, holder_kind, licensed_app_id
    ON CONFLICT DO NOTHING
"""  # noqa: S608  table names are the models'

_UNWAIT = f"""
    UPDATE {ITEMS} AS item
    SET state = '{ItemState.CANCELLED}', message = %(message)s, changed_at = %(now)s
    FROM wanted_item AS wanted
    WHERE item.licensed_app_id = wanted.licensed_app_id AND item.holder_kind = wanted.holder_kind
      AND item.holder = wanted.holder AND item.state = '{ItemState.WAITING}'
      AND wanted.message = %(message)s  -- and not one who may not be touched
    RETURNING item.batch_id
"""  # noqa: S608


def _register_the_unknown(by: Actor, account: VppAccount, user_ids: Sequence[int]) -> None:
    """Licenses and invitations of people whom Apple does not know yet wait until it does."""
    users = VppUser.objects.filter(account=account, pk__in=user_ids, apple_status="", failure="")
    register(by=by, account=account, users=users)


def _record(by: Actor, batch: Batch, summary: AnySummary) -> None:
    facts: dict[str, Any] = {
        "about": batch.about,
        "why": batch.why,
        "go": summary.go,
        "waiting": summary.waiting,
        "skipped": summary.left_out,
    }
    audit.record(
        "batch.started",
        by=by,
        organization=batch.organization,
        target=batch,
        after={"kind": batch.kind} | {name: value for name, value in facts.items() if value},
    )
