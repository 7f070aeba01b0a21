"""The simulated fleet: its switches, and what becomes of installations while they are on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from apps_catalog.channels import inbox, simulated
from apps_catalog.channels.simulated import faults
from apps_catalog.channels.simulated.faults import Fault
from apps_catalog.channels.simulated.refusals import NotSimulated, ShareUnknown
from apps_catalog.models import (
    ChannelCommand,
    ChannelEvent,
    ChannelSettings,
    Enrollment,
    Installation,
    ManagedApp,
    SimulatedDevice,
    SimulatedFleet,
)
from licensing.models import Assignment
from organizations.models import AuditEvent, Device, Organization
from tests import factories
from tests.deploying import BY, School, commands, school, state, states
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


def switch(place: School, fault: Fault, *, on: bool = True, percent: int = 100) -> None:
    faults.switch(by=BY, organization=place.organization, fault=fault, on=on, percent=percent)


def test_a_device_that_is_off_installs_when_it_is_back(
    oakmont: School, clock: time_machine.Traveller
) -> None:
    installation = oakmont.licensed(oakmont.device())
    oakmont.enroll()
    switch(oakmont, Fault.OFFLINE)
    oakmont.play(clock, minutes=180)
    while_off = state(installation)

    switch(oakmont, Fault.OFFLINE, on=False)
    oakmont.play(clock)

    assert while_off == ("install_queued", "")
    assert state(installation) == ("installed", "")


def test_a_busy_device_is_deferred_and_installs_later(
    oakmont: School, clock: time_machine.Traveller
) -> None:
    installation = oakmont.licensed(oakmont.device())
    oakmont.enroll()
    switch(oakmont, Fault.NOT_NOW)
    oakmont.play(clock)
    while_busy = state(installation), commands(installation.device)[0]

    switch(oakmont, Fault.NOT_NOW, on=False)
    oakmont.play(clock, minutes=120)

    assert while_busy == (("deferred", "deviceBusy"), ("InstallApplication", "deferred"))
    assert state(installation) == ("installed", "")


def test_a_slow_install_stalls_and_is_still_watched(
    oakmont: School, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps_catalog.channels.simulated.behaviour.SLOWED_DOWN", 20_000)
    installation = oakmont.licensed(oakmont.device())
    oakmont.enroll()
    switch(oakmont, Fault.SLOW)
    oakmont.play(clock, minutes=26 * 60)
    after_a_day = state(installation)

    oakmont.play(clock, minutes=14 * 24 * 60)

    assert after_a_day == ("stalled", "noVerdict")
    assert state(installation) == ("installed", "")


def test_a_device_that_finds_no_license_tries_four_times_more(
    oakmont: School, clock: time_machine.Traveller
) -> None:
    installation = oakmont.licensed(oakmont.device())
    oakmont.enroll()
    switch(oakmont, Fault.LICENSE_NOT_FOUND)

    oakmont.play(clock, minutes=300)

    tries = [each for each in commands(installation.device) if each[0] == "InstallApplication"]
    installation.refresh_from_db()
    assert state(installation) == ("failed", "licenseNotFound")
    assert (len(tries), installation.next_at, installation.attempts) == (5, None, 5)


def test_a_license_that_apple_does_not_have_goes_back_to_licensing(
    oakmont: School, clock: time_machine.Traveller
) -> None:
    installation = oakmont.licensed(oakmont.device())
    serial = installation.device.serial_number
    oakmont.fake.unassign(oakmont.account.uid, "361285480", serial_numbers=[serial])
    oakmont.enroll()

    oakmont.play(clock, minutes=5)

    assert state(installation) == ("planned", "")
    assert not Assignment.objects.filter(holder=serial).exists()


def test_a_user_who_refuses_ends_it_until_somebody_asks(
    oakmont: School, clock: time_machine.Traveller
) -> None:
    installation = oakmont.licensed(oakmont.device(supervised=False))
    oakmont.enroll()
    switch(oakmont, Fault.USER_REJECTS)

    oakmont.play(clock, minutes=300)

    installs = [each for each in commands(installation.device) if each[0] == "InstallApplication"]
    assert (state(installation), len(installs)) == (("failed", "userRefused"), 1)


def test_apps_that_users_remove_are_found_removed(
    oakmont: School, clock: time_machine.Traveller
) -> None:
    installation = oakmont.licensed(oakmont.device())
    oakmont.enroll()
    oakmont.play(clock)
    switch(oakmont, Fault.UNINSTALL)

    oakmont.play(clock, minutes=10 * 24 * 60)

    assert state(installation) == ("removed_by_user", "removedByUser")
    assert SimulatedFleet.objects.get().faults == {}


def test_lost_answers_are_asked_for_again(oakmont: School, clock: time_machine.Traveller) -> None:
    installation = oakmont.licensed(oakmont.device())
    oakmont.enroll()
    switch(oakmont, Fault.LOST_ANSWER)
    oakmont.play(clock, minutes=60)
    while_lost = state(installation)
    switch(oakmont, Fault.LOST_ANSWER, on=False)
    simulated.fleet.wake_all(by=BY, organization=oakmont.organization)
    clock.shift(3 * 60 * 60)
    factories_question(oakmont, installation.device)

    oakmont.play(clock, minutes=4 * 24 * 60)

    assert while_lost == ("install_queued", "")
    assert state(installation) == ("installed", "")


def factories_question(place: School, device: Device) -> None:
    """The daily question about the device itself: that it is answered tells that it was there."""
    enrollment = Enrollment.objects.get(device=device)
    inbox.enrollments.ask_everything([enrollment])


def test_answers_that_come_twice_count_once(oakmont: School, clock: time_machine.Traveller) -> None:
    installation = oakmont.licensed(oakmont.device())
    oakmont.enroll()
    switch(oakmont, Fault.DUPLICATE_ANSWER)

    oakmont.play(clock)

    told = ChannelEvent.objects.filter(topic="mdm.Connect").count()
    answered = ChannelCommand.objects.filter(state="done").count()
    assert (state(installation), told) == (("installed", ""), 2 * answered)


def test_answers_in_the_wrong_order_change_nothing(
    oakmont: School, clock: time_machine.Traveller
) -> None:
    installations = [oakmont.licensed(oakmont.device()) for _ in range(3)]
    oakmont.enroll()
    switch(oakmont, Fault.REORDERED)

    oakmont.play(clock)

    assert states(installations) == [("installed", "")] * 3


def test_a_device_that_leaves_has_no_apps_and_keeps_its_license(
    oakmont: School, clock: time_machine.Traveller
) -> None:
    installation = oakmont.licensed(oakmont.device())
    oakmont.enroll()
    oakmont.play(clock)
    switch(oakmont, Fault.CHECK_OUT)
    oakmont.turn()
    left = state(installation)

    oakmont.enroll()
    oakmont.play(clock)

    assert left == ("licensed", "notEnrolled")
    assert state(installation) == ("installed", "")
    assert Assignment.objects.filter(holder=installation.device.serial_number).exists()


def test_a_wiped_device_gets_its_apps_again(oakmont: School, clock: time_machine.Traveller) -> None:
    installation = oakmont.licensed(oakmont.device())
    oakmont.enroll()
    oakmont.play(clock)
    before = len(commands(installation.device))
    switch(oakmont, Fault.WIPE)

    oakmont.play(clock)

    later = commands(installation.device)[before:]
    assert state(installation) == ("installed", "")
    assert ("InstallApplication", "done") in later


def test_a_switch_holds_for_a_share_of_the_devices(oakmont: School) -> None:
    ids = [oakmont.device().pk for _ in range(40)]
    oakmont.enroll()

    switch(oakmont, Fault.OFFLINE, percent=50)
    off = set(SimulatedDevice.objects.filter(is_offline=True).values_list("device", flat=True))
    switch(oakmont, Fault.OFFLINE, percent=50)
    again = set(SimulatedDevice.objects.filter(is_offline=True).values_list("device", flat=True))

    assert off == again
    assert 0 < len(off) < len(ids)


def test_apple_that_cannot_be_asked_makes_devices_wait(
    oakmont: School, clock: time_machine.Traveller
) -> None:
    installation = oakmont.licensed(oakmont.device())
    oakmont.enroll()
    oakmont.fake.set_fault("internal", uid=oakmont.account.uid, path="assignments", times=3)
    oakmont.turn()
    oakmont.turn()
    waiting = state(installation)

    oakmont.play(clock)

    assert waiting == ("install_queued", "")
    assert state(installation) == ("installed", "")


def test_a_license_of_the_owner_counts(oakmont: School, clock: time_machine.Traveller) -> None:
    ManagedApp.objects.update(purchase_method="user")
    owner = factories.OwnerFactory(organization=oakmont.organization)
    person = factories.VppUserFactory(account=oakmont.account, owner=owner)
    installation = oakmont.wanted(oakmont.device(owner=owner), state="licensed")
    location = oakmont.fake.location(oakmont.account.uid)
    oakmont.fake.register(location, person.client_user_id, person.email)
    oakmont.fake.assign(oakmont.account.uid, "361285480", client_user_ids=[person.client_user_id])
    factories.AssignmentFactory(
        licensed_app=oakmont.title, holder_kind="user", holder=person.client_user_id
    )
    oakmont.enroll()

    oakmont.play(clock)

    assert state(installation) == ("installed", "")


# --- Enrolling ------------------------------------------------------------------------------------


def test_enrolling_twice_changes_nothing(oakmont: School) -> None:
    oakmont.device()

    first, second = (simulated.enroll(oakmont.organization.pk) for _ in range(2))

    assert (first, second, Enrollment.objects.count()) == (1, 0, 1)


def test_another_channel_has_no_simulated_fleet(oakmont: School) -> None:
    ChannelSettings.objects.create(organization=oakmont.organization, kind="nanomdm")

    with pytest.raises(NotSimulated):
        simulated.enroll(oakmont.organization.pk)


def test_a_share_beyond_all_is_refused(oakmont: School) -> None:
    with pytest.raises(ShareUnknown):
        switch(oakmont, Fault.SLOW, percent=101)


# --- The page -------------------------------------------------------------------------------------


def at(name: str, organization: Organization) -> str:
    return reverse(f"apps_catalog:{name}", args=[organization.pk])


def test_an_owner_enrolls_switches_and_wakes(
    owner_client: Client, organization: Organization
) -> None:
    factories.DeviceFactory(organization=organization)

    owner_client.post(at("fleet_enroll", organization))
    owner_client.post(
        at("fleet_fault", organization), {"fault": "slow", "on": "1", "percent": "30"}
    )
    owner_client.post(at("fleet_tick", organization))
    page = owner_client.get(at("channel_settings", organization)).content.decode()

    actions = AuditEvent.objects.filter(action__startswith="simulated_fleet")
    assert list(actions.order_by("pk").values_list("action", flat=True)) == [
        "simulated_fleet.enrolled",
        "simulated_fleet.fault_switched",
        "simulated_fleet.woken",
    ]
    assert SimulatedFleet.objects.get().faults == {"slow": {"share": 30}}
    assert SimulatedDevice.objects.get().is_awake
    assert "on: 30 %" in page


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"fault": "fire", "on": "1"}, "There is no such switch."),
        ({"fault": "slow", "on": "1", "percent": "all"}, "A share of devices is a whole number"),
    ],
)
def test_bad_input_is_told(
    owner_client: Client, organization: Organization, sent: dict[str, str], told: str
) -> None:
    answer = owner_client.post(at("fleet_fault", organization), sent, follow=True)

    assert told in answer.content.decode()
    assert not SimulatedFleet.objects.exists()


def test_readers_and_outsiders_change_nothing(
    reader_client: Client, outsider_client: Client, organization: Organization
) -> None:
    names = ("fleet_enroll", "fleet_tick", "fleet_fault")

    read = [reader_client.post(at(name, organization)).status_code for name in names]
    out = [outsider_client.post(at(name, organization)).status_code for name in names]
    page = reader_client.get(at("channel_settings", organization)).content.decode()

    assert (read, out) == ([403] * 3, [404] * 3)
    assert "Enroll all devices" in page
    assert at("fleet_enroll", organization) not in page
    assert not Installation.objects.exists()
