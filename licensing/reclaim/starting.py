"""What is due goes to the batches; so much at once that somebody could be wrong waits for a person."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils import timezone

from licensing import batches
from licensing.batches.planning import Wish
from licensing.models import (
    OPEN_ITEMS,
    Assignment,
    Automation,
    BatchItem,
    BatchKind,
    ItemState,
    LicensingSettings,
    Reclaim,
    ReclaimCause,
)
from licensing.models.reclaim import ReclaimQuerySet
from licensing.reclaim import settling
from licensing.reclaim.telling import rule_of
from licensing.reclaim.wanting import let_the_wanted_go
from organizations.models import OF_OPEN, Organization
from organizations.refusals import Refusal
from vpp_accounts.models import VppAccount

log = structlog.get_logger(__name__)

AT_ONCE = 20_000  # licenses in one batch
MANY, PERCENT = 5, 20  # of a title's licenses at once, beyond which a person decides
AT_ONCE_IS = timedelta(days=1)
State = Reclaim.State


def work(organization_id: int) -> None:
    """Take back what is due. May be called at any time, by several at once."""
    settling.settle(organization_id)
    if not Organization.objects.open().filter(pk=organization_id).exists():
        return
    let_the_wanted_go(organization_id)
    due = Reclaim.objects.filter(organization=organization_id).due()
    accounts = VppAccount.objects.filter(pk__in=due.values("account"))
    for account in accounts.filter(OF_OPEN).select_related("organization"):
        if not account.takes_no_changes:
            _work_on(account)


def _work_on(account: VppAccount) -> None:
    hold_back(account)
    due = startable(account)
    for cause, by_name in due.order_by().values_list("cause", "by_name").distinct():
        try:
            while start_some(account, cause, by_name):
                pass
        except Refusal as refusal:  # the next minute's turn comes to it again
            log.info("reclaim.not_started", account_id=account.pk, why=str(refusal))


def startable(account: VppAccount) -> ReclaimQuerySet:
    """Due, and nothing else is being done about the same license."""
    busy = BatchItem.objects.filter(
        licensed_app=OuterRef("licensed_app"),
        holder_kind=OuterRef("holder_kind"),
        holder=OuterRef("holder"),
        state__in=OPEN_ITEMS,
    )
    due = Reclaim.objects.filter(account=account).due().filter(~Exists(busy))
    paused = Automation.objects.filter(
        organization=account.organization_id, paused_at__isnull=False
    )
    return due.exclude(allowed_by="") if paused.exists() else due


@transaction.atomic
def start_some(account: VppAccount, cause: str, by_name: str) -> bool:
    """One batch, and its licenses marked with it; whoever keeps one at the same moment comes first
    or too late. False: nothing is left to start."""
    due = startable(account).filter(cause=cause, by_name=by_name).order_by("pk")
    rows = list(due.select_for_update(of=("self",), skip_locked=True, no_key=True)[:AT_ONCE])
    if not rows:
        return False
    by = rule_of(str(ReclaimCause(cause).label))
    wish = wish_of(rows, why=_why(cause, by_name))
    plan = batches.make_plan(by=by, membership=None, account=account, wish=wish)
    if not plan.summary["go"]:
        plan.delete()
        return False
    batch = batches.start(by=by, membership=None, plan=plan)
    going = BatchItem.objects.filter(
        batch=batch,
        state=ItemState.PLANNED,
        licensed_app=OuterRef("licensed_app"),
        holder=OuterRef("holder"),
    )
    ours = Reclaim.objects.filter(Exists(going), pk__in=[row.pk for row in rows])
    started = ours.update(
        state=State.STARTED, batch_id=batch.pk, changed_at=timezone.now(), note=""
    )
    return started == AT_ONCE


def wish_of(rows: Iterable[Reclaim], *, why: str) -> Wish:
    """Exactly these licenses, and no other one of the same devices."""
    only: dict[str, list[str]] = {}
    for row in rows:
        only.setdefault(str(row.licensed_app_id), []).append(row.holder)
    return Wish(
        kind=BatchKind.REVOKE,
        titles=sorted(map(int, only)),
        serials=sorted({serial for serials in only.values() for serial in serials}),
        why=why[:300],
        only=only,
    )


def _why(cause: str, by_name: str) -> str:
    label = str(ReclaimCause(cause).label)
    return f"{label}; chosen by {by_name}." if by_name else f"{label}."


# --- The guard ------------------------------------------------------------------------------------


@transaction.atomic
def hold_back(account: VppAccount) -> None:
    """Titles of which rules would take too much within a day wait for a person."""
    # One at a time, or two who each take a little would take much together.
    LicensingSettings.objects.get_or_create(organization=account.organization)
    list(LicensingSettings.objects.select_for_update().filter(organization=account.organization))
    due = Reclaim.objects.filter(account=account, allowed_by="").all_due()
    wanted = _by_title(due)
    taken = _taken_lately(account)
    number = {title: count + taken.get(title, 0) for title, count in wanted.items()}
    held = held_of([title for title, count in number.items() if count > MANY])
    before = {title: count + taken.get(title, 0) for title, count in held.items()}
    due.filter(licensed_app__in=plan_guard(number, before), waits_since=None).update(
        waits_since=timezone.now()
    )


def _taken_lately(account: VppAccount) -> dict[int, int]:
    lately = Reclaim.objects.filter(
        account=account,
        allowed_by="",
        state__in=(State.STARTED, State.DONE),
        batch_id__isnull=False,
        changed_at__gte=timezone.now() - AT_ONCE_IS,
    )
    return _by_title(lately)


def plan_guard(taken: dict[int, int], held: dict[int, int]) -> list[int]:
    """Titles of which so many would be taken within a day that a person decides: more than five, and
    more than 20 % of those that were held."""
    return [
        title
        for title, number in taken.items()
        if number > MANY and number * 100 > held.get(title, 0) * PERCENT
    ]


def held_of(titles: list[int]) -> dict[int, int]:
    licenses = Assignment.objects.filter(licensed_app__in=titles).order_by()
    counted = licenses.values_list("licensed_app").annotate(n=Count("*"))
    return dict(counted.values_list("licensed_app", "n"))


def _by_title(rows: QuerySet[Reclaim]) -> dict[int, int]:
    counted = rows.order_by().values("licensed_app").annotate(n=Count("*"))
    return dict(counted.values_list("licensed_app", "n"))
