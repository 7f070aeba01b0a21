"""Licenses that Apple will not give back are asked for ever more rarely."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from licensing.models import Assignment, BatchItem, ItemState
from organizations.models import Device
from tests import factories
from tests.automating import World, licenses, retag
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

HOUR = timedelta(hours=1)


@pytest.fixture
def world(fake: FakeApple, account: VppAccount) -> World:
    network = factories.NetworkFactory(organization=account.organization, name="Oakmont")
    return World(fake, account.organization, network, account)


@pytest.fixture
def unwanted(world: World) -> Device:
    """A device that has its license because of a rule, and has just left its scope."""
    world.buy(5)
    cart = world.tag()
    device = world.device("S1", cart)
    world.app(tag=cart)
    world.settle()
    retag(device)
    return device


def refuse(world: World) -> None:
    """Apple refuses what is asked for now."""
    world.run()
    asked = BatchItem.objects.filter(kind="revoke", state=ItemState.PLANNED)
    asked.update(state=ItemState.FAILED, message="Apple said no.", changed_at=timezone.now())


def revokes() -> int:
    return BatchItem.objects.filter(kind="revoke").count()


def asked_after(world: World, start: datetime, hours: int) -> bool:
    """Whether it is asked for once more at that time; where it is, it is refused again."""
    before = revokes()
    with time_machine.travel(start + hours * HOUR, tick=False):
        refuse(world)
    return revokes() > before


def test_refused_revokes_are_asked_for_ever_more_rarely(world: World, unwanted: Device) -> None:
    start = timezone.now()
    refuse(world)

    asked = [hours for hours in range(1, 50) if asked_after(world, start, hours)]

    assert asked == [7, 19, 43]
    assert licenses().keys() == {"S1"}


def test_refused_revokes_are_asked_for_once_a_week_at_least(world: World, unwanted: Device) -> None:
    refuse(world)
    [refused] = BatchItem.objects.filter(kind="revoke")
    for _ in range(12):
        refused.pk = None
        refused.save(force_insert=True)
    start = timezone.now()

    asked = [days for days in range(1, 16) if asked_after(world, start, 24 * days)]

    assert asked == [7, 14]


def test_a_license_that_was_wanted_again_meanwhile_starts_anew(
    world: World, unwanted: Device
) -> None:
    refuse(world)
    with time_machine.travel(timezone.now() + 7 * HOUR, tick=False):
        refuse(world)
    with time_machine.travel(timezone.now() + 8 * HOUR, tick=False):
        Assignment.objects.update(unwanted_at=timezone.now())
        world.settle()

    assert licenses() == {}
