"""Who waits because of an app moves in the queue when the app's priority is changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps_catalog.managing import ManagedAppDetails, edit_app
from apps_catalog.models import ManagedApp
from licensing import batches
from licensing.models import Batch, BatchItem
from organizations.audit import Actor
from organizations.models import Admin, Membership
from tests import factories
from tests.automating import World, licenses
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount


@pytest.fixture
def world(fake: FakeApple, account: VppAccount) -> World:
    network = factories.NetworkFactory(organization=account.organization, name="Oakmont")
    return World(fake, account.organization, network, account)


@pytest.fixture
def waiting(world: World) -> ManagedApp:
    """Two devices wait for licenses because of the app, and two others wait elsewhere."""
    world.buy(0)
    other = factories.NetworkFactory(organization=world.organization, name="Hill")
    for serial in ("H1", "H2"):
        world.device(serial, network=other)
    world.app(network=other)
    world.settle()
    for serial in ("S1", "S2"):
        world.device(serial)
    app = world.app()
    world.settle()
    return app


def prioritize(owner: Admin, app: ManagedApp, priority: int) -> None:
    app.refresh_from_db()
    details = ManagedAppDetails.of(app)
    edit_app(
        by=Actor.of_admin(owner),
        membership=Membership.objects.get(admin=owner),
        managed_app=app,
        details=replace(details, priority=priority),
    )


def queue() -> list[tuple[str, int]]:
    rows = BatchItem.objects.filter(state="waiting").order_by("-priority", "id")
    return list(rows.values_list("holder", "priority"))


def test_who_waits_moves_with_the_apps_priority(
    world: World, waiting: ManagedApp, owner: Admin
) -> None:
    before = queue()

    prioritize(owner, waiting, 10)
    world.turn()
    world.buy(1)
    world.settle()

    assert before == [("H1", 0), ("H2", 0), ("S1", 0), ("S2", 0)]
    assert licenses().keys() == {"S1"}
    assert queue() == [("S2", 10), ("H1", 0), ("H2", 0)]


def test_what_a_person_moved_stays_moved(
    world: World, waiting: ManagedApp, owner: Admin, by: Actor
) -> None:
    batches.move_in_queue(by=by, items=BatchItem.objects.filter(holder="S2"), step=1)

    prioritize(owner, waiting, 10)
    world.turn()
    world.run()
    raised = queue()
    prioritize(owner, waiting, -5)
    world.turn()

    assert raised == [("S2", 11), ("S1", 10), ("H1", 0), ("H2", 0)]
    assert queue() == [("H1", 0), ("H2", 0), ("S2", -4), ("S1", -5)]


def test_nobody_moves_beyond_the_highest_priority(
    world: World, waiting: ManagedApp, owner: Admin
) -> None:
    BatchItem.objects.filter(holder="S1").update(priority=60)

    prioritize(owner, waiting, 80)
    world.turn()

    assert queue()[:2] == [("S1", 100), ("S2", 80)]
    assert sorted(Batch.objects.values_list("priority", flat=True)) == [0, 80]
