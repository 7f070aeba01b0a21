"""Plans: who would get a license, who not and why; shown first, and confirmed before anything runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from django.db.models import QuerySet

from licensing.batches import facts
from licensing.batches.boundaries import Boundaries
from licensing.batches.people_planning import propose
from licensing.batches.people_plans import InviteSummary, RetireSummary
from licensing.batches.plans import (
    Holder,
    Outlook,
    TitleFacts,
    TitlePlan,
    is_worse,
    plan_grant,
    plan_revoke,
)
from licensing.batches.reasons import Reason
from licensing.batches.refusals import NothingChosen, OtherAccount, TooMuch
from licensing.batches.rights import refuse_beginning
from licensing.models import BatchKind, BatchPlan, LicensedApp
from organizations.audit import Actor
from organizations.models import Device, Membership
from users.models import VppUser
from vpp_accounts.models import VppAccount

ABOUT_PEOPLE = (BatchKind.RETIRE, BatchKind.INVITE)
MOST_ITEMS = 1_000_000  # of one batch: titles times holders
WITHOUT_A_NUMBER = "Device without a serial number"
MOST_SHOWN = 1000  # skipped holders that are named in a plan; all of them are counted


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for, resolved: what "all that match" meant is what stands here.

    `serials` in upper case; `unserialed` are the names of chosen devices without a serial number.
    """

    kind: str
    titles: list[int]
    serials: list[str] = field(default_factory=list)
    users: list[int] = field(default_factory=list)
    unserialed: list[str] = field(default_factory=list)
    # All licenses of the holders, whatever they hold; titles are those they hold now.
    everything: bool = False
    priority: int = 0
    why: str = ""
    # The batch whose failed items are meant, and of these titles and holders no others.
    again_of: int | None = None
    # Title -> the devices that alone are meant of it; empty: every title and every holder.
    only: dict[str, list[str]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        if self.only:
            return sum(map(len, self.only.values()))
        holders = len(self.serials) + len(self.users) + len(self.unserialed)
        return holders if self.is_about_people else len(self.titles) * holders

    @property
    def is_grant(self) -> bool:
        return self.kind == BatchKind.GRANT

    @property
    def is_about_people(self) -> bool:
        """And not about licenses of certain titles."""
        return self.kind in ABOUT_PEOPLE


@dataclass(slots=True)
class Summary:
    """A plan in numbers; the same words as on the wire."""

    titles: list[dict[str, Any]] = field(default_factory=list)
    go: int = 0
    wait: int = 0
    unwait: int = 0
    already: int = 0
    skipped: int = 0
    irrevocable: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    named: list[dict[str, Any]] = field(default_factory=list)
    unaccepted: int = 0
    unregistered: int = 0
    unknown_devices: int = 0

    @property
    def outlook(self) -> Outlook:
        return Outlook(self.go, self.irrevocable)

    @property
    def waiting(self) -> int:
        return self.wait

    @property
    def left_out(self) -> int:
        return self.skipped + self.already


AnySummary = Summary | RetireSummary | InviteSummary


@dataclass(frozen=True, slots=True)
class Gathered:
    """A wish with everything that has to be known for it."""

    wish: Wish
    account: VppAccount
    titles: list[TitleFacts]
    devices: list[Holder]
    people: list[Holder]
    unaccepted: int
    unregistered: int
    unknown_devices: int


def make_plan(
    *,
    by: Actor,
    membership: Membership | None,
    account: VppAccount,
    wish: Wish,
) -> BatchPlan:
    """The plan as it stands now, stored to be confirmed. Nothing is changed."""
    refuse_beginning(account, membership, priority=wish.priority)
    refuse_impossible(account, wish)
    summary = summary_of(account, wish, membership)
    return BatchPlan.objects.create(
        organization_id=account.organization_id,
        account=account,
        kind=wish.kind,
        request=asdict(wish),
        summary=asdict(summary),
        created_by=by.admin.pk if by.admin else None,
    )


def summary_of(account: VppAccount, wish: Wish, membership: Membership | None) -> AnySummary:
    if wish.is_about_people:
        return propose(account, wish.kind, wish.users).summary
    return summarise(gather(account, wish, membership))


def refuse_impossible(account: VppAccount, wish: Wish) -> None:
    nobody = not (wish.serials or wish.users or wish.unserialed)
    if nobody or not (wish.titles or wish.is_about_people):
        raise NothingChosen(wish.kind)
    if wish.size > MOST_ITEMS:
        raise TooMuch(wish.size, MOST_ITEMS)
    theirs = LicensedApp.objects.filter(pk__in=wish.titles).exclude(account=account)
    if theirs.exists():
        raise OtherAccount(account.name)


def wish_for(
    *,
    kind: str,
    titles: Iterable[LicensedApp] = (),
    serials: Iterable[str] = (),
    devices: Iterable[Device] = (),
    users: Iterable[VppUser | int] = (),
    everything: bool = False,
    priority: int = 0,
    why: str = "",
) -> Wish:
    """A wish from rows and typed serial numbers; repetitions count once."""
    chosen = _named(devices)
    numbers = [*serials, *(serial for serial, _ in chosen if serial)]
    return Wish(
        kind=kind,
        titles=list(dict.fromkeys(title.pk for title in titles)),
        serials=list(dict.fromkeys(facts.normal_serial(serial) for serial in numbers)),
        users=list(dict.fromkeys(u if isinstance(u, int) else u.pk for u in users)),
        unserialed=[name or WITHOUT_A_NUMBER for serial, name in chosen if not serial],
        everything=everything,
        priority=priority,
        why=why[:300],
    )


def _named(devices: Iterable[Device]) -> list[tuple[str | None, str]]:
    """(serial number, name): whole devices in the memory are no use, and a hundred thousand of them."""
    if isinstance(devices, QuerySet):
        return list(devices.values_list("serial_number", "name"))
    return [(device.serial_number, device.name) for device in devices]


def gather(account: VppAccount, wish: Wish, membership: Membership | None) -> Gathered:
    boundaries = Boundaries.of(account, membership)
    if not wish.is_grant:
        boundaries = boundaries.of_a_revoke
    devices, unknown = facts.devices(account, wish.serials, boundaries)
    nameless = [Holder(name, "", Reason.NO_SERIAL) for name in wish.unserialed]
    people = facts.people(account, wish.users)
    titles = LicensedApp.objects.filter(pk__in=wish.titles, account=account).order_by("pk")
    return Gathered(
        wish=wish,
        account=account,
        titles=facts.title_facts(titles),
        devices=devices + nameless,
        people=people.holders,
        unaccepted=people.unaccepted,
        unregistered=people.unregistered,
        unknown_devices=unknown if boundaries.writable is None else 0,
    )


def decide(known: Gathered) -> Iterator[tuple[str, TitlePlan]]:
    """(kind of holder, plan) for each title and kind, one after another to keep memory small."""
    for title in known.titles:
        for kind, holders in ((facts.DEVICE, known.devices), (facts.USER, known.people)):
            if holders:
                plan = _decide(known, title, kind, holders)
                yield kind, plan
                # What the devices get is no longer there for the people.
                title = replace(title, free=_after(title, plan, is_grant=known.wish.is_grant))


def _decide(known: Gathered, title: TitleFacts, kind: str, holders: Sequence[Holder]) -> TitlePlan:
    if known.wish.again_of is not None:
        failed = facts.failed_in(known.wish.again_of, title, kind)
        holders = [holder for holder in holders if holder.holder in failed]
    if known.wish.only:
        meant = frozenset(known.wish.only.get(str(title.id), ()))
        holders = [holder for holder in holders if holder.holder in meant]
    names = [holder.holder for holder in holders]
    held = facts.held_among(title, known.account, kind, names)
    open_ = facts.open_among(title, kind, names)
    if known.wish.is_grant:
        is_device = kind == facts.DEVICE
        return plan_grant(title, holders, to_devices=is_device, held=held, open_=open_)
    return plan_revoke(title, holders, held=held, open_=open_)


def summarise(known: Gathered) -> Summary:
    summary = Summary()
    for kind, plan in decide(known):
        add(summary, kind, plan, is_grant=known.wish.is_grant)
    if known.wish.is_grant:
        summary.unaccepted, summary.unregistered = known.unaccepted, known.unregistered
        summary.unknown_devices = known.unknown_devices
    return summary


def add(summary: Summary, kind: str, plan: TitlePlan, *, is_grant: bool) -> None:
    title = plan.title
    settled = Reason.ALREADY_HELD if is_grant else Reason.NOT_HELD
    reasons = Counter(reason for _, reason in plan.skipped)
    already = reasons.pop(settled, 0)
    summary.go += len(plan.go)
    summary.wait += len(plan.wait)
    summary.unwait += len(plan.unwait)
    summary.already += already
    summary.skipped += sum(reasons.values())
    summary.irrevocable += len(plan.go) + len(plan.wait) if is_grant and not title.revocable else 0
    for reason, count in reasons.items():
        summary.reasons[reason] = summary.reasons.get(reason, 0) + count
    room = MOST_SHOWN - len(summary.named)
    named = [(holder, reason) for holder, reason in plan.skipped if reason is not settled][:room]
    summary.named += [
        {"title": title.id, "kind": kind, "holder": holder, "reason": reason}
        for holder, reason in named
    ]
    summary.titles.append(
        {
            "id": title.id,
            "kind": kind,
            "go": len(plan.go),
            "wait": len(plan.wait),
            "already": already,
            "skipped": sum(reasons.values()),
            "before": title.free,
            "after": _after(title, plan, is_grant=is_grant),
            "revocable": title.revocable,
        }
    )


def _after(title: TitleFacts, plan: TitlePlan, *, is_grant: bool) -> int | None:
    """What can be given out afterwards; None without end."""
    if title.free is None:
        return None
    return title.free - len(plan.go) if is_grant else title.free + len(plan.go)


def has_got_worse(plan: BatchPlan, now: AnySummary) -> bool:
    if not isinstance(now, Summary):
        return now.is_worse_than(plan.summary)
    shown = Outlook(plan.summary["go"], plan.summary["irrevocable"])
    return is_worse(shown, now.outlook, is_grant=plan.kind == BatchKind.GRANT)
