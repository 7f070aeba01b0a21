"""Devices that leave: what is said before, and what becomes of their licenses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from celery.app.task import Task
from django.utils import timezone

from licensing.models import (
    Assignment,
    Batch,
    LicensedApp,
    LicensingSettings,
    ProtectedHolder,
    Reclaim,
)
from organizations import hooks
from organizations.audit import Actor
from organizations.devices import changing
from organizations.models import (
    AuditEvent,
    Device,
    Membership,
    Network,
    Organization,
)
from tests import factories
from tests.draining import at_apple, drain
from tests.reclaiming import DAY, bought, look, reclaims, rule, work, work_through
from tests.test_sync import KEYNOTE, PAGES
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount


@pytest.fixture(autouse=True)
def bells(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was rung for; each test does the work itself."""
    rung: list[str] = []
    monkeypatch.setattr(Task, "apply_async", lambda task, *args, **options: rung.append(task.name))
    return rung


@pytest.fixture
def title(account: VppAccount) -> LicensedApp:
    return factories.LicensedAppFactory(account=account, app__name="Keynote")


def license_of(title: LicensedApp, serial: str, **fields: Any) -> Assignment:
    return factories.AssignmentFactory(licensed_app=title, holder=serial, **fields)


def device(organization: Organization, serial: str, **fields: Any) -> Device:
    return factories.DeviceFactory(organization=organization, serial_number=serial, **fields)


def here(organization: Organization) -> Any:
    return Device.objects.filter(organization=organization)


def delete(organization: Organization, by: Actor, **how: Any) -> list[int]:
    return changing.delete(by=by, organization=organization, devices=here(organization), **how)


def sentences(organization: Organization, cause: str, membership: Membership | None) -> list[str]:
    answers = hooks.device_departure.send(
        Device,
        organization=organization,
        devices=here(organization),
        cause=cause,
        membership=membership,
    )
    return [sentence for _, told in answers for sentence in told or () if "nstall" not in sentence]


# --- When they leave ------------------------------------------------------------------------------


def test_a_deleted_device_gives_its_licenses_back_at_once_and_no_other_does(
    fake: FakeApple,
    account: VppAccount,
    organization: Organization,
    by: Actor,
    bells: list[str],
    django_capture_on_commit_callbacks: Any,
) -> None:
    bought(fake, account, keynote=["GONE", "OTHER"], pages=["GONE"])
    device(organization, "GONE", name="Cart 1")

    with django_capture_on_commit_callbacks(execute=True):
        delete(organization, by, choice="now")
    assert "licensing.tasks.take_back_due" in bells
    work_through(organization, account, fake)

    assert at_apple(fake, account) == {(KEYNOTE, "OTHER")}
    assert reclaims(organization) == [
        (KEYNOTE, "GONE", "deleted", "done"),
        (PAGES, "GONE", "deleted", "done"),
    ]
    assert Batch.objects.get().why == "Device deleted; chosen by owner@example.org."


def test_later_waits_its_days_and_keep_leaves_them_also_to_the_rule(
    organization: Organization, title: LicensedApp, by: Actor
) -> None:
    device(organization, "LATER")
    license_of(title, "LATER")
    delete(organization, by, choice="later", days=5)
    device(organization, "KEPT")
    license_of(title, "KEPT")
    delete(organization, by, choice="keep")
    rule(organization, "deleted")

    look(organization)
    work(organization)

    rows = {row.holder: row for row in Reclaim.objects.all()}
    assert {serial: row.state for serial, row in rows.items()} == {
        "LATER": "planned",
        "KEPT": "undone",
    }
    due = rows["LATER"].due_at
    assert due is not None
    assert due - timezone.now() > 4.9 * DAY
    events = AuditEvent.objects.filter(action__startswith="reclaim.").order_by("pk")
    assert [(event.action, event.after["holders"]) for event in events] == [
        ("reclaim.planned", ["LATER"]),
        ("reclaim.kept", ["KEPT"]),
    ]


@pytest.mark.parametrize(
    ("choice", "states"), [("now", ["planned"]), ("later", ["planned"]), ("keep", ["undone"])]
)
def test_where_nobody_is_asked_the_default_holds_and_the_guard_with_it(
    organization: Organization, title: LicensedApp, choice: str, states: list[str]
) -> None:
    LicensingSettings.objects.create(organization=organization, departure_choice=choice)
    device(organization, "S1")
    license_of(title, "S1")
    by_itself = Actor.system("NanoMDM")

    changing.mark_unenrolled(by=by_itself, organization=organization, devices=here(organization))

    row = Reclaim.objects.get()
    assert ([row.state], row.by_name, row.allowed_by) == (states, "NanoMDM", "")


def test_a_whole_fleet_that_unenrolls_by_itself_waits_for_a_person(
    organization: Organization, title: LicensedApp
) -> None:
    for number in range(8):
        device(organization, f"S{number}")
        license_of(title, f"S{number}")
    by_itself = Actor.system("NanoMDM")
    changing.mark_unenrolled(by=by_itself, organization=organization, devices=here(organization))

    work(organization)

    assert Reclaim.objects.waiting().count() == 8
    assert not Batch.objects.exists()


def test_who_enrolls_again_within_the_days_keeps_everything(
    organization: Organization, title: LicensedApp, by: Actor
) -> None:
    device(organization, "S1")
    license_of(title, "S1")
    changing.mark_unenrolled(
        by=by, organization=organization, devices=here(organization), choice="later", days=5
    )

    here(organization).update(enrollment="device")
    work(organization)

    assert Reclaim.objects.get().state == "void"


def test_licenses_of_accounts_that_the_admin_does_not_manage_stay_to_the_rule(
    organization: Organization, account: VppAccount, title: LicensedApp, by: Actor
) -> None:
    VppAccount.objects.filter(pk=account.pk).update(allowed_admins="named")
    device(organization, "S1")
    license_of(title, "S1")
    delete(organization, by, choice="now")
    assert reclaims(organization) == []

    rule(organization, "deleted")
    look(organization)

    assert [state for *_, state in reclaims(organization)] == ["planned"]


def test_what_is_permanent_or_protected_stays(
    organization: Organization, account: VppAccount, title: LicensedApp, by: Actor
) -> None:
    permanent = factories.LicensedAppFactory(account=account, revocable=False)
    protected = factories.LicensedAppFactory(account=account)
    device(organization, "S1")
    for each in (title, permanent, protected):
        license_of(each, "S1")
    ProtectedHolder.objects.create(
        organization=organization, holder_kind="device", holder="S1", adam_id=protected.adam_id
    )

    delete(organization, by, choice="now")

    assert [adam_id for adam_id, *_ in reclaims(organization)] == [title.adam_id]


def test_a_later_choice_takes_the_place_of_an_earlier_one(
    organization: Organization, title: LicensedApp, by: Actor
) -> None:
    device(organization, "S1")
    license_of(title, "S1")
    devices = here(organization)
    changing.mark_unenrolled(
        by=by, organization=organization, devices=devices, choice="later", days=30
    )
    changing.mark_wiped(by=by, organization=organization, devices=devices, choice="now")
    assert [(cause, state) for _, _, cause, state in reclaims(organization)] == [
        ("wiped", "planned")
    ]

    delete(organization, by, choice="keep")

    assert [(cause, state) for _, _, cause, state in reclaims(organization)] == [
        ("wiped", "void"),
        ("deleted", "undone"),
    ]


# --- Moving ---------------------------------------------------------------------------------------


@pytest.fixture
def lakeside(organization: Organization) -> Network:
    return factories.NetworkFactory(organization=organization, name="Lakeside")


def move(organization: Organization, by: Actor, network: Network, choice: str) -> None:
    changing.move(
        by=by,
        organization=organization,
        devices=here(organization),
        network=network,
        choice=choice,
        days=1,
    )


def test_what_the_new_network_wants_stays_and_what_only_the_old_one_wanted_goes(
    fake: FakeApple,
    account: VppAccount,
    organization: Organization,
    by: Actor,
    lakeside: Network,
) -> None:
    titles = bought(fake, account, keynote=["S1"], pages=["S1"])
    device(organization, "S1")
    factories.ManagedAppFactory(
        network=lakeside, app=titles[KEYNOTE].app, grants_automatically=True
    )

    move(organization, by, lakeside, "now")
    work_through(organization, account, fake)

    assert at_apple(fake, account) == {(KEYNOTE, "S1")}
    assert {title: state for title, _, _, state in reclaims(organization)} == {
        KEYNOTE: "void",
        PAGES: "done",
    }


@pytest.mark.parametrize(("choice", "going"), [("now", 2), ("later", 1), ("", 1)])
def test_what_was_given_by_hand_moves_along_unless_the_admin_says_now(
    organization: Organization,
    account: VppAccount,
    title: LicensedApp,
    by: Actor,
    lakeside: Network,
    choice: str,
    going: int,
) -> None:
    by_rule = factories.LicensedAppFactory(account=account)
    device(organization, "S1")
    license_of(title, "S1", origin="manual")
    license_of(by_rule, "S1", origin="rule", rule_id=1)

    move(organization, by, lakeside, choice)

    assert len(reclaims(organization)) == going


def test_what_was_kept_at_a_move_stays_however_late_the_apps_hear_of_it(
    organization: Organization, title: LicensedApp, by: Actor, lakeside: Network
) -> None:
    app = factories.ManagedAppFactory(
        network=factories.NetworkFactory(organization=organization), app=title.app
    )
    moving = device(organization, "S1", network=app.network)
    license_of(title, "S1", origin="rule", rule_id=app.pk)
    left = factories.InstallationFactory(managed_app=app, device=moving)
    rule(organization, "moved", grace_days=0)
    move(organization, by, lakeside, "keep")
    left.is_wanted, left.left_at = False, timezone.now() + timedelta(hours=2)
    left.save()

    look(organization)

    assert [state for *_, state in reclaims(organization)] == ["undone"]


# --- What is said before --------------------------------------------------------------------------


def test_the_sentences_have_the_numbers(
    organization: Organization, account: VppAccount, title: LicensedApp, owner: Any
) -> None:
    south = factories.VppAccountFactory(organization=organization, name="South")
    closed = factories.VppAccountFactory(
        organization=organization, name="Closed", allowed_admins="named"
    )
    other = factories.LicensedAppFactory(account=south)
    for serial in ("S1", "S2"):
        device(organization, serial)
        license_of(title, serial)
    license_of(other, "S1")
    license_of(factories.LicensedAppFactory(account=south, revocable=False), "S1")
    license_of(factories.LicensedAppFactory(account=closed), "S1")
    protected = factories.LicensedAppFactory(account=south)
    license_of(protected, "S2")
    ProtectedHolder.objects.create(
        organization=organization, holder_kind="device", holder="S2", adam_id=protected.adam_id
    )
    LicensingSettings.objects.create(
        organization=organization, departure_choice="later", departure_days=7
    )

    told = sentences(organization, "deleted", owner.memberships.get())

    assert told == [
        "2 devices hold 3 licenses that can be taken back: 2 in Example Schools North, 1 in South.",
        "1 license is permanent and cannot be taken back.",
        "1 license is protected and stays assigned.",
        "Licenses in VPP accounts that you do not see stay assigned, since you do not manage them;"
        " only a rule under VPP > Reclaim takes those back.",
        "Unless you choose otherwise, they are taken back after 7 days.",
    ]


def test_of_a_move_it_is_said_what_stays(
    organization: Organization, title: LicensedApp, owner: Any
) -> None:
    device(organization, "S1")
    license_of(title, "S1", origin="manual")

    told = sentences(organization, "moved", owner.memberships.get())

    assert told == [
        "1 device holds 1 license that can be taken back: 1 in Example Schools North.",
        "What an app of the new network wants stays.",
        "1 license that no rule granted goes back only if you choose “Take them back now”.",
        "Unless you choose otherwise, they are taken back now.",
    ]


def test_who_holds_nothing_loses_nothing(organization: Organization) -> None:
    device(organization, "S1")
    factories.DeviceFactory(organization=organization, serial_number=None)

    assert sentences(organization, "deleted", None) == ["They hold no licenses."]


def test_a_batch_that_runs_is_not_disturbed(
    fake: FakeApple, account: VppAccount, organization: Organization, by: Actor
) -> None:
    bought(fake, account, keynote=["S1"])
    device(organization, "S1")
    changing.mark_wiped(by=by, organization=organization, devices=here(organization), choice="now")
    work(organization)

    delete(organization, by, choice="later", days=30)
    drain(account, fake)
    work(organization)

    assert reclaims(organization) == [(KEYNOTE, "S1", "wiped", "done")]


def test_without_an_admin_no_account_is_named(
    organization: Organization, title: LicensedApp
) -> None:
    device(organization, "S1")
    license_of(title, "S1")

    told = sentences(organization, "wiped", None)

    assert told == [
        "1 device holds 1 license that can be taken back.",
        "Unless you choose otherwise, they are taken back now.",
    ]
