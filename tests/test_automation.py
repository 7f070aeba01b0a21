"""Scope decides, licenses follow: what rules grant and take back, by its effect at Apple."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import TestCase
from django.utils import timezone

from apps_catalog.hooks import deployment_waits
from apps_catalog.models import App, Installation, InstallationStep, ManagedApp
from licensing import batches
from licensing.automation import pausing
from licensing.automation.changes import ASKED, request
from licensing.installations import Answers
from licensing.models import Batch, BatchItem, LicensedApp, ProtectedHolder
from organizations.audit import Actor
from organizations.models import AuditEvent, Device
from tests import factories
from tests.automating import KEYNOTE, World, licenses, retag, states
from tests.draining import at_apple, begin, drain, synced
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount


@pytest.fixture
def world(fake: FakeApple, account: VppAccount) -> World:
    network = factories.NetworkFactory(organization=account.organization, name="Oakmont")
    return World(fake, account.organization, network, account)


def test_devices_in_scope_get_their_licenses(world: World) -> None:
    world.buy(10)
    cart = world.tag()
    for serial in ("S1", "S2"):
        world.device(serial, cart)
    world.device("S3")
    world.device(None, cart)
    app = world.app(tag=cart)

    world.settle()

    assert at_apple(world.fake, world.account) == {(KEYNOTE, "S1"), (KEYNOTE, "S2")}
    assert licenses() == {"S1": ("rule", app.pk), "S2": ("rule", app.pk)}
    assert states(app) == {
        "S1": ("licensed", "installedByAnotherMdm"),
        "S2": ("licensed", "installedByAnotherMdm"),
        None: ("blocked", "noSerialNumber"),
    }
    app.refresh_from_db()
    assert (app.in_scope, app.licensed, app.blocked, app.waiting) == (3, 2, 1, 0)


def test_what_is_missing_waits_and_is_served_when_it_is_bought(world: World) -> None:
    world.buy(1)
    for serial in ("S1", "S2"):
        world.device(serial)
    app = world.app()

    world.settle()
    assert states(app) == {
        "S1": ("licensed", "installedByAnotherMdm"),
        "S2": ("blocked", "noLicenseLeft"),
    }
    world.buy(1)
    world.settle()

    assert licenses() == {"S1": ("rule", app.pk), "S2": ("rule", app.pk)}
    assert Batch.objects.count() == 1  # the waiting one was served


def test_leaving_the_scope_gives_the_license_back(world: World) -> None:
    world.buy(5)
    cart = world.tag()
    device = world.device("S1", cart)
    world.device("S2", cart)
    app = world.app(tag=cart)
    world.settle()

    retag(device)
    world.settle()

    assert at_apple(world.fake, world.account) == {(KEYNOTE, "S2")}
    assert list(states(app)) == ["S2"]


def test_nothing_is_taken_back_before_the_grace_is_over(world: World) -> None:
    world.buy(5)
    cart = world.tag()
    device = world.device("S1", cart)
    app = world.app(tag=cart, grace_days=7)
    world.settle()
    retag(device)

    world.settle()
    held_meanwhile = licenses()
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1)):
        world.settle()

        assert held_meanwhile == {"S1": ("rule", app.pk)}
        assert licenses() == {}


def test_who_returns_within_the_grace_keeps_the_license(world: World) -> None:
    world.buy(5)
    cart = world.tag()
    device = world.device("S1", cart)
    app = world.app(tag=cart, grace_days=7)
    world.settle()
    retag(device)
    world.settle()

    retag(device, cart)
    world.settle()
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        world.settle()

        assert licenses() == {"S1": ("rule", app.pk)}
        assert states(app) == {"S1": ("licensed", "installedByAnotherMdm")}
        assert Batch.objects.filter(kind="revoke").count() == 0


def test_a_license_by_hand_counts_and_stays(world: World) -> None:
    title = world.buy(5)
    cart = world.tag()
    device = world.device("S1", cart)
    begin("grant", [title], serials=["S1"])
    drain(world.account, world.fake)
    app = world.app(tag=cart)
    world.settle()
    held_in_scope = (licenses(), states(app))

    retag(device)
    world.settle()

    assert held_in_scope == (
        {"S1": ("manual", None)},
        {"S1": ("licensed", "installedByAnotherMdm")},
    )
    assert (licenses(), states(app)) == ({"S1": ("manual", None)}, {})


def test_without_automatic_revoking_the_license_stays(world: World) -> None:
    world.buy(5)
    cart = world.tag()
    device = world.device("S1", cart)
    app = world.app(tag=cart, revokes_automatically=False)
    world.settle()

    retag(device)
    world.settle()

    assert licenses() == {"S1": ("rule", app.pk)}


def test_without_automatic_granting_a_license_is_taken_when_it_is_asked_for(world: World) -> None:
    world.buy(5)
    for serial in ("S1", "S2"):
        world.device(serial)
    app = world.app(grants_automatically=False)
    world.settle()
    before = (licenses(), states(app))

    Installation.objects.filter(device__serial_number="S2").update(asked_at=timezone.now())
    with TestCase.captureOnCommitCallbacks(execute=True):
        request(world.organization.pk, managed_app_ids=[app.pk], cause=ASKED)
    world.turn()
    drain(world.account, world.fake)
    world.turn()

    not_asked = ("planned", "licenseNotAskedFor")
    assert before == ({}, {"S1": not_asked, "S2": not_asked})
    assert licenses() == {"S2": ("rule", app.pk)}
    assert states(app) == {"S1": not_asked, "S2": ("licensed", "installedByAnotherMdm")}


def test_an_app_without_a_license_is_ready_at_once(world: World) -> None:
    world.device("S1")
    world.device("OLD", os_version="12.1", platform="iOS")
    app = world.app(purchase_method="none")
    App.objects.filter(pk=app.app_id).update(minimum_os="15.0")

    world.run()

    assert states(app) == {
        "S1": ("licensed", "installedByAnotherMdm"),
        "OLD": ("blocked", "osTooOld"),
    }


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"state": "expired"}, "accountStopped"),
        ({"assignable_networks": "none"}, "networkNotAssignable"),
    ],
)
def test_what_is_in_the_way_of_the_account_is_said(
    world: World, change: dict[str, str], reason: str
) -> None:
    world.buy(5)
    world.device("S1")
    app = world.app()
    VppAccount.objects.filter(pk=world.account.pk).update(**change)

    world.run()

    assert (states(app), licenses()) == ({"S1": ("blocked", reason)}, {})


def test_a_title_that_nobody_bought_and_an_app_without_accounts(world: World) -> None:
    world.device("S1")
    app = world.app()
    lonely = world.app(platform="tvOS")
    lonely.accounts.all().delete()
    world.device("TV", platform="tvOS")

    world.run()

    assert states(app) == {"S1": ("blocked", "notBought")}
    assert states(lonely) == {"TV": ("blocked", "noAccount")}


def test_licenses_come_from_the_first_account_that_has_some(world: World) -> None:
    world.buy(1)
    south = world.another_account("South")
    world.buy(1, account=south)
    for serial in ("S1", "S2", "S3"):
        world.device(serial)
    app = world.app(south, world.account)

    world.settle(south, world.account)

    assert at_apple(world.fake, south) == {(KEYNOTE, "S1")}
    assert at_apple(world.fake, world.account) == {(KEYNOTE, "S2")}
    assert BatchItem.objects.get(state="waiting").account_id == south.pk
    assert states(app)["S3"] == ("blocked", "noLicenseLeft")


def test_who_waits_is_served_by_another_account_that_gets_licenses(world: World) -> None:
    south = world.another_account("South")
    world.buy(1, account=south)
    for serial in ("S1", "S2"):
        world.device(serial)
    app = world.app(south, world.account)
    world.settle(south)

    world.buy(1)
    world.settle(south, world.account)

    assert at_apple(world.fake, world.account) == {(KEYNOTE, "S2")}
    assert not BatchItem.objects.filter(state="waiting").exists()
    assert licenses() == {"S1": ("rule", app.pk), "S2": ("rule", app.pk)}


def test_a_license_in_any_account_counts(world: World) -> None:
    world.buy(2)
    south = world.another_account("South")
    title = world.buy(2, account=south)
    world.device("S1")
    begin("grant", [title], serials=["S1"])
    drain(south, world.fake)
    app = world.app(world.account, south)

    world.settle(world.account, south)

    assert (licenses(), at_apple(world.fake, world.account)) == ({"S1": ("manual", None)}, set())
    assert Installation.objects.get(managed_app=app).account_id == south.pk


def test_a_device_counts_on_the_license_that_is_left(world: World) -> None:
    world.buy(5)
    south = world.another_account("South")
    theirs = world.buy(5, account=south)
    world.device("S1")
    world.app(world.account, south)
    world.settle(world.account, south)
    begin("grant", [theirs], serials=["S1"])
    world.settle(world.account, south)
    ours = LicensedApp.objects.get(account=world.account)

    begin("revoke", [ours], serials=["S1"])
    world.settle(world.account, south)

    installation = Installation.objects.get()
    assert (installation.state, installation.licensed_app_id) == ("licensed", theirs.pk)
    assert Answers().still_licensed([installation.pk]) == {installation.pk}


def test_the_app_with_the_higher_priority_is_served_first(world: World) -> None:
    world.buy(1)
    near, far = world.tag("near"), world.tag("far")
    world.device("S1", near)
    world.device("S2", far)
    world.app(tag=near)
    other = factories.NetworkFactory(organization=world.organization)
    world.device("S3", far, network=other)
    first = world.app(tag=far, network=other, priority=5)

    world.settle()

    assert licenses() == {"S3": ("rule", first.pk)}


def test_an_owner_holds_one_license_for_all_their_devices(world: World) -> None:
    world.buy(5)
    person = world.person("Associated")
    for serial in ("S1", "S2"):
        world.device(serial, owner=person.owner)
    world.device("S3")
    app = world.app(purchase_method="user")

    world.settle()

    ready = ("licensed", "installedByAnotherMdm")
    assert licenses() == {person.client_user_id: ("rule", app.pk)}
    assert states(app) == {"S1": ready, "S2": ready, "S3": ("blocked", "noOwner")}


def test_an_owner_keeps_the_license_while_one_device_is_in_scope(world: World) -> None:
    world.buy(5)
    cart, person = world.tag(), world.person("Associated")
    first = world.device("S1", cart, owner=person.owner)
    second = world.device("S2", cart, owner=person.owner)
    app = world.app(purchase_method="user", tag=cart)
    world.settle()

    retag(first)
    world.settle()
    held_by_one = (licenses(), list(states(app)))
    retag(second)
    world.settle()

    assert held_by_one == ({person.client_user_id: ("rule", app.pk)}, ["S2"])
    assert (licenses(), states(app)) == ({}, {})


def test_another_owner_gets_a_license_and_the_former_gives_theirs_back(world: World) -> None:
    world.buy(5)
    old, new = world.person("Associated"), world.person("Associated")
    device = world.device("S1", owner=old.owner)
    app = world.app(purchase_method="user")
    world.settle()

    Device.objects.filter(pk=device.pk).update(owner=new.owner)
    world.settle()

    assert licenses() == {new.client_user_id: ("rule", app.pk)}


def test_another_purchase_method_gives_back_what_the_first_one_took(world: World) -> None:
    world.buy(5)
    person = world.person("Associated")
    world.device("S1", owner=person.owner)
    app = world.app()
    world.settle()

    ManagedApp.objects.filter(pk=app.pk).update(purchase_method="user")
    world.settle()

    assert licenses() == {person.client_user_id: ("rule", app.pk)}


def test_a_license_moves_with_its_device_to_the_app_of_another_network(world: World) -> None:
    world.buy(5)
    device = world.device("S1")
    world.app()
    other = factories.NetworkFactory(organization=world.organization)
    theirs = world.app(network=other)
    world.settle()

    Device.objects.filter(pk=device.pk).update(network=other)
    world.settle()

    assert licenses() == {"S1": ("rule", theirs.pk)}
    assert states(theirs) == {"S1": ("licensed", "installedByAnotherMdm")}
    assert not Batch.objects.filter(kind="revoke").exists()
    assert Installation.objects.count() == 1


def test_licenses_of_a_deleted_app_go_over_to_the_one_that_wants_them(world: World) -> None:
    world.buy(5)
    world.device("S1")
    world.app().delete()
    factories.AssignmentFactory(
        licensed_app=LicensedApp.objects.get(), holder="S1", origin="rule", rule_id=999_999
    )
    again = world.app()

    world.run()

    assert licenses() == {"S1": ("rule", again.pk)}


def test_nobody_takes_back_what_is_protected_or_of_a_deleted_device(world: World) -> None:
    world.buy(5)
    cart = world.tag()
    kept, deleted = world.device("S1", cart), world.device("S2", cart)
    app = world.app(tag=cart)
    world.settle()
    ProtectedHolder.objects.create(
        organization=world.organization, holder_kind="device", holder="S1", by_name="owner"
    )

    retag(kept)
    deleted.delete()
    world.settle()

    assert licenses() == {"S1": ("rule", app.pk), "S2": ("rule", app.pk)}


def test_a_license_that_is_gone_is_given_again(world: World) -> None:
    title = world.buy(5)
    world.device("S1")
    app = world.app()
    world.settle()
    Installation.objects.update(state="installed")

    world.fake.unassign(world.account.uid, KEYNOTE, serial_numbers=["S1"])
    synced(world.account)
    world.turn()
    lost = states(app)
    drain(world.account, world.fake)
    world.turn()

    assert lost == {"S1": ("license_pending", "")}
    assert licenses(licensed_app=title) == {"S1": ("rule", app.pk)}


def test_what_was_asked_for_is_not_remembered_when_a_device_comes_back(world: World) -> None:
    world.buy(5)
    cart = world.tag()
    device = world.device("S1", cart)
    app = world.app(tag=cart, grants_automatically=False, grace_days=30)
    world.run()
    Installation.objects.update(asked_at=timezone.now(), asked_by="pat@example.org")

    retag(device)
    world.run()
    retag(device, cart)
    world.settle()

    assert (states(app), licenses()) == ({"S1": ("planned", "licenseNotAskedFor")}, {})


def test_what_apple_refuses_is_said_and_tried_again_later(world: World) -> None:
    world.buy(5)
    world.device("S1")
    app = world.app()
    world.run()
    BatchItem.objects.update(state="failed", message="Apple had a problem of its own.")

    world.run()
    refused = Installation.objects.values_list("state", "reason", "detail").get()
    with time_machine.travel(timezone.now() + timedelta(hours=7)):
        world.settle()

    assert refused == ("blocked", "licenseFailed", "Apple had a problem of its own.")
    assert licenses() == {"S1": ("rule", app.pk)}


def test_what_apple_keeps_refusing_is_asked_ever_more_rarely(world: World) -> None:
    world.buy(5)
    world.device("S1")
    world.app()
    world.run()
    BatchItem.objects.update(state="failed", message="Apple had a problem of its own.")
    item = BatchItem.objects.get()
    item.pk = None
    item.save(force_insert=True)

    with time_machine.travel(timezone.now() + timedelta(hours=7)):
        world.settle()
        after_seven_hours = licenses()
    with time_machine.travel(timezone.now() + timedelta(hours=13)):
        world.settle()

    assert (after_seven_hours, [*licenses()]) == ({}, ["S1"])


def test_whom_a_person_takes_off_the_list_is_left_alone_until_it_is_asked_for(
    world: World, by: Actor
) -> None:
    world.buy(1)
    for serial in ("S1", "S2"):
        world.device(serial)
    app = world.app()
    world.settle()

    batches.take_off(by=by, items=BatchItem.objects.filter(state="waiting"))
    world.buy(3)
    world.settle()
    left_alone = states(app)["S2"]
    Installation.objects.filter(device__serial_number="S2").update(asked_at=timezone.now())
    world.settle()

    assert left_alone == ("blocked", "licenseFailed")
    assert set(licenses()) == {"S1", "S2"}


def test_out_of_scope_nobody_waits_any_longer(world: World) -> None:
    world.buy(1)
    cart = world.tag()
    world.device("S1", cart)
    second = world.device("S2", cart)
    app = world.app(tag=cart)
    world.settle()

    retag(second)
    world.settle()

    assert not BatchItem.objects.filter(state="waiting").exists()
    assert list(states(app)) == ["S1"]


def test_a_paused_app_does_nothing(world: World) -> None:
    world.buy(5)
    cart = world.tag()
    leaving = world.device("S1", cart)
    app = world.app(tag=cart)
    world.settle()
    ManagedApp.objects.filter(pk=app.pk).update(paused_at=timezone.now())

    retag(leaving)
    world.device("S2", cart)
    world.settle()

    assert licenses() == {"S1": ("rule", app.pk)}
    assert states(app)["S2"] == ("planned", "paused")


def test_a_paused_organization_does_nothing_until_it_is_resumed(world: World, by: Actor) -> None:
    world.buy(5)
    world.device("S1")
    app = world.app()

    pausing.pause(by=by, organization=world.organization)
    world.settle()
    paused = (licenses(), states(app))
    pausing.resume(by=by, organization=world.organization)
    world.settle()

    assert paused == ({}, {"S1": ("planned", "paused")})
    assert licenses() == {"S1": ("rule", app.pk)}
    actions = AuditEvent.objects.filter(action__startswith="automation.").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == [
        "automation.paused",
        "automation.resumed",
    ]


def test_each_act_names_its_rule(world: World) -> None:
    world.buy(5)
    cart = world.tag()
    device = world.device("S1", cart)
    app = world.app(tag=cart)
    world.settle()
    retag(device)
    world.settle()

    told = AuditEvent.objects.filter(action__in=("assignment.granted", "assignment.revoked"))
    assert list(told.order_by("pk").values_list("actor_kind", "actor_id", "actor_name")) == [
        ("rule", app.pk, "Keynote in Oakmont: grant to devices in scope"),
        ("rule", app.pk, "Keynote in Oakmont: revoke from devices out of scope"),
    ]


def test_every_step_is_in_the_history(world: World) -> None:
    world.buy(5)
    world.device("S1")
    world.app()

    world.settle()

    steps = InstallationStep.objects.order_by("pk").values_list("old", "new", "cause")
    assert list(steps) == [
        ("", "planned", "In scope."),
        ("planned", "license_pending", "Apple is asked for the license."),
        ("license_pending", "licensed", "It may be installed."),
    ]


def test_who_waits_at_an_account_that_is_no_longer_drawn_from_waits_at_another(
    world: World,
) -> None:
    world.buy(1)
    south = world.another_account("South")
    world.buy(1, account=south)
    begin("grant", [synced(south)[KEYNOTE]], serials=["ELSEWHERE"])
    for serial in ("S1", "S2"):
        world.device(serial)
    app = world.app()
    world.settle()

    app.accounts.update(account=south)
    world.settle(world.account, south)

    waiting = BatchItem.objects.get(state="waiting")
    assert (waiting.account_id, waiting.holder) == (south.pk, "S2")


def test_the_app_is_removed_once_its_license_is_free(world: World) -> None:
    world.buy(5)
    cart = world.tag()
    device = world.device("S1", cart)
    app = world.app(tag=cart, removes_out_of_scope=True)
    world.settle()
    Installation.objects.update(state="installed", is_managed=True)

    retag(device)
    world.run()
    on_its_way = states(app)
    world.settle()

    assert on_its_way == {"S1": ("revoke_pending", "")}
    assert states(app) == {"S1": ("reclaimed_pending_removal", "")}


def test_devices_hear_of_what_waits_for_them(world: World) -> None:
    world.buy(5)
    world.device("S1")
    world.app()
    heard: list[int] = []

    def hear(sender: object, *, organization_id: int, **kwargs: object) -> None:
        heard.append(organization_id)

    deployment_waits.connect(hear)
    try:
        world.run()
        before = list(heard)
        world.settle()
    finally:
        deployment_waits.disconnect(hear)

    assert (before, set(heard)) == ([], {world.organization.pk})
