"""A device moves between networks, or comes back, while commands are on their way to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps_catalog.channels import outbox, pushing
from apps_catalog.channels.outbox import Address
from apps_catalog.channels.results import CommandResult, Reaction
from apps_catalog.channels.simulated import SimulatedChannel
from apps_catalog.installations import removing, turns, verdicts
from apps_catalog.installations.hearing import hear_result
from apps_catalog.installations.work import Work
from apps_catalog.models import ChannelCommand, CommandState, Installation, ManagedApp
from apps_catalog.reasons import Reason
from organizations.models import Device
from tests import factories
from tests.deploying import School, commands, school, state
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.leases import Hold
from vpp_accounts.models import VppAccount

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _simulated(settings: object) -> None:
    settings.DEVICE_CHANNEL = "simulated"  # type: ignore[attr-defined]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-03-02T08:00:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def oakmont(clock: object, fake: FakeApple, account: VppAccount) -> School:
    return school(fake, account)


def elsewhere(oakmont: School, device: Device) -> Installation:
    """The same app of another network, which the device has moved to."""
    network = factories.NetworkFactory(organization=oakmont.organization)
    managed_app = factories.ManagedAppFactory(network=network, app=oakmont.managed_app.app)
    return factories.InstallationFactory(
        managed_app=managed_app, device=device, state="installed", is_managed=True
    )


def sent_install(oakmont: School, device: Device) -> ChannelCommand:
    """The server has it, and the device has not answered."""
    (command,) = outbox.queue(
        oakmont.organization.pk,
        [Address(device.pk, "A")],
        "InstallApplication",
        {},
        managed_app_id=oakmont.managed_app.pk,
    )
    ChannelCommand.objects.update(state=CommandState.QUEUED, attempts=1)
    return command


def answer(oakmont: School, command: ChannelCommand) -> None:
    hear_result(oakmont.organization.pk, "A", command.uuid, "Acknowledged", timezone.now(), {})


@pytest.mark.parametrize("is_forgotten", [False, True])
def test_a_late_install_removes_nothing_that_another_network_wants(
    oakmont: School, is_forgotten: bool
) -> None:
    device = oakmont.device()
    left = oakmont.wanted(device, "removed", is_wanted=False)
    here = elsewhere(oakmont, device)
    command = sent_install(oakmont, device)
    if is_forgotten:
        Installation.objects.filter(pk=left.pk).delete()

    answer(oakmont, command)
    oakmont.turn()

    assert not ChannelCommand.objects.filter(request_type="RemoveApplication").exists()
    assert state(here)[0] == "installed"


def test_an_app_that_another_network_wants_is_not_removed(oakmont: School) -> None:
    device = oakmont.device()
    left = oakmont.licensed(device)
    oakmont.enroll()
    oakmont.turn()
    oakmont.take_back(left)
    elsewhere(oakmont, device)

    oakmont.turn()

    assert state(left)[0] == "removed"
    assert not ChannelCommand.objects.filter(request_type="RemoveApplication").exists()


def removal_of(oakmont: School, installation: Installation) -> None:
    """Stored, and not sent yet."""
    removing.queue_removals(oakmont.organization.pk, [installation])


def test_who_comes_back_in_time_keeps_what_is_in_the_app(oakmont: School) -> None:
    device = oakmont.device()
    oakmont.enroll()
    installation = oakmont.wanted(device, "planned", is_managed=True)
    removal_of(oakmont, installation)

    oakmont.turn()

    assert commands(device) == [("RemoveApplication", "void")]


def test_what_somebody_asked_to_remove_is_removed(
    oakmont: School, clock: time_machine.Traveller
) -> None:
    device = oakmont.device()
    installation = oakmont.licensed(device)
    oakmont.enroll()
    oakmont.play(clock)
    ManagedApp.objects.update(installs_automatically=False)
    removal_of(oakmont, installation)

    oakmont.play(clock)

    assert state(installation)[0] == "removed_by_user"


def test_removing_from_many_devices_costs_no_more_queries(oakmont: School) -> None:
    counts = []
    for number in (1, 8):
        devices = [oakmont.device() for _ in range(number)]
        oakmont.enroll()
        for device in devices:
            oakmont.wanted(device, "reclaimed_pending_removal", is_wanted=False, is_managed=True)
        work = work_of(oakmont)
        with CaptureQueriesContext(connection) as queries:
            removing.send_removals(work)
        counts.append(len(queries))

    assert counts[0] == counts[1]
    assert ChannelCommand.objects.filter(request_type="RemoveApplication").count() == 9


def work_of(oakmont: School) -> Work:
    rows = turns.rows_of(oakmont.organization.pk)
    turns.note(oakmont.organization.pk)
    token = turns.claim(oakmont.organization.pk) or rows.get().lease_token
    return Work(
        oakmont.organization.pk, Hold(rows, token), SimulatedChannel(oakmont.organization.pk)
    )


def test_a_device_that_comes_back_after_weeks_gets_what_was_lost(
    oakmont: School, clock: time_machine.Traveller
) -> None:
    device = oakmont.device()
    command = sent_install(oakmont, device)
    ChannelCommand.objects.update(
        sent_at=timezone.now(), deadline=timezone.now() + timedelta(days=1), next_at=None
    )
    clock.shift(timedelta(days=30))
    factories.EnrollmentFactory(device=device, channel_id="A", seen_at=timezone.now())

    pushing.push_due(
        oakmont.organization.pk,
        SimulatedChannel(oakmont.organization.pk),
        transaction=nullcontext,
        replaced=lambda pairs: None,
    )

    assert commands(device) == [("InstallApplication", "void"), ("InstallApplication", "waiting")]
    assert ChannelCommand.objects.last().uuid != command.uuid


SIGN_IN = CommandResult("Error", reason=Reason.NEEDS_STORE_SIGN_IN, reaction=Reaction.WAIT_FOR_USER)


@pytest.mark.parametrize(
    ("attempts", "to", "after"),
    [
        (0, "waiting_user", timedelta(hours=1)),
        (3, "waiting_user", timedelta(hours=8)),
        (13, "waiting_user", timedelta(days=1)),
        (14, "failed", None),
    ],
)
def test_a_user_who_does_not_sign_in_is_not_asked_for_ever(
    attempts: int, to: str, after: timedelta | None
) -> None:
    verdict = verdicts.of_install(SIGN_IN, attempts=attempts, can_verify=True)

    assert (verdict.to, verdict.after) == (to, after)
    assert verdict.counts_as_failure is (after is not None)


@pytest.mark.parametrize(("attempts", "to"), [(4, "reclaimed_pending_removal"), (30, "removed")])
def test_what_a_device_never_removes_is_not_removed_for_ever(attempts: int, to: str) -> None:
    stuck = CommandResult("Error", reason=Reason.UNKNOWN_ERROR, reaction=Reaction.RETRY)

    assert verdicts.of_removal(stuck, attempts=attempts).to == to
