"""Many small steps are a large one: taking back a little again and again waits for a person too."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from apps_catalog.models import Installation
from licensing.installations import Answers
from licensing.models import AutomationHold
from organizations.audit import Actor
from organizations.models import Device, Network, Tag
from tests import factories
from tests.automating import World, licenses, retag
from tests.test_automation_holds import decide
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

SERIALS = [f"S{number:02}" for number in range(20)]


@pytest.fixture
def world(fake: FakeApple, account: VppAccount) -> World:
    network = factories.NetworkFactory(organization=account.organization, name="Oakmont")
    return World(fake, account.organization, network, account)


@pytest.fixture
def cart(world: World) -> Tag:
    """Twenty devices have their licenses because of it."""
    world.buy(20)
    cart = world.tag()
    for serial in SERIALS:
        world.device(serial, cart)
    world.app(tag=cart)
    world.settle()
    return cart


def leave(world: World, first: int, last: int) -> None:
    for device in Device.objects.filter(serial_number__in=SERIALS[first:last]):
        retag(device)
    world.settle()


def test_what_leaves_bit_by_bit_waits_for_a_person(world: World, cart: Tag) -> None:
    leave(world, 0, 3)
    leave(world, 3, 5)
    leave(world, 5, 8)

    hold = AutomationHold.objects.waiting().get()
    assert (hold.revokes, hold.named) == (3, SERIALS[5:8])
    assert set(licenses()) == set(SERIALS[5:])


def test_what_leaves_over_days_does_not(world: World, cart: Tag) -> None:
    for first in (0, 3, 6):
        with time_machine.travel(timezone.now() + timedelta(days=1 + first), tick=False):
            leave(world, first, first + 3)

    assert not AutomationHold.objects.exists()
    assert set(licenses()) == set(SERIALS[9:])


def test_apps_of_several_networks_count_together(world: World, cart: Tag) -> None:
    other: Network = factories.NetworkFactory(organization=world.organization)
    for serial in SERIALS[10:]:
        Device.objects.filter(serial_number=serial).update(network=other)
    theirs = world.app(tag=cart, network=other)
    world.settle()

    leave(world, 0, 4)
    leave(world, 12, 16)

    assert AutomationHold.objects.waiting().get().managed_app == theirs
    assert set(licenses()) == {*SERIALS[4:]}


def test_what_was_allowed_counts_no_more(world: World, cart: Tag, by: Actor) -> None:
    leave(world, 0, 8)
    decide(AutomationHold.objects.waiting().get(), by, allow=True)
    world.settle()

    leave(world, 8, 10)

    assert not AutomationHold.objects.waiting().exists()
    assert set(licenses()) == set(SERIALS[10:])


def test_what_was_allowed_is_not_allowed_for_ever(world: World, cart: Tag, by: Actor) -> None:
    leave(world, 0, 8)
    decide(AutomationHold.objects.waiting().get(), by, allow=True)
    Device.objects.update(tag_ids=[cart.pk])
    world.settle()

    with time_machine.travel(timezone.now() + timedelta(days=2), tick=False):
        leave(world, 12, 20)

    assert AutomationHold.objects.waiting().get().revokes == 8
    assert set(licenses()) == set(SERIALS)


def test_who_is_just_being_retired_is_not_licensed_for_certain(world: World) -> None:
    world.buy(5)
    user = world.person("Associated")
    world.device("T1", owner=user.owner)
    world.app(purchase_method="user")
    world.settle()
    ids = [Installation.objects.get().pk]
    before = Answers().still_licensed(ids)

    factories.BatchItemFactory(
        account=world.account,
        licensed_app=None,
        kind="retire",
        state="sent",
        holder=user.client_user_id,
        holder_kind="user",
    )

    assert (before, Answers().still_licensed(ids)) == (set(ids), set())
