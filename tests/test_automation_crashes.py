"""A worker that dies anywhere leaves rows from which the next one ends correctly."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import TestCase
from django.utils import timezone

from licensing.automation import steps
from licensing.automation.changes import request
from licensing.models import Automation, AutomationChange, Batch, BatchItem
from organizations.models import Device
from tests import factories
from tests.automating import KEYNOTE, World, licenses, states
from tests.draining import at_apple, drain
from tests.test_batches_crashes import Killed, killing
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount


@pytest.fixture
def world(fake: FakeApple, account: VppAccount) -> World:
    network = factories.NetworkFactory(organization=account.organization, name="Oakmont")
    return World(fake, account.organization, network, account)


@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize("step", steps.STEPS)
def test_a_worker_that_dies_at_any_step_loses_and_repeats_nothing(
    step: str, at: int, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One device leaves, one comes, one waits and is to be served by another account."""
    south = world.another_account("South")
    world.buy(1, account=south)
    cart = world.tag()
    leaving, coming = world.device("S1", cart), world.device("S2")
    world.device("S3", cart)
    app = world.app(south, world.account, tag=cart)
    world.settle(south)
    world.buy(2)
    Device.objects.filter(pk=leaving.pk).update(tag_ids=[])
    Device.objects.filter(pk=coming.pk).update(tag_ids=[cart.pk])
    tell(world)

    monkeypatch.setattr(steps, "reached", killing(step, at=at))
    died = 0
    for _ in range(2):
        try:
            world.turn()
        except Killed:
            died += 1
            free_the_lease()
    for _ in range(2):
        for account in (south, world.account):
            drain(account, world.fake)
        world.turn()

    assert died == 1 or at > 1  # the first time is always reached
    everywhere = at_apple(world.fake, south) | at_apple(world.fake, world.account)
    assert everywhere == {(KEYNOTE, "S2"), (KEYNOTE, "S3")}
    assert licenses() == {"S2": ("rule", app.pk), "S3": ("rule", app.pk)}
    assert set(states(app)) == {"S2", "S3"}
    assert not BatchItem.objects.filter(state__in=("planned", "sent", "waiting")).exists()
    assert not AutomationChange.objects.exists()


def test_two_workers_do_not_decide_at_once(world: World) -> None:
    world.buy(1)
    world.device("S1")
    world.app()
    tell(world)
    Automation.objects.update(lease_until=timezone.now() + timedelta(minutes=1))

    world.turn()

    assert not Batch.objects.exists()


def test_a_worker_that_was_thought_dead_writes_nothing_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.buy(1)
    world.device("S1")
    world.app()
    tell(world)

    def overtaken(step: str) -> None:
        Automation.objects.update(lease_token=1_000)

    monkeypatch.setattr(steps, "reached", overtaken)
    world.turn()

    assert not Batch.objects.exists()
    assert AutomationChange.objects.exists()


def test_an_organization_whose_worker_died_is_found_by_the_sweep(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(world)
    monkeypatch.setattr(steps, "reached", killing(steps.CLAIMED, at=1))
    with pytest.raises(Killed):
        world.turn()

    waits = list(Automation.objects.due())
    free_the_lease()

    assert (waits, Automation.objects.due().count()) == ([], 1)


def test_a_closed_organization_is_left_alone(world: World) -> None:
    world.buy(1)
    world.device("S1")
    world.app()
    tell(world)
    world.organization.suspended_at = timezone.now()
    world.organization.save()

    world.turn()

    assert not Batch.objects.exists()


def tell(world: World) -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        request(world.organization.pk, cause="test")


def free_the_lease() -> None:
    Automation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
