"""Who is retired, and who is invited: decided on plain values, no database, no Apple."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from licensing.batches.reasons import Reason
from users.models import VppUser
from users.states import RETIRED

Status = VppUser.AppleStatus
MOST_SHOWN = 1000  # skipped people that are named in a plan; all of them are counted


class Person(NamedTuple):
    """Somebody who is meant. `status`: Apple's word; None where the account has no such person."""

    id: int
    client_user_id: str
    status: str | None = None
    failure: str = ""
    has_address: bool = False
    was_invited: bool = False
    has_left: bool = False  # no longer in the source of the owners
    is_being_retired: bool = False
    is_being_invited: bool = False


WhyNot = Callable[[Person], Reason | None]


@dataclass(slots=True)
class PeoplePlan:
    """What becomes of each person: in one of the lists, in the order they were given."""

    go: list[Person] = field(default_factory=list)
    skipped: list[tuple[str, Reason]] = field(default_factory=list)


def plan_people(people: Iterable[Person], why_not: WhyNot) -> PeoplePlan:
    plan = PeoplePlan()
    for person in people:
        reason = why_not(person)
        if reason is None:
            plan.go.append(person)
        else:
            plan.skipped.append((person.client_user_id, reason))
    return plan


def why_not_retire(person: Person) -> Reason | None:
    """Whom Apple does not know yet can be retired, too: then nobody registers them any more."""
    if person.status is None:
        return Reason.UNKNOWN_USER
    if person.status in RETIRED:
        return Reason.RETIRED_ALREADY
    return Reason.BEING_RETIRED if person.is_being_retired else None


def why_not_invite(person: Person) -> Reason | None:
    """Who was invited before, or was not reached, is invited again."""
    if person.status is None:
        return Reason.UNKNOWN_USER
    if person.status in RETIRED:
        return Reason.RETIRED
    if person.status == Status.ASSOCIATED:
        return Reason.ACCEPTED
    return _why_no_mail(person)


def _why_no_mail(person: Person) -> Reason | None:
    if person.is_being_retired:
        return Reason.BEING_RETIRED
    if person.is_being_invited:
        return Reason.BEING_INVITED
    if person.failure and not person.status:
        return Reason.REGISTRATION_FAILED
    return None if person.has_address else Reason.NO_ADDRESS


@dataclass(slots=True)
class PeopleSummary:
    """A plan about people in numbers; `irrevocable` stays with them whatever happens."""

    go: int = 0
    skipped: int = 0
    irrevocable: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    named: list[dict[str, Any]] = field(default_factory=list)
    titles: list[dict[str, Any]] = field(default_factory=list)

    @property
    def waiting(self) -> int:
        return 0  # as one does for a license

    @property
    def left_out(self) -> int:
        return self.skipped

    def count(self, plan: PeoplePlan) -> None:
        self.go, self.skipped = len(plan.go), len(plan.skipped)
        for _, reason in plan.skipped:
            self.reasons[reason] = self.reasons.get(reason, 0) + 1
        self.named = [
            {"title": None, "kind": "user", "holder": holder, "reason": reason}
            for holder, reason in plan.skipped[:MOST_SHOWN]
        ]


@dataclass(slots=True)
class RetireSummary(PeopleSummary):
    """`titles` has what returns (`go`) and what stays (`stay`) of each title."""

    returning: int = 0
    staying_with: int = 0  # so many people keep something
    dropped: int = 0  # grants that are planned or waited for
    invitations: int = 0  # that are open
    have_left: int = 0
    unregistered: int = 0

    def is_worse_than(self, shown: dict[str, Any]) -> bool:
        """More would be lost, or others would be retired, than was shown."""
        lost = ("returning", "irrevocable")
        is_more = any(getattr(self, name) > int(shown[name]) for name in lost)
        return is_more or self.go != int(shown["go"])


@dataclass(slots=True)
class InviteSummary(PeopleSummary):
    again: int = 0  # were invited before
    unregistered: int = 0  # Apple is told of them first

    def is_worse_than(self, shown: dict[str, Any]) -> bool:
        """Fewer get the mail; who has accepted by now needs none."""
        accepted = self.reasons.get(Reason.ACCEPTED, 0) - shown["reasons"].get(Reason.ACCEPTED, 0)
        return bool(self.go + max(0, accepted) < shown["go"])
