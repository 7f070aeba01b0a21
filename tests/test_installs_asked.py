"""Installs, removals and retries that people and programs ask for: service, pages, REST, CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps_catalog import hooks
from apps_catalog.installations.asking import (
    Asked,
    Candidate,
    ask_install,
    ask_removal,
    plan_install,
    plan_removal,
    plan_retry,
    retry,
)
from apps_catalog.models import ChannelSettings, Installation, ManagedApp
from apps_catalog.reasons import Reason
from organizations.audit import Actor
from organizations.models import AuditEvent, Device
from tests import factories
from tests.deploying import School, commands, school, state
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
    return school(fake, account, installs_automatically=False)


def devices_of(*installations: Installation) -> Any:
    return Device.objects.filter(pk__in=[each.device_id for each in installations])


# --- Decisions ------------------------------------------------------------------------------------


def candidate(state: str, reason: str = "", **values: Any) -> Candidate:
    values = {"is_reached": True} | values
    return Candidate(device_id=1, pk=1, state=state, reason=reason, **values)


@pytest.mark.parametrize(
    ("each", "answer"),
    [
        (Candidate(1), Reason.OUT_OF_SCOPE),
        (candidate("revoke_pending"), Reason.OUT_OF_SCOPE),
        (candidate("planned"), True),
        (candidate("licensed"), True),
        (candidate("failed"), True),
        (candidate("removed_by_user"), True),
        (candidate("install_queued"), False),
        (candidate("installed"), False),
        (candidate("blocked", "licenseNotAskedFor"), True),
        (candidate("blocked", "noSerialNumber"), Reason.NO_SERIAL),
        (candidate("planned", is_reached=False), Reason.NOT_ENROLLED),
    ],
)
def test_what_an_install_can_be_asked_of(each: Candidate, answer: Reason | bool) -> None:
    assert plan_install(each, force=False) == answer


def test_by_force_it_is_installed_again() -> None:
    assert plan_install(candidate("installed"), force=True) is True


@pytest.mark.parametrize(
    ("each", "answer"),
    [
        (Candidate(1), Reason.OUT_OF_SCOPE),
        (candidate("failed"), True),
        (candidate("stalled"), True),
        (candidate("removed_by_user"), True),
        (candidate("installed"), False),
        (candidate("failed", is_reached=False), Reason.NOT_ENROLLED),
    ],
)
def test_what_can_be_tried_again(each: Candidate, answer: Reason | bool) -> None:
    assert plan_retry(each) == answer


@pytest.mark.parametrize(
    ("each", "answer"),
    [
        (Candidate(1), False),
        (candidate("licensed"), False),
        (candidate("acknowledged"), Reason.BUSY),
        (candidate("installed"), True),
        (candidate("installed", is_managed=False), Reason.UNMANAGED_COPY),
        (candidate("installed", is_busy=True), Reason.BUSY),
        (candidate("installed", is_reached=False), Reason.NOT_ENROLLED),
    ],
)
def test_what_can_be_removed(each: Candidate, answer: Reason | bool) -> None:
    assert plan_removal(each, can_remove=True) == answer


# --- The service ----------------------------------------------------------------------------------


def test_what_is_asked_for_is_installed(
    oakmont: School, clock: time_machine.Traveller, by: Actor
) -> None:
    asked, not_asked = (oakmont.licensed(oakmont.device()) for _ in range(2))
    stranger = oakmont.device()
    oakmont.enroll()
    oakmont.play(clock, minutes=1)
    everybody = Device.objects.filter(pk__in=[asked.device_id, stranger.pk])

    told = ask_install(by=by, managed_app=oakmont.managed_app, devices=everybody)
    oakmont.play(clock)

    assert told == Asked(1, 0, {Reason.OUT_OF_SCOPE: 1})
    assert state(asked) == ("installed", "")
    assert state(not_asked) == ("licensed", "notInstalledAutomatically")
    event = AuditEvent.objects.get(action="installation.asked")
    assert event.after == {"devices": 1, "named": [str(asked.device)]}


def test_where_a_license_is_lacking_it_is_asked_for(oakmont: School, by: Actor) -> None:
    installation = oakmont.wanted(oakmont.device(), "blocked", reason="licenseNotAskedFor")
    oakmont.enroll()
    heard: list[tuple[list[int], str]] = []

    def hear(sender: object, *, managed_app_ids: list[int], cause: str, **kwargs: object) -> None:
        heard.append((managed_app_ids, cause))

    hooks.installs_asked.connect(hear)
    try:
        ask_install(by=by, managed_app=oakmont.managed_app, devices=devices_of(installation))
    finally:
        hooks.installs_asked.disconnect(hear)

    installation.refresh_from_db()
    assert heard == [([oakmont.managed_app.pk], "install.asked")]
    assert (installation.state, installation.asked_by) == ("blocked", by.name)
    assert installation.asked_at is not None


def test_an_app_is_removed_and_installed_again(
    oakmont: School, clock: time_machine.Traveller, by: Actor
) -> None:
    ManagedApp.objects.update(installs_automatically=True)
    installation = oakmont.licensed(oakmont.device())
    oakmont.enroll()
    oakmont.play(clock)
    ours = {"managed_app": oakmont.managed_app, "devices": devices_of(installation)}

    removed = ask_removal(by=by, **ours)
    twice = ask_removal(by=by, **ours)
    oakmont.play(clock)
    off = state(installation)
    retry(by=by, **ours)
    oakmont.play(clock)

    assert (removed.asked, twice.cannot) == (1, {Reason.BUSY: 1})
    assert off == ("removed_by_user", "")
    assert state(installation) == ("installed", "")


def test_asking_costs_the_same_for_one_device_and_for_ten(oakmont: School, by: Actor) -> None:
    few = [oakmont.licensed(oakmont.device())]
    many = [oakmont.licensed(oakmont.device()) for _ in range(10)]
    oakmont.enroll()
    counts = []

    for rows in (few, many):
        with CaptureQueriesContext(connection) as asked:
            ask_install(by=by, managed_app=oakmont.managed_app, devices=devices_of(*rows))
        counts.append(len(asked))

    assert counts[0] == counts[1]


# --- Pages ----------------------------------------------------------------------------------------


def at(name: str, installation: Installation) -> str:
    return reverse(f"licensing:{name}", args=[installation.organization_id, installation.pk])


def test_the_buttons_of_a_device(
    oakmont: School, clock: time_machine.Traveller, owner_client: Client
) -> None:
    installation = oakmont.licensed(oakmont.device())
    oakmont.enroll()

    answer = owner_client.post(at("installation_install", installation), follow=True)
    oakmont.play(clock)
    installed = state(installation)
    owner_client.post(at("installation_remove", installation))
    oakmont.play(clock)
    removed = state(installation)
    owner_client.post(at("installation_retry", installation))
    oakmont.play(clock)

    assert "The install is asked for." in answer.content.decode()
    assert [installed[0], removed[0], state(installation)[0]] == [
        "installed",
        "removed_by_user",
        "installed",
    ]


def test_what_cannot_be_done_is_told(oakmont: School, owner_client: Client) -> None:
    installation = oakmont.wanted(oakmont.device(), "blocked", reason="noSerialNumber")
    oakmont.enroll()

    answer = owner_client.post(at("installation_install", installation), follow=True)

    assert Reason.NO_SERIAL.sentence in answer.content.decode()
    assert commands(installation.device) == []


def test_who_may_ask(
    oakmont: School,
    reader_client: Client,
    outsider_client: Client,
    client: Client,
) -> None:
    installation = oakmont.licensed(oakmont.device())
    elsewhere = factories.NetworkFactory(organization=oakmont.organization)
    access = factories.NetworkAccessFactory(
        membership__organization=oakmont.organization, network=elsewhere
    )
    client.force_login(access.membership.admin)
    url = at("installation_install", installation)

    answers = [each.post(url).status_code for each in (reader_client, outsider_client, client)]

    assert answers == [403, 404, 404]


# --- What goes where ------------------------------------------------------------------------------


def test_another_mdm_reads_what_goes_where(
    oakmont: School, owner_client: Client, outsider_client: Client
) -> None:
    ChannelSettings.objects.create(organization=oakmont.organization, kind="none")
    ready = oakmont.licensed(oakmont.device(serial_number="DMQREADY"))
    oakmont.wanted(oakmont.device(serial_number="DMQWAITS"))
    oakmont.turn()
    url = reverse("licensing:app_installs", args=[oakmont.organization.pk])

    answer = owner_client.get(url)

    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert lines == [
        "serialNumber,adamId,bundleId,name,license,state",
        "DMQREADY,361285480,com.apple.Keynote,Keynote,device,licensed",
        "DMQWAITS,361285480,com.apple.Keynote,Keynote,,planned",
    ]
    assert state(ready) == ("licensed", "installedByAnotherMdm")
    assert outsider_client.get(url).status_code == 404
