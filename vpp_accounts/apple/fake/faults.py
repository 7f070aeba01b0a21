"""Faults that can be set: which, for whom, for which calls, how often."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Any

from vpp_accounts.apple.fake.clock import Clock, apple_date
from vpp_accounts.apple.fake.state import Location
from vpp_accounts.apple.fake.wire import Answer, Json, NotHere, Rejected, Request

if TYPE_CHECKING:
    from vpp_accounts.apple.fake.fake import FakeApple


@dataclass(frozen=True, slots=True)
class Situation:
    """The call that a fault meets; `args` are the fault's arguments with their defaults."""

    apple: "FakeApple"
    request: Request
    location: Location | None
    args: Mapping[str, Any]


Proceed = Callable[[], Answer]


@dataclass(frozen=True, slots=True)
class Kind:
    """A variant of trouble. `act` stands around the call: it may answer itself or change the answer."""

    name: str
    says: str
    act: Callable[[Situation, Proceed], Answer]
    meets: Callable[[Request], bool]
    args: Mapping[str, Any] = field(default_factory=dict)
    # How often it happens unless told; None is until it is removed.
    times: int | None = None


@dataclass(slots=True)
class Fault:
    id: str
    kind: Kind
    uid: str | None = None
    path: str | None = None
    times: int | None = None
    after: int = 0
    probability: float = 1.0
    args: Json = field(default_factory=dict)
    # When it is over, by the fake's own clock.
    until: float | None = None
    met: int = 0

    def wire(self) -> Json:
        shown: Json = {"id": self.id, "fault": self.kind.name, "uId": self.uid, "path": self.path}
        shown |= {"times": self.times, "after": self.after, "probability": self.probability}
        shown["until"] = None if self.until is None else apple_date(self.until)
        return shown | {"args": {**self.kind.args, **self.args}, "happened": self.met}

    def is_for(self, request: Request, location: Location | None, now: float) -> bool:
        return (
            self.times != self.met
            and (self.until is None or now < self.until)
            and self.kind.meets(request)
            and (self.uid is None or (location is not None and location.uid == self.uid))
            and (self.path is None or fnmatchcase(request.path, f"*{self.path}*"))
        )


def surrounded(
    proceed: Proceed, meeting: list[Fault], situation: Callable[[Mapping[str, Any]], Situation]
) -> Proceed:
    """The call with these faults around it, the first one outermost."""
    for fault in reversed(meeting):
        args = {**fault.kind.args, **fault.args}
        proceed = partial(fault.kind.act, situation(args), proceed)
    return proceed


class Faults:
    def __init__(self, kinds: Mapping[str, Kind], chance: random.Random, clock: Clock) -> None:
        self.kinds = kinds
        self._clock = clock
        self.active: list[Fault] = []
        self._chance = chance
        self._issued = 0

    def set(
        self,
        name: str,
        *,
        uid: str | None = None,
        path: str | None = None,
        times: int | None = None,
        after: int = 0,
        probability: float = 1.0,
        duration_seconds: float | None = None,
        args: Json | None = None,
    ) -> str:
        """Let a fault happen; answers its id. The first `after` calls that it could meet go well."""
        kind = self._kind(name)
        args = _checked(kind, args or {})
        _check_occurrence(times, after, probability, duration_seconds)
        self._issued += 1
        until = None if duration_seconds is None else self._clock.now() + duration_seconds
        times, number = times or kind.times, str(self._issued)
        fault = Fault(number, kind, uid, path, times, after, probability, args, until)
        self.active.append(fault)
        return fault.id

    def remove(self, fault_id: str) -> None:
        left = [fault for fault in self.active if fault.id != fault_id]
        if len(left) == len(self.active):
            raise NotHere(f"There is no fault {fault_id}.")
        self.active = left

    def clear(self) -> None:
        self.active = []

    def meeting(self, request: Request, location: Location | None) -> list[Fault]:
        """The faults that happen to this call; counts each."""
        if not self.active:
            return []
        now = self._clock.now()
        return [f for f in self.active if f.is_for(request, location, now) and self._happens(f)]

    def wire(self) -> Json:
        kinds = [
            {"fault": kind.name, "says": kind.says, "args": dict(kind.args), "times": kind.times}
            for kind in self.kinds.values()
        ]
        return {"kinds": kinds, "set": [fault.wire() for fault in self.active]}

    def _kind(self, name: str) -> Kind:
        if name not in self.kinds:
            raise Rejected(f"There is no fault {name}. There are: {', '.join(sorted(self.kinds))}.")
        return self.kinds[name]

    def _happens(self, fault: Fault) -> bool:
        if fault.after > 0:
            fault.after -= 1
            return False
        if self._chance.random() >= fault.probability:
            return False
        fault.met += 1
        return True


def _checked(kind: Kind, args: Json) -> Json:
    unknown = args.keys() - kind.args.keys()
    if unknown:
        known = ", ".join(kind.args) or "no arguments"
        raise Rejected(f"{kind.name} knows {known}, not {', '.join(sorted(unknown))}.")
    for name, value in args.items():
        default = kind.args[name]
        if default is not None and not _same_type(default, value):
            raise Rejected(f"{name} of {kind.name} is like {default!r}, not {value!r}.")
    return args


def _same_type(default: object, value: object) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, int | float):
        return isinstance(value, int | float)
    return isinstance(value, type(default))


def _check_occurrence(
    times: object, after: object, probability: object, duration_seconds: object
) -> None:
    whole = all(isinstance(number, int) and number >= 0 for number in (times or 0, after))
    if not whole or times == 0:
        raise Rejected("times is a whole number above zero, after one of zero or more.")
    if not isinstance(probability, int | float) or not 0 <= probability <= 1:
        raise Rejected("probability is a number from 0 to 1.")
    if duration_seconds is not None and not (
        isinstance(duration_seconds, int | float) and duration_seconds > 0
    ):
        raise Rejected("durationSeconds is a number above zero.")
