"""Rounds of sending: what waits goes to the server, many devices in one request, then each is pushed.

A UUID is stored before the call, so that a call whose answer was lost is made again under the same
one, for the same devices: the server takes a UUID once. Where it refuses a whole request, that is made
again in halves, each under a UUID of its own, until it is clear which device is meant.
"""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from apps_catalog.channels.base import DeviceChannel, DeviceCommand, SendOutcome, SendResult
from apps_catalog.installations import steps
from apps_catalog.models import ChannelCommand, CommandState
from apps_catalog.reasons import Reason

AT_A_TIME = 2_000
MOST_ROUNDS = 200  # of one turn; the rest is the next one's
FIRST_PUSH_AGAIN = timedelta(minutes=2)
ANSWER_EXPECTED = timedelta(days=1)
TAKEN = (SendOutcome.QUEUED, SendOutcome.QUEUED_NOT_WOKEN, SendOutcome.ALREADY_QUEUED)
REFUSED = {
    SendOutcome.UNKNOWN_DEVICE: Reason.NOT_ENROLLED,
    SendOutcome.REJECTED: Reason.SERVER_REFUSED,
}

Commands = Sequence[ChannelCommand]


@dataclass(frozen=True, slots=True)
class Sender:
    """`transaction` is the lease holder's. `recall` voids what may not be sent any more, and answers
    which those were; `failed` hears what the server refuses for good; `fill` makes a body complete."""

    organization_id: int
    channel: DeviceChannel
    transaction: Callable[[], AbstractContextManager[None]]
    recall: Callable[[Commands], set[int]]
    failed: Callable[[Commands, Reason, str], None]
    fill: Callable[[ChannelCommand], Mapping[str, Any]]

    def run(self) -> None:
        for _ in range(MOST_ROUNDS):
            groups = self._marked()
            if not groups or not self._sent(groups):
                return

    def _marked(self) -> list[list[ChannelCommand]]:
        """What is sent next, each request under its UUID."""
        with self.transaction():
            waiting = self._waiting()
            recalled = self.recall(waiting)
            groups = list(requests_of(self._go(waiting, recalled), self.channel.most_devices))
            for group in groups:
                _mark(group)
        return groups

    def _go(self, waiting: Commands, recalled: set[int]) -> Iterator[ChannelCommand]:
        return (command for command in waiting if command.pk not in recalled)

    def _waiting(self) -> list[ChannelCommand]:
        ours = ChannelCommand.objects.filter(
            organization=self.organization_id, state=CommandState.WAITING
        )
        due = list(ours.filter(next_at__lte=timezone.now()).order_by("pk")[:AT_A_TIME])
        # What was tried together is tried together again.
        tried = {command.uuid for command in due if command.attempts}
        rest = ours.filter(uuid__in=tried).exclude(pk__in=[command.pk for command in due])
        return [*due, *(rest if tried else ())]

    def _sent(self, groups: Iterable[list[ChannelCommand]]) -> bool:
        """Whether the server was there."""
        woken: list[str] = []
        is_there = True
        for group in groups:
            first = group[0]
            command = DeviceCommand(first.uuid, first.request_type, self.fill(first))
            ids = [each.channel_id for each in group]
            steps.reached(steps.MARKED)
            result = self.channel.send(command, ids, wake=False)
            steps.reached(steps.ANSWERED)
            with self.transaction():
                woken += self._settle(group, result)
            is_there = any(each is not SendOutcome.RETRY for each in result.outcomes.values())
            if not is_there:
                break
        wake(self.channel, woken)
        return is_there

    def _settle(self, group: list[ChannelCommand], result: SendResult) -> list[str]:
        """Answers whom to push."""
        found: defaultdict[SendOutcome, list[ChannelCommand]] = defaultdict(list)
        for command in group:
            found[result.outcomes.get(command.channel_id, SendOutcome.RETRY)].append(command)
        taken = [command for outcome in TAKEN for command in found[outcome]]
        _note_taken(taken)
        _halve(found[SendOutcome.SPLIT])
        # Once the server has this UUID, it takes the same for another device no more.
        self._again(found[SendOutcome.RETRY], result, under_new_uuid=bool(taken))
        for outcome, reason in REFUSED.items():
            self._refuse(found[outcome], reason, result.detail)
        return [command.channel_id for command in taken]

    def _again(
        self, group: list[ChannelCommand], result: SendResult, *, under_new_uuid: bool
    ) -> None:
        if not group:
            return
        pause = result.retry_after or min(5 * 3 ** (group[0].attempts - 1), 600)
        changes: dict[str, Any] = {"next_at": timezone.now() + timedelta(seconds=pause)}
        if under_new_uuid:
            changes["uuid"] = uuid.uuid4()
        _still_waiting(group).update(problem=result.detail[:500], **changes)

    def _refuse(self, group: list[ChannelCommand], reason: Reason, detail: str) -> None:
        if not group:
            return
        _still_waiting(group).update(
            state=CommandState.FAILED,
            problem=detail[:500] or "The MDM server refused it.",
            next_at=None,
            answered_at=timezone.now(),
        )
        self.failed(group, reason, detail)


def requests_of(
    commands: Iterable[ChannelCommand], most_devices: int
) -> Iterator[list[ChannelCommand]]:
    """What fits into one request: what was tried together, or says the same to other devices."""
    groups: dict[tuple[str, ...], dict[int, ChannelCommand]] = {}
    for command in commands:
        key = _key(command)
        group = groups.setdefault(key, {})
        is_full = len(group) == most_devices and not command.attempts
        if is_full or command.device_id in group:
            yield list(groups.pop(key).values())
            group = groups.setdefault(key, {})
        group[command.device_id] = command
    for group in groups.values():
        yield list(group.values())


def _key(command: ChannelCommand) -> tuple[str, ...]:
    if command.attempts:
        return (str(command.uuid),)
    return (command.request_type, json.dumps(command.body, sort_keys=True))


def _mark(group: list[ChannelCommand]) -> None:
    shared = group[0].uuid
    for command in group:
        command.uuid, command.attempts = shared, command.attempts + 1
    _still_waiting(group).update(uuid=shared, attempts=F("attempts") + 1)


def _halve(group: list[ChannelCommand]) -> None:
    middle = (len(group) + 1) // 2
    for half in filter(None, (group[:middle], group[middle:])):
        _still_waiting(half).update(uuid=uuid.uuid4(), next_at=timezone.now())


def _note_taken(commands: Commands) -> None:
    now = timezone.now()
    _still_waiting(commands).update(
        state=CommandState.QUEUED,
        sent_at=now,
        next_at=now + FIRST_PUSH_AGAIN,
        deadline=now + ANSWER_EXPECTED,
        problem="",
    )


def _still_waiting(commands: Commands) -> Any:
    """The device may have answered before the server did."""
    ids = [command.pk for command in commands]
    return ChannelCommand.objects.filter(pk__in=ids, state=CommandState.WAITING)


def wake(channel: DeviceChannel, channel_ids: Iterable[str]) -> None:
    """Once per device, however much waits there. A push that fails is made again in time."""
    ids = list(dict.fromkeys(channel_ids))
    parts = [
        ids[start : start + channel.most_devices]
        for start in range(0, len(ids), channel.most_devices)
    ]
    while parts:
        part = parts.pop()
        outcomes = channel.wake(part).outcomes.values()
        if SendOutcome.SPLIT in outcomes and len(part) > 1:
            middle = len(part) // 2
            parts += [part[:middle], part[middle:]]
