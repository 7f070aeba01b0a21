"""Why an app is not on a device: one line for a row, and the whole way step by step."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps_catalog.models import (
    ChannelCommand,
    ChannelSettings,
    Installation,
    InstallationState,
    ManagedApp,
    PurchaseMethod,
)
from apps_catalog.reasons import Reason, Stage, Where
from licensing.models import AppleOperation, Automation, AutomationHold, LicensedApp
from licensing.why import Step, Verdict, Why, gather, walk, why_of
from organizations import automatic_tags
from organizations.access import membership_or_404
from organizations.models import Admin, Device, Membership, Network, Organization, Tag
from tests.conftest import signed_in
from tests.factories import (
    AppFactory,
    AssignmentFactory,
    BatchFactory,
    BatchItemFactory,
    DeviceFactory,
    EnrollmentFactory,
    InstallationFactory,
    LicensedAppFactory,
    ManagedAppAccountFactory,
    ManagedAppFactory,
    MembershipFactory,
    NetworkAccessFactory,
    NetworkFactory,
    OwnerFactory,
    TagFactory,
    VppAccountFactory,
    VppUserFactory,
)
from tests.reading import text_of
from vpp_accounts.models import VppAccount

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _at_noon() -> Any:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def membership(owner: Admin, organization: Organization) -> Membership:
    return membership_or_404(owner, organization.pk)


@pytest.fixture
def oakmont(organization: Organization) -> Network:
    return NetworkFactory(organization=organization, name="Oakmont")


@pytest.fixture
def north(organization: Organization) -> VppAccount:
    return VppAccountFactory(organization=organization, name="North", state="in_sync")


@pytest.fixture
def ipad(oakmont: Network) -> Device:
    return DeviceFactory(
        organization=oakmont.organization,
        network=oakmont,
        name="Cart 7",
        serial_number="DMQ7",
        os_version="17.4",
        owner=OwnerFactory(organization=oakmont.organization, name="Ann Archer"),
    )


@pytest.fixture
def keynote(oakmont: Network, north: VppAccount) -> ManagedApp:
    """For all devices, granted automatically, and bought: 10 licenses, 6 of them free."""
    app = AppFactory(name="Keynote", minimum_os="16.0")
    LicensedAppFactory(account=north, app=app)
    managed = ManagedAppFactory(network=oakmont, app=app, grants_automatically=True)
    ManagedAppAccountFactory(managed_app=managed, account=north)
    return managed


def title_of(app: ManagedApp) -> LicensedApp:
    return LicensedApp.objects.get(adam_id=app.adam_id)


def row_of(app: ManagedApp, device: Device, **facts: Any) -> Installation:
    return InstallationFactory(managed_app=app, device=device, **facts)


def page_url(where: str, *ids: int) -> str:
    return reverse(where, args=ids)


# --- The words --------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_says_what_is_so_and_what_to_do(reason: Reason) -> None:
    assert re.fullmatch(r"[A-Z][^{}]*\.", reason.sentence)
    assert reason.fix == "" or re.fullmatch(r"[A-Z][^{}]*\.", reason.fix)
    assert reason.fix or reason.passes  # nobody is left without a way out
    assert bool(reason.fix) == bool(reason.where) or reason.where == Where.NOWHERE
    assert "try again" not in f"{reason.sentence} {reason.fix}".lower()


def test_names_stand_where_they_are_known() -> None:
    told = Reason.OS_TOO_OLD.told(app="Keynote", needs="iOS 16.0", device="", has="iPadOS 15.1")

    assert told == "Keynote needs iOS 16.0, and the device has iPadOS 15.1."
    assert Reason.OS_TOO_OLD.sentence == (
        "The app needs a later system version, and the device has an earlier one."
    )


# --- One line ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", InstallationState)
def test_every_state_says_something_by_itself(state: InstallationState) -> None:
    row = Installation(pk=1, organization_id=1, managed_app_id=2, device_id=3, state=state)

    why = why_of(row, {})

    assert re.fullmatch(r"[A-Z][^{}]*\.", why.sentence)
    assert why.is_fine == (state in (InstallationState.INSTALLED, InstallationState.REMOVED))


def test_a_reason_is_told_with_names_and_its_way_out(
    keynote: ManagedApp, ipad: Device, north: VppAccount, membership: Membership
) -> None:
    row = row_of(keynote, ipad, state="blocked", reason=Reason.NETWORK)

    why = why_of(row, gather([row], membership))

    assert why == Why(
        *(Stage.LICENSE, Verdict.WRONG, Reason.NETWORK),
        "The device's network is not among the assignable networks of North.",
        "Make the network assignable, or choose another VPP account.",
        page_url("licensing:mdm", keynote.organization_id),
        as_of=NOON,
    )


def test_who_waits_is_told_the_place_in_the_queue(
    keynote: ManagedApp, ipad: Device, membership: Membership
) -> None:
    title = title_of(keynote)
    for holder, priority in (("DMQ1", 0), ("DMQ7", 0), ("DMQ9", 1)):
        BatchItemFactory(
            batch__account=title.account,
            licensed_app=title,
            holder=holder,
            state="waiting",
            priority=priority,
        )
    row = row_of(keynote, ipad, state="planned", reason=Reason.NO_LICENSE)

    why = why_of(row, gather([row], membership))

    assert why.sentence == (
        "No license is left in North; Cart 7 gets one by itself as soon as one is free."
        " It is number 3 of 3 waiting."
    )
    assert (why.as_of, why.fix_url) == (
        title.counts_as_of,
        page_url(
            "licensing:licensed_app_detail",
            *(title.organization_id, title.account_id, title.adam_id, title.pricing_param),
        ),
    )


def test_who_has_left_is_told_until_when_all_stays(
    keynote: ManagedApp, ipad: Device, membership: Membership
) -> None:
    row = row_of(keynote, ipad, state="installed", is_wanted=False, left_at=NOON)

    why = why_of(row, gather([row], membership))

    assert why.sentence == (
        "Cart 7 has left the scope of Keynote; until the grace is over all stays."
    )
    assert (why.reason, why.until) == (Reason.OUT_OF_SCOPE, NOON + timedelta(days=7))


def test_what_the_device_said_and_when_it_goes_on(
    keynote: ManagedApp, ipad: Device, membership: Membership
) -> None:
    again = NOON + timedelta(minutes=5)
    failed = row_of(keynote, ipad, state="failed", reason="unknownError", detail="Disk is full")
    other = DeviceFactory(organization=ipad.organization, network=ipad.network, name="Cart 8")
    lost = row_of(keynote, other, state="failed", reason="licenseNotFound", next_at=again)
    facts = gather([failed, lost], membership)

    said, goes_on = why_of(failed, facts), why_of(lost, facts)

    assert said.sentence == "Cart 7 could not install Keynote. “Disk is full”"
    assert (said.verdict, said.until) == (Verdict.WRONG, None)
    assert (goes_on.verdict, goes_on.until) == (Verdict.WAITS, again)


def test_a_reason_of_a_later_release_is_no_error(keynote: ManagedApp, ipad: Device) -> None:
    row = row_of(keynote, ipad, state="installed", reason="somethingNew")

    assert why_of(row, {}).sentence == "The app is installed."


def test_any_number_of_rows_costs_the_same(
    keynote: ManagedApp, ipad: Device, membership: Membership
) -> None:
    def add() -> None:
        device = DeviceFactory(
            organization=ipad.organization,
            network=ipad.network,
            owner=OwnerFactory(organization=ipad.organization),
        )
        app = AppFactory()
        LicensedAppFactory(account=title_of(keynote).account, app=app)
        managed = ManagedAppFactory(network=ipad.network, app=app)
        ManagedAppAccountFactory(managed_app=managed, account=title_of(keynote).account)
        row_of(managed, device, reason=Reason.NO_LICENSE)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            rows = list(Installation.objects.all())
            facts = gather(rows, membership)
            assert all(why_of(row, facts).fix_url for row in rows)
        return len(queries)

    add()
    one = cost()
    add()
    add()
    assert (cost(), gather([], membership)) == (one, {})


def test_accounts_that_are_not_open_to_the_reader_are_not_named(
    keynote: ManagedApp, ipad: Device, north: VppAccount, membership: Membership
) -> None:
    north.allowed_admins = "named"
    north.save()
    row = row_of(keynote, ipad, state="planned", reason=Reason.NO_LICENSE)

    why = why_of(row, gather([row], membership))
    steps = walk(keynote, ipad, membership)

    assert why.sentence.startswith("No license is left in the VPP accounts of this app;")
    assert why.as_of is None
    assert "North" not in f"{why} {steps}"
    assert [detail.text for detail in steps[1].details] == ["A VPP account that is not open to you"]


# --- The way: scope ---------------------------------------------------------------------------------


def stopped_at(app: ManagedApp, device: Device, membership: Membership) -> Step:
    """The first step that is not in order; all after it are not looked at."""
    steps = walk(app, device, membership)
    place = next(n for n, step in enumerate(steps) if step.verdict != Verdict.OK)
    assert [step.stage for step in steps] == list(Stage)[:5]
    assert {step.verdict for step in steps[place + 1 :]} <= {Verdict.NOT_REACHED}
    return steps[place]


def told(step: Step) -> tuple[str, str, str]:
    return step.stage, step.verdict, step.sentence


def test_another_network(keynote: ManagedApp, ipad: Device, membership: Membership) -> None:
    ipad.network = NetworkFactory(organization=ipad.organization, name="Annexe")
    ipad.save()

    step = stopped_at(keynote, ipad, membership)

    sentence = "Cart 7 is in the network Annexe, and this app is for Oakmont."
    assert told(step) == ("scope", "wrong", sentence)
    assert step.fix.url == page_url("licensing:device_detail", ipad.organization_id, ipad.pk)


def test_another_platform(keynote: ManagedApp, ipad: Device, membership: Membership) -> None:
    ipad.platform = "macOS"

    step = stopped_at(keynote, ipad, membership)

    assert told(step) == ("scope", "wrong", "Keynote does not run on the platform of Cart 7.")


@pytest.mark.parametrize(
    ("operator", "names", "sentence"),
    [
        ("none", [], "Cart 7 is not in scope."),
        ("withAny", [], "Cart 7 is not in scope. Its scope names no tag."),
        ("withAny", ["art", "lab"], "Cart 7 is not in scope. It has no tag art or lab."),
        (
            *("withAll", ["cart", "staff", "lab"]),
            "Cart 7 is not in scope. It has cart (its own) and staff (from its owner Ann Archer)"
            " and lacks lab.",
        ),
        (
            "withoutAny",
            ["ipads", "lab"],
            "Cart 7 is not in scope. It has ipads (automatic) and lacks lab.",
        ),
        (
            *("withoutAll", ["cart", "staff"]),
            "Cart 7 is not in scope. It has cart (its own) and staff (from its owner Ann Archer).",
        ),
    ],
)
def test_which_tag_keeps_it_out(
    keynote: ManagedApp,
    ipad: Device,
    membership: Membership,
    operator: str,
    names: list[str],
    sentence: str,
) -> None:
    tags = tagged(ipad)
    keynote.scope_operator, keynote.scope_tag_ids = operator, [tags[name] for name in names]

    step = stopped_at(keynote, ipad, membership)

    assert told(step) == ("scope", "wrong", sentence)
    assert step.fix


def tagged(device: Device) -> dict[str, int]:
    """The device has `cart`, its owner `staff`; neither has `lab` or `art`."""
    organization = device.organization
    automatic_tags.ensure(organization)
    for name in ("cart", "staff", "lab", "art"):
        TagFactory(organization=organization, name=name)
    ids = dict(Tag.objects.values_list("name", "pk"))
    device.tag_ids, device.owner.tag_ids = [ids["cart"]], [ids["staff"], ids["cart"]]
    return ids


def test_which_tag_puts_it_in(keynote: ManagedApp, ipad: Device, membership: Membership) -> None:
    tags = tagged(ipad)
    keynote.scope_operator = "withAny"
    keynote.scope_tag_ids = [tags["staff"], tags["lab"]]

    step = walk(keynote, ipad, membership)[0]

    assert told(step) == (
        *("scope", "ok"),
        "Cart 7 is in scope. It has staff (from its owner Ann Archer) and lacks lab.",
    )
    assert step.details[0].text == ("Scope in Oakmont: Devices with any of these tags: staff, lab.")


# --- The way: license -------------------------------------------------------------------------------


def license_stop(app: ManagedApp, device: Device, membership: Membership) -> tuple[str, str]:
    step = stopped_at(app, device, membership)
    assert step.stage == Stage.LICENSE
    return step.verdict, step.sentence


def test_it_will_get_one(keynote: ManagedApp, ipad: Device, membership: Membership) -> None:
    step = stopped_at(keynote, ipad, membership)

    assert told(step) == (
        *("license", "waits"),
        "Apple is asked for a license within a minute.",
    )
    assert [detail.text for detail in step.details] == ["North: 6 of 10 licenses can be given out"]


@pytest.mark.parametrize(
    ("of_app", "of_device", "of_title", "of_account", "sentence"),
    [
        ({}, {"os_version": "15.1"}, {}, {}, "Keynote needs iOS 16.0, and Cart 7 has iPadOS 15.1."),
        (
            *({}, {"serial_number": None}, {}, {}),
            "Cart 7 has no serial number (User Enrollment), so Apple can give it no device license.",
        ),
        (
            *({}, {}, {"device_assignable": False}, {}),
            "The developer of Keynote has not allowed licenses for devices.",
        ),
        (
            *({}, {}, {"gone_at": NOON}, {}),
            "Keynote is no longer in the App Store, so no device can get it any more; where it is,"
            " it stays.",
        ),
        (
            *({}, {}, {"adam_id": "1"}, {}),
            "No license of Keynote was ever bought in North.",
        ),
        (
            *({}, {}, {}, {"state": "expired"}),
            "North: no license can be given at present, because Apple accepts no changes.",
        ),
        (
            *({}, {}, {}, {"assignable_networks": "none"}),
            "The device's network is not among the assignable networks of North.",
        ),
        (
            *({"paused_at": NOON}, {}, {}, {}),
            "Automatic licensing is paused, so Cart 7 gets no license.",
        ),
        (
            *({"grants_automatically": False}, {}, {}, {}),
            "Licenses of Keynote are not granted automatically; Cart 7 gets one when an install is"
            " asked for.",
        ),
        (
            *({}, {}, {"available_count": 0}, {}),
            "No license is left in North; Cart 7 gets one by itself as soon as one is free.",
        ),
        (
            *({"purchase_method": "user"}, {"owner": None}, {}, {}),
            "Cart 7 has no owner who could hold the license.",
        ),
        (
            *({"purchase_method": "user"}, {}, {}, {}),
            "Ann Archer is no person of North yet, so there is nobody to hold the license.",
        ),
    ],
)
def test_what_keeps_it_from_a_license(
    keynote: ManagedApp,
    ipad: Device,
    north: VppAccount,
    membership: Membership,
    of_app: dict[str, Any],
    of_device: dict[str, Any],
    of_title: dict[str, Any],
    of_account: dict[str, Any],
    sentence: str,
) -> None:
    ManagedApp.objects.update(**of_app or {"priority": 0})
    Device.objects.update(**of_device or {"model": ""})
    LicensedApp.objects.update(**of_title or {"total_count": 10})
    VppAccount.objects.update(**of_account or {"country": "US"})
    keynote, ipad = ManagedApp.objects.get(), Device.objects.get()

    assert license_stop(keynote, ipad, membership) == ("wrong", sentence)


def test_without_an_account(keynote: ManagedApp, ipad: Device, membership: Membership) -> None:
    keynote.accounts.all().delete()

    assert license_stop(keynote, ipad, membership) == (
        *("wrong",),
        "Keynote has no VPP account to draw licenses from.",
    )


def test_the_owner_was_retired(
    keynote: ManagedApp, ipad: Device, north: VppAccount, membership: Membership
) -> None:
    VppUserFactory(account=north, owner=ipad.owner, apple_status="Retired")
    keynote.purchase_method = PurchaseMethod.USER

    assert license_stop(keynote, ipad, membership) == (
        *("wrong",),
        "Ann Archer has been retired in North, and retired people hold no licenses.",
    )


def test_the_whole_organization_is_paused(
    keynote: ManagedApp, ipad: Device, membership: Membership
) -> None:
    Automation.objects.create(organization=keynote.organization, paused_at=NOON)

    assert license_stop(keynote, ipad, membership)[1].startswith("Automatic licensing is paused")


def test_an_install_that_was_asked_for_needs_no_automatic_licensing(
    keynote: ManagedApp, ipad: Device, membership: Membership
) -> None:
    keynote.grants_automatically = False
    row_of(keynote, ipad, asked_at=NOON)

    assert license_stop(keynote, ipad, membership)[0] == "waits"


def test_it_waits_for_a_license(keynote: ManagedApp, ipad: Device, membership: Membership) -> None:
    item_of(keynote, "DMQ1", state="waiting")
    item_of(keynote, "DMQ7", state="waiting")

    assert license_stop(keynote, ipad, membership) == (
        *("wrong",),
        "No license is left in North; Cart 7 gets one by itself as soon as one is free."
        " It is number 2 of 2 waiting.",
    )


def item_of(app: ManagedApp, holder: str = "DMQ7", **facts: Any) -> Any:
    title = title_of(app)
    batch = facts.pop("batch", None) or BatchFactory(account=title.account, state="running")
    return BatchItemFactory(batch=batch, licensed_app=title, holder=holder, **facts)


# --- The way: Apple ---------------------------------------------------------------------------------


def held(app: ManagedApp, holder: str = "DMQ7", **facts: Any) -> None:
    AssignmentFactory(licensed_app=title_of(app), holder=holder, since=NOON, **facts)


def test_apple_has_not_confirmed_it_yet(
    keynote: ManagedApp, ipad: Device, north: VppAccount, membership: Membership
) -> None:
    event = AppleOperation.objects.create(
        organization=north.organization,
        account=north,
        path="assets/associate",
        event_id="e-42",
        sent_at=NOON,
    )
    item = item_of(keynote, state="sent", operation=event)

    step = stopped_at(keynote, ipad, membership)

    assert (step.stage, step.verdict) == (Stage.APPLE, Verdict.WAITS)
    assert step.sentence.startswith("Apple has accepted the request and has not confirmed it yet")
    assert [(detail.text, detail.at) for detail in step.details] == [
        (f"Grant #{item.batch_id}, by owner@example.org", item.batch.created_at),
        ("Apple's event e-42", NOON),
    ]


def test_the_batch_is_paused(keynote: ManagedApp, ipad: Device, membership: Membership) -> None:
    reason = "The service token has expired."
    paused = BatchFactory(account=title_of(keynote).account, state="paused", reason=reason)
    item_of(keynote, batch=paused)

    step = stopped_at(keynote, ipad, membership)

    assert told(step) == ("apple", "wrong", f"The request cannot be sent. {reason}")


def test_apple_refused_it(keynote: ManagedApp, ipad: Device, membership: Membership) -> None:
    said = "Apple does not allow this title on devices."
    item = item_of(keynote, state="failed", error_number=9707, message=said)

    step = stopped_at(keynote, ipad, membership)

    assert told(step) == (
        *("apple", "wrong"),
        f"Apple refused the license of Keynote for Cart 7. {said}",
    )
    assert step.details[-1].text == "Apple's error 9707"
    assert step.fix.url == page_url("licensing:batch_detail", item.organization_id, item.batch_id)


def test_a_license_that_is_being_taken_back(
    keynote: ManagedApp, ipad: Device, membership: Membership
) -> None:
    held(keynote)
    item_of(keynote, state="sent", kind="revoke")

    assert told(stopped_at(keynote, ipad, membership)) == (
        *("apple", "waits"),
        "The license is being taken back.",
    )


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        ({"state": "succeeded"}, "Apple has confirmed the license."),
        (None, "Apple lists the license; nobody asked for it here."),
    ],
)
def test_apple_has_it(
    keynote: ManagedApp,
    ipad: Device,
    membership: Membership,
    item: dict[str, Any] | None,
    sentence: str,
) -> None:
    held(keynote)
    if item:
        item_of(keynote, **item)

    steps = walk(keynote, ipad, membership)

    assert [told(step) for step in steps[1:3]] == [
        ("license", "ok", "Cart 7 holds a license from North. Found at Apple."),
        ("apple", "ok", sentence),
    ]


def test_a_license_of_the_owner_counts_where_the_app_is_for_people(
    keynote: ManagedApp, ipad: Device, north: VppAccount, membership: Membership
) -> None:
    keynote.purchase_method = PurchaseMethod.USER
    ann = VppUserFactory(account=north, owner=ipad.owner, apple_status="Registered")
    held(keynote, ann.client_user_id, holder_kind="user", origin="rule")
    row_of(keynote, ipad, state="licensed")

    before = walk(keynote, ipad, membership)[1]
    Installation.objects.update(reason=Reason.OWNER_NOT_ASSOCIATED)
    after = walk(keynote, ipad, membership)[1]

    assert told(before) == (
        *("license", "ok"),
        "Ann Archer holds a license from North. A rule.",
    )
    assert told(after) == (
        *("license", "wrong"),
        "Ann Archer holds the license but has not accepted the invitation, so Cart 7 cannot use"
        " it yet.",
    )


@pytest.mark.parametrize(
    ("method", "sentence"),
    [
        ("none", "This app needs no VPP license."),
        ("codes", "This app is handed out with redemption codes, so Apple gives no license."),
    ],
)
def test_apps_without_licenses(
    keynote: ManagedApp, ipad: Device, membership: Membership, method: str, sentence: str
) -> None:
    keynote.purchase_method = method

    steps = walk(keynote, ipad, membership)

    assert [told(step) for step in steps[1:3]] == [
        ("license", "ok", sentence),
        ("apple", "ok", "Apple is not asked, since no license is needed."),
    ]


def test_a_hold_is_said_where_automatic_licensing_noted_it(
    keynote: ManagedApp, ipad: Device, membership: Membership
) -> None:
    row_of(keynote, ipad, state="blocked", reason=Reason.HELD)
    AutomationHold.objects.create(
        organization=keynote.organization, managed_app=keynote, revokes=6, assigned=10
    )

    assert license_stop(keynote, ipad, membership)[1].startswith("A rule would take back many")


# --- The way: channel and device --------------------------------------------------------------------


@pytest.fixture
def licensed(keynote: ManagedApp, ipad: Device) -> Installation:
    """The license is there and confirmed, and the device is enrolled in the simulated fleet."""
    held(keynote)
    ChannelSettings.objects.create(organization=keynote.organization, kind="simulated")
    EnrollmentFactory(device=ipad, enrolled_at=NOON, seen_at=NOON)
    return row_of(keynote, ipad, state="licensed")


def command_for(row: Installation, **facts: Any) -> ChannelCommand:
    return ChannelCommand.objects.create(
        organization=row.organization,
        device=row.device,
        managed_app_id=row.managed_app_id,
        channel_id="1",
        request_type="InstallApplication",
        **facts,
    )


def test_another_mdm_installs(
    licensed: Installation, keynote: ManagedApp, ipad: Device, membership: Membership
) -> None:
    ChannelSettings.objects.update(kind="none")

    step = stopped_at(keynote, ipad, membership)

    assert told(step) == (
        *("channel", "unknown"),
        "The license is there, and another MDM installs Keynote; what it does is not known here.",
    )


def test_not_enrolled(
    licensed: Installation, keynote: ManagedApp, ipad: Device, membership: Membership
) -> None:
    ipad.enrollment_record.delete()

    step = stopped_at(keynote, Device.objects.get(), membership)

    assert told(step) == (
        *("channel", "wrong"),
        "Cart 7 is not enrolled here, so nothing can be sent to it.",
    )
    assert step.fix.url == page_url("apps_catalog:channel_settings", ipad.organization_id)


def test_not_installed_automatically(
    licensed: Installation, keynote: ManagedApp, ipad: Device, membership: Membership
) -> None:
    keynote.installs_automatically = False

    assert told(stopped_at(keynote, ipad, membership)) == (
        *("channel", "wrong"),
        "The license is there, but Keynote does not install automatically.",
    )


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("command", "verdict", "sentence"),
    [
        (None, "waits", "The install command is sent next."),
        (
            *({"state": "waiting"}, "waits"),
            "The install command waits to be sent to the MDM server.",
        ),
        (
            *({"state": "waiting", "problem": "No route to host"}, "waits"),
            "The MDM server cannot be reached; sending is repeated by itself every few minutes.",
        ),
        (
            *({"state": "queued", "sent_at": NOON - HOUR}, "waits"),
            "The device has connected since the command was sent, and its answer is awaited.",
        ),
        (
            *({"state": "queued", "sent_at": NOON}, "waits"),
            "Cart 7 has not connected since the command was sent; it is woken again by itself.",
        ),
        (
            *({"state": "failed", "problem": "unknown command"}, "wrong"),
            "The MDM server refused the command for Cart 7.",
        ),
    ],
)
def test_the_command(
    licensed: Installation,
    keynote: ManagedApp,
    ipad: Device,
    membership: Membership,
    command: dict[str, Any] | None,
    verdict: str,
    sentence: str,
) -> None:
    if command:
        command_for(licensed, **command)

    assert told(stopped_at(keynote, ipad, membership)) == ("channel", verdict, sentence)


def test_a_device_that_stays_away_for_a_day_holds_it_up(
    licensed: Installation, keynote: ManagedApp, ipad: Device, membership: Membership
) -> None:
    command_for(licensed, state="queued", sent_at=NOON, wakes=3)

    with time_machine.travel(NOON + timedelta(hours=25), tick=False):
        step = stopped_at(keynote, ipad, membership)

    assert (step.verdict, step.as_of) == (Verdict.WRONG, NOON)
    assert [detail.text for detail in step.details] == [
        "Channel: Simulated fleet",
        "Enrolled",
        "Last connected",
        "InstallApplication: With the MDM server",
        "Woken 3 times",
    ]


def test_what_the_device_said(
    licensed: Installation, keynote: ManagedApp, ipad: Device, membership: Membership
) -> None:
    error = {
        "ErrorDomain": "MCMDMErrorDomain",
        "ErrorCode": 12031,
        "USEnglishDescription": "Installation is disabled.",
    }
    Installation.objects.update(state="failed", reason="storeDisabled", error_chain=[error])
    command_for(licensed, state="done")

    step = stopped_at(keynote, ipad, membership)

    assert told(step) == (
        *("device", "wrong"),
        "Installing apps is switched off on Cart 7 by a restriction.",
    )
    assert step.details[-1].text == "MCMDMErrorDomain 12031: Installation is disabled."


def test_installed_and_all_in_order(
    licensed: Installation, keynote: ManagedApp, ipad: Device, membership: Membership
) -> None:
    Installation.objects.update(state="installed", is_managed=True, version="14.2")

    steps = walk(keynote, ipad, membership)

    assert {step.verdict for step in steps} == {Verdict.OK}
    assert told(steps[4]) == ("device", "ok", "Keynote is installed.")
    assert [detail.text for detail in steps[4].details] == ["Version 14.2", "Managed"]


# --- The page ---------------------------------------------------------------------------------------


@pytest.fixture
def url(organization: Organization) -> str:
    return reverse("licensing:why", args=[organization.pk])


def test_a_link_leads_to_the_whole_way(
    keynote: ManagedApp, ipad: Device, owner_client: Client, url: str
) -> None:
    page = text_of(owner_client.get(url, {"app": keynote.pk, "device": ipad.pk}))

    assert "Keynote on Cart 7 Scope In order Cart 7 is in scope." in page
    assert "License On its way Apple is asked for a license within a minute." in page
    assert "Device Not reached" in page


def test_both_are_found_by_search(
    keynote: ManagedApp, ipad: Device, owner_client: Client, url: str
) -> None:
    first = owner_client.get(url, {"app_q": "key"}).content.decode()
    second = owner_client.get(url, {"app": keynote.pk, "device_q": "archer"}).content.decode()

    assert f"?app={keynote.pk}" in first
    assert f"?app={keynote.pk}&amp;device={ipad.pk}" in second
    nobody = text_of(owner_client.get(url, {"device_q": "nobody"}))
    assert "No device matches “nobody” where you may look." in nobody


@pytest.mark.parametrize("text", ["x", "-1", "9" * 30, "٣", "0", "\0"])
def test_what_is_no_id_is_not_chosen(
    keynote: ManagedApp, ipad: Device, owner_client: Client, url: str, text: str
) -> None:
    answer = owner_client.get(url, {"app": text, "device": text, "app_q": text, "device_q": text})

    assert "Choose an app and a device" in text_of(answer)


def test_each_sees_what_is_theirs(
    keynote: ManagedApp,
    ipad: Device,
    reader_client: Client,
    outsider: Admin,
    outsider_client: Client,
    url: str,
) -> None:
    both = {"app": keynote.pk, "device": ipad.pk}
    annexe = NetworkFactory(organization=ipad.organization)
    apart = MembershipFactory(organization=ipad.organization, access="none")
    NetworkAccessFactory(membership=apart, network=annexe)
    elsewhere = reverse("licensing:why", args=[outsider.memberships.get().organization_id])

    of_reader = text_of(reader_client.get(url, both))
    of_apart = text_of(signed_in(apart.admin).get(url, both))
    of_outsider = text_of(outsider_client.get(elsewhere, both))

    assert "Keynote on Cart 7" in of_reader
    assert outsider_client.get(url, both).status_code == 404
    for page in (of_apart, of_outsider):
        assert "Choose an app and a device" in page
        assert "Keynote" not in page
        assert "Cart 7" not in page


def test_help_stands_in_the_navigation(owner_client: Client, url: str) -> None:
    page = owner_client.get(url)

    assert f'href="{url}"' in page.content.decode()
    assert "Help VPP installs" in text_of(page)
