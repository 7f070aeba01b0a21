"""Manage > Apps: the list, an app's page with its preview, and what is done to one app."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps_catalog.models import ManagedApp
from licensing.models import AutomationChange, AutomationHold, BatchItem
from organizations.models import Admin, AuditEvent
from tests import factories
from tests.conftest import signed_in
from tests.managed import School, school
from tests.reading import errors_of, text_of
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount


@pytest.fixture
def oakmont(fake: FakeApple, account: VppAccount) -> School:
    return school(fake, account)


def filled(oakmont: School, **changes: Any) -> dict[str, Any]:
    """The form as the page shows it, with these changes; a list is several boxes."""
    told = {
        "scope_operator": "none",
        "purchase_method": "device",
        f"account_{oakmont.account.pk}": "1",
        "installs_automatically": "on",
        "removes_with_mdm": "on",
        "is_removable": "on",
        "removes_out_of_scope": "on",
        "grace_days": "7",
        "priority": "0",
    }
    return {name: value for name, value in {**told, **changes}.items() if value is not None}


def for_the_cart(oakmont: School, **changes: Any) -> dict[str, Any]:
    return filled(
        oakmont,
        **{"scope_operator": "withAny", "scope_tags": [oakmont.cart.pk], **changes},
    )


def shown_in(response: HttpResponse) -> str:
    (found,) = re.findall(r'name="shown"\s+value="([^"]*)"', response.content.decode())
    return unescape(found)


# --- The list -------------------------------------------------------------------------------------


def test_the_list_says_what_each_app_needs(oakmont: School, owner_client: Client) -> None:
    ManagedApp.objects.update(
        scope_operator="withAny",
        scope_tag_ids=[oakmont.cart.pk],
        in_scope=5,
        installed=2,
        waiting=1,
    )

    page = text_of(owner_client.get(oakmont.below()))

    for words in (
        "Tidepool Math iOS",
        "Oakmont",
        "VPP Device Assignment",
        "Devices with any of these tags: cart",
        "3 as of",
        "1 waits",
    ):
        assert words in page


def test_the_list_costs_the_same_for_one_and_for_many(
    oakmont: School, owner_client: Client
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            owner_client.get(oakmont.below())
        return len(asked)

    ManagedApp.objects.update(scope_tag_ids=[oakmont.cart.pk])
    owner_client.get(oakmont.below())
    one = count()
    for name in ("Elm", "Birch"):
        network = factories.NetworkFactory(organization=oakmont.organization, name=name)
        app = factories.ManagedAppFactory(network=network, scope_tag_ids=[oakmont.cart.pk])
        factories.ManagedAppAccountFactory(managed_app=app, account=oakmont.account)

    assert count() == one


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=tidepool", ["Tidepool Math"]),
        ("q=118740", ["Tidepool Math"]),
        ("platform=macOS", ["Layout"]),
        ("state=paused", ["Layout"]),
        ("state=waiting", ["Tidepool Math"]),
        ("state=decision", []),
        ("method=user", []),
    ],
)
def test_the_list_is_filtered(
    oakmont: School, owner_client: Client, query: str, found: list[str]
) -> None:
    ManagedApp.objects.update(waiting=2)
    factories.ManagedAppFactory(
        network=oakmont.network,
        app__name="Layout",
        platform="macOS",
        paused_at=oakmont.app.created_at,
    )

    page = owner_client.get(oakmont.below(f"?{query}"))

    assert [str(row.managed_app) for row in page.context["listing"].rows] == found


def test_the_list_is_narrowed_to_the_chosen_network(oakmont: School, owner_client: Client) -> None:
    elm = factories.NetworkFactory(organization=oakmont.organization, name="Elm")
    choose = f"/organizations/{oakmont.organization.pk}/networks/choose/"
    owner_client.post(choose, {"network": elm.pk})

    page = text_of(owner_client.get(oakmont.below()))

    assert "No apps in Elm yet" in page


def test_the_list_as_csv(oakmont: School, owner_client: Client) -> None:
    response = owner_client.get(oakmont.below("?format=csv"))

    head, row = b"".join(response).decode("utf-8-sig").splitlines()
    assert dict(zip(head.split(","), row.split(","), strict=True)) | {"asOf": ""} == {
        "name": "Tidepool Math",
        "adamId": "1187400216",
        "bundleId": "",
        "platform": "iOS",
        "version": "",
        "network": "Oakmont",
        "purchaseMethod": "VPP Device Assignment",
        "scope": "No devices",
        "inScope": "0",
        "licensed": "0",
        "installed": "0",
        "missing": "0",
        "waiting": "0",
        "failed": "0",
        "licensesAvailable": "3",
        "automaticLicensing": "Off",
        "asOf": "",
    }


def test_without_apps_the_list_says_what_to_do(account: VppAccount, owner_client: Client) -> None:
    page = text_of(owner_client.get(f"/organizations/{account.organization_id}/manage/apps/"))

    assert "No apps yet Add an app and say which devices it is for." in page
    for label in ("iOS App Store app", "macOS App Store app", "tvOS App Store app"):
        assert label in page


# --- Who may ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "{app}/", "{app}/delete/", "add/"])
def test_a_stranger_finds_nothing(oakmont: School, outsider_client: Client, path: str) -> None:
    url = oakmont.below(path.format(app=oakmont.app.pk))

    assert outsider_client.get(url).status_code == 404


def test_a_reader_sees_the_page_and_cannot_send_it(oakmont: School, reader_client: Client) -> None:
    page = reader_client.get(oakmont.page)

    assert "You have read-only access" in page.content.decode()
    assert 'type="submit"' not in page.content.decode().split('id="app-form"')[1]
    assert reader_client.post(oakmont.page, filled(oakmont)).status_code == 403


@pytest.mark.parametrize("path", ["delete/", "pause/", "resume/", "decide/"])
def test_a_reader_does_nothing(oakmont: School, reader_client: Client, path: str) -> None:
    assert reader_client.post(oakmont.page + path).status_code == 403
    assert ManagedApp.objects.filter(pk=oakmont.app.pk, paused_at=None).exists()


def admin_of(network: Any, **fields: Any) -> Admin:
    access = factories.NetworkAccessFactory(
        membership__organization=network.organization, network=network, **fields
    )
    return access.membership.admin


def test_an_admin_of_the_network_saves(oakmont: School) -> None:
    client = signed_in(admin_of(oakmont.network))
    said = filled(oakmont, manages_unmanaged="on", priority=None)
    del said[f"account_{oakmont.account.pk}"]

    response = client.post(oakmont.page, said)

    oakmont.app.refresh_from_db()
    assert (response.status_code, oakmont.app.manages_unmanaged) == (302, True)
    # An account that is not open to them stays where it was.
    assert list(oakmont.app.accounts.values_list("account", flat=True)) == [oakmont.account.pk]


def test_an_admin_of_another_network_finds_no_such_app(oakmont: School) -> None:
    elm = factories.NetworkFactory(organization=oakmont.organization, name="Elm")
    client = signed_in(admin_of(elm))

    assert client.get(oakmont.page).status_code == 404
    assert "Tidepool" not in text_of(client.get(oakmont.below()))


# --- The page ---------------------------------------------------------------------------------------


def test_the_page_says_all_that_can_be_chosen(oakmont: School, owner_client: Client) -> None:
    page = text_of(owner_client.get(oakmont.page))

    for words in (
        "Tidepool Math",
        "iOS App Store app in Oakmont",
        "Devices that lack at least one of these tags",
        "ios-devices",
        "cart",
        "Purchase method",
        "VPP app assignment",
        "Example Schools North 3 free",
        "Install automatically",
        "Remove with MDM",
        "Attempt to manage unmanaged",
        "Grant to devices in scope",
        "Revoke from those out of scope",
        "Clients in scope",
        "No device is in scope.",
        "Save Changes",
    ):
        assert words in page
    assert "Redemption codes" not in page
    assert "Use VPP device license" not in page


def test_a_free_app_has_a_check_box(oakmont: School, owner_client: Client) -> None:
    oakmont.title.app.price = 0
    oakmont.title.app.save()

    page = text_of(owner_client.get(oakmont.page))
    said = filled(oakmont, purchase_method=None)
    owner_client.post(oakmont.page, said)

    oakmont.app.refresh_from_db()
    assert "Use VPP device license" in page
    assert "Purchase method" not in page
    assert oakmont.app.purchase_method == "none"


def test_the_preview_says_what_saving_leads_to(oakmont: School, owner_client: Client) -> None:
    for number in range(5):
        oakmont.device(name=f"iPad {number}")
    oakmont.device(serial_number=None, name="Own iPad")
    said = for_the_cart(oakmont, grants_automatically="on", preview="1")

    page = text_of(owner_client.post(oakmont.page, said))

    for words in (
        "In scope 6: 3 will get one, 2 wait for one, 1 cannot (no serial number).",
        "Needs 5, has 3: 2 wait. 2 more licenses: 2 x $4.99.",
        "Saving leads to this: 3 licenses are granted.",
        "Own iPad",
        "Cannot get it",
    ):
        assert words in page
    oakmont.app.refresh_from_db()
    assert (oakmont.app.scope_operator, oakmont.app.grants_automatically) == ("none", False)


def test_htmx_gets_the_lower_part_only(oakmont: School, owner_client: Client) -> None:
    oakmont.device(name="iPad 1")
    said = for_the_cart(oakmont, preview="1")

    response = owner_client.post(oakmont.page, said, headers={"HX-Request": "true"})

    assert response.content.decode().lstrip().startswith('<section id="app-preview"')
    assert "iPad 1" in text_of(response)


def test_what_was_not_shown_is_asked_before_it_is_saved(
    oakmont: School, owner_client: Client
) -> None:
    oakmont.device()
    said = for_the_cart(oakmont, grants_automatically="on")

    first = owner_client.post(oakmont.page, said)
    second = owner_client.post(oakmont.page, {**said, "shown": shown_in(first)})

    oakmont.app.refresh_from_db()
    assert "Not saved yet. See below what this leads to" in text_of(first)
    assert second.status_code == 302
    assert oakmont.app.grants_automatically


def test_what_got_worse_is_asked_again(oakmont: School, owner_client: Client) -> None:
    for _ in range(2):
        oakmont.device()
    said = for_the_cart(oakmont, grants_automatically="on")
    shown = shown_in(owner_client.post(oakmont.page, {**said, "preview": "1"}))
    oakmont.title.available_count = 1
    oakmont.title.save()

    response = owner_client.post(oakmont.page, {**said, "shown": shown})

    oakmont.app.refresh_from_db()
    assert "it would come out worse than what you saw" in text_of(response)
    assert not oakmont.app.grants_automatically


def test_saving_is_told_and_looked_at_by_automation(oakmont: School, owner_client: Client) -> None:
    oakmont.device()
    said = for_the_cart(oakmont)

    page = owner_client.post(oakmont.page, said, follow=True)

    assert "Tidepool Math is saved. In scope 1: 1 get one when an install is asked for." in text_of(
        page
    )
    event = AuditEvent.objects.get(action="managed_app.edited")
    assert (event.before, event.after) == (
        {"scope": "No devices"},
        {"scope": "Devices with any of these tags: cart"},
    )
    assert AutomationChange.objects.filter(managed_app_id=oakmont.app.pk).exists()


def test_saving_what_is_so_leaves_no_trace(oakmont: School, owner_client: Client) -> None:
    owner_client.post(oakmont.page, filled(oakmont))

    assert not AuditEvent.objects.filter(action="managed_app.edited").exists()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope_operator": "withAll"}, "choose at least one tag, or another scope."),
        (
            {"scope_operator": "withAll", "scope_tags": ["999999"]},
            "One of these is no longer there",
        ),
        ({"grace_days": "400"}, "less than or equal to 365"),
        ({"priority": "x"}, "Enter a whole number."),
        ({"purchase_method": "codes"}, "One of these is no longer there"),
    ],
)
def test_what_cannot_be_saved_is_said(
    oakmont: School, owner_client: Client, changes: dict[str, Any], error: str
) -> None:
    response = owner_client.post(oakmont.page, filled(oakmont, **changes))

    assert response.status_code == 200
    assert error in " ".join(errors_of(response))


def test_accounts_are_drawn_from_in_the_order_of_their_places(
    oakmont: School, owner_client: Client
) -> None:
    south = factories.VppAccountFactory(organization=oakmont.organization, name="South")
    said = filled(oakmont, **{f"account_{oakmont.account.pk}": "2", f"account_{south.pk}": "1"})

    owner_client.post(oakmont.page, said)

    drawn = oakmont.app.accounts.order_by("place").values_list("account", flat=True)
    assert list(drawn) == [south.pk, oakmont.account.pk]


def test_an_account_that_is_not_assignable_here_cannot_be_chosen(
    oakmont: School, owner_client: Client
) -> None:
    south = factories.VppAccountFactory(
        organization=oakmont.organization, name="South", assignable_networks="none"
    )

    page = owner_client.get(oakmont.page)
    owner_client.post(oakmont.page, filled(oakmont, **{f"account_{south.pk}": "1"}))

    assert "Not assignable in this network" in text_of(page)
    assert list(oakmont.app.accounts.values_list("account", flat=True)) == [oakmont.account.pk]


def test_clients_of_a_draft_have_pages(oakmont: School, owner_client: Client) -> None:
    for number in range(51):
        oakmont.device(name=f"iPad {number:02}")
    said = for_the_cart(oakmont, preview="1")
    first = owner_client.post(oakmont.page, said)
    (after,) = re.findall(r'name="after"\s+value="([^"]+)"', first.content.decode())

    second = owner_client.post(oakmont.page, {**for_the_cart(oakmont), "after": unescape(after)})

    assert [row.device.name for row in second.context["listing"].rows] == ["iPad 50"]
    assert "51 to 51 of 51 clients" in text_of(second)


def test_clients_cost_the_same_for_one_and_for_many(oakmont: School, owner_client: Client) -> None:
    ManagedApp.objects.update(scope_operator="all")

    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            owner_client.get(oakmont.page)
        return len(asked)

    oakmont.device()
    count()
    one = count()
    for _ in range(4):
        oakmont.device(owner=factories.OwnerFactory(organization=oakmont.organization))

    assert count() == one


# --- What is done in one click ----------------------------------------------------------------------


def test_an_app_is_paused_and_resumed(oakmont: School, owner_client: Client) -> None:
    paused = text_of(owner_client.post(oakmont.page + "pause/", follow=True))
    resumed = text_of(owner_client.post(oakmont.page + "resume/", follow=True))

    assert "Paused by owner@example.org" in paused
    assert "Paused by" not in resumed
    actions = AuditEvent.objects.filter(target_kind="managedapp").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == [
        "managed_app.paused",
        "managed_app.resumed",
    ]


@pytest.mark.parametrize(("answer", "allowed"), [("yes", True), ("no", False)])
def test_a_person_decides_what_a_rule_waits_with(
    oakmont: School, owner_client: Client, answer: str, allowed: bool
) -> None:
    AutomationHold.objects.create(
        organization=oakmont.organization, managed_app=oakmont.app, revokes=12, assigned=30
    )

    page = text_of(owner_client.get(oakmont.page))
    owner_client.post(oakmont.page + "decide/", {"allow": answer})
    again = text_of(owner_client.post(oakmont.page + "decide/", {"allow": answer}, follow=True))

    assert "12 of 30 licenses would be taken back" in page
    hold = AutomationHold.objects.get()
    assert (hold.allowed, hold.decided_by) == (allowed, "owner@example.org")
    assert "Nothing waits for a decision any more." in again


def granted(oakmont: School, *serials: str, rule: bool = True) -> None:
    for serial in serials:
        oakmont.device(serial_number=serial)
        factories.AssignmentFactory(
            licensed_app=oakmont.title,
            holder=serial,
            origin="rule" if rule else "manual",
            rule_id=oakmont.app.pk if rule else None,
        )


@pytest.mark.parametrize(("what", "items"), [("now", ["D1", "D2"]), ("keep", [])])
def test_a_deleted_apps_licenses_go_back_or_stay(
    oakmont: School, owner_client: Client, what: str, items: list[str]
) -> None:
    granted(oakmont, "D1", "D2")
    granted(oakmont, "D3", rule=False)
    factories.InstallationFactory(managed_app=oakmont.app, device=oakmont.device())

    asked = text_of(owner_client.get(oakmont.page + "delete/"))
    response = owner_client.post(oakmont.page + "delete/", {"what": what})

    assert "2 licenses were granted because of it in Example Schools North." in asked
    assert response.status_code == 302
    assert not ManagedApp.objects.exists()
    found = BatchItem.objects.filter(kind="revoke").order_by("holder")
    assert list(found.values_list("holder", flat=True)) == items


def test_an_app_can_be_removed_from_devices_first(oakmont: School, owner_client: Client) -> None:
    ManagedApp.objects.update(scope_operator="all", removes_out_of_scope=False)

    page = text_of(owner_client.post(oakmont.page + "delete/", {"what": "remove"}, follow=True))

    oakmont.app.refresh_from_db()
    assert "Tidepool Math now goes from all devices." in page
    assert (
        oakmont.app.scope_operator,
        oakmont.app.removes_out_of_scope,
        oakmont.app.revokes_automatically,
        oakmont.app.grace_days,
    ) == ("none", True, True, 0)


def test_deleting_needs_an_answer(oakmont: School, owner_client: Client) -> None:
    response = owner_client.post(oakmont.page + "delete/", {})

    assert errors_of(response) == ["Say what becomes of the licenses, and of the app on devices."]
    assert ManagedApp.objects.exists()


# --- Where titles lead here -------------------------------------------------------------------------


def test_a_titles_page_says_where_it_is_deployed(oakmont: School, owner_client: Client) -> None:
    other = factories.LicensedAppFactory(account=oakmont.account, app__name="Notes")
    vpp = f"/organizations/{oakmont.organization.pk}/manage/vpp/{oakmont.account.pk}/apps/"

    deployed = owner_client.get(f"{vpp}{oakmont.title.adam_id}/STDQ/")
    undeployed = owner_client.get(f"{vpp}{other.adam_id}/STDQ/")

    assert "Deployed as app Oakmont" in text_of(deployed)
    assert f'href="{oakmont.page}"' in deployed.content.decode()
    assert "Deployed as app in no network: Deploy it" in text_of(undeployed)
    add = oakmont.below(f"add/networks/?title={other.pk}")
    assert f'href="{add}"' in undeployed.content.decode()


def test_titles_that_are_not_deployed_are_found(oakmont: School, owner_client: Client) -> None:
    factories.LicensedAppFactory(account=oakmont.account, app__name="Notes")
    url = f"/organizations/{oakmont.organization.pk}/manage/vpp/licensed-applications/"

    page = owner_client.get(f"{url}?licenses=not-deployed")

    assert [row.name for row in page.context["listing"].rows] == ["Notes"]


def test_who_may_not_manage_the_licenses_does_not_decide_who_gets_them(oakmont: School) -> None:
    client = signed_in(admin_of(oakmont.network))

    wider = client.post(oakmont.page, filled(oakmont, scope_operator="all", priority=None))

    oakmont.app.refresh_from_db()
    assert "a VPP account that you may not manage" in text_of(wider)
    assert oakmont.app.scope_operator == "none"
