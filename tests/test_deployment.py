"""From the license to the installed app and back, on the simulated fleet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from django.utils import timezone

from apps_catalog import hooks
from apps_catalog.installations import steps
from apps_catalog.models import (
    App,
    ChannelCommand,
    ChannelSettings,
    Enrollment,
    InstallationStep,
    ManagedApp,
)
from licensing.models import Assignment
from tests import factories
from tests.deploying import School, commands, school, state, states
from vpp_accounts.apple.fake import FakeApple
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


def test_a_licensed_app_is_installed(oakmont: School, clock: time_machine.Traveller) -> None:
    device = oakmont.device()
    installation = oakmont.licensed(device)
    oakmont.enroll()

    oakmont.play(clock)

    installation.refresh_from_db()
    assert (installation.state, installation.is_managed) == ("installed", True)
    assert commands(device)[0] == ("InstallApplication", "done")
    steps = InstallationStep.objects.filter(device_id=device.pk).order_by("pk")
    assert list(steps.values_list("new", flat=True)) == [
        "licensed",
        "install_queued",
        "acknowledged",
        "installed",
    ]


def test_an_app_that_leaves_is_removed(oakmont: School, clock: time_machine.Traveller) -> None:
    device = oakmont.device()
    installation = oakmont.licensed(device)
    oakmont.enroll()
    oakmont.play(clock)

    oakmont.take_back(installation)
    oakmont.play(clock)

    assert state(installation) == ("removed", "")
    assert commands(device)[-1] == ("RemoveApplication", "done")


def test_many_devices_share_a_request_and_apple_is_asked_once(
    oakmont: School, clock: time_machine.Traveller
) -> None:
    installations = [oakmont.licensed(oakmont.device()) for _ in range(5)]
    oakmont.enroll()
    oakmont.fake.journal.clear()

    oakmont.turn()
    oakmont.turn()

    uuids = ChannelCommand.objects.filter(request_type="InstallApplication").values("uuid")
    asked = [call for call in oakmont.fake.journal if "assignments" in str(call)]
    assert (uuids.distinct().count(), len(asked)) == (1, 1)
    assert {name for name, _ in states(installations)} == {"acknowledged"}


def test_nothing_is_sent_without_a_confirmed_license(
    oakmont: School, clock: time_machine.Traveller
) -> None:
    revoking, unknown = (oakmont.licensed(oakmont.device()) for _ in range(2))
    Assignment.objects.filter(holder=unknown.device.serial_number).delete()
    factories.BatchItemFactory(
        licensed_app=oakmont.title,
        kind="revoke",
        state="sent",
        holder=revoking.device.serial_number,
    )
    oakmont.enroll()

    oakmont.play(clock)

    assert states([revoking, unknown]) == [("licensed", ""), ("licensed", "")]
    assert not ChannelCommand.objects.filter(request_type="InstallApplication").exists()


def test_a_license_that_goes_before_the_sending_recalls_the_command(
    oakmont: School, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = oakmont.licensed(oakmont.device())
    oakmont.enroll()

    def revoke(step: str) -> None:
        if step == steps.INSTALLS_STORED:
            Assignment.objects.all().delete()

    monkeypatch.setattr(steps, "reached", revoke)
    oakmont.turn()

    assert commands(installation.device) == [("InstallApplication", "void")]
    assert state(installation) == ("licensed", "")


def test_what_rests_says_why(oakmont: School, clock: time_machine.Traveller) -> None:
    away, here = oakmont.licensed(oakmont.device()), oakmont.licensed(oakmont.device())
    oakmont.enroll()
    Enrollment.objects.filter(device=away.device).update(is_enrolled=False)
    oakmont.turn()
    before = states([away, here])
    ManagedApp.objects.update(installs_automatically=False)
    oakmont.turn()
    by_hand = state(away)
    ChannelSettings.objects.update(kind="none")
    oakmont.turn()

    assert before == [("licensed", "notEnrolled"), ("acknowledged", "")]
    assert by_hand == ("licensed", "notInstalledAutomatically")
    assert state(away) == ("licensed", "installedByAnotherMdm")


def test_a_paused_app_is_not_installed(oakmont: School, clock: time_machine.Traveller) -> None:
    ManagedApp.objects.update(paused_at=timezone.now())
    installation = oakmont.licensed(oakmont.device())
    oakmont.enroll()

    oakmont.turn()

    assert state(installation) == ("licensed", "paused")


def test_a_device_without_supervision_asks_its_user(
    oakmont: School, clock: time_machine.Traveller
) -> None:
    installation = oakmont.licensed(oakmont.device(supervised=False))
    oakmont.enroll()
    oakmont.turn()
    asked = state(installation)

    oakmont.play(clock)

    assert asked == ("waiting_user", "needsConsent")
    assert state(installation) == ("installed", "")


def test_a_mac_acknowledges_before_it_downloads(
    oakmont: School, clock: time_machine.Traveller
) -> None:
    installation = oakmont.licensed(oakmont.device(platform="macOS", supervised=False))
    oakmont.enroll()
    oakmont.turn()
    acknowledged = state(installation)

    oakmont.play(clock)

    assert acknowledged == ("acknowledged", "")
    assert state(installation) == ("installed", "")


def test_an_app_that_is_not_removed_stays(oakmont: School, clock: time_machine.Traveller) -> None:
    ManagedApp.objects.update(removes_out_of_scope=False)
    installation = oakmont.licensed(oakmont.device())
    oakmont.enroll()
    oakmont.play(clock)

    oakmont.take_back(installation)
    oakmont.turn()

    assert state(installation) == ("removed", "")
    assert ("RemoveApplication", "done") not in commands(installation.device)


def test_an_app_that_was_never_sent_needs_no_removal(
    oakmont: School, clock: time_machine.Traveller
) -> None:
    installation = oakmont.licensed(oakmont.device())

    oakmont.take_back(installation)
    oakmont.turn()

    assert (state(installation), commands(installation.device)) == (("removed", ""), [])


def test_the_newest_version_is_installed_where_the_app_keeps_up_to_date(
    oakmont: School, clock: time_machine.Traveller
) -> None:
    ManagedApp.objects.update(keeps_up_to_date=True)
    installation = oakmont.licensed(oakmont.device())
    oakmont.enroll()
    oakmont.play(clock, minutes=60 * 30)
    installation.refresh_from_db()
    old = installation.version
    App.objects.update(version="15.0")

    oakmont.play(clock, minutes=60 * 60)

    installation.refresh_from_db()
    assert (old, installation.version, installation.state) == ("14.0", "15.0", "installed")


def test_counts_are_announced_for_what_moved(
    oakmont: School, clock: time_machine.Traveller
) -> None:
    oakmont.licensed(oakmont.device())
    oakmont.enroll()
    heard: list[list[int]] = []

    def hear(sender: object, *, managed_app_ids: list[int], **kwargs: object) -> None:
        heard.append(managed_app_ids)

    hooks.installations_moved.connect(hear)
    try:
        oakmont.turn()
        oakmont.turn()
    finally:
        hooks.installations_moved.disconnect(hear)

    assert heard == [[oakmont.managed_app.pk]]
