"""What every channel to devices offers, in plain values (device-channel reference 5.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID


class Can(StrEnum):
    INSTALL = "install"
    REMOVE = "remove"
    LIST = "list"  # asks a device what it has
    INVITE = "invite"


class SendOutcome(StrEnum):
    QUEUED = "queued"
    QUEUED_NOT_WOKEN = "queued_not_woken"  # it is there; only the push failed
    ALREADY_QUEUED = "already_queued"  # sent before, by us
    UNKNOWN_DEVICE = "unknown_device"
    # Nothing was queued: too long, or one of them is unknown and the server does not say which.
    # Send halves, each under a UUID of its own: one that was taken goes to no other device.
    SPLIT = "split"
    REJECTED = "rejected"  # for good: the server does not understand it
    RETRY = "retry"


@dataclass(frozen=True, slots=True)
class DeviceCommand:
    """`uuid` is chosen by us and stored before it is sent. `body` is the Command dictionary."""

    uuid: UUID
    request_type: str
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SendResult:
    """By the channel's id of each device. `retry_after` in seconds."""

    outcomes: Mapping[str, SendOutcome]
    detail: str = ""
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """What a check of the connection found; `problem` empty where it works."""

    problem: str = ""
    version: str = ""
    push_topic: str = ""
    push_expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RawEvent:
    """As it came in, before it is understood. `payload` is the whole text, in NanoMDM's JSON."""

    event_id: str
    topic: str
    told_at: datetime
    payload: str


class DeviceChannel(Protocol):
    kind: str
    capabilities: frozenset[Can]
    most_devices: int  # of one `send` or `wake`

    def send(
        self, command: DeviceCommand, channel_ids: Sequence[str], *, wake: bool = True
    ) -> SendResult: ...

    def wake(self, channel_ids: Sequence[str]) -> SendResult: ...

    def health(self) -> Health: ...

    def close(self) -> None: ...


class EventSink(Protocol):
    """Where a channel in this process puts what its devices say: the same road as the webhook's."""

    def __call__(self, events: Iterable[RawEvent]) -> None: ...
