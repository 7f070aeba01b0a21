"""What is done to chosen devices: a page that says what happens, and then the act itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps_catalog.models import Installation
from licensing.models import LicensingSettings
from licensing.views.device_choice import Choice, problem_of
from organizations import hooks
from organizations.models import Admin, Device, Network, Organization, Tag
from tests.conftest import signed_in
from tests.factories import (
    AssignmentFactory,
    DeviceFactory,
    EnrollmentFactory,
    InstallationFactory,
    LicensedAppFactory,
    ManagedAppFactory,
    NetworkFactory,
    OwnerFactory,
    TagFactory,
    VppAccountFactory,
)
from tests.reading import errors_of, text_of
from tests.test_devices_changing import heard
from tests.test_devices_list import network_admin
from tests.test_holders_pages import plan_of

ACTS = ("tags", "owner", "move", "grant", "revoke", "install", "unenroll", "delete")


@pytest.fixture
def oakmont(organization: Organization) -> Network:
    return NetworkFactory(organization=organization, name="Oakmont")


@pytest.fixture
def lakeside(organization: Organization) -> Network:
    return NetworkFactory(organization=organization, name="Lakeside")


@pytest.fixture
def cart(oakmont: Network) -> list[Device]:
    return [
        DeviceFactory(
            organization=oakmont.organization,
            network=oakmont,
            name=f"Cart-{number}",
            serial_number=f"DMQ{number}",
        )
        for number in (1, 2, 3)
    ]


def url_of(organization: Organization, act: str, query: str = "") -> str:
    return reverse(f"licensing:device_{act}", args=[organization.pk]) + query


def shown(
    client: Client, organization: Organization, act: str, devices: list[Device]
) -> HttpResponse:
    """As the list leads to it: some boxes of the page, the others of other pages."""
    first, *others = devices
    sent = {"device": first.pk, "selected": " ".join(str(each.pk) for each in others)}
    return client.post(url_of(organization, act), sent)


def sent(
    client: Client, organization: Organization, act: str, devices: list[Device], **typed: object
) -> HttpResponse:
    """The page is shown, and confirmed."""
    page = shown(client, organization, act, devices)
    choice = page.context["choice"]
    return client.post(
        url_of(organization, act), {"digest": choice.digest, **dict(choice.carried), **typed}
    )


def told(client: Client, response: HttpResponse) -> str:
    assert response.status_code == 302, text_of(response)
    return text_of(client.get(response.url))


# --- The choice ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ACTS)
def test_nobody_acts_on_nothing(owner_client: Client, organization: Organization, act: str) -> None:
    response = owner_client.post(url_of(organization, act), {})

    assert "Choose at least one device" in told(owner_client, response)


@pytest.mark.parametrize("act", ACTS)
def test_readers_and_outsiders_act_on_nothing(
    reader_client: Client,
    outsider_client: Client,
    organization: Organization,
    cart: list[Device],
    act: str,
) -> None:
    url = url_of(organization, act, f"?device={cart[0].pk}")

    assert [client.get(url).status_code for client in (reader_client, outsider_client)] == [
        403,
        404,
    ]
    assert shown(reader_client, organization, act, cart).status_code == 403


@pytest.mark.parametrize("act", ACTS)
def test_devices_of_other_networks_are_left_out_and_those_nobody_sees_are_not_there(
    organization: Organization, lakeside: Network, cart: list[Device], act: str
) -> None:
    client = signed_in(network_admin(organization, lakeside))

    response = shown(client, organization, act, cart)

    assert "Choose at least one device" in told(client, response)


def test_what_one_may_see_and_not_change_is_left_out(
    organization: Organization,
    reader: Admin,
    lakeside: Network,
    cart: list[Device],
) -> None:
    mine = DeviceFactory(organization=organization, network=lakeside, name="Mine")
    membership = reader.memberships.get()
    membership.network_accesses.create(organization=organization, network=lakeside)
    client = signed_in(reader)

    page = text_of(shown(client, organization, "tags", [mine, *cart]))
    none = shown(client, organization, "tags", cart)

    assert "1 device: Mine. 3 more are left out: in networks that you may not change." in page
    assert "in networks that you may not change" in told(client, none)


def test_all_that_match_are_those_of_the_address(
    owner_client: Client, organization: Organization, cart: list[Device]
) -> None:
    page = owner_client.post(url_of(organization, "tags", "?q=cart-2"), {"all": "1"})

    assert page.context["choice"].ids == (cart[1].pk,)
    assert page.context["choice"].back_url.endswith("/monitor/devices/?q=cart-2")


def test_more_than_can_be_changed_at_once_are_refused(organization: Organization) -> None:
    choice = Choice(organization, (1, 2, 3), 0, (), "/")

    told = [problem_of(choice, most) for most in (2, 3, None)]

    assert told == [
        "3 devices are chosen, and at most 2 can be changed at once. Narrow the list by a filter.",
        "",
        "",
    ]


def test_others_than_were_shown_are_asked_for_again(
    owner_client: Client, organization: Organization, oakmont: Network, cart: list[Device]
) -> None:
    url = url_of(organization, "delete", "?q=cart")
    page = owner_client.post(url, {"all": "1"})
    DeviceFactory(organization=organization, network=oakmont, name="Cart-4")

    late = owner_client.post(
        url, {"all": "1", "digest": page.context["choice"].digest, "choice": "keep"}
    )
    again = owner_client.post(
        url, {"all": "1", "digest": late.context["choice"].digest, "choice": "keep"}
    )

    assert "Other devices are chosen by now" in text_of(late)
    assert "4 devices deleted." in told(owner_client, again)


# --- Tags and owner -----------------------------------------------------------------------------------


def test_tags_are_added_and_those_that_are_there_can_be_removed(
    owner_client: Client, organization: Organization, cart: list[Device]
) -> None:
    old = TagFactory(organization=organization, name="old")
    Device.objects.filter(pk__in=[cart[0].pk, cart[1].pk]).update(tag_ids=[old.pk])

    page = text_of(shown(owner_client, organization, "tags", cart))
    response = sent(owner_client, organization, "tags", cart, add="grade-5, new", remove=["old"])

    assert "old (2)" in page
    assert "3 devices got other tags." in told(owner_client, response)
    given = Tag.objects.filter(name__in=["grade-5", "new"]).order_by("name")
    assert [tuple(device.tag_ids) for device in Device.objects.all()] == [
        tuple(tag.pk for tag in given)
    ] * 3


def test_a_wrong_tag_is_told_beside_its_field(
    owner_client: Client, organization: Organization, cart: list[Device]
) -> None:
    TagFactory(organization=organization, name="ipads", kind=Tag.Kind.AUTOMATIC)

    nothing = sent(owner_client, organization, "tags", cart)
    automatic = sent(owner_client, organization, "tags", cart, add="ipads")

    assert errors_of(nothing) == ["Say which tags to add, or to remove."]
    assert "“ipads” is an automatic tag" in errors_of(automatic)[0]


@pytest.mark.parametrize("typed", ["ADA@example.org", "ada.l", "ada lovelace"])
def test_an_owner_is_found_as_they_are_typed(
    owner_client: Client, organization: Organization, cart: list[Device], typed: str
) -> None:
    ada = OwnerFactory(
        organization=organization, name="Ada Lovelace", email="ada@example.org", username="ada.l"
    )

    response = sent(owner_client, organization, "owner", cart, owner=typed)

    assert "3 devices got another owner." in told(owner_client, response)
    assert set(Device.objects.values_list("owner", flat=True)) == {ada.pk}


def test_an_owner_can_be_taken_away_and_has_to_be_clear(
    owner_client: Client, organization: Organization, cart: list[Device]
) -> None:
    owners = OwnerFactory.create_batch(2, organization=organization, name="Twin")
    Device.objects.update(owner=owners[0])

    taken = [
        errors_of(sent(owner_client, organization, "owner", cart, **typed))
        for typed in ({}, {"owner": "Twin"}, {"owner": "Eve"})
    ]
    response = sent(owner_client, organization, "owner", cart, nobody="on")

    assert taken == [
        ["Type an owner, or tick that there is none."],
        ["Several owners are called “Twin”. Type the e-mail address of the one you mean."],
        ["No owner is called “Eve”. Add them on Configure > Owners, or correct the spelling."],
    ]
    assert response.status_code == 302
    assert set(Device.objects.values_list("owner", flat=True)) == {None}


def test_owners_are_not_for_admins_of_networks(
    organization: Organization, oakmont: Network, cart: list[Device]
) -> None:
    client = signed_in(network_admin(organization, oakmont))

    assert shown(client, organization, "owner", cart).status_code == 403


# --- Leaving ------------------------------------------------------------------------------------------


def test_moving_says_what_it_means_and_asks_about_the_licenses(
    owner_client: Client,
    organization: Organization,
    oakmont: Network,
    lakeside: Network,
    cart: list[Device],
) -> None:
    LicensingSettings.objects.create(
        organization=organization, departure_choice="later", departure_days=14
    )
    InstallationFactory(managed_app=ManagedAppFactory(network=oakmont), device=cart[0])
    ManagedAppFactory(network=lakeside)

    page = shown(owner_client, organization, "move", cart)
    with heard(hooks.devices_departing, "serials", "cause", "choice", "days") as departing:
        response = sent(
            owner_client,
            organization,
            "move",
            cart,
            network=lakeside.pk,
            choice="later",
            days=14,
        )

    assert "Lakeside (1 app)" in text_of(page)
    assert "1 app that the present networks want there" in text_of(page)
    assert page.context["form"].initial == {"choice": "later", "days": 14}
    assert departing == [(["DMQ1", "DMQ2", "DMQ3"], "moved", "later", 14)]
    assert "3 devices moved." in told(owner_client, response)


def test_admins_of_a_network_move_devices_to_their_networks_only(
    organization: Organization, oakmont: Network, lakeside: Network, cart: list[Device]
) -> None:
    client = signed_in(network_admin(organization, oakmont))

    response = sent(client, organization, "move", cart, network=lakeside.pk, choice="keep", days="")

    assert "Select a valid choice" in errors_of(response)[0]
    assert set(Device.objects.values_list("network", flat=True)) == {oakmont.pk}


def test_deleting_takes_the_choice_about_licenses_along(
    owner_client: Client, organization: Organization, cart: list[Device]
) -> None:
    with heard(hooks.devices_departing, "serials", "cause", "choice") as departing:
        response = sent(owner_client, organization, "delete", cart[:2], choice="keep", days="")

    assert departing == [(["DMQ1", "DMQ2"], "deleted", "keep")]
    assert "2 devices deleted." in told(owner_client, response)
    assert list(Device.objects.values_list("name", flat=True)) == ["Cart-3"]


def test_devices_are_marked_unenrolled_once(
    owner_client: Client, organization: Organization, cart: list[Device]
) -> None:
    first, second = (
        told(
            owner_client,
            sent(owner_client, organization, "unenroll", cart, choice="now", days=""),
        )
        for _ in range(2)
    )

    assert "3 devices marked unenrolled." in first
    assert "Nothing had to be changed." in second
    assert set(Device.objects.values_list("enrollment", flat=True)) == {"none"}


# --- Licenses -----------------------------------------------------------------------------------------


def test_licenses_are_granted_through_a_plan_of_the_only_account(
    owner_client: Client, organization: Organization, cart: list[Device], account: object
) -> None:
    notes = LicensedAppFactory(account=account, app__name="Notes")
    hidden = DeviceFactory(
        organization=organization, network=cart[0].network, serial_number=None, name="Own phone"
    )

    page = text_of(shown(owner_client, organization, "grant", [*cart, hidden]))
    response = sent(owner_client, organization, "grant", [*cart, hidden], title=notes.pk)

    plan = plan_of(response)
    assert "Notes none of them holds one · 6 available" in page
    assert (plan.kind, plan.request["titles"]) == ("grant", [notes.pk])
    assert plan.request["serials"] == ["DMQ1", "DMQ2", "DMQ3"]
    assert plan.request["unserialed"] == ["Own phone"]


def test_licenses_are_taken_back_from_those_who_hold_some(
    owner_client: Client, organization: Organization, cart: list[Device], account: object
) -> None:
    notes, maps = (
        LicensedAppFactory(account=account, app__name=name) for name in ("Notes", "Maps")
    )
    LicensedAppFactory(account=account, app__name="Unused")
    AssignmentFactory(licensed_app=notes, holder="DMQ1")
    AssignmentFactory(licensed_app=notes, holder="DMQ2")
    AssignmentFactory(licensed_app=maps, holder="OTHER")

    page = shown(owner_client, organization, "revoke", cart)
    response = sent(owner_client, organization, "revoke", cart, everything="1")

    assert [(row.name, row.held) for row in page.context["rows"]] == [("Notes", 2)]
    plan = plan_of(response)
    assert (plan.kind, plan.request["titles"], plan.request["everything"]) == (
        "revoke",
        [notes.pk],
        True,
    )


def test_of_several_accounts_one_is_chosen_first(
    owner_client: Client, organization: Organization, cart: list[Device]
) -> None:
    north, south = (
        VppAccountFactory(organization=organization, name=name, state="in_sync")
        for name in ("North", "South")
    )
    LicensedAppFactory(account=north, app__name="Notes")
    maps = LicensedAppFactory(account=south, app__name="Maps")

    page = shown(owner_client, organization, "grant", cart)
    with_titles = sent(owner_client, organization, "grant", cart, account=south.pk, show="1")
    nothing = sent(owner_client, organization, "grant", cart, account=south.pk)
    response = sent(owner_client, organization, "grant", cart, account=south.pk, title=maps.pk)

    assert "rows" not in page.context
    assert [row.name for row in with_titles.context["rows"]] == ["Maps"]
    assert "Choose at least one title." in text_of(nothing)
    assert plan_of(response).account == south


def test_accounts_of_others_are_not_offered(
    organization: Organization, oakmont: Network, cart: list[Device], account: object
) -> None:
    client = signed_in(network_admin(organization, oakmont))

    response = shown(client, organization, "grant", cart)

    assert "No VPP account is open to you." in told(client, response)


# --- Installing ---------------------------------------------------------------------------------------


def test_an_app_is_asked_for_where_it_can_be_installed(
    owner_client: Client, organization: Organization, oakmont: Network, cart: list[Device]
) -> None:
    app = ManagedAppFactory(network=oakmont, app__name="Keynote", in_scope=2)
    for device, state in zip(cart, ("licensed", "installed"), strict=False):
        EnrollmentFactory(device=device)
        InstallationFactory(managed_app=app, device=device, state=state)

    page = text_of(shown(owner_client, organization, "install", cart))
    response = sent(owner_client, organization, "install", cart, managed_app=app.pk)

    assert "Keynote · iOS · Oakmont (2 in scope)" in page
    text = told(owner_client, response)
    assert "1 install is asked for." in text
    assert "1 device has the app already." in text
    assert "1 device left out: " in text
    asked = Installation.objects.filter(asked_by="owner@example.org")
    assert list(asked.values_list("device", flat=True)) == [cart[0].pk]


def test_a_plan_leads_back_to_the_devices(
    owner_client: Client, organization: Organization, cart: list[Device], account: object
) -> None:
    notes = LicensedAppFactory(account=account, app__name="Notes")
    url = url_of(organization, "grant", f"?device={cart[0].pk}")
    page = owner_client.get(url)
    choice = page.context["choice"]

    response = owner_client.post(
        url, {"digest": choice.digest, "title": notes.pk, **dict(choice.carried)}
    )

    back = reverse("licensing:device_detail", args=[organization.pk, cart[0].pk])
    assert f'href="{back}?chosen=' in owner_client.get(response.url).content.decode()
    assert plan_of(response).created_at > timezone.now() - timedelta(minutes=1)
