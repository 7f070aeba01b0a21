"""The whole round through a NanoMDM: enrolled, licensed, installed, taken back, removed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from apps_catalog.channels import inbox
from apps_catalog.installations import engine, turns
from apps_catalog.models import (
    ChannelCommand,
    ChannelEvent,
    ChannelSettings,
    Enrollment,
    Installation,
)
from organizations.models import Device, Organization
from tests import factories
from tests.deploying import BUNDLE_ID, School, school, state
from tests.mdm_events import arrive, errors
from tests.nanomdm_stub import FakeDevice, NanoMdmStub
from tests.nanomdm_stub.fleet import TOPIC
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount


@pytest.fixture(params=["pgsql", "filekv"])
def stub(request: pytest.FixtureRequest) -> Iterator[NanoMdmStub]:
    with NanoMdmStub(request.param) as server:
        yield server


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-03-02T08:00:00Z", tick=False) as traveller:
        yield traveller


class Site:
    """A school whose devices are behind the stub; every second is a step."""

    def __init__(self, stub: NanoMdmStub, school: School, clock: time_machine.Traveller) -> None:
        self.stub, self.school, self.clock = stub, school, clock
        self.installed: dict[str, str] = {}  # of each device, what ManagedApplicationList says

    @property
    def organization(self) -> Organization:
        return self.school.organization

    def enroll(self, number: int = 1, **options: Any) -> FakeDevice:
        device = self.stub.device(number, **options)
        device.answers |= {
            "InstallApplication": lambda command: self._install(device),
            "RemoveApplication": lambda command: self._remove(device),
            "ManagedApplicationList": lambda command: self._list(device),
        }
        device.authenticate()
        self.clock.shift(0.1)  # nothing is told at the very same moment
        device.token_update()
        self.hear()
        return device

    def row(self, device: FakeDevice) -> Device:
        return Device.objects.get(serial_number=device.serial)

    def _install(self, device: FakeDevice) -> dict[str, Any]:
        self.installed[device.udid] = "Managed"
        return {"Identifier": BUNDLE_ID, "State": "Installing"}

    def _remove(self, device: FakeDevice) -> dict[str, Any]:
        self.installed.pop(device.udid)
        return {}

    def _list(self, device: FakeDevice) -> dict[str, Any]:
        status = self.installed.get(device.udid)
        told = {BUNDLE_ID: {"Status": status}} if status else {}
        return {"ManagedApplicationList": told}

    def hear(self, *, shuffled: bool = False) -> None:
        bodies, self.stub.webhook.bodies = self.stub.webhook.bodies, []
        arrive(self.organization, reversed(bodies) if shuffled else bodies)

    def turn(self, *, shuffled: bool = False) -> None:
        """The engine works, whoever was pushed connects, and what they said arrives."""
        turns.note(self.organization.pk)
        engine.run(self.organization.pk)
        for device in list(self.stub.devices.values()):
            if device.awake:
                self.clock.shift(0.1)
                device.connect()
        self.hear(shuffled=shuffled)

    def play(self, turns: int = 10, *, shuffled: bool = False) -> None:
        for _ in range(turns):
            self.turn(shuffled=shuffled)
            self.clock.shift(60)


def connected(organization: Organization, stub: NanoMdmStub) -> ChannelSettings:
    chosen = ChannelSettings(
        organization=organization, kind="nanomdm", base_url=stub.url, topic=TOPIC
    )
    chosen.api_key, chosen.webhook_key = stub.key, "the webhook key"
    chosen.save()
    return chosen


@pytest.fixture
def site(
    db: None,
    stub: NanoMdmStub,
    clock: time_machine.Traveller,
    fake: FakeApple,
    account: VppAccount,
) -> Site:
    connected(account.organization, stub)
    return Site(stub, school(fake, account), clock)


def test_from_the_license_to_the_app_and_back(site: Site) -> None:
    device = site.enroll()
    installation = site.school.licensed(site.row(device))

    site.play()
    installed = state(installation), dict(site.installed)
    site.school.take_back(installation)
    site.play()

    assert installed == (("installed", ""), {device.udid: "Managed"})
    assert (state(installation)[0], site.installed) == ("removed", {})
    assert device.seen[:2] == ["DeviceInformation", "InstallApplication"]
    assert "RemoveApplication" in device.seen
    assert errors(site.organization) == []


def test_one_call_for_many_devices_and_one_push_each(site: Site) -> None:
    devices = [site.enroll(number) for number in range(1, 6)]
    site.play(2)
    for device in devices:
        site.school.licensed(site.row(device))
    site.stub.requests.clear()

    site.turn()

    acts = [path.split("/")[2] for _, path in site.stub.requests]
    assert acts == ["enqueue", "push"]
    assert Installation.objects.filter(state="acknowledged").count() == 5


def test_answers_in_any_order_end_the_same(site: Site) -> None:
    device = site.enroll()
    installation = site.school.licensed(site.row(device))

    site.play(shuffled=True)

    assert state(installation) == ("installed", "")


def test_answers_twice_count_once(site: Site) -> None:
    device = site.enroll(repeats=True)
    installation = site.school.licensed(site.row(device))

    site.play()

    assert state(installation) == ("installed", "")
    assert device.seen.count("InstallApplication") == 1


def test_a_busy_device_is_waited_for(site: Site) -> None:
    device = site.enroll()
    site.play(2)
    installation = site.school.licensed(site.row(device))
    install = device.answers.pop("InstallApplication")
    device.answers["InstallApplication"] = lambda command: {"Status": "NotNow"}
    site.turn()
    busy = state(installation)

    device.answers["InstallApplication"] = install
    device.awake = True
    site.play()

    assert (busy, state(installation)) == (("deferred", "deviceBusy"), ("installed", ""))
    assert device.seen.count("InstallApplication") == 2


def test_a_failed_push_is_made_again(site: Site) -> None:
    device = site.enroll()
    site.play(2)
    installation = site.school.licensed(site.row(device))
    site.stub.push_fails = True
    site.turn()
    sent = state(installation), "InstallApplication" in device.seen

    site.stub.push_fails = False
    site.play()

    assert sent == (("install_queued", ""), False)
    assert state(installation) == ("installed", "")


def test_a_lost_answer_sends_nothing_twice(site: Site) -> None:
    device = site.enroll()
    site.play(2)
    installation = site.school.licensed(site.row(device))
    site.stub.loses_answers = 1

    site.play()

    assert state(installation) == ("installed", "")
    assert device.seen.count("InstallApplication") == 1


def test_a_device_that_the_server_does_not_know_holds_up_no_other(site: Site) -> None:
    devices = [site.enroll(number) for number in range(1, 5)]
    site.play(2)
    known = [site.school.licensed(site.row(device)) for device in devices]
    lost = factories.DeviceFactory(organization=site.organization, network=site.school.network)
    factories.EnrollmentFactory(device=lost, channel="nanomdm", channel_id="unknown")
    site.school.licensed(lost)

    site.play()

    assert [state(each)[0] for each in known] == ["installed"] * 4


def test_a_wiped_device_gets_its_app_again(site: Site) -> None:
    device = site.enroll()
    installation = site.school.licensed(site.row(device))
    site.play()

    site.installed.clear()
    both = [device, site.enroll(1)]  # the same one, with nothing on it
    command = ChannelCommand.objects.filter(request_type="DeviceInformation").latest("pk")
    site.play()

    assert command.state == "waiting"
    assert Enrollment.objects.get().is_enrolled is True
    assert (state(installation), site.installed) == (
        *(("installed", ""), {device.udid: "Managed"}),
    )
    assert [device.seen.count("InstallApplication") for device in both] == [1, 1]


# --- Over the webhook, as the server really posts ------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_events_arrive_in_parallel_and_in_any_order(
    live_server: LiveServer, settings: LazySettings, organization: Organization
) -> None:
    factories.NetworkFactory(organization=organization)
    with NanoMdmStub() as stub:
        chosen = connected(organization, stub)
        stub.webhook.url = f"{live_server.url}/channels/nanomdm/{chosen.uuid}"
        stub.webhook.key = "the webhook key"
        stub.webhook.hold()
        devices = [stub.device(number).enroll() for number in range(1, 6)]
        for device in devices:
            device.connect()
        stub.webhook.release()
        stub.deliver()
    stored = ChannelEvent.objects.count()

    inbox.handle_waiting(organization.pk)
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        inbox.handle_waiting(organization.pk)

    assert {status for _, status in stub.webhook.sent} == {200}
    assert (stored, Enrollment.objects.filter(is_enrolled=True).count()) == (15, 5)
    assert errors(organization) == []


@pytest.mark.django_db(transaction=True)
def test_a_server_with_another_key_is_not_heard(
    live_server: LiveServer, organization: Organization
) -> None:
    with NanoMdmStub() as stub:
        chosen = connected(organization, stub)
        stub.webhook.url = f"{live_server.url}/channels/nanomdm/{chosen.uuid}"
        stub.webhook.key = "another key"
        stub.device().enroll()
        stub.deliver()

    assert {status for _, status in stub.webhook.sent} == {401}
    assert ChannelEvent.objects.count() == 0
