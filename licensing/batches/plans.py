"""What a grant or a revoke decides, on plain values: no database, no Apple."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import NamedTuple

from licensing.batches.reasons import Reason
from vpp_accounts.apple.events import Failure
from vpp_accounts.apple.types import ErrorInfo

TitleKey = tuple[str, str]  # adamId, pricingParam

# Apple's assets know no iPadOS; an Apple Vision runs what is made for iOS.
RUNS_ON = {
    "iOS": {"iOS"},
    "iPadOS": {"iOS", "iPadOS"},
    "macOS": {"macOS"},
    "tvOS": {"tvOS"},
    "watchOS": {"watchOS"},
    "visionOS": {"visionOS", "iOS"},
}


# Whoever can receive nothing may still hold something that can be taken back.
STOPS_A_REVOKE = (
    Reason.NOT_YOUR_NETWORK,
    Reason.UNKNOWN_DEVICE,
    Reason.UNKNOWN_USER,
)


class Holder(NamedTuple):
    """Somebody a license is meant for. `barrier`: why they can hold none at all."""

    holder: str
    platform: str = ""
    barrier: Reason | None = None


@dataclass(frozen=True, slots=True)
class TitleFacts:
    """A title as the plan needs it. `free` is what may be given out now; None: without end."""

    id: int
    key: TitleKey
    platforms: Set[str]
    device_assignable: bool
    revocable: bool
    is_gone: bool
    free: int | None


@dataclass(slots=True)
class TitlePlan:
    """What becomes of each holder: in exactly one of the lists, in the order they were given."""

    title: TitleFacts
    go: list[str] = field(default_factory=list)
    wait: list[str] = field(default_factory=list)
    # On the waiting list and now no longer wanted: a revoke takes them off it.
    unwait: list[str] = field(default_factory=list)
    skipped: list[tuple[str, Reason]] = field(default_factory=list)


def plan_grant(
    title: TitleFacts,
    holders: Iterable[Holder],
    *,
    to_devices: bool,
    held: Set[str],
    open_: Collection[str],
) -> TitlePlan:
    """Who gets a license of this title, who waits for one, and who cannot have one."""
    plan = TitlePlan(title)
    barrier = _barrier_to_grant(title, to_devices=to_devices)
    free = title.free
    for holder, platform, own_barrier in holders:
        reason = own_barrier or barrier
        if reason is None:
            reason = _why_not(title, holder, platform, held, open_)
        if reason is not None:
            plan.skipped.append((holder, reason))
        elif free is None or len(plan.go) < free:
            plan.go.append(holder)
        else:
            plan.wait.append(holder)
    return plan


def _barrier_to_grant(title: TitleFacts, *, to_devices: bool) -> Reason | None:
    if title.is_gone:
        return Reason.TITLE_GONE
    return Reason.NOT_FOR_DEVICES if to_devices and not title.device_assignable else None


def _why_not(
    title: TitleFacts, holder: str, platform: str, held: Set[str], open_: Collection[str]
) -> Reason | None:
    if holder in held:
        return Reason.ALREADY_HELD
    if holder in open_:
        return Reason.IN_PROGRESS
    return None if runs_on(title.platforms, platform) else Reason.PLATFORM


def runs_on(platforms: Set[str], device: str) -> bool:
    """Whether a title for these platforms runs on such a device. What is not known is no hindrance."""
    return not platforms or not device or not platforms.isdisjoint(RUNS_ON.get(device, platforms))


def plan_revoke(
    title: TitleFacts,
    holders: Iterable[Holder],
    *,
    held: Set[str],
    open_: Mapping[str, bool],
) -> TitlePlan:
    """Whose license of this title is taken back. `open_`: holder -> only waiting for a license."""
    plan = TitlePlan(title)
    for holder, _, barrier in holders:
        if barrier in STOPS_A_REVOKE:
            plan.skipped.append((holder, barrier))
        elif open_.get(holder):
            plan.unwait.append(holder)
        elif holder in open_:
            plan.skipped.append((holder, Reason.IN_PROGRESS))
        elif holder not in held:
            plan.skipped.append((holder, Reason.NOT_HELD))
        elif not title.revocable:
            plan.skipped.append((holder, Reason.IRREVOCABLE))
        else:
            plan.go.append(holder)
    return plan


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a plan promises, for comparing it with the plan of a minute later."""

    go: int
    irrevocable: int


def is_worse(shown: Outlook, now: Outlook, *, is_grant: bool) -> bool:
    """Whether a person has to be asked again.

    A grant got worse when fewer get a license than was shown, or when more of what is given is
    for good; a revoke when it takes more away than was shown.
    """
    if is_grant:
        return now.go < shown.go or now.irrevocable > shown.irrevocable
    return now.go > shown.go


class Sent(NamedTuple):
    """An item of an event: which, of what, to whom."""

    id: int
    key: TitleKey | None
    holder: str
    is_device: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an event ended for its items. `unclear`: Apple's failures do not say which pairs."""

    succeeded: list[int]
    failed: list[tuple[int, Failure]]
    unclear: list[tuple[int, Failure]]


def plan_verdict(items: Sequence[Sent], failures: Sequence[Failure], *, missing: int) -> Verdict:
    """Read the failures of an event that is over; `missing`: how many tasks did not succeed.

    Apple names targets and not pairs: two assets and one person in a failure are up to two failed
    tasks. Where the pairs they could mean are as many as are missing, all of them failed.
    """
    named: dict[int, Failure] = {}
    for failure in failures:
        is_meant = is_meant_by(failure)
        named |= {item.id: failure for item in items if item.id not in named and is_meant(item)}
    if len(named) < missing:
        told = failures[0] if failures else UNTOLD
        return Verdict([], [], [(item.id, named.get(item.id, told)) for item in items])
    succeeded = [item.id for item in items if item.id not in named]
    if len(named) == missing:
        return Verdict(succeeded, list(named.items()), [])
    return Verdict(succeeded, [], list(named.items()))


UNTOLD = Failure(0, "", None)


def is_meant_by(failure: Failure) -> Callable[[Sent], bool]:
    """Whether an item is among those that a failure can mean; one that names nobody means all."""
    info = failure.error_info or ErrorInfo()
    serials, users = frozenset(info.serial_numbers), frozenset(info.client_user_ids)
    assets = frozenset(info.assets)
    names_nobody = not serials and not users

    def is_meant(item: Sent) -> bool:
        holder_is = names_nobody or item.holder in (serials if item.is_device else users)
        return holder_is and (item.key is None or not assets or item.key in assets)

    return is_meant
