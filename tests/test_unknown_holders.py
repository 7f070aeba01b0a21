"""Holders that no inventory knows: who they are, why, and taking everything back from them."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from licensing import unknown
from licensing.models import Assignment, Batch, BatchPlan, LicensedApp
from organizations import audit
from organizations.audit import Actor
from organizations.models import AuditEvent, Organization
from tests import factories
from tests.conftest import signed_in
from tests.draining import at_apple, drain, synced
from tests.reading import errors_of, text_of, words
from tests.test_sync import KEYNOTE, PAGES
from users.models import VppUser
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

DEVICE, USER = Assignment.HolderKind.DEVICE, Assignment.HolderKind.USER


@pytest.fixture
def titles(fake: FakeApple, account: VppAccount) -> dict[str, LicensedApp]:
    """One title held by a known and two unknown devices, another by one of these and a stranger."""
    factories.DeviceFactory(organization=account.organization, serial_number="KNOWN1")
    fake.purchase(account.uid, KEYNOTE, quantity=10)
    fake.purchase(account.uid, PAGES, quantity=10)
    fake.assign(account.uid, KEYNOTE, serial_numbers=["GHOST1", "GHOST2", "KNOWN1"])
    fake.assign(account.uid, PAGES, serial_numbers=["GHOST1"])
    return synced(account)


def held_by(account: VppAccount, *names: str, kind: str = DEVICE, **fields: Any) -> LicensedApp:
    title = factories.LicensedAppFactory(account=account)
    for name in names:
        factories.AssignmentFactory(licensed_app=title, holder=name, holder_kind=kind, **fields)
    return title


def page_of(account: VppAccount, query: str = "") -> str:
    address = reverse("licensing:unknown_holders", args=[account.organization_id, account.pk])
    return f"{address}{query}"


def counts_page(organization: Organization, query: str = "") -> str:
    return reverse("licensing:unknown_holder_counts", args=[organization.pk]) + query


def rows_of(client: Client, account: VppAccount, query: str = "") -> list[str]:
    page = client.get(page_of(account, query)).content.decode()
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    return [words(row) for row in body.split("<tr>")[1:]]


def csv_of(client: Client, account: VppAccount, query: str = "") -> list[dict[str, str]]:
    answer = client.get(page_of(account, f"?format=csv{query}"))
    return list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))


def names(client: Client, account: VppAccount, query: str = "") -> list[str]:
    return [row["Holder"] for row in csv_of(client, account, query)]


# --- Who is unknown -----------------------------------------------------------------------------------


def test_devices_of_the_inventory_are_known_and_those_of_another_organization_are_not(
    account: VppAccount, organization: Organization
) -> None:
    held_by(account, "KNOWN", "ELSEWHERE", "NOWHERE")
    factories.DeviceFactory(organization=organization, serial_number="KNOWN")
    factories.DeviceFactory(serial_number="ELSEWHERE")

    assert unknown.survey(organization.pk).found == {(account.pk, DEVICE): ["ELSEWHERE", "NOWHERE"]}


def test_users_are_known_by_their_owner_or_an_owners_address(
    account: VppAccount, organization: Organization
) -> None:
    someone = factories.OwnerFactory(organization=organization, email="Someone@example.org")
    ours: dict[str, Any] = {"account": account, "organization": organization}
    factories.VppUserFactory(client_user_id="tied", owner=someone, **ours)
    factories.VppUserFactory(client_user_id="by-address", email="someone@EXAMPLE.org", **ours)
    factories.VppUserFactory(client_user_id="stranger", email="who@example.org", **ours)
    factories.VppUserFactory(client_user_id="nameless", email="", **ours)
    held_by(account, "tied", "by-address", "stranger", "nameless", "unlisted", kind=USER)

    found = unknown.survey(organization.pk).found

    assert found == {(account.pk, USER): ["nameless", "stranger", "unlisted"]}


def test_each_account_has_its_own(account: VppAccount, organization: Organization) -> None:
    south = factories.VppAccountFactory(organization=organization)
    held_by(account, "BOTH", "NORTH")
    held_by(south, "BOTH", "SOUTH")
    held_by(factories.VppAccountFactory(), "ELSEWHERE")

    assert unknown.survey(organization.pk).found == {
        (account.pk, DEVICE): ["BOTH", "NORTH"],
        (south.pk, DEVICE): ["BOTH", "SOUTH"],
    }


def test_where_there_are_too_many_each_account_still_shows_its_first_ones(
    account: VppAccount, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unknown, "MOST", 2)
    south = factories.VppAccountFactory(organization=organization)
    held_by(account, "A1", "A2", "A3")
    held_by(south, "Z1")

    north_found, south_found = (unknown.survey_of(each, DEVICE) for each in (account, south))

    assert (north_found.of(account, DEVICE), north_found.is_capped) == (["A1", "A2"], True)
    assert (south_found.of(south, DEVICE), south_found.is_capped) == (["Z1"], False)


def test_what_took_long_is_kept_until_the_next_sync(
    account: VppAccount, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unknown, "QUICK", -1)
    held_by(account, "GHOST1")
    first = unknown.survey(organization.pk)
    held_by(account, "GHOST2")
    assert unknown.survey(organization.pk) == first

    unknown.renew(organization.pk)

    assert unknown.survey(organization.pk).of(account, DEVICE) == ["GHOST1", "GHOST2"]


# --- The page -----------------------------------------------------------------------------------------


def test_unknown_holders_shows_what_they_hold(
    owner_client: Client, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    found = [(row["Holder"], row["Licenses"]) for row in csv_of(owner_client, account)]

    assert found == [("GHOST1", "2"), ("GHOST2", "1")]
    shown = rows_of(owner_client, account)
    assert [row.split()[:2] for row in shown] == [["GHOST1", "2"], ["GHOST2", "1"]]
    assert f"Adam ID {KEYNOTE}" in shown[1]


def test_unknown_holders_says_why_as_far_as_it_can(
    owner_client: Client, account: VppAccount, by: Actor
) -> None:
    held_by(account, "DELETED", "FOUND")
    held_by(account, "THEIRS", origin="other_mdm")
    held_by(account, "OURS", origin="manual")
    device = factories.DeviceFactory(organization=account.organization, serial_number="DELETED")
    event = audit.record(
        "device.deleted",
        by=by,
        organization=account.organization,
        target=device,
        before={"serialNumber": "DELETED"},
    )
    device.delete()

    why = {row["Holder"]: row["Why"] for row in csv_of(owner_client, account)}

    assert why == {
        "DELETED": f"Device deleted here on {event.at.day} {event.at:%b %Y} by owner@example.org.",
        "FOUND": "Never imported here, or another MDM's.",
        "OURS": "Granted from here, to a serial number that no device has.",
        "THEIRS": "Granted by another MDM.",
    }


def test_unknown_users_are_told_by_what_apple_knows_of_them(
    owner_client: Client, account: VppAccount
) -> None:
    ours: dict[str, Any] = {"account": account, "organization": account.organization}
    factories.VppUserFactory(client_user_id="left", apple_status="Retired", **ours)
    factories.VppUserFactory(client_user_id="who", email="who@example.org", **ours)
    held_by(account, "left", "who", "unlisted", kind=USER)

    rows = csv_of(owner_client, account, "&holders=users")

    assert [(row["Holder"], row["Why"]) for row in rows] == [
        ("left", "Retired at Apple."),
        ("unlisted", "Apple's list of users has no such one; the next sync looks again."),
        ("who", "Never imported here, or another MDM's."),
    ]
    page = owner_client.get(page_of(account, "?holders=users")).content.decode()
    boxes = [name for name in ("left", "unlisted", "who") if f'value="{name}"' in page]
    assert boxes == ["left", "who"]


def test_unknown_holders_are_paged_by_name(owner_client: Client, account: VppAccount) -> None:
    every = [f"GHOST{number:02}" for number in range(60)]
    held_by(account, *every)
    first = owner_client.get(page_of(account, "?size=25")).context["listing"]
    second = owner_client.get(page_of(account, first.next_url)).context["listing"]
    third = owner_client.get(page_of(account, second.next_url)).context["listing"]
    back = owner_client.get(page_of(account, third.previous_url)).context["listing"]

    pages = [[row.holder for row in listing.rows] for listing in (first, second, third)]

    assert pages == [every[:25], every[25:50], every[50:]]
    assert [row.holder for row in back.rows] == every[25:50]
    assert (second.counted, third.next_url) == ("26 to 50 of 60 devices", "")
    assert names(owner_client, account) == every


def test_unknown_holders_are_found_by_the_beginning_of_their_name(
    owner_client: Client, account: VppAccount
) -> None:
    held_by(account, "GHOST1", "GHOST2", "SPIRIT1")

    assert names(owner_client, account, "&q=gh") == ["GHOST1", "GHOST2"]
    assert names(owner_client, account, "&q=1") == []


def test_unknown_holders_without_any_says_so(owner_client: Client, account: VppAccount) -> None:
    synced(account)

    assert "Every holder is known" in text_of(owner_client.get(page_of(account)))


def test_who_has_lost_the_last_license_meanwhile_is_left_out(
    owner_client: Client, account: VppAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unknown, "QUICK", -1)
    held_by(account, "GHOST1")
    gone = held_by(account, "GHOST2")
    unknown.survey(account.organization_id)
    Assignment.objects.filter(licensed_app=gone).delete()

    assert names(owner_client, account) == ["GHOST1"]


@pytest.mark.parametrize("holders", ["devices", "users"])
def test_unknown_holders_costs_the_same_for_one_and_three(
    owner_client: Client,
    account: VppAccount,
    django_assert_max_num_queries: Any,
    holders: str,
) -> None:
    costs = []
    for number in (1, 3):
        held_by(account, *(f"X{number}{n}" for n in range(number)), kind=holders[:-1])
        with django_assert_max_num_queries(22) as queries:
            owner_client.get(page_of(account, f"?holders={holders}"))
        costs.append(len(queries))

    assert costs[0] == costs[1]


@pytest.mark.parametrize("query", ["?after=x&size=9&sort=nope", "?holders=nonsense&q=%00", "?q=("])
def test_unknown_holders_takes_any_nonsense_in_its_address(
    owner_client: Client, account: VppAccount, query: str
) -> None:
    held_by(account, "GHOST1")

    assert owner_client.get(page_of(account, query)).status_code == 200


# --- How many -----------------------------------------------------------------------------------------


def test_other_pages_ask_how_many_there_are(
    owner_client: Client, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    organization = account.organization
    for page in ("licensed_app_list", "mdm"):
        shown = owner_client.get(reverse(f"licensing:{page}", args=[organization.pk]))
        assert f'hx-get="{counts_page(organization)}' in shown.content.decode()

    asked = {"HX-Request": "true"}
    line = owner_client.get(counts_page(organization), headers=asked)
    of_rows = owner_client.get(counts_page(organization, "?rows=1"), headers=asked)

    told = "2 holders of licenses are in no inventory: Example Schools North 2"
    assert text_of(line) == told
    assert page_of(account) in line.content.decode()
    assert f'id="account-{account.pk}-unknown"' in of_rows.content.decode()
    assert text_of(of_rows) == "2 unknown holders"


def test_unknown_holder_counts_is_a_page_too(
    owner_client: Client, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    page = text_of(owner_client.get(counts_page(account.organization)))

    assert "Example Schools North 2 0 users of Example Schools North" in page


# --- Taking everything back ---------------------------------------------------------------------------


def test_revoking_from_unknown_holders_is_confirmed_by_typing_and_then_planned(
    fake: FakeApple, owner_client: Client, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    asked = owner_client.post(page_of(account), {"kind": "revoke", "holder": ["GHOST1"]})
    assert "Revoke all licenses of 1 device?" in text_of(asked)
    assert "2 licenses of 2 titles in Example Schools North" in text_of(asked)
    assert not BatchPlan.objects.exists()

    sent = {"chosen": '["GHOST1"]', "typed": "Example Schools North"}
    planned = owner_client.post(page_of(account), sent)

    plan = BatchPlan.objects.get()
    address = reverse("licensing:plan_detail", args=[account.organization_id, plan.pk])
    assert planned.headers["Location"].startswith(address)
    assert (plan.kind, plan.request["serials"], plan.request["everything"]) == (
        "revoke",
        ["GHOST1"],
        True,
    )
    assert owner_client.get(planned.headers["Location"]).status_code == 200
    owner_client.post(address)
    drain(account, fake)
    assert Batch.objects.get().succeeded == 2
    assert at_apple(fake, account) == {(KEYNOTE, "GHOST2"), (KEYNOTE, "KNOWN1")}


def test_all_of_them_can_be_chosen_at_once(
    owner_client: Client, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    asked = owner_client.post(page_of(account, "?q=GHOST"), {"kind": "revoke", "all": "1"})
    assert "Revoke all licenses of 2 devices?" in text_of(asked)

    chosen = json.dumps(["GHOST1", "GHOST2"])
    owner_client.post(page_of(account), {"chosen": chosen, "typed": " 2 "})

    assert BatchPlan.objects.get().request["serials"] == ["GHOST1", "GHOST2"]


def test_unknown_users_lose_theirs_too(
    fake: FakeApple, owner_client: Client, account: VppAccount
) -> None:
    fake.purchase(account.uid, KEYNOTE, quantity=5)
    fake.add_users(account.uid, [{"clientUserId": "stranger 1", "email": "who@example.org"}])
    fake.assign(account.uid, KEYNOTE, client_user_ids=["stranger 1"])
    synced(account)
    url = page_of(account, "?holders=users")

    owner_client.post(url, {"chosen": '["stranger 1"]', "typed": account.name})

    person = VppUser.objects.get(client_user_id="stranger 1")
    assert BatchPlan.objects.get().request["users"] == [person.pk]


@pytest.mark.parametrize("typed", ["", "example schools north", "3", "x" * 400])
def test_what_is_typed_wrong_is_asked_again(
    owner_client: Client, account: VppAccount, titles: dict[str, LicensedApp], typed: str
) -> None:
    page = owner_client.post(page_of(account), {"chosen": '["GHOST1"]', "typed": typed})

    assert len(errors_of(page)) == 1
    assert "GHOST1" in text_of(page)
    assert not BatchPlan.objects.exists()


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"holder": ["KNOWN1", "NOBODY"]},
        {"selected": "KNOWN1 NOBODY"},
        {"chosen": '["KNOWN1"]', "typed": "0"},
        {"chosen": "{", "typed": "0"},
        {"chosen": "[" * 100_000, "typed": "0"},
        {"chosen": '[1, null, ["GHOST1"]]', "typed": "0"},
        {"chosen": "7", "typed": "0"},
    ],
)
def test_whoever_is_known_or_unheard_of_is_not_taken_anything(
    owner_client: Client,
    account: VppAccount,
    titles: dict[str, LicensedApp],
    sent: dict[str, Any],
) -> None:
    page = owner_client.post(page_of(account), sent, follow=True)

    assert "Nobody was chosen, or they hold nothing any more." in text_of(page)
    assert not BatchPlan.objects.exists()


def test_an_account_that_is_stopped_gives_the_reason(
    owner_client: Client, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    VppAccount.objects.filter(pk=account.pk).update(state="claimed", state_reason="Other MDM.")

    page = owner_client.post(page_of(account), {"holder": ["GHOST1"]}, follow=True)

    assert page.redirect_chain
    assert not BatchPlan.objects.exists()
    assert "disabled" in owner_client.get(page_of(account)).content.decode()


# --- For whom -----------------------------------------------------------------------------------------


def test_readers_look_and_outsiders_find_nothing(
    reader_client: Client,
    outsider_client: Client,
    account: VppAccount,
    titles: dict[str, LicensedApp],
) -> None:
    assert names(reader_client, account) == ["GHOST1", "GHOST2"]
    assert reader_client.post(page_of(account), {"holder": ["GHOST1"]}).status_code == 403
    for answer in (
        outsider_client.get(page_of(account)),
        outsider_client.post(page_of(account), {"holder": ["GHOST1"]}),
        outsider_client.get(counts_page(account.organization)),
    ):
        assert answer.status_code == 404
    assert not BatchPlan.objects.exists()


def test_a_closed_account_tells_nothing_of_its_holders(
    account: VppAccount, titles: dict[str, LicensedApp], organization: Organization
) -> None:
    VppAccount.objects.filter(pk=account.pk).update(allowed_admins="named")
    client = signed_in(factories.MembershipFactory(organization=organization).admin)

    assert client.get(page_of(account)).status_code == 404
    assert client.post(page_of(account), {"holder": ["GHOST1"]}).status_code == 404
    assert account.name not in text_of(client.get(counts_page(organization)))
    part = client.get(counts_page(organization), headers={"HX-Request": "true"})
    assert "in no inventory" not in text_of(part)
    assert not AuditEvent.objects.filter(action__startswith="batch.").exists()
