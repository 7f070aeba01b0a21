"""A rule that would take back many licenses at once waits for a person."""

from __future__ import annotations

import pytest
from django.test import TestCase

from licensing.automation import holds
from licensing.automation.guard import exceeds
from licensing.automation.holds import AlreadyDecided, NotYourNetwork
from licensing.models import Assignment, AutomationHold
from organizations.audit import Actor
from organizations.models import AuditEvent, Device
from tests import factories
from tests.automating import World, licenses, states
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

SERIALS = [f"S{number}" for number in range(8)]


@pytest.fixture
def world(fake: FakeApple, account: VppAccount) -> World:
    network = factories.NetworkFactory(organization=account.organization, name="Oakmont")
    return World(fake, account.organization, network, account)


@pytest.fixture
def held(world: World) -> AutomationHold:
    """Eight devices have left the scope at once."""
    world.buy(20)
    cart = world.tag()
    for serial in SERIALS:
        world.device(serial, cart)
    world.app(tag=cart)
    world.settle()
    Device.objects.update(tag_ids=[])
    world.settle()
    return AutomationHold.objects.select_related("managed_app").get()


@pytest.mark.parametrize(
    ("revokes", "assigned", "asks"),
    [(5, 5, False), (6, 30, False), (6, 29, True), (100, 1000, False), (201, 1000, True)],
)
def test_more_than_five_and_more_than_a_fifth(revokes: int, assigned: int, asks: bool) -> None:
    assert exceeds(revokes, assigned) is asks


def test_nothing_is_taken_back_before_somebody_has_decided(
    world: World, held: AutomationHold
) -> None:
    assert (held.revokes, held.assigned, held.named) == (8, 8, SERIALS)
    assert set(licenses()) == set(SERIALS)
    assert set(states(held.managed_app).values()) == {("licensed", "waitsForDecision")}


def test_what_is_allowed_is_taken_back(world: World, held: AutomationHold, by: Actor) -> None:
    decide(held, by, allow=True)
    world.settle()

    held.refresh_from_db()
    assert (held.allowed, held.decided_by, held.allowed_up_to) == (True, by.name, 0)
    assert licenses() == {}
    assert list(AutomationHold.objects.all()) == [held]


def test_what_is_refused_stays_as_if_given_by_hand(
    world: World, held: AutomationHold, by: Actor
) -> None:
    decide(held, by, allow=False)
    world.settle()

    assert licenses() == dict.fromkeys(SERIALS, ("manual", None))
    assert AutomationHold.objects.waiting().count() == 0
    told = AuditEvent.objects.filter(action__startswith="automation.").order_by("pk")
    assert list(told.values_list("action", "actor_name", "after")) == [
        ("automation.held", "Automatic licensing", {"revokes": 8, "assigned": 8}),
        ("automation.decided", by.name, {"allowed": False, "kept": 8}),
    ]


def test_more_than_were_shown_is_asked_again(world: World, held: AutomationHold, by: Actor) -> None:
    AutomationHold.objects.update(revokes=7)
    decide(held, by, allow=True)

    world.settle()

    assert set(licenses()) == set(SERIALS)
    assert AutomationHold.objects.waiting().get().revokes == 8


def test_who_comes_back_leaves_nothing_to_decide(world: World, held: AutomationHold) -> None:
    Device.objects.update(tag_ids=held.managed_app.scope_tag_ids)

    world.settle()

    assert not AutomationHold.objects.exists()
    assert set(states(held.managed_app).values()) == {("licensed", "installedByAnotherMdm")}
    assert set(licenses().values()) == {("rule", held.managed_app_id)}


def test_it_is_decided_once(held: AutomationHold, by: Actor) -> None:
    decide(held, by, allow=True)

    with pytest.raises(AlreadyDecided, match="has allowed this already"):
        decide(held, by, allow=False)


def test_only_who_writes_in_its_network_decides(held: AutomationHold, by: Actor) -> None:
    elsewhere = factories.NetworkAccessFactory(
        membership__organization=held.organization, membership__access="none"
    )

    with pytest.raises(NotYourNetwork):
        holds.decide(by=by, hold=held, allow=True, membership=elsewhere.membership)

    held.refresh_from_db()
    assert held.decided_at is None
    assert Assignment.objects.count() == 8


def decide(hold: AutomationHold, by: Actor, *, allow: bool) -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        holds.decide(by=by, hold=hold, allow=allow)
