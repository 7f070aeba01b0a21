"""A device's page: who says what of it, its apps and licenses with the reason why, its history."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps_catalog.models import ChannelCommand, InstallationStep
from organizations import automatic_tags
from organizations.audit import Actor
from organizations.devices.changing import change_tags
from organizations.devices.editing import DeviceDetails, edit_device
from organizations.devices.refusals import SaidBetter, ValueWrong
from organizations.models import AuditEvent, Device, Network, Organization, Owner, Tag
from tests.conftest import signed_in
from tests.factories import (
    AssignmentFactory,
    BatchFactory,
    BatchItemFactory,
    DeviceFactory,
    InstallationFactory,
    LicensedAppFactory,
    ManagedAppFactory,
    NetworkFactory,
    OwnerFactory,
    TagFactory,
    VppAccountFactory,
    VppUserFactory,
)
from tests.reading import errors_of, text_of, words
from tests.test_devices_list import network_admin
from vpp_accounts.models import VppAccount


@pytest.fixture
def oakmont(organization: Organization) -> Network:
    return NetworkFactory(organization=organization, name="Oakmont")


@pytest.fixture
def ada(organization: Organization) -> Owner:
    return OwnerFactory(organization=organization, name="Ada", email="ada@example.org")


@pytest.fixture
def cart(oakmont: Network, ada: Owner) -> Device:
    return DeviceFactory(
        organization=oakmont.organization,
        network=oakmont,
        name="Cart-1",
        serial_number="DMQ1",
        model="iPad Air",
        owner=ada,
        sources={"name": "page", "model": "channel", "owner": "csv", "serial_number": "api"},
    )


@pytest.fixture
def north(organization: Organization) -> VppAccount:
    return VppAccountFactory(organization=organization, name="North", state="in_sync")


def page_url(device: Device) -> str:
    return reverse("licensing:device_detail", args=[device.organization_id, device.pk])


def edit_url(device: Device) -> str:
    return reverse("licensing:device_edit", args=[device.organization_id, device.pk])


def section(response: HttpResponse, name: str) -> str:
    """The words of one card."""
    html = response.content.decode()
    card = re.search(rf'aria-labelledby="{name}-title">(.*?)</section>', html, re.DOTALL)
    return re.sub(r"(today|yesterday) \d\d:\d\d", "today", words(card[1])) if card else ""


def typed_of(device: Device, **changes: str) -> dict[str, str]:
    blank = {"name": device.name, "model": device.model, "platform": device.platform}
    more = {"os_version": "", "enrollment": device.enrollment, "owner": "", "tags": "", "notes": ""}
    return {**blank, **more, **changes}


# --- Identity -----------------------------------------------------------------------------------------


def test_each_field_says_where_it_comes_from(owner_client: Client, cart: Device) -> None:
    identity = section(owner_client.get(page_url(cart)), "identity")

    assert "Serial number DMQ1 REST API" in identity
    assert "Name Cart-1 Entered here" in identity
    assert "Model iPad Air The device itself" in identity
    assert "Owner Ada CSV import" in identity
    assert "OS version not known Supervised No" in identity


def test_each_tag_says_where_it_comes_from(
    owner_client: Client, organization: Organization, cart: Device, ada: Owner
) -> None:
    automatic_tags.ensure(organization)
    own, inherited = (TagFactory(organization=organization, name=name) for name in ("own", "staff"))
    Device.objects.update(tag_ids=[own.pk])
    Owner.objects.update(tag_ids=[inherited.pk])

    tags = section(owner_client.get(page_url(cart)), "tags")

    assert tags == (
        "Owner and tags Ada own its own staff from its owner Ada ios-devices automatic"
        " ipads automatic unsupervised-devices automatic"
    )


def test_a_device_under_user_enrollment_says_what_to_do(owner_client: Client, cart: Device) -> None:
    Device.objects.update(enrollment="user", serial_number=None, owner=None)

    text = text_of(owner_client.get(page_url(cart)))

    assert "This device can hold no device license." in text
    assert "“VPP app assignment” as the purchase method of an app, and assign an owner" in text


def test_a_device_missing_from_its_source_is_flagged(owner_client: Client, cart: Device) -> None:
    Device.objects.update(missing_since=datetime(2026, 5, 2, tzinfo=UTC), missing_from="csv")

    text = text_of(owner_client.get(page_url(cart)))

    assert "Missing from its source since 2 May 2026. The last whole list (CSV import)" in text


# --- Apps and licenses --------------------------------------------------------------------------------


def test_apps_say_how_far_they_are_with_which_license_and_why_not_further(
    owner_client: Client, oakmont: Network, cart: Device, north: VppAccount
) -> None:
    notes = LicensedAppFactory(account=north, app__name="Notes")
    batch = BatchFactory(account=north, actor_kind="rule", actor_name="Notes in Oakmont")
    AssignmentFactory(licensed_app=notes, holder="DMQ1", origin="rule", batch_id=batch.pk)
    InstallationFactory(
        managed_app=ManagedAppFactory(network=oakmont, app__name="Notes"),
        device=cart,
        state="installed",
        is_managed=True,
        version="4.2",
        account_id=north.pk,
        licensed_app_id=notes.pk,
    )
    InstallationFactory(
        managed_app=ManagedAppFactory(network=oakmont, app__name="Maps"),
        device=cart,
        state="blocked",
        reason="noLicenseLeft",
    )
    other = ManagedAppFactory(network=oakmont, app__name="Paint", scope_operator="none")
    ManagedAppFactory(network=oakmont, app__name="Mac only", platform="macOS")

    response = owner_client.get(page_url(cart))

    apps = section(response, "apps")
    maps, kept = apps.split(" Notes ", 1)
    assert maps.startswith("Apps Name State Managed? Version License Actions Maps Blocked")
    assert "Why?" in maps
    assert "None yet" in maps
    assert "Installed Notes is installed. Why? Notes Managed? Yes 4.2 Device: North" in kept
    assert "Licensed · Notes in Oakmont" in kept
    assert apps.endswith("Not in the scope of Paint Why? Paint")
    why = reverse("licensing:why", args=[cart.organization_id])
    assert f"{why}?app={other.pk}&amp;device={cart.pk}" in response.content.decode()


def test_licenses_are_those_of_the_device_and_of_its_owner_in_open_accounts(
    owner_client: Client,
    organization: Organization,
    oakmont: Network,
    cart: Device,
    ada: Owner,
    north: VppAccount,
) -> None:
    notes, maps, book = (
        LicensedAppFactory(account=north, app__name=name) for name in ("Notes", "Maps", "Guide")
    )
    AssignmentFactory(licensed_app=notes, holder="DMQ1", origin="manual")
    BatchItemFactory(
        batch=BatchFactory(account=north), licensed_app=maps, holder="DMQ1", state="waiting"
    )
    user = VppUserFactory(account=north, owner=ada)
    AssignmentFactory(
        licensed_app=book, holder=user.client_user_id, holder_kind="user", origin="apple"
    )

    licenses = section(owner_client.get(page_url(cart)), "licenses")
    others = signed_in(network_admin(organization, oakmont)).get(page_url(cart))

    assert licenses == (
        "Licenses Reclaim Title VPP account Held by License state Since Given by"
        " Maps North this device Waiting for a license today owner@example.org"
        f" #{BatchItemFactory._meta.model.objects.get().batch_id}"
        " Notes North this device Licensed today An admin"
        " Guide North Ada Licensed today Found at Apple"
    )
    assert "in the VPP accounts that are open to you" in section(others, "licenses")


@pytest.mark.parametrize(
    ("state", "reason", "wanted", "act"),
    [
        ("licensed", "notInstalledAutomatically", True, "install"),
        ("blocked", "licenseNotAskedFor", True, "install"),
        ("blocked", "osTooOld", True, ""),
        ("failed", "unknownError", True, "retry"),
        ("installed", "", True, "remove"),
        ("installed", "", False, ""),
        ("install_queued", "", True, ""),
    ],
)
def test_what_can_be_asked_for_is_a_button_and_disabled_for_readers(
    owner_client: Client,
    reader_client: Client,
    oakmont: Network,
    cart: Device,
    state: str,
    reason: str,
    wanted: bool,
    act: str,
) -> None:
    row = InstallationFactory(
        managed_app=ManagedAppFactory(network=oakmont, app__name="Notes"),
        device=cart,
        state=state,
        reason=reason,
        is_wanted=wanted,
    )

    html = owner_client.get(page_url(cart)).content.decode()
    seen = reader_client.get(page_url(cart)).content.decode()

    found = [
        name
        for name in ("install", "retry", "remove")
        if reverse(f"licensing:installation_{name}", args=[cart.organization_id, row.pk]) in html
    ]
    assert found == ([act] if act else [])
    assert f"installations/{row.pk}/" not in seen


def test_more_apps_and_licenses_cost_no_more_queries(
    owner_client: Client, oakmont: Network, cart: Device, north: VppAccount
) -> None:
    def queries(number: int) -> int:
        for _ in range(number):
            title = LicensedAppFactory(account=north)
            AssignmentFactory(licensed_app=title, holder="DMQ1")
            app = ManagedAppFactory(network=oakmont)
            InstallationFactory(
                managed_app=app,
                device=cart,
                state="licensed",
                account_id=north.pk,
                licensed_app_id=title.pk,
            )
        with CaptureQueriesContext(connection) as asked:
            owner_client.get(page_url(cart))
        return len(asked)

    queries(1)  # warms what is asked once
    one, more = queries(1), queries(4)

    assert more == one


# --- History ------------------------------------------------------------------------------------------


def test_history_merges_what_was_done_to_it_and_what_its_apps_did(
    owner_client: Client, organization: Organization, oakmont: Network, cart: Device, by: Actor
) -> None:
    app = ManagedAppFactory(network=oakmont, app__name="Notes")
    change_tags(
        by=by, organization=organization, devices=Device.objects.filter(pk=cart.pk), add=["new"]
    )
    InstallationStep.objects.create(
        organization=organization,
        managed_app_id=app.pk,
        device_id=cart.pk,
        at=timezone.now() - timedelta(minutes=5),
        old="licensed",
        new="install_queued",
        cause="The command is queued.",
        actor_kind="system",
        actor_name="Deployment",
    )

    history = section(owner_client.get(page_url(cart)), "history")

    assert history == (
        "History When What happened Why By"
        " today Tags of devices changed Added: new owner@example.org"
        " today Notes: Install sent The command is queued. Deployment"
    )


def test_commands_are_listed_newest_first(
    owner_client: Client, organization: Organization, cart: Device
) -> None:
    for request_type, state in (("DeviceInformation", "done"), ("InstallApplication", "queued")):
        ChannelCommand.objects.create(
            organization=organization,
            device=cart,
            channel_id="x",
            request_type=request_type,
            state=state,
        )

    commands = section(owner_client.get(page_url(cart)), "commands")

    assert commands.endswith(
        "InstallApplication With the MDM server not yet not yet"
        " DeviceInformation Acknowledged not yet not yet"
    )


# --- Editing and adding -------------------------------------------------------------------------------


def test_what_is_typed_is_saved_and_told(
    owner_client: Client, organization: Organization, cart: Device
) -> None:
    cart.sources = {}
    cart.save()

    response = owner_client.post(
        edit_url(cart),
        typed_of(cart, name="Cart 9", tags="b a", owner="Ada", supervised="on", notes="Dented."),
    )

    assert response.status_code == 302, errors_of(response)
    cart.refresh_from_db()
    tags = {tag.pk: tag.name for tag in Tag.objects.all()}
    assert (cart.name, cart.supervised, cart.notes) == ("Cart 9", True, "Dented.")
    assert [tags[pk] for pk in cart.tag_ids] == ["b", "a"]
    assert cart.sources == {"name": "page", "supervised": "page", "tags": "page"}
    event = AuditEvent.objects.get(action="device.edited")
    assert event.before == {"name": "Cart-1", "supervised": False, "notes": "", "tags": []}
    assert event.after == {
        "name": "Cart 9",
        "supervised": True,
        "notes": "Dented.",
        "tags": ["b", "a"],
    }


def test_what_the_device_says_itself_cannot_be_typed(owner_client: Client, cart: Device) -> None:
    page = text_of(owner_client.get(edit_url(cart)))
    owner_client.post(edit_url(cart), typed_of(cart, model="Something else", owner="Ada"))

    cart.refresh_from_db()
    assert "Comes from a better source (The device itself), so it cannot be changed here." in page
    assert cart.model == "iPad Air"


def test_a_better_source_is_not_overruled_and_what_is_empty_may_be_filled(
    cart: Device, by: Actor
) -> None:
    Device.objects.update(os_version="", sources={"model": "channel", "os_version": "channel"})

    with pytest.raises(SaidBetter) as refused:
        edit_device(by=by, device=cart, details=DeviceDetails(name="New", model="Other"))
    edit_device(by=by, device=cart, details=DeviceDetails(os_version="17.4"))

    cart.refresh_from_db()
    assert str(refused.value) == (
        "The model comes from a better source (The device itself), which would change it back."
        " Leave it as it is."
    )
    assert (cart.name, cart.model, cart.os_version) == ("Cart-1", "iPad Air", "17.4")
    assert cart.sources == {"model": "channel", "os_version": "page"}


def test_readers_see_the_form_and_cannot_send_it(
    reader_client: Client, outsider_client: Client, cart: Device
) -> None:
    answers = [
        reader_client.get(edit_url(cart)).status_code,
        reader_client.post(edit_url(cart), typed_of(cart, name="Mine")).status_code,
        outsider_client.get(edit_url(cart)).status_code,
        outsider_client.get(page_url(cart)).status_code,
        reader_client.get(page_url(cart)).status_code,
    ]

    cart.refresh_from_db()
    assert answers == [200, 403, 404, 404, 200]
    assert cart.name == "Cart-1"


def test_admins_of_the_network_edit_its_devices_and_leave_the_owner(
    organization: Organization, oakmont: Network, cart: Device
) -> None:
    client = signed_in(network_admin(organization, oakmont))
    reading = signed_in(network_admin(organization, oakmont, can_write=False))

    told = typed_of(cart, tags="new")
    del told["owner"]
    saved = client.post(edit_url(cart), told)

    cart.refresh_from_db()
    assert saved.status_code == 302
    assert (len(cart.tag_ids), cart.owner.name) == (1, "Ada")
    assert "ada@example.org" not in client.get(edit_url(cart)).content.decode()
    assert reading.post(edit_url(cart), told).status_code == 403


def test_a_device_is_added_by_hand_once(
    owner_client: Client, organization: Organization, oakmont: Network, ada: Owner
) -> None:
    url = reverse("licensing:device_add", args=[organization.pk])
    typed = {
        "serial_number": "c02xk1",
        "name": "Desk",
        "network": oakmont.pk,
        "platform": "macOS",
        "model": "",
        "os_version": "15.1",
        "owner": "ada@example.org",
        "tags": "office",
        "notes": "By the window.",
    }

    first = owner_client.post(url, typed)
    again = owner_client.post(url, typed)

    device = Device.objects.get()
    assert first.status_code == 302, errors_of(first)
    assert (device.serial_number, device.platform, device.os_version) == ("C02XK1", "macOS", "15.1")
    assert (device.owner, device.notes, len(device.tag_ids)) == (ada, "By the window.", 1)
    assert "is in this organization already" in errors_of(again)[0]


def test_a_wrong_serial_number_is_told_beside_its_field(
    owner_client: Client, organization: Organization, oakmont: Network
) -> None:
    url = reverse("licensing:device_add", args=[organization.pk])

    response = owner_client.post(
        url, {"serial_number": "no/serial", "network": oakmont.pk, "platform": "iOS"}
    )

    assert "is no serial number" in errors_of(response)[0]
    assert not Device.objects.exists()


def test_adding_a_device_changes_none_that_is_there_however_its_number_is_typed(
    organization: Organization, oakmont: Network, cart: Device
) -> None:
    lakeside = NetworkFactory(organization=organization, name="Lakeside")
    client = signed_in(network_admin(organization, lakeside))
    typed = {"serial_number": "dm q1", "network": lakeside.pk, "platform": "iOS", "name": "Mine"}

    response = client.post(reverse("licensing:device_add", args=[organization.pk]), typed)

    device = Device.objects.get()
    assert (device.name, device.network) == ("Cart-1", oakmont)
    assert "DMQ1 is in this organization already" in errors_of(response)[0]
    assert not AuditEvent.objects.filter(action__startswith="device").exists()


def test_a_device_leaves_management_only_where_its_licenses_are_asked_about(
    owner_client: Client, cart: Device, by: Actor
) -> None:
    with pytest.raises(ValueWrong, match="Mark unenrolled"):
        edit_device(by=by, device=cart, details=DeviceDetails(enrollment="none"))

    assert 'value="none"' not in owner_client.get(edit_url(cart)).content.decode()
    cart.refresh_from_db()
    assert cart.enrollment == "device"
    Device.objects.update(enrollment="none")
    assert 'value="none"' in owner_client.get(edit_url(cart)).content.decode()
