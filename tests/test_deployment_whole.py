"""The whole way, with every engine: a tag gives a license and an app, and takes both away again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from django.test import TestCase

from apps_catalog.channels import inbox, simulated
from apps_catalog.installations import engine, turns
from apps_catalog.installations.asking import ask_install
from apps_catalog.models import App, Installation
from organizations import tenancy
from organizations.devices import changing
from organizations.models import Device
from tests import factories
from tests.automating import World
from tests.draining import BY, at_apple
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-03-02T08:00:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def world(clock: object, fake: FakeApple, account: VppAccount, settings: object) -> World:
    settings.DEVICE_CHANNEL = "simulated"  # type: ignore[attr-defined]
    network = factories.NetworkFactory(organization=account.organization)
    return World(fake, account.organization, network, account)


def deploy(world: World, clock: time_machine.Traveller) -> None:
    organization_id = world.organization.pk
    for pause in (5, 30, 60, 300, 3600):
        world.settle()
        with tenancy.inside(organization_id), TestCase.captureOnCommitCallbacks(execute=True):
            turns.note(organization_id)
            engine.run(organization_id)
            simulated.tick(organization_id)
            inbox.handle_waiting(organization_id)
        clock.shift(pause)


def states() -> list[tuple[str, str]]:
    rows = Installation.objects.order_by("device__serial_number")
    return list(rows.values_list("device__serial_number", "state"))


def test_a_tag_gives_and_takes_the_app(world: World, clock: time_machine.Traveller) -> None:
    title = world.buy(5)
    cart = world.tag()
    staying, leaving = (world.device(serial, cart, supervised=True) for serial in ("A1", "B2"))
    world.app(tag=cart, removes_out_of_scope=True)
    App.objects.update(bundle_id="com.apple.Keynote")
    simulated.enroll(world.organization.pk)

    deploy(world, clock)
    given = states(), at_apple(world.fake, world.account)
    changing.change_tags(
        by=BY,
        organization=world.organization,
        devices=Device.objects.filter(pk=leaving.pk),
        remove=[cart.name],
    )
    deploy(world, clock)
    deploy(world, clock)

    assert given == (
        [("A1", "installed"), ("B2", "installed")],
        {(title.adam_id, "A1"), (title.adam_id, "B2")},
    )
    assert at_apple(world.fake, world.account) == {(title.adam_id, "A1")}
    assert [each for each in states() if each[1] != "removed"] == [("A1", "installed")]
    assert staying.pk


def test_an_install_that_is_asked_for_takes_one_license(
    world: World, clock: time_machine.Traveller
) -> None:
    title = world.buy(5)
    world.device("A1", supervised=True)
    asked = world.device("B2", supervised=True)
    app = world.app(grants_automatically=False, installs_automatically=False)
    App.objects.update(bundle_id="com.apple.Keynote")
    simulated.enroll(world.organization.pk)
    deploy(world, clock)

    devices = Device.objects.filter(pk=asked.pk)
    told = ask_install(by=BY, managed_app=app, devices=devices)
    deploy(world, clock)

    assert (told.asked, told.cannot) == (1, {})
    assert at_apple(world.fake, world.account) == {(title.adam_id, "B2")}
    assert dict(states())["B2"] == "installed"
