"""The outbox: one request for many devices, what servers answer, pushes that are repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from apps_catalog.channels import outbox, pushing
from apps_catalog.channels.base import DeviceCommand, SendOutcome, SendResult
from apps_catalog.channels.outbox import Address
from apps_catalog.channels.sending import Sender, requests_of
from apps_catalog.models import ChannelCommand, Enrollment
from apps_catalog.reasons import Reason
from organizations.models import Device, Organization
from tests import factories

pytestmark = pytest.mark.django_db
Answer = Callable[[DeviceCommand, Sequence[str]], SendResult]


class Server:
    """A channel that answers what it is told to, and notes what it was asked."""

    kind, capabilities, most_devices = "nanomdm", frozenset[Any](), 3

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.sent: list[tuple[str, tuple[str, ...]]] = []
        self.woken: list[tuple[str, ...]] = []

    def send(
        self, command: DeviceCommand, channel_ids: Sequence[str], *, wake: bool = True
    ) -> SendResult:
        self.sent.append((str(command.uuid), tuple(channel_ids)))
        answer = self.answers.pop(0) if self.answers else all_of(SendOutcome.QUEUED)
        return answer(command, channel_ids)

    def wake(self, channel_ids: Sequence[str]) -> SendResult:
        self.woken.append(tuple(channel_ids))
        return SendResult(dict.fromkeys(channel_ids, SendOutcome.QUEUED))

    @property
    def asked(self) -> list[tuple[str, ...]]:
        return [ids for _, ids in self.sent]


def all_of(outcome: SendOutcome, **more: Any) -> Answer:
    return lambda command, ids: SendResult(dict.fromkeys(ids, outcome), **more)


def each(**outcomes: SendOutcome) -> Answer:
    return lambda command, ids: SendResult(outcomes)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-03-02T08:00:00Z", tick=False) as traveller:
        yield traveller


def waiting(organization: Organization, names: str, **body: Any) -> list[Device]:
    """A command for each of these letters, which are the channel's ids."""
    devices = [factories.DeviceFactory(organization=organization) for _ in names]
    to = [Address(device.pk, name) for device, name in zip(devices, names, strict=True)]
    outbox.queue(organization.pk, to, "DeviceInformation", body)
    return devices


def send(organization: Organization, server: Server) -> list[tuple[list[str], Reason]]:
    """What was given up."""
    failed: list[tuple[list[str], Reason]] = []
    Sender(
        organization_id=organization.pk,
        channel=server,
        transaction=nullcontext,
        recall=lambda commands: set(),
        failed=lambda commands, reason, detail: failed.append(
            ([command.channel_id for command in commands], reason)
        ),
        fill=lambda command: command.body,
    ).run()
    return failed


def states(organization: Organization) -> dict[str, str]:
    rows = ChannelCommand.objects.filter(organization=organization).order_by("pk")
    return dict(rows.values_list("channel_id", "state"))


def test_the_same_for_many_devices_is_one_request_and_one_push(
    organization: Organization,
) -> None:
    waiting(organization, "ABCD")
    waiting(organization, "EF", Queries=["UDID"])
    server = Server()

    send(organization, server)

    assert sorted(server.asked) == [("A", "B", "C"), ("D",), ("E", "F")]
    assert len({uuid for uuid, _ in server.sent}) == 3
    assert [len(ids) for ids in server.woken] == [3, 3]
    assert set(states(organization).values()) == {"queued"}


def test_a_request_whose_answer_was_lost_is_made_again_under_its_uuid(
    organization: Organization, clock: time_machine.Traveller
) -> None:
    waiting(organization, "AB")
    server = Server(
        all_of(SendOutcome.RETRY, detail="It does not answer."),
        all_of(SendOutcome.ALREADY_QUEUED),
    )
    send(organization, server)
    waiting(organization, "C")
    clock.shift(6)

    send(organization, server)

    (first, _), *later = server.sent
    assert [(uuid == first, ids) for uuid, ids in later] == [
        (False, ("C",)),
        (True, ("A", "B")),
    ] or [(uuid == first, ids) for uuid, ids in later] == [(True, ("A", "B")), (False, ("C",))]
    assert states(organization) == {"A": "queued", "B": "queued", "C": "queued"}


def test_a_server_that_is_away_is_left_alone_and_asked_less_often(
    organization: Organization, clock: time_machine.Traveller
) -> None:
    waiting(organization, "ABCD")
    away = all_of(SendOutcome.RETRY, detail="It cannot be reached.")
    server = Server(*[away] * 10)

    for _ in range(4):
        send(organization, server)
        clock.shift(6)

    tried = ChannelCommand.objects.filter(channel_id="A").get()
    assert len(server.sent) < 6
    assert (tried.problem, tried.state) == ("It cannot be reached.", "waiting")


def test_the_server_says_when_to_come_again(organization: Organization) -> None:
    waiting(organization, "A")

    send(organization, Server(all_of(SendOutcome.RETRY, retry_after=90.0)))

    assert ChannelCommand.objects.get().next_at == timezone.now() + timedelta(seconds=90)


def test_a_request_that_is_refused_as_a_whole_is_halved_until_it_is_clear(
    organization: Organization,
) -> None:
    waiting(organization, "ABC")
    split = all_of(SendOutcome.SPLIT)

    def strange(command: DeviceCommand, ids: Sequence[str]) -> SendResult:
        if "B" not in ids:
            return all_of(SendOutcome.QUEUED)(command, ids)
        return all_of(SendOutcome.SPLIT if len(ids) > 1 else SendOutcome.UNKNOWN_DEVICE)(
            command, ids
        )

    server = Server(split, *[strange] * 5)
    failed = send(organization, server)

    assert failed == [(["B"], Reason.NOT_ENROLLED)]
    assert states(organization) == {"A": "queued", "B": "failed", "C": "queued"}
    assert len({uuid for uuid, _ in server.sent}) == len(server.sent)


def test_those_that_a_server_did_not_take_get_another_uuid(
    organization: Organization, clock: time_machine.Traveller
) -> None:
    waiting(organization, "AB")
    server = Server(each(A=SendOutcome.QUEUED_NOT_WOKEN, B=SendOutcome.RETRY))
    send(organization, server)
    clock.shift(6)

    send(organization, server)

    (first, _), (second, ids) = server.sent
    assert (first != second, ids) == (True, ("B",))


def test_a_command_that_nobody_understands_is_given_up(organization: Organization) -> None:
    waiting(organization, "AB")

    failed = send(organization, Server(all_of(SendOutcome.REJECTED, detail="decoding command")))

    assert failed == [(["A", "B"], Reason.SERVER_REFUSED)]
    assert set(ChannelCommand.objects.values_list("state", "problem")) == {
        ("failed", "decoding command")
    }


# --- Pushing again --------------------------------------------------------------------------------


def push(organization: Organization, server: Server) -> list[tuple[str, str]]:
    """The UUIDs of what was sent anew: of the old one, and of the new."""
    replaced: list[tuple[str, str]] = []
    pushing.push_due(
        organization.pk,
        server,
        transaction=nullcontext,
        replaced=lambda pairs: replaced.extend(
            (str(old.uuid), str(fresh.uuid)) for old, fresh in pairs
        ),
    )
    return replaced


def test_a_device_is_pushed_less_and_less_often_for_a_fortnight(
    organization: Organization, clock: time_machine.Traveller
) -> None:
    waiting(organization, "A")
    server = Server()
    send(organization, server)
    began, pushed = timezone.now(), []

    for _ in range(16 * 24 * 60):
        if ChannelCommand.objects.filter(next_at__lte=timezone.now()).exists():
            pushed.append(timezone.now() - began)
            push(organization, server)
        next_at = ChannelCommand.objects.get().next_at
        if next_at is None:
            break
        clock.move_to(next_at)

    assert pushed[:4] == [
        timedelta(minutes=2),
        timedelta(minutes=12),
        timedelta(minutes=72),
        timedelta(days=1, minutes=72),
    ]
    assert timedelta(days=14) <= pushed[-1] < timedelta(days=16)


def test_what_a_device_was_seen_not_to_answer_is_sent_anew(
    organization: Organization, clock: time_machine.Traveller
) -> None:
    (device,) = waiting(organization, "A")
    send(organization, Server())
    old = str(ChannelCommand.objects.get().uuid)
    clock.shift(timedelta(hours=25))
    unseen = push(organization, Server())
    factories.EnrollmentFactory(device=device, channel_id="A", seen_at=timezone.now())
    clock.shift(timedelta(hours=25))

    (lost,) = push(organization, Server())

    assert (unseen, lost[0]) == ([], old)
    assert [each.state for each in ChannelCommand.objects.order_by("pk")] == ["void", "waiting"]
    assert Enrollment.objects.count() == 1


def test_a_device_that_leaves_voids_what_waits_for_it(organization: Organization) -> None:
    leaving, staying = waiting(organization, "AB")

    outbox.void_all(leaving.pk)

    assert states(organization) == {"A": "void", "B": "waiting"}
    assert staying.pk


def test_what_ended_long_ago_is_forgotten(
    organization: Organization, clock: time_machine.Traveller
) -> None:
    waiting(organization, "AB")
    ChannelCommand.objects.filter(channel_id="A").update(state="done")
    clock.shift(timedelta(days=31))

    outbox.forget_old()

    assert states(organization) == {"B": "waiting"}


# --- Requests, purely -----------------------------------------------------------------------------


@given(
    devices=st.lists(st.integers(1, 6), max_size=30),
    bodies=st.lists(st.sampled_from(["x", "y"]), min_size=30, max_size=30),
    most=st.integers(1, 4),
)
def test_no_request_has_a_device_twice_or_different_bodies(
    devices: list[int], bodies: list[str], most: int
) -> None:
    commands = [
        ChannelCommand(device_id=device, request_type="R", body={"is": body})
        for device, body in zip(devices, bodies, strict=False)
    ]

    requests = list(requests_of(commands, most))

    assert sorted(map(id, commands)) == sorted(id(each) for group in requests for each in group)
    for group in requests:
        assert len(group) <= most
        assert len({each.device_id for each in group}) == len(group)
        assert len({each.body["is"] for each in group}) == 1
