"""The engine's worker dies at each of its steps; the next turn goes on, and nothing happens twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from apps_catalog.installations import engine, steps, turns
from apps_catalog.models import ChannelCommand, Deployment, InstallationStep
from tests.deploying import School, commands, school, state
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

pytestmark = pytest.mark.django_db


class Killed(Exception):
    """The worker died."""


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


def die_at(step: str, monkeypatch: pytest.MonkeyPatch, place: School) -> None:
    """Once, in a turn that gets so far."""

    def reached(now: str) -> None:
        if now == step:
            raise Killed

    turns.note(place.organization.pk)
    with monkeypatch.context() as patch:
        patch.setattr(steps, "reached", reached)
        with pytest.raises(Killed):
            engine.run(place.organization.pk)


def installs(place: School) -> int:
    found = ChannelCommand.objects.filter(request_type="InstallApplication")
    return found.filter(organization=place.organization).count()


@pytest.mark.parametrize("step", steps.STEPS)
def test_an_install_goes_on(
    step: str, oakmont: School, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = oakmont.licensed(oakmont.device())
    oakmont.enroll()

    die_at(step, monkeypatch, oakmont)
    clock.shift(31)
    oakmont.play(clock)

    assert (state(installation), installs(oakmont)) == (("installed", ""), 1)
    told = InstallationStep.objects.filter(device_id=installation.device_id).order_by("pk")
    assert list(told.values_list("new", flat=True)) == [
        "licensed",
        "install_queued",
        "acknowledged",
        "installed",
    ]


@pytest.mark.parametrize("step", steps.STEPS)
def test_a_removal_goes_on(
    step: str, oakmont: School, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = oakmont.licensed(oakmont.device())
    oakmont.enroll()
    oakmont.play(clock)
    oakmont.take_back(installation)

    die_at(step, monkeypatch, oakmont)
    clock.shift(31)
    oakmont.play(clock)

    removals = [each for each in commands(installation.device) if each[0] == "RemoveApplication"]
    assert (state(installation), removals) == (("removed", ""), [("RemoveApplication", "done")])


def test_a_second_worker_leaves_at_once(
    oakmont: School, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    oakmont.licensed(oakmont.device())
    oakmont.enroll()
    turns.note(oakmont.organization.pk)
    first = turns.claim(oakmont.organization.pk)

    engine.run(oakmont.organization.pk)
    while_held = installs(oakmont)
    clock.shift(31)
    engine.run(oakmont.organization.pk)

    assert (first, while_held, installs(oakmont)) == (1, 0, 1)


def test_a_worker_that_lost_its_lease_writes_nothing(
    oakmont: School, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    oakmont.licensed(oakmont.device())
    oakmont.enroll()
    turns.note(oakmont.organization.pk)

    def take_over(step: str) -> None:
        Deployment.objects.update(lease_token=99)

    monkeypatch.setattr(steps, "reached", take_over)
    engine.run(oakmont.organization.pk)

    assert installs(oakmont) == 0


def test_a_closed_organization_is_left_alone(
    oakmont: School, clock: time_machine.Traveller
) -> None:
    oakmont.licensed(oakmont.device())
    oakmont.enroll()
    oakmont.organization.suspended_at = oakmont.organization.created_at
    oakmont.organization.save()

    oakmont.turn()

    assert installs(oakmont) == 0
