"""What a rule knows when it decides about installations, on plain values: no database, no Apple."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from apps_catalog.reasons import Reason
from apps_catalog.requirements import DeviceFacts
from licensing.automation.choosing import Person, Supply
from licensing.automation.sources import Source

LONGEST_PAUSE = timedelta(days=7)


class Held(NamedTuple):
    """A license; `is_due`: given because of this app, and no app wants it any more."""

    title_id: int
    account_id: int
    is_due: bool = False


class Open(NamedTuple):
    """What a batch is about to do for a holder. `is_unsent`: Apple has not heard of it."""

    item_id: int
    title_id: int
    is_grant: bool
    is_waiting: bool
    is_unsent: bool
    is_ours: bool


class Ended(NamedTuple):
    """How the last attempt to give a license ended: refused, or taken off the list by somebody."""

    message: str
    at: datetime
    by_a_person: bool
    times: int = 1  # so often it was refused lately


class Row(NamedTuple):
    """An installation. `names`: every holder that could have its license; `by_account`: who holds it
    where, for owners; `device` None: it was deleted."""

    id: int
    state: str
    reason: str
    detail: str
    is_wanted: bool
    left_at: datetime | None
    asked_at: datetime | None
    network_id: int
    device: DeviceFacts | None
    names: tuple[str, ...]
    people: Mapping[int, Person] | None = None
    by_account: Mapping[int, str] | None = None
    lacks_owner: bool = False
    is_elsewhere: bool = False  # another app wants the same on this device
    title_id: int | None = None  # of the license that it counts on

    def holder_in(self, account_id: int) -> str:
        return self.names[0] if self.by_account is None else self.by_account[account_id]


@dataclass(frozen=True, slots=True)
class Aims:
    """What the app is set to do."""

    grants: bool
    revokes: bool
    removes: bool
    grace: timedelta
    is_paused: bool
    installs: bool
    has_channel: bool


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that a decision needs, by holder."""

    aims: Aims
    supply: Supply
    now: datetime
    held: Mapping[str, Sequence[Held]] = field(default_factory=dict)
    open: Mapping[str, Open] = field(default_factory=dict)
    ended: Mapping[str, Ended] = field(default_factory=dict)
    kept_back: Collection[str] = frozenset()
    is_held_back: bool = False  # a person is to decide about what is due
    try_again: timedelta = timedelta(hours=6)

    def licenses_of(self, row: Row) -> list[Held]:
        return [each for name in row.names for each in self.held.get(name, ())]

    def open_of(self, row: Row) -> Open | None:
        found = [self.open[name] for name in row.names if name in self.open]
        # A revoke first: while it is under way no license is certain.
        return min(found, key=lambda item: item.is_grant, default=None)

    def confirmed(self, row: Row) -> Held | None:
        """A license that nobody is just taking back."""
        item = self.open_of(row)
        if item is not None and not item.is_grant:
            return None
        return next(iter(self.licenses_of(row)), None)

    def obstacle(self, row: Row) -> Ended | None:
        """The last refusal, as long as it counts: until it is tried again, or asked for anew."""
        for name in row.names:
            ended = self.ended.get(name)
            if ended and not self._is_over(ended, row):
                return ended
        return None

    def _is_over(self, ended: Ended, row: Row) -> bool:
        if row.asked_at is not None and row.asked_at > ended.at:
            return True
        return not ended.by_a_person and ended.at + self._pause(ended) <= self.now

    def _pause(self, ended: Ended) -> timedelta:
        """What Apple keeps refusing is asked ever more rarely."""
        return min(self.try_again * (1 << min(max(ended.times - 1, 0), 10)), LONGEST_PAUSE)

    def barrier(self, row: Row) -> Reason | None:
        """What is in the way on the device's side."""
        if row.device is None:
            return Reason.OUT_OF_SCOPE
        if reason := self.supply.why_not(row.device):
            return reason
        return Reason.NO_OWNER if row.lacks_owner and self.supply.needs_license else None

    def usable(self, row: Row) -> tuple[Source, ...]:
        platform = row.device.platform if row.device else ""
        return self.supply.usable(row.network_id, platform, row.people)

    def why_none(self, row: Row) -> Reason:
        platform = row.device.platform if row.device else ""
        return self.supply.why_none(row.network_id, platform, row.people)

    def is_kept_back(self, row: Row) -> bool:
        return any(name in self.kept_back for name in row.names)

    def is_meant(self, row: Row) -> bool:
        """Whether this app is to give it a license."""
        is_asked = self.aims.grants or row.asked_at is not None
        return (
            row.is_wanted
            and is_asked
            and self.supply.needs_license
            and not self.is_kept_back(row)
            and self.barrier(row) is None
        )
