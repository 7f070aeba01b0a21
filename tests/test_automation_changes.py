"""What makes automatic licensing look again, and who is called to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from django.test import TestCase
from django.utils import timezone

from apps_catalog import hooks as app_hooks
from apps_catalog.models import ManagedApp
from licensing.automation import changes
from licensing.automation.changes import MOST_DEVICES, request
from licensing.models import Automation, AutomationChange, LicensedApp
from licensing.tasks import sweep_automation
from organizations import hooks
from organizations.audit import Actor
from organizations.models import Device, Network, Organization
from organizations.services import deletion_consequences
from tests import factories
from tests.automating import KEYNOTE, World, licenses
from tests.draining import begin, drain, synced
from users.services.owners import OwnerDetails, delete_owner, edit_owner
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.health import set_state
from vpp_accounts.hooks import account_removed, rights_changed
from vpp_accounts.models import AccountState, VppAccount

Change = tuple[int | None, int | None, str]


@pytest.fixture
def world(fake: FakeApple, account: VppAccount) -> World:
    network = factories.NetworkFactory(organization=account.organization, name="Oakmont")
    return World(fake, account.organization, network, account)


@contextmanager
def bells() -> Iterator[list[tuple[int, float]]]:
    heard: list[tuple[int, float]] = []

    def hear(sender: object, *, organization_id: int, seconds: float, **kwargs: object) -> None:
        heard.append((organization_id, seconds))

    changes.automation_waits.connect(hear)
    try:
        yield heard
    finally:
        changes.automation_waits.disconnect(hear)


def asked(organization: Organization) -> list[Change]:
    rows = AutomationChange.objects.filter(organization=organization).order_by("pk")
    return list(rows.values_list("device_id", "managed_app_id", "cause"))


def committed(work: Callable[[], object]) -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        work()


def test_somebody_is_called_once_for_many_changes(organization: Organization) -> None:
    with bells() as heard:
        committed(lambda: request(organization.pk, device_ids=[3, 3, 4], cause="tags"))
        committed(lambda: request(organization.pk, managed_app_ids=[7], cause="edited"))

    assert asked(organization) == [(3, None, "tags"), (4, None, "tags"), (None, 7, "edited")]
    assert heard == [(organization.pk, 0.0)]


def test_very_many_devices_are_all_devices(organization: Organization) -> None:
    committed(lambda: request(organization.pk, device_ids=range(MOST_DEVICES + 1), cause="csv"))

    assert asked(organization) == [(None, None, "csv")]


def test_nothing_to_look_at_is_nothing_to_do(organization: Organization) -> None:
    committed(lambda: request(organization.pk, device_ids=[], cause="csv"))

    assert (asked(organization), Automation.objects.count()) == ([], 0)


def test_news_of_licenses_come_together(organization: Organization) -> None:
    Automation.objects.create(organization=organization)

    with bells() as heard:
        for _ in range(3):
            changes.call_each([organization.pk])
        changes.call(organization.pk)

    assert heard == [(organization.pk, 3.0)]


def test_where_nothing_is_automatic_news_of_licenses_are_none(organization: Organization) -> None:
    with bells() as heard:
        changes.call_each([organization.pk])

    assert (heard, Automation.objects.count()) == ([], 0)


def test_what_lower_apps_announce_is_looked_at(world: World) -> None:
    device, app = world.device("S1"), world.app()
    told = {"organization": world.organization, "cause": "edited"}

    hooks.devices_changed.send(sender=Device, device_ids=[device.pk], **told)
    hooks.devices_changed.send(sender=Device, device_ids=None, **told)
    app_hooks.managed_apps_changed.send(sender=ManagedApp, managed_app_ids=[app.pk], **told)
    app_hooks.installs_asked.send(sender=ManagedApp, managed_app_ids=[app.pk], **told)

    assert asked(world.organization) == [
        (device.pk, None, "edited"),
        (None, None, "edited"),
        (None, app.pk, "edited"),
        (None, app.pk, "asked"),
    ]


def test_another_tag_of_an_owner_concerns_their_devices(world: World, by: Actor) -> None:
    owner = factories.OwnerFactory(organization=world.organization, name="Ada")
    device = world.device("S1", owner=owner)

    edit_owner(by=by, owner=owner, details=OwnerDetails(name="Ada L."))
    edit_owner(by=by, owner=owner, details=OwnerDetails(tags=("staff",)))
    delete_owner(by=by, owner=owner)

    assert asked(world.organization) == [
        (device.pk, None, "owner's tags"),
        (device.pk, None, "owner deleted"),
    ]


def test_licenses_that_others_moved_concern_the_apps_of_the_title(world: World) -> None:
    world.buy(3)
    app, other = world.app(), world.app(platform="tvOS")
    factories.ManagedAppFactory(network=world.network)
    AutomationChange.objects.all().delete()

    world.fake.assign(world.account.uid, KEYNOTE, serial_numbers=["S1"])
    synced(world.account)
    by_apple = asked(world.organization)
    AutomationChange.objects.all().delete()
    begin("revoke", [LicensedApp.objects.get()], serials=["S1"])
    with TestCase.captureOnCommitCallbacks(execute=True):
        drain(world.account, world.fake)

    looked_at = {(None, app.pk, "licenses"), (None, other.pk, "licenses")}
    assert looked_at <= set(by_apple)
    assert looked_at <= set(asked(world.organization))


def test_bought_licenses_are_news(world: World) -> None:
    app = world.app()

    world.buy(3)

    assert asked(world.organization) == [(None, app.pk, "supply")]


def test_a_person_who_accepts_concerns_the_apps_for_people(world: World) -> None:
    app = world.app(purchase_method="user")
    world.app(platform="tvOS")

    world.fake.add_users(world.account.uid, [{"clientUserId": "c-1", "email": "a@example.org"}])
    synced(world.account)

    assert asked(world.organization) == [(None, app.pk, "licenses")]


def test_another_rule_of_the_account_concerns_its_apps(world: World) -> None:
    app = world.app()

    rights_changed.send(VppAccount, account=world.account)

    assert asked(world.organization) == [(None, app.pk, "supply")]


def test_every_hour_everything_is_looked_at_and_graces_end(world: World) -> None:
    world.buy(3)
    cart = world.tag()
    device = world.device("S1", cart)
    world.app(tag=cart, grace_days=1)
    world.settle()
    Device.objects.filter(pk=device.pk).update(tag_ids=[])
    committed(
        lambda: hooks.devices_changed.send(
            sender=Device, organization=world.organization, device_ids=[device.pk], cause="tags"
        )
    )
    world.turn()

    with time_machine.travel(timezone.now() + timedelta(days=1, minutes=5)):
        committed(sweep_automation)
        world.turn()
        drain(world.account, world.fake)

    assert licenses() == {}


def test_a_devices_change_costs_the_same_however_many_apps_there_are(
    world: World, django_assert_max_num_queries: object
) -> None:
    world.device("S1")
    for _ in range(3):
        factories.ManagedAppFactory(network=world.network, scope_operator="none")
    world.run()
    device = Device.objects.get()
    committed(lambda: request(world.organization.pk, device_ids=[device.pk], cause="tags"))

    with django_assert_max_num_queries(30):  # type: ignore[operator]
        world.turn()


def test_a_network_says_what_ends_with_its_apps(world: World) -> None:
    world.buy(3)
    world.device("S1")
    app = world.app()
    world.settle()

    told = deletion_consequences(Network.objects.get(pk=app.network_id))

    assert told == [
        "Apps that it deploys, with their scopes and settings: 1.",
        "Licenses that these apps granted, and that stay assigned: 1.",
    ]


def test_an_account_that_takes_changes_again_is_news(world: World) -> None:
    app = world.app()

    set_state(world.account, AccountState.EXPIRED, "It has expired.")
    set_state(world.account, AccountState.IN_SYNC)
    set_state(world.account, AccountState.IN_SYNC)

    assert asked(world.organization) == [(None, app.pk, "supply")] * 2


def test_a_removed_accounts_licenses_are_lost(world: World, by: Actor) -> None:
    app = world.app()

    account_removed.send(VppAccount, account=world.account)

    assert asked(world.organization) == [(None, app.pk, "licenses")]
