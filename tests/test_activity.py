"""Organization > Activity and the tab Activity of Manage > VPP: what happened, in words."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from organizations import audit
from organizations.audit import APPLE, Actor
from organizations.models import Organization
from tests import factories
from tests.conftest import signed_in
from tests.reading import text_of
from vpp_accounts.models import VppAccount

PAGES = ("organization_activity", "vpp_activity")


@pytest.fixture
def north(organization: Organization) -> VppAccount:
    return factories.VppAccountFactory(organization=organization, name="North")


@pytest.fixture
def south(organization: Organization) -> VppAccount:
    return factories.VppAccountFactory(organization=organization, name="South")


@pytest.fixture
def events(organization: Organization, by: Actor, north: VppAccount, south: VppAccount) -> None:
    """One of an account, one of a license in each account, one of a network, one elsewhere."""
    notes = factories.LicensedAppFactory(account=north, app__name="Notes")
    tables = factories.LicensedAppFactory(account=south, app__name="Tables")
    ours: dict[str, Any] = {"organization": organization}
    audit.record("vpp_account.edited", by=by, target=north, after={"email": "a@b.c"}, **ours)
    audit.record(
        "assignment.found",
        by=APPLE,
        target=notes,
        after={"holder": "DMQ1", "kind": "device"},
        **ours,
    )
    audit.record(
        "assignment.gone",
        by=APPLE,
        target=tables,
        before={"holder": "DMQ2", "kind": "device"},
        **ours,
    )
    site = factories.NetworkFactory(organization=organization, name="Lakeside")
    audit.record("network.added", by=by, target=site, **ours)
    elsewhere = factories.NetworkFactory(name="Elsewhere")
    audit.record("network.deleted", by=by, target=elsewhere, organization=elsewhere.organization)


def url(page: str, organization: Organization) -> str:
    return reverse(f"licensing:{page}", args=[organization.pk])


def rows_of(response: HttpResponse) -> list[dict[str, str]]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text)))


def actions_in(client: Client, page: str, organization: Organization, query: str = "") -> list[str]:
    response = client.get(f"{url(page, organization)}?format=csv{query}")
    return [row["Action"] for row in rows_of(response)]


# --- Which events -----------------------------------------------------------------------------------

EVERY = ["network.added", "assignment.gone", "assignment.found", "vpp_account.edited"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", EVERY),
        ("&action=assignment.", EVERY[1:3]),
        ("&action=network.", EVERY[:1]),
        ("&account={north}", EVERY[2:]),
        ("&account=no", EVERY),
        ("&who=apple", EVERY[1:3]),
        ("&q=owner@", [EVERY[0], EVERY[3]]),
        ("&q=tABL", [EVERY[1]]),
        ("&since=2100-01-01", []),
        ("&until=2000-01-01", []),
        ("&until=2100-01-01", EVERY),
        ("&since=0001-01-01&until=9999-12-31", EVERY),
        ("&since=tomorrow", EVERY),
    ],
)
def test_organization_activity_lists_everything_and_filters(
    owner_client: Client,
    organization: Organization,
    events: None,
    north: VppAccount,
    query: str,
    expected: list[str],
) -> None:
    query = query.format(north=north.pk)

    found = actions_in(owner_client, "organization_activity", organization, query)

    assert found == expected


def test_vpp_activity_is_about_accounts_and_licenses_only(
    owner_client: Client, organization: Organization, events: None
) -> None:
    assert actions_in(owner_client, "vpp_activity", organization) == EVERY[1:]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Midway"])
def test_any_day_can_be_asked_for_in_any_zone(
    owner_client: Client, organization: Organization, events: None, zone: str
) -> None:
    organization.time_zone = zone
    organization.save()
    query = "&since=0001-01-01&until=9999-12-31"

    found = actions_in(owner_client, "organization_activity", organization, query)

    assert found == EVERY


@pytest.mark.parametrize("page", PAGES)
def test_activity_of_licenses_is_for_those_who_may_see_them(
    owner_client: Client, organization: Organization, events: None, south: VppAccount, page: str
) -> None:
    south.allowed_admins = "named"
    south.save()

    found = actions_in(owner_client, page, organization)

    assert [action for action in EVERY[1:] if action in found] == EVERY[2:]


@pytest.mark.parametrize("page", PAGES)
def test_activity_of_a_removed_account_stays_with_the_full_admins(
    owner_client: Client,
    reader_client: Client,
    organization: Organization,
    events: None,
    south: VppAccount,
    page: str,
) -> None:
    south.licensed_apps.all().delete()
    south.delete()

    for_owner = actions_in(owner_client, page, organization)
    for_reader = actions_in(reader_client, page, organization)

    assert ("assignment.gone" in for_owner, "assignment.found" in for_owner) == (True, True)
    assert ("assignment.gone" in for_reader, "assignment.found" in for_reader) == (False, True)


def test_the_overview_tells_nothing_of_closed_accounts(
    owner_client: Client, organization: Organization, events: None, south: VppAccount
) -> None:
    south.allowed_admins = "named"
    south.save()

    page = text_of(owner_client.get(url("overview", organization)))

    assert "License assigned at Apple: Notes" in page
    assert "Tables" not in page


def test_organization_activity_is_not_for_network_admins(
    organization: Organization, events: None
) -> None:
    membership = factories.MembershipFactory(organization=organization, access="none")
    factories.NetworkAccessFactory(membership=membership)

    page = text_of(signed_in(membership.admin).get(url("organization_activity", organization)))

    assert "Activity belongs to the organization" in page
    assert "Lakeside" not in page


@pytest.mark.parametrize("page", PAGES)
def test_activity_costs_the_same_for_any_number_of_events(
    owner_client: Client,
    organization: Organization,
    north: VppAccount,
    django_assert_max_num_queries: Any,
    page: str,
) -> None:
    owner_client.get(url(page, organization))  # the first visit is remembered in the session
    costs = []
    for number in (1, 5):
        for title in factories.LicensedAppFactory.create_batch(number, account=north):
            audit.record("title.found", by=APPLE, organization=organization, target=title)
        with django_assert_max_num_queries(12) as queries:
            owner_client.get(url(page, organization))
        costs.append(len(queries))

    assert costs[0] == costs[1]


# --- In words ---------------------------------------------------------------------------------------


def test_organization_activity_tells_who_changed_what(
    reader_client: Client, organization: Organization, by: Actor
) -> None:
    network = factories.NetworkFactory(organization=organization, name="Lakeside")
    audit.record(
        "network.edited",
        by=by,
        organization=organization,
        target=network,
        before={"name": "Lake", "tags": ["north"]},
        after={"name": "Lakeside", "tags": []},
    )

    page = text_of(reader_client.get(url("organization_activity", organization)))

    assert (
        "Network changed Lakeside Name Lake → Lakeside Tags north → none owner@example.org Admin"
        in page
    )


def test_a_title_is_called_by_the_name_that_it_got_meanwhile(
    owner_client: Client, organization: Organization, north: VppAccount
) -> None:
    title = factories.LicensedAppFactory(account=north, app__name="", app__adam_id="1807751082")
    audit.record("title.found", by=APPLE, organization=organization, target=title)
    title.app.name = "River Notes"
    title.app.save()

    found = rows_of(owner_client.get(f"{url('vpp_activity', organization)}?format=csv&q=river"))

    assert [(row["Action"], row["On"]) for row in found] == [("title.found", "River Notes")]


def test_activity_as_csv_runs_no_formulas(
    owner_client: Client, organization: Organization, by: Actor
) -> None:
    formula = factories.NetworkFactory(organization=organization, name="=HYPERLINK()")
    audit.record("network.added", by=by, organization=organization, target=formula)

    response = owner_client.get(url("organization_activity", organization) + "?format=csv")

    [row] = rows_of(response)
    assert (row["What happened"], row["On"]) == ("Network added", "'=HYPERLINK()")
