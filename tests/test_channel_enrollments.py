"""Devices enroll, speak and leave through NanoMDM: what that makes of the inventory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from apps_catalog.channels import inbox, inventory
from apps_catalog.models import ChannelCommand, ChannelEvent, ChannelSettings, Enrollment
from organizations import hooks
from organizations.models import AuditEvent, Device, Network, Organization
from tests.factories import ChannelCommandFactory, DeviceFactory, EnrollmentFactory, NetworkFactory
from tests.mdm_events import arrive, arrive_all, errors
from tests.nanomdm_stub import FakeDevice, NanoMdmStub
from tests.nanomdm_stub.fleet import TOPIC
from tests.nanomdm_stub.queues import Command

pytestmark = pytest.mark.django_db


@pytest.fixture
def stub() -> Iterator[NanoMdmStub]:
    with NanoMdmStub() as server:
        yield server


@pytest.fixture
def oakmont(organization: Organization) -> Network:
    return NetworkFactory(organization=organization, name="Oakmont")


@pytest.fixture
def channel(organization: Organization, oakmont: Network, stub: NanoMdmStub) -> ChannelSettings:
    chosen = ChannelSettings(
        organization=organization, kind="nanomdm", base_url=stub.url, topic=TOPIC, network=oakmont
    )
    chosen.api_key = stub.key
    chosen.save()
    return chosen


@pytest.fixture
def here(channel: ChannelSettings) -> Organization:
    """An organization that listens to the stub."""
    return channel.organization


@pytest.fixture
def ipad(here: Organization, stub: NanoMdmStub) -> FakeDevice:
    """Enrolled, and known here as such."""
    device = stub.device().enroll()
    arrive_all(here, stub)
    return device


def row_of(device: FakeDevice) -> Device:
    return Device.objects.get(serial_number=device.serial)


def enrollment_of(device: FakeDevice) -> Enrollment:
    return Enrollment.objects.get(channel_id=device.udid)


def open_commands(device: FakeDevice) -> list[tuple[str, str]]:
    rows = ChannelCommand.objects.filter(channel_id=device.udid).order_by("pk")
    return list(rows.values_list("request_type", "state"))


# --- Enrolling --------------------------------------------------------------------------------------


def test_a_device_that_enrolls_is_in_the_list(
    here: Organization, stub: NanoMdmStub, oakmont: Network
) -> None:
    device = stub.device()

    device.enroll()
    arrive_all(here, stub)

    row, enrollment = row_of(device), enrollment_of(device)
    assert (row.network, row.name, row.model, row.platform, row.os_version, row.udid) == (
        oakmont,
        *("Room 12", "iPad Air", "iPadOS", "17.5", device.udid),
    )
    assert (row.sources["name"], row.enrollment) == ("channel", "device")
    assert (enrollment.device, enrollment.is_enrolled, enrollment.topic) == (row, True, TOPIC)
    assert row.last_connected_at == enrollment.seen_at == enrollment.enrolled_at
    assert errors(here) == []


def test_it_is_asked_at_once_what_it_is(here: Organization, ipad: FakeDevice) -> None:
    assert open_commands(ipad) == [("DeviceInformation", "waiting")]


def test_who_enrolled_is_recorded_and_announced(here: Organization, stub: NanoMdmStub) -> None:
    told: list[tuple[str, list[int]]] = []

    def listen(sender: Any, cause: str, device_ids: list[int], **kwargs: Any) -> None:
        told.append((cause, device_ids))

    hooks.devices_changed.connect(listen)
    try:
        device = stub.device().enroll()
        arrive_all(here, stub)
    finally:
        hooks.devices_changed.disconnect(listen)

    row = row_of(device)
    event = AuditEvent.objects.get(action="device.enrolled")
    assert (event.actor_kind, event.actor_name, event.target_id) == ("system", "NanoMDM", row.pk)
    assert ("enrolled", [row.pk]) in told


def test_a_device_that_is_listed_already_stays_where_it_is(
    here: Organization, stub: NanoMdmStub
) -> None:
    lakeside = NetworkFactory(organization=here, name="Lakeside")
    listed = DeviceFactory(
        organization=here, network=lakeside, serial_number="DMQX00000001", name="By hand"
    )

    stub.device(query={"network": str(NetworkFactory(organization=here).pk)}).enroll()
    arrive_all(here, stub)

    listed.refresh_from_db()
    assert (listed.network, listed.name) == (lakeside, "Room 12")
    assert Device.objects.count() == 1


def test_the_profile_says_where_a_new_device_belongs(here: Organization, stub: NanoMdmStub) -> None:
    lakeside = NetworkFactory(organization=here, name="Lakeside")

    device = stub.device(query={"network": str(lakeside.pk)}).enroll()
    arrive_all(here, stub)

    assert row_of(device).network == lakeside


@pytest.mark.parametrize("claim", ["elsewhere", "9" * 30, "²", "-1", ""])
def test_a_claim_that_is_none_of_ours_is_not_believed(
    here: Organization, stub: NanoMdmStub, oakmont: Network, claim: str
) -> None:
    claimed = str(NetworkFactory().pk) if claim == "elsewhere" else claim

    device = stub.device(query={"network": claimed}).enroll()
    arrive_all(here, stub)

    assert row_of(device).network == oakmont


def test_without_a_network_for_new_devices_they_wait_until_one_is_chosen(
    here: Organization, channel: ChannelSettings, stub: NanoMdmStub, oakmont: Network
) -> None:
    NetworkFactory(organization=here)
    ChannelSettings.objects.update(network=None)
    device = stub.device().enroll()
    arrive_all(here, stub)
    waiting = Device.objects.count(), errors(here)[0][1][:32]

    ChannelSettings.objects.update(network=oakmont)
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        inbox.handle_waiting(here.pk)

    assert waiting == (0, "A new device enrolled, and no ne")
    assert (row_of(device).network, enrollment_of(device).is_enrolled) == (oakmont, True)


def test_the_only_network_needs_no_choosing(
    here: Organization, stub: NanoMdmStub, oakmont: Network
) -> None:
    ChannelSettings.objects.update(network=None)

    device = stub.device().enroll()
    arrive_all(here, stub)

    assert row_of(device).network == oakmont


def test_a_device_of_another_push_certificate_is_not_ours(
    here: Organization, stub: NanoMdmStub
) -> None:
    stub.device(topic="com.apple.mgmt.External.other").enroll()
    arrive_all(here, stub)

    assert (Device.objects.count(), Enrollment.objects.count()) == (0, 0)
    assert errors(here)[0] == (
        "mdm.Authenticate",
        "It enrolled with the push certificate of com.apple.mgmt.External.other, which is not this"
        " organization's.",
    )


def test_user_enrollment_hides_serial_number_and_udid(
    here: Organization, stub: NanoMdmStub
) -> None:
    device = stub.device(serial=None, udid="A1B2C3", is_user_enrollment=True)

    device.enroll()
    arrive_all(here, stub)
    device.connect()
    arrive_all(here, stub)

    row = Device.objects.get()
    assert (row.serial_number, row.udid, row.enrollment) == (None, "A1B2C3", "user")
    assert enrollment_of(device).is_enrolled is True


def test_apples_assistant_waits_for_the_first_apps(here: Organization, stub: NanoMdmStub) -> None:
    device = stub.device().enroll(awaits=True)
    arrive_all(here, stub)

    assert enrollment_of(device).awaits_configuration is True
    assert row_of(device).enrollment == "automated"


@pytest.mark.parametrize("kind", ["User", "Shared iPad"])
def test_who_uses_a_device_has_a_channel_of_its_own(
    here: Organization, ipad: FakeDevice, stub: NanoMdmStub, kind: str
) -> None:
    user = ipad.user_token_update("person@example.org", kind)
    arrive_all(here, stub)

    assert enrollment_of(ipad).user_channel_id == user
    assert (Device.objects.count(), Enrollment.objects.count()) == (1, 1)


# --- Speaking ---------------------------------------------------------------------------------------


def test_what_a_device_tells_of_itself_is_kept(
    here: Organization, ipad: FakeDevice, stub: NanoMdmStub
) -> None:
    ipad.name, ipad.os_version = "Room 14", "18.1"
    ipad.answers["ProfileList"] = lambda command: {"QueryResponses": ipad.information()}
    stub.storage.enqueue([ipad.udid], Command("not-ours", "ProfileList", {}))

    ipad.connect()
    arrive_all(here, stub)

    row, enrollment = row_of(ipad), enrollment_of(ipad)
    assert (row.name, row.os_version, row.supervised) == ("Room 14", "18.1", True)
    assert (enrollment.store_account_hash, enrollment.inventory_at is not None) == ("hash", True)


def test_every_device_is_asked_once_a_day(
    here: Organization, ipad: FakeDevice, stub: NanoMdmStub
) -> None:
    ChannelCommand.objects.update(state="done")
    asked = []
    Enrollment.objects.update(inventory_at=timezone.now())
    for hours in (1, 23, 25, 26):
        with time_machine.travel(timezone.now() + timedelta(hours=hours)):
            asked.append(inventory.ask_due(here.pk))

    assert asked == [0, 0, 1, 0]  # and not again before it has answered


def test_a_large_fleet_is_spread_over_the_day(here: Organization, oakmont: Network) -> None:
    for device in DeviceFactory.create_batch(60, organization=here, network=oakmont):
        EnrollmentFactory(device=device)

    assert [inventory.ask_due(here.pk), inventory.ask_due(here.pk)] == [50, 10]


# --- Any order ----------------------------------------------------------------------------------------


def test_events_overtake_one_another(here: Organization, stub: NanoMdmStub) -> None:
    device = stub.device().enroll()
    introduced, enrolled = stub.webhook.bodies

    arrive(here, [enrolled])
    arrive(here, [introduced])
    with time_machine.travel(timezone.now() + timedelta(seconds=10)):
        inbox.handle_waiting(here.pk)

    assert (enrollment_of(device).is_enrolled, errors(here)) == (True, [])


def test_what_was_told_before_a_device_left_does_not_bring_it_back(
    here: Organization, ipad: FakeDevice, stub: NanoMdmStub
) -> None:
    ipad.token_update()
    ipad.check_out()
    before, left = stub.webhook.bodies

    arrive(here, [left])
    arrive(here, [before])

    assert enrollment_of(ipad).is_enrolled is False
    assert row_of(ipad).enrollment == "none"


def test_an_introduction_that_comes_late_does_not_end_the_enrollment(
    here: Organization, ipad: FakeDevice, stub: NanoMdmStub
) -> None:
    command = ChannelCommandFactory(device=row_of(ipad), channel_id=ipad.udid, state="queued")
    ipad.enroll()
    introduced, enrolled = stub.webhook.bodies

    arrive(here, [enrolled])
    arrive(here, [introduced])

    command.refresh_from_db()
    assert (enrollment_of(ipad).is_enrolled, command.state) == (True, "void")


def test_an_event_counts_once_however_often_it_arrives(
    here: Organization, stub: NanoMdmStub
) -> None:
    stub.device().enroll()
    bodies = stub.webhook.bodies * 3

    arrive(here, bodies)
    arrive(here, bodies)

    assert ChannelEvent.objects.count() == 2
    assert AuditEvent.objects.filter(action="device.enrolled").count() == 1


# --- Leaving ------------------------------------------------------------------------------------------


@pytest.fixture
def departures() -> Iterator[list[tuple[str, str]]]:
    told: list[tuple[str, str]] = []

    def listen(sender: Any, cause: str, choice: str, **kwargs: Any) -> None:
        told.append((cause, choice))

    hooks.devices_departing.connect(listen)
    yield told
    hooks.devices_departing.disconnect(listen)


def test_a_device_that_checks_out_is_unenrolled(
    here: Organization, ipad: FakeDevice, stub: NanoMdmStub, departures: list[tuple[str, str]]
) -> None:
    ipad.check_out()
    arrive_all(here, stub)

    row, enrollment = row_of(ipad), enrollment_of(ipad)
    assert (enrollment.is_enrolled, enrollment.ended_at is not None) == (False, True)
    assert (row.enrollment, row.unenrolled_at) == ("none", enrollment.ended_at)
    assert open_commands(ipad) == [("DeviceInformation", "void")]
    assert departures == [("unenrolled", "")]


def test_a_device_that_introduces_itself_again_without_leaving_was_wiped(
    here: Organization, ipad: FakeDevice, stub: NanoMdmStub, departures: list[tuple[str, str]]
) -> None:
    ipad.authenticate()
    arrive_all(here, stub)
    between = (enrollment_of(ipad).is_enrolled, row_of(ipad).wiped_at is not None)

    ipad.token_update()
    arrive_all(here, stub)

    assert between == (False, True)
    assert (enrollment_of(ipad).is_enrolled, row_of(ipad).wiped_at) == (True, None)
    assert departures == [("wiped", "")]
    assert open_commands(ipad) == [("DeviceInformation", "void"), ("DeviceInformation", "waiting")]


def test_a_device_that_left_and_enrolls_anew_was_not_wiped(
    here: Organization, ipad: FakeDevice, stub: NanoMdmStub, departures: list[tuple[str, str]]
) -> None:
    ipad.check_out()
    ipad.enroll()
    arrive_all(here, stub)

    row = row_of(ipad)
    assert (row.enrollment, row.unenrolled_at, row.wiped_at) == ("device", None, None)
    assert departures == [("unenrolled", "")]


def test_a_device_that_left_is_not_listened_to(
    here: Organization, ipad: FakeDevice, stub: NanoMdmStub
) -> None:
    ipad.check_out()
    arrive_all(here, stub)
    left_at = row_of(ipad).last_connected_at

    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        ipad.connect()
        arrive_all(here, stub)

    assert (row_of(ipad).last_connected_at, enrollment_of(ipad).is_enrolled) == (left_at, False)


# --- Devices that nobody introduced --------------------------------------------------------------------


def test_a_device_that_enrolled_before_we_listened_is_asked_who_it_is(
    here: Organization, stub: NanoMdmStub
) -> None:
    device = stub.device().enroll()
    stub.webhook.bodies.clear()

    device.connect()
    arrive_all(here, stub)
    unknown = Device.objects.count()
    device.connect()
    arrive_all(here, stub)

    assert (unknown, device.seen) == (0, ["DeviceInformation"])
    assert (row_of(device).name, enrollment_of(device).is_enrolled) == ("Room 12", True)


def test_it_is_asked_once_a_day_however_often_it_speaks(
    here: Organization, stub: NanoMdmStub
) -> None:
    device = stub.device().enroll()
    stub.webhook.bodies.clear()

    for _ in range(3):
        device._answer({"Status": "Idle", "UDID": device.udid})
        arrive_all(here, stub)

    assert len(stub.storage.queues[device.udid].commands) == 1


def test_who_never_says_so_is_given_up_with_the_reason(
    here: Organization, stub: NanoMdmStub
) -> None:
    device = stub.device().enroll()
    stub.webhook.bodies.clear()
    device._answer({"Status": "Idle", "UDID": device.udid})
    arrive_all(here, stub)

    for minutes in range(1, 15):
        with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
            inbox.handle_waiting(here.pk)

    event = ChannelEvent.objects.get()
    assert (event.handled_at is not None, event.payload_ciphertext) == (True, "")
    assert event.error == f"The device {device.udid} speaks, and has not introduced itself."
