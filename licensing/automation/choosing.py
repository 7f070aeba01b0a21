"""Who can get a license of an app, and from which title: pure, on plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from apps_catalog import requirements
from apps_catalog.models import PurchaseMethod
from apps_catalog.reasons import Reason
from apps_catalog.requirements import AppFacts, DeviceFacts
from licensing.automation.sources import Source, why_no_source

People = Mapping[int, str]  # by account; the state of an owner there


class Person(StrEnum):
    """An owner in an account: who has not accepted holds a license all the same."""

    READY = "ready"
    UNACCEPTED = "unaccepted"
    FAILED = "failed"
    RETIRED = "retired"


CAN_HOLD = (Person.READY, Person.UNACCEPTED)


@dataclass(frozen=True, slots=True)
class Supply:
    """An app with the titles it draws from, in order. Answers are kept: many devices are alike."""

    app: AppFacts
    method: str
    sources: Sequence[Source]
    _reasons: dict[DeviceFacts, Reason | None] = field(default_factory=dict)
    _usable: dict[tuple[int, str], tuple[Source, ...]] = field(default_factory=dict)

    @property
    def is_for_people(self) -> bool:
        return self.method == PurchaseMethod.USER

    @property
    def needs_license(self) -> bool:
        return self.method in (PurchaseMethod.DEVICE, PurchaseMethod.USER)

    def why_not(self, device: DeviceFacts) -> Reason | None:
        """What the device itself lacks."""
        if device not in self._reasons:
            self._reasons[device] = requirements.why_not(self.app, device, self.method)
        return self._reasons[device]

    def usable(self, network_id: int, platform: str, people: People | None) -> tuple[Source, ...]:
        """Those that could serve a device there, or its owner."""
        key = (network_id, platform)
        if key not in self._usable:
            to_devices = not self.is_for_people
            self._usable[key] = tuple(
                source
                for source in self.sources
                if not source.why_not(network_id, platform, to_devices=to_devices)
            )
        if people is None:
            return self._usable[key]
        return tuple(s for s in self._usable[key] if people.get(s.account_id) in CAN_HOLD)

    def why_none(self, network_id: int, platform: str, people: People | None) -> Reason:
        """Why none of them could."""
        to_devices = not self.is_for_people
        reason = why_no_source(self.sources, network_id, platform, to_devices=to_devices)
        if reason or people is None:
            return reason or Reason.NO_ACCOUNT
        is_retired = Person.RETIRED in people.values()
        return Reason.OWNER_RETIRED if is_retired else Reason.OWNER_NOT_IN_ACCOUNT


class Stock:
    """What is still to be given out while it is being given out; None: without end."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._left = {source.title_id: source.free for source in sources}

    def has(self, source: Source) -> bool:
        return self._left[source.title_id] != 0

    def take(self, usable: Sequence[Source], number: int = 1) -> int:
        """Of so many licenses from the first that has some; answers how many there were not."""
        for source in usable:
            left = self._left[source.title_id]
            if left is None:
                return 0
            taken = min(left, number)
            self._left[source.title_id] = left - taken
            number -= taken
        return number

    def take_one(self, usable: Sequence[Source]) -> Source | None:
        """The title that serves the next one; None where all are out."""
        for source in usable:
            if self.has(source):
                self.take([source])
                return source
        return None
