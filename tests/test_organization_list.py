"""Many organizations of one admin: the overview over all of them, and the way from one to another."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from licensing import overview_all
from organizations import tenancy
from organizations.models import Membership, Organization
from organizations.signin.limits import KEY as ONLY_ORGANIZATION
from tests.conftest import signed_in
from tests.factories import (
    AdminFactory,
    BatchFactory,
    BatchItemFactory,
    LicensedAppFactory,
    MembershipFactory,
    NetworkAccessFactory,
    NetworkFactory,
    OrganizationFactory,
    SyncRunFactory,
    VppAccountFactory,
)
from tests.reading import text_of
from tests.signing_in import with_app
from vpp_accounts.models import AccountState, VppAccount

PAGE = "/organizations/"


@pytest.fixture
def second(owner: Any) -> Organization:
    return MembershipFactory(admin=owner, organization__name="Second Schools").organization


def listed(client: Client, query: str = "") -> list[dict[str, str]]:
    """The rows as the CSV file has them, in its order."""
    answer = client.get(f"{PAGE}?format=csv{query}")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def names(client: Client, query: str = "") -> list[str]:
    return [row["Organization"] for row in listed(client, query)]


# --- The first page -------------------------------------------------------------------------------


def test_the_first_page_is_the_organization_or_all_of_them(
    organization: Organization, owner: Any, owner_client: Client
) -> None:
    one = owner_client.get("/")
    MembershipFactory(admin=owner)
    several = owner_client.get("/")
    nobody = signed_in(AdminFactory()).get("/")

    assert one["Location"] == f"/organizations/{organization.pk}/"
    assert several["Location"] == PAGE
    assert "You belong to no organization yet" in text_of(nobody)


# --- The numbers ----------------------------------------------------------------------------------


def test_each_organization_with_what_needs_somebody(
    organization: Organization, second: Organization, owner_client: Client
) -> None:
    now = timezone.now()
    north = VppAccountFactory(
        organization=organization,
        state=AccountState.IN_SYNC,
        token_expires_at=now + timedelta(days=12),
        last_synced_at=now - timedelta(hours=2),
    )
    VppAccountFactory(
        organization=organization,
        state=AccountState.SYNC_FAILED,
        token_expires_at=now - timedelta(days=1),
        last_synced_at=now,
    )
    LicensedAppFactory(account=north, low_since=now)
    waited_for = LicensedAppFactory(account=north, low_since=now)
    BatchItemFactory.create_batch(2, batch__account=north, licensed_app=waited_for, state="waiting")
    LicensedAppFactory(account=north)
    BatchFactory(account=north)
    SyncRunFactory(account=north)

    first, other = listed(owner_client)

    assert first == {
        "ID": str(organization.pk),
        "Organization": "Example Schools",
        "Your access": "Full",
        "VPP accounts": "2",
        "In trouble": "1",
        "States": "Sync failed: 1",
        "Tokens expired": "1",
        "Tokens expiring": "1",
        "First token expires": f"{north.token_expires_at:%Y-%m-%d %H:%M:%S}+00:00",
        "Shortages": "2",
        "Running batches": "3",
        "Running syncs": "1",
        "Last synced": f"{north.last_synced_at:%Y-%m-%d %H:%M:%S}+00:00",
    }
    assert (other["Organization"], other["VPP accounts"], other["Shortages"]) == (
        "Second Schools",
        "0",
        "0",
    )


def test_the_page_shows_them_worst_first_and_as_of_when(
    organization: Organization, second: Organization, owner_client: Client
) -> None:
    account = VppAccountFactory(organization=second, state=AccountState.REVOKED)
    LicensedAppFactory(account=account, low_since=timezone.now())

    answer = owner_client.get(PAGE)
    text = text_of(answer)

    assert "What needs somebody, the worst first; as of" in text
    assert text.index("Second Schools Full 1 VPP account Revoked by Apple") < text.index(
        "Example Schools Full 0 VPP accounts"
    )
    assert f'href="/organizations/{second.pk}/mdm/"' in answer.content.decode()
    assert "2 organizations" in text


def test_other_peoples_organizations_are_not_there(
    organization: Organization, second: Organization, outsider_client: Client, owner_client: Client
) -> None:
    VppAccountFactory(organization=organization)

    assert names(outsider_client) == ["Elsewhere"]
    assert sorted(names(owner_client)) == ["Example Schools", "Second Schools"]


def test_an_invitation_that_is_not_accepted_is_not_there(owner: Any, owner_client: Client) -> None:
    invited = MembershipFactory(admin=owner, organization__name="Not yet")
    Membership.objects.filter(pk=invited.pk).update(accepted_at=None)

    assert names(owner_client) == ["Example Schools"]


def test_licenses_count_only_where_the_account_is_open(
    organization: Organization, owner_client: Client
) -> None:
    closed = VppAccountFactory(
        organization=organization, allowed_admins="named", state=AccountState.CLAIMED
    )
    LicensedAppFactory(account=closed, low_since=timezone.now())
    BatchFactory(account=closed)
    SyncRunFactory(account=closed)

    (row,) = listed(owner_client)

    assert {name: row[name] for name in ("VPP accounts", "In trouble", "Shortages")} == {
        "VPP accounts": "1",
        "In trouble": "1",
        "Shortages": "0",
    }
    assert (row["Running batches"], row["Running syncs"]) == ("0", "1")


def test_an_admin_of_a_network_sees_the_accounts_that_are_open_to_them(
    organization: Organization,
) -> None:
    network = NetworkFactory(organization=organization)
    access = NetworkAccessFactory(
        membership=MembershipFactory(organization=organization, access="none"), network=network
    )
    mine = VppAccountFactory(
        organization=organization, allowed_admins="networks", state=AccountState.IN_SYNC
    )
    mine.allowed_networks.add(network)
    VppAccountFactory(organization=organization, state=AccountState.EXPIRED)

    (row,) = listed(signed_in(access.membership.admin))

    assert (row["Your access"], row["VPP accounts"], row["In trouble"]) == ("Networks", "1", "0")


@pytest.mark.parametrize("access", ["full", "read-only", "none"])
def test_what_is_open_is_the_same_as_everywhere(organization: Organization, access: str) -> None:
    """`open_accounts` is `VppAccountQuerySet.open_to` for many memberships at once."""
    theirs = MembershipFactory(organization=organization, access=access)
    elsewhere = MembershipFactory(admin=theirs.admin)
    networks = NetworkFactory.create_batch(2, organization=organization)
    NetworkAccessFactory(membership=theirs, network=networks[0])
    NetworkAccessFactory(membership=theirs, network=networks[0], tag="twice")
    for allowed in ("all", "named", "networks"):
        for number in range(3):
            account = VppAccountFactory(organization=organization, allowed_admins=allowed)
            account.named_admins.set([theirs.admin] if number == 1 else [])
            account.allowed_networks.set(networks[:number])
    VppAccountFactory(organization=elsewhere.organization)

    with tenancy.among([organization.pk, elsewhere.organization_id]):
        several = set(overview_all.open_accounts([theirs, elsewhere]))
    one_by_one = {
        account
        for membership in (theirs, elsewhere)
        for account in VppAccount.objects.open_to(membership)
    }

    assert several == one_by_one
    assert len(one_by_one) > 1


@pytest.mark.parametrize(
    ("changes", "is_shown"),
    [
        ({}, True),
        ({"requires_second_factor": True}, False),
        ({"requires_single_sign_on": True}, False),
        ({"suspended_at": timezone.now(), "suspended_reason": "Not paid."}, False),
        ({"deletion_asked_at": timezone.now(), "deletes_at": timezone.now()}, False),
    ],
)
def test_numbers_are_shown_where_the_door_would_let_them_in(
    second: Organization, owner_client: Client, changes: dict[str, Any], is_shown: bool
) -> None:
    VppAccountFactory(organization=second, state=AccountState.REVOKED)
    Organization.objects.filter(pk=second.pk).update(**changes)

    row = next(row for row in listed(owner_client) if row["Organization"] == "Second Schools")
    text = text_of(owner_client.get(PAGE))
    door = owner_client.get(f"/organizations/{second.pk}/alarms/")

    assert (row["In trouble"], "Revoked by Apple" in text) == (
        ("1", True) if is_shown else ("", False)
    )
    assert (door.status_code == 200) is is_shown


def test_a_second_factor_and_a_new_sign_in_open_it(
    owner: Any, second: Organization, owner_client: Client
) -> None:
    Organization.objects.filter(pk=second.pk).update(requires_second_factor=True)
    with_app(owner)
    with_factor = listed(owner_client)
    Membership.objects.filter(admin=owner, organization=second).update(
        sign_in_again_after=timezone.now() + timedelta(hours=1)
    )
    ended = listed(owner_client)

    shown = [
        {row["Organization"]: row["VPP accounts"] for row in rows} for rows in (with_factor, ended)
    ]
    assert shown == [
        {"Example Schools": "0", "Second Schools": "0"},
        {"Example Schools": "0", "Second Schools": ""},
    ]


def test_a_session_of_single_sign_on_has_its_organization_only(
    organization: Organization, second: Organization, owner_client: Client
) -> None:
    session = owner_client.session
    session[ONLY_ORGANIZATION] = second.pk
    session.save()

    assert names(owner_client) == ["Second Schools"]
    assert owner_client.get("/organizations/search?q=example").content.decode().count("<a") == 0


# --- The list -------------------------------------------------------------------------------------


@pytest.fixture
def many(owner: Any) -> list[Organization]:
    """With the owner's own 31: so many shortages as the number says."""
    return [
        MembershipFactory(admin=owner, organization__name=f"School {n:02}").organization
        for n in range(30)
    ]


def test_pages_searches_and_filters(many: list[Organization], owner_client: Client) -> None:
    account = VppAccountFactory(organization=many[7], state=AccountState.EXPIRED)
    BatchFactory(account=account)

    first = owner_client.get(f"{PAGE}?size=25&sort=name")
    following = first.context["listing"].next_url
    second = owner_client.get(PAGE + following)
    back = owner_client.get(PAGE + second.context["listing"].previous_url)

    assert [row.name for row in second.context["listing"].rows] == [
        f"School {n}" for n in range(24, 30)
    ]
    assert "26 to 31 of 31 organizations" in text_of(second)
    assert [row.name for row in back.context["listing"].rows] == [
        row.name for row in first.context["listing"].rows
    ]
    assert names(owner_client, "&q=hool+07") == ["School 07"]
    assert names(owner_client, "&needs=trouble") == ["School 07"]
    assert names(owner_client, "&needs=running") == ["School 07"]
    assert names(owner_client, "&needs=shortages") == []
    assert names(owner_client)[:2] == ["School 07", "Example Schools"]


@pytest.mark.parametrize("query", ["?needs=toy", "?sort=toy", "?after=toy", "?size=7", "?q=%00"])
def test_any_address_is_survived(
    organization: Organization, owner_client: Client, query: str
) -> None:
    assert owner_client.get(PAGE + query).status_code == 200
    assert owner_client.get("/organizations/search" + query).status_code == 200


def test_nobody_is_sent_to_sign_in(client: Client) -> None:
    answers = [client.get(PAGE), client.get("/organizations/search")]

    assert {answer["Location"].split("?")[0] for answer in answers} == {"/accounts/login/"}


def test_it_costs_the_same_for_one_and_for_twenty(
    owner: Any, owner_client: Client, django_assert_num_queries: Any
) -> None:
    def fill(number: int) -> None:
        for _ in range(number):
            organization = MembershipFactory(admin=owner).organization
            title = LicensedAppFactory(account__organization=organization)
            BatchItemFactory(batch__account=title.account, licensed_app=title, state="waiting")
            SyncRunFactory(account=title.account)

    fill(1)
    # Session and admin; memberships, factors, open accounts, accounts, low titles, batches, syncs.
    with django_assert_num_queries(9):
        owner_client.get(PAGE)
    fill(19)
    with django_assert_num_queries(9):
        owner_client.get(PAGE)


# --- The switcher ---------------------------------------------------------------------------------


def visit(client: Client, organization: Organization, below: str = "alarms/") -> str:
    return client.get(f"/organizations/{organization.pk}/{below}").content.decode()


def choices(markup: str) -> list[tuple[str, str]]:
    """Name and address of each link of the switcher's list."""
    part = markup.split('class="switcher-list"')[1].split("All organizations")[0]
    found = [piece.split("</a>")[0] for piece in part.split("<a ")[1:]]
    return [
        (each.split('text-truncate">')[1].split("<")[0], each.split('href="')[1].split('"')[0])
        for each in found
        if "text-truncate" in each
    ]


def test_the_switcher_shows_the_last_used_few(
    many: list[Organization], organization: Organization, owner_client: Client
) -> None:
    for each in many[:8]:
        visit(owner_client, each)

    shown = choices(visit(owner_client, organization))

    assert [name for name, _ in shown] == [f"School {n:02}" for n in (7, 6, 5, 4, 3)]


def test_who_has_one_organization_has_no_switcher(
    organization: Organization, owner_client: Client
) -> None:
    assert "All organizations" not in visit(owner_client, organization)


def test_what_was_lost_meanwhile_is_not_offered(
    owner: Any, second: Organization, organization: Organization, owner_client: Client
) -> None:
    third = MembershipFactory(admin=owner, organization__name="Third Schools").organization
    visit(owner_client, second)
    visit(owner_client, third)
    Membership.objects.filter(admin=owner, organization=second).delete()

    assert [name for name, _ in choices(visit(owner_client, organization))] == ["Third Schools"]


@pytest.mark.parametrize(
    ("access", "here", "there"),
    [
        ("full", "networks/", "networks/"),
        ("full", "networks/add/", "networks/add/"),
        ("full", "configure/owners/", "configure/owners/"),
        ("full", "networks/{network}/", "networks/"),
        ("read-only", "networks/add/", "networks/"),
        ("read-only", "configure/owners/", "configure/owners/"),
        ("none", "configure/owners/", ""),
        ("none", "networks/", "networks/"),
        ("full", "alarms/", ""),
    ],
)
def test_it_stays_on_the_same_page_where_that_is_there(
    owner: Any,
    organization: Organization,
    owner_client: Client,
    access: str,
    here: str,
    there: str,
) -> None:
    other = MembershipFactory(admin=owner, access=access, organization__name="Other").organization
    network = NetworkFactory(organization=organization)
    visit(owner_client, other)

    (choice,) = choices(visit(owner_client, organization, here.format(network=network.pk)))

    assert choice == ("Other", f"/organizations/{other.pk}/{there}")
    assert owner_client.get(choice[1]).status_code == 200


def test_the_search_asks_the_server(
    many: list[Organization], organization: Organization, owner_client: Client
) -> None:
    OrganizationFactory(name="School of somebody else")

    found = owner_client.get("/organizations/search?q=SCHOOL+1&page=licensing:mdm&here=0")
    too_many = owner_client.get(f"/organizations/search?q=school&here={organization.pk}")
    nothing = owner_client.get("/organizations/search?q=toy&page=no:such")

    text = found.content.decode()
    assert [text.count(f"School 1{n}") for n in range(10)] == [1] * 10
    assert f'href="/organizations/{many[10].pk}/mdm/"' in text
    assert (text.count("<a"), too_many.content.decode().count("<a")) == (10, 20)
    assert "There are more: type more of the name." in text_of(too_many)
    assert "Example" not in too_many.content.decode()
    assert "somebody else" not in too_many.content.decode()
    assert "None of your other organizations is called so." in text_of(nothing)


def test_a_page_costs_the_same_for_any_number_of_organizations(
    owner: Any,
    organization: Organization,
    second: Organization,
    owner_client: Client,
    django_assert_max_num_queries: Any,
) -> None:
    visit(owner_client, second)
    visit(owner_client, organization)
    MembershipFactory.create_batch(40, admin=owner)

    with django_assert_max_num_queries(14):
        markup = visit(owner_client, organization)

    assert len(choices(markup)) == 1
