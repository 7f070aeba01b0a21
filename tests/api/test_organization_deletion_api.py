"""Deleting an organization over REST: what it would mean, and with its licenses."""

from __future__ import annotations

from typing import Any

import pytest

from licensing.batches import taking_back
from organizations.models import Organization
from tests import factories
from tests.api.conftest import ApiClient


@pytest.fixture
def base(organization: Organization) -> str:
    return f"/organizations/{organization.pk}"


def holding(organization: Organization, **fields: Any) -> Any:
    """An account with three licenses that can be taken back, and two that cannot."""
    account = factories.VppAccountFactory(organization=organization, **fields)
    for revocable, number in ((True, 3), (False, 2)):
        title = factories.LicensedAppFactory(account=account, revocable=revocable)
        for _ in range(number):
            factories.AssignmentFactory(licensed_app=title)
    return account


def test_it_is_told_what_would_be_taken_back(
    owner_api: ApiClient, organization: Organization, base: str
) -> None:
    account = holding(organization, name="A", state="in_sync")
    closed = holding(organization, name="B", allowed_admins="named")
    revoked = holding(organization, name="C", state="revoked")

    answer = owner_api.get(f"{base}/deletion")

    told = answer.json()
    obstacles = [row.pop("obstacle") for row in told["vppAccounts"]]
    assert told == {
        "daysToUndo": 30,
        "vppAccounts": [
            {"vppAccountId": str(account.pk), "name": "A", "revocable": 3, "permanent": 2},
            {"vppAccountId": str(closed.pk), "name": "B", "revocable": None, "permanent": None},
            {"vppAccountId": str(revoked.pk), "name": "C", "revocable": 3, "permanent": 2},
        ],
    }
    assert obstacles[:2] == [None, taking_back.NOT_YOURS]
    assert obstacles[2]


@pytest.mark.parametrize("count", [1, 3])
def test_telling_costs_the_same_for_one_account_and_three(
    owner_api: ApiClient,
    organization: Organization,
    base: str,
    django_assert_num_queries: Any,
    count: int,
) -> None:
    for _ in range(count):
        holding(organization)
    owner_api.get("/organizations")  # notes the use of the key

    with django_assert_num_queries(6):
        answer = owner_api.get(f"{base}/deletion")

    assert len(answer.json()["vppAccounts"]) == count


@pytest.mark.parametrize(("query", "takes"), [("", False), ("&takeLicensesBack=true", True)])
def test_licenses_go_back_where_that_is_asked(
    owner_api: ApiClient, organization: Organization, base: str, query: str, takes: bool
) -> None:
    answer = owner_api.delete(f"{base}?confirm=Example%20Schools{query}")

    organization.refresh_from_db()
    assert answer.status_code == 204
    assert (organization.is_open, organization.takes_licenses_back) == (False, takes)


def test_it_is_told_to_full_admins_alone(
    reader_api: ApiClient, network_admin_api: ApiClient, outsider_api: ApiClient, base: str
) -> None:
    knockers = (reader_api, network_admin_api, outsider_api)

    statuses = [api.get(f"{base}/deletion").status_code for api in knockers]

    assert statuses == [403, 403, 404]
