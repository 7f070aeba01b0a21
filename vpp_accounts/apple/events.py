"""What comes of a write: accepted as an event, or its answer lost; and how the event went.

A write changes nothing before its event has run. Apple keeps no idempotency key, so after a lost answer
nobody knows whether there is an event: read what is true and send only what is missing (protocol
reference 2.10, 6.5; Apple: "events-status", "subscribing-to-notifications").
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from vpp_accounts.apple.decoding import (
    JsonObject,
    error_info,
    listed,
    text_or_none,
    whole_or_none,
)
from vpp_accounts.apple.errors import Unavailable
from vpp_accounts.apple.types import ErrorInfo


@dataclass(frozen=True, slots=True)
class Accepted:
    """Apple will do it; `event_id` (opaque) is what to ask `event_status` for."""

    event_id: str


@dataclass(frozen=True, slots=True)
class AnswerLost:
    """The request left us and no answer of Apple's came back: done or not, nobody knows.

    `path` and `content` are what was sent, `reason` is a sentence for people, `status` the HTTP status of
    what came instead (None: nothing came). Not for logs: the content may name people.
    """

    path: str
    content: Mapping[str, Any] = field(repr=False)
    reason: str
    status: int | None = None


WriteResult = Accepted | AnswerLost


class EventState(StrEnum):
    """FAILED means over, with at least one task failed; the others are done."""

    PENDING = "PENDING"
    COMPLETE = "COMPLETE"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Failure:
    """Tasks of an event that failed for one reason.

    `number` goes through `errors.class_of`; it is 0 when Apple gave none. `error_info` lists targets and
    not pairs: which asset failed for whom is only known from the assignments.
    """

    number: int
    text: str
    error_info: ErrorInfo | None


@dataclass(frozen=True, slots=True)
class EventStatus:
    """How far an event is: `completed` of `requested` tasks have succeeded so far.

    `type` is ASSOCIATE, DISASSOCIATE, REVOKE, CREATE, UPDATE or RETIRE.
    """

    event_id: str
    type: str
    state: EventState
    requested: int
    completed: int
    failures: tuple[Failure, ...]

    @property
    def is_over(self) -> bool:
        return self.state is not EventState.PENDING


def accepted(data: JsonObject) -> Accepted:
    event_id = text_or_none(data.get("eventId"))
    if event_id is None:
        raise Unavailable("Apple's answer names no event, so what came of the request is unknown")
    return Accepted(event_id)


def event_status(data: JsonObject, event_id: str) -> EventStatus:
    return EventStatus(
        event_id=event_id,
        type=text_or_none(data.get("eventType")) or "",
        state=_state(data),
        requested=whole_or_none(data.get("numRequested")) or 0,
        completed=whole_or_none(data.get("numCompleted")) or 0,
        failures=tuple(
            _failure(entry) for entry in listed(data, "failures") if isinstance(entry, dict)
        ),
    )


def _state(data: JsonObject) -> EventState:
    state = text_or_none(data.get("eventStatus"))
    if state is None:
        raise Unavailable("Apple's answer does not say how the event stands (no eventStatus)")
    # A word of tomorrow is not an end: whoever waits too long reads what is true anyway.
    return EventState(state) if state in EventState.__members__ else EventState.PENDING


def _failure(entry: JsonObject) -> Failure:
    return Failure(
        number=whole_or_none(entry.get("errorNumber")) or 0,
        text=text_or_none(entry.get("errorMessage")) or "",
        error_info=error_info(entry.get("errorInfo")),
    )
