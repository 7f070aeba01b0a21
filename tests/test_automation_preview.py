"""What saving an app would do, said before."""

from decimal import Decimal

import pytest

from apps_catalog.models import App
from apps_catalog.reasons import Reason
from licensing.automation.preview import Draft, Outlook, clients, is_worse, preview
from licensing.models import Assignment
from organizations.models import Admin, Membership
from organizations.scopes import Operator, Scope
from tests import factories
from tests.automating import KEYNOTE, World
from tests.draining import begin, drain, synced
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount


@pytest.fixture
def world(fake: FakeApple, account: VppAccount) -> World:
    network = factories.NetworkFactory(organization=account.organization, name="Oakmont")
    return World(fake, account.organization, network, account)


def numbers(told) -> dict:
    names = ("in_scope", "held", "will_get", "waits", "asks", "leaving", "will_revoke")
    found = {name: getattr(told, name) for name in names} | dict(told.cannot)
    return {name: value for name, value in found.items() if value}


def test_everybody_in_scope_is_counted_once(world: World) -> None:
    world.buy(3)
    for serial in ("S1", "S2", "S3", "S4", "S5"):
        world.device(serial)
    world.device(None)
    world.device("MAC1", platform="macOS")
    world.device("OLD1", os_version="8.4", platform="iOS")
    begin("grant", [synced(world.account)[KEYNOTE]], serials=["S1"])
    drain(world.account, world.fake)

    told = preview(Draft.of(world.app()))

    assert numbers(told) == {
        "in_scope": 7,
        "held": 1,
        "will_get": 2,
        "waits": 2,
        Reason.NO_SERIAL: 1,
        Reason.OS_WITHOUT_DEVICE_LICENSES: 1,
    }
    assert (told.free, told.short_by) == ({world.account.pk: 2}, 2)


def test_without_automatic_licensing_it_says_who_would_get_one_when_asked(world: World) -> None:
    world.buy(1)
    world.device("S1")
    world.device("S2")

    told = preview(Draft.of(world.app(grants_automatically=False)))

    assert numbers(told) == {"in_scope": 2, "asks": 2}


def test_the_shortage_has_a_price_and_a_way_out(world: World) -> None:
    world.buy(1)
    App.objects.filter(adam_id=KEYNOTE).update(price=Decimal("4.99"), price_text="$4.99")
    for serial in ("S1", "S2", "S3", "S4"):
        world.device(serial)
    south = world.another_account("South")
    world.buy(2, account=south)

    told = preview(Draft.of(world.app()))

    assert (told.cost, told.cost_text) == (Decimal("14.97"), "3 more licenses: 3 x $4.99")
    assert told.transfers == [
        "Move 2 from South to Example Schools North in Apple School Manager or Apple Business Manager."
    ]


def test_several_accounts_are_drawn_from_in_order(world: World) -> None:
    world.buy(1)
    south = world.another_account("South")
    world.buy(2, account=south)
    for serial in ("S1", "S2", "S3", "S4"):
        world.device(serial)

    told = preview(Draft.of(world.app(south, world.account)))

    assert numbers(told) == {"in_scope": 4, "will_get": 3, "waits": 1}
    assert told.free == {south.pk: 2, world.account.pk: 1}


def test_owners_count_once_and_say_why_they_cannot(world: World) -> None:
    world.buy(1)
    people = [factories.OwnerFactory(organization=world.organization) for _ in range(4)]
    for owner, status in zip(people, ("Associated", "Registered", "Retired"), strict=False):
        factories.VppUserFactory(account=world.account, owner=owner, apple_status=status)
    for number, owner in enumerate([people[0], *people]):
        world.device(f"S{number}", owner=owner)
    world.device("NOBODY")

    told = preview(Draft.of(world.app(purchase_method="user")))

    assert numbers(told) == {
        "in_scope": 5,
        "will_get": 1,
        "waits": 1,
        Reason.OWNER_RETIRED: 1,
        Reason.OWNER_NOT_IN_ACCOUNT: 1,
        Reason.NO_OWNER: 1,
    }
    assert (told.devices, told.unaccepted) == (6, 1)


def test_a_smaller_scope_says_who_loses_a_license_and_who_keeps_it(world: World) -> None:
    title, cart, app = world.buy(10), world.tag(), world.app()
    for number in range(9):
        world.device(f"S{number}")
    world.device("S9", cart)
    world.run()
    for number in range(9):
        origin = {"origin": "manual"} if number == 8 else {"origin": "rule", "rule_id": app.pk}
        factories.AssignmentFactory(licensed_app=title, holder=f"S{number}", **origin)
    now = Draft.of(app)
    smaller = Draft(
        **{name: getattr(now, name) for name in now.__slots__}
        | {"scope": Scope(Operator.WITH_ANY, (cart.pk,))}
    )

    told = preview(smaller)

    assert numbers(told) == {"in_scope": 1, "will_get": 1, "leaving": 9, "will_revoke": 8}
    assert (told.kept_by_hand, told.needs_decision) == (1, True)
    assert Assignment.objects.count() == 9


def test_it_is_worse_when_fewer_get_one_or_more_lose_theirs() -> None:
    shown = Outlook(will_get=5, will_revoke=2)

    assert not is_worse(shown, Outlook(6, 1))
    assert is_worse(shown, Outlook(4, 2))
    assert is_worse(shown, Outlook(5, 3))


def test_clients_are_those_in_scope_that_the_admin_sees(world: World, owner: Admin) -> None:
    device = world.device("S1")
    world.device("MAC1", platform="macOS")
    membership = Membership.objects.get(admin=owner)
    elsewhere = factories.NetworkAccessFactory(
        membership__organization=world.organization,
        membership__access="none",
        network=factories.NetworkFactory(organization=world.organization),
    )

    draft = Draft.of(world.app())

    assert list(clients(draft, membership)) == [device]
    assert list(clients(draft, elsewhere.membership)) == []
