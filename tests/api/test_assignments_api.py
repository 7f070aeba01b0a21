"""The licenses in use over REST, in the order of their key."""

import base64
import re
from datetime import UTC, datetime

import pytest

from licensing.models import LicensedApp
from organizations.models import Organization
from tests import factories
from tests.api.conftest import ApiClient
from vpp_accounts.models import VppAccount

SEEN = datetime(2026, 5, 4, 12, 0, 30, 999, tzinfo=UTC)
NEXT = re.compile(r"<[^>]*/api/v1([^>]*)>; rel=(\w+)")


@pytest.fixture
def account(organization: Organization) -> VppAccount:
    return factories.VppAccountFactory(organization=organization)


@pytest.fixture
def titles(account: VppAccount) -> list[LicensedApp]:
    first = factories.LicensedAppFactory(account=account)
    return [
        first,
        factories.LicensedAppFactory(account=account, app=first.app, pricing_param="PLUS"),
        factories.LicensedAppFactory(account=account),
    ]


@pytest.fixture
def path(account: VppAccount) -> str:
    return f"/organizations/{account.organization_id}/sm/vppAccounts/{account.pk}/assignments"


def give(title: LicensedApp, *holders: str, kind: str = "device", **fields: object) -> None:
    for holder in holders:
        factories.AssignmentFactory(
            licensed_app=title, holder=holder, holder_kind=kind, since=SEEN, **fields
        )


def holders(answer: object) -> list[str]:
    return [row["serialNumber"] or row["clientUserId"] for row in answer.json()]


def links(answer: object) -> dict[str, str]:
    return {relation: target for target, relation in NEXT.findall(answer.headers["Link"])}


def test_an_assignment_names_its_title_its_holder_and_its_batch(
    owner_api: ApiClient, titles: list[LicensedApp], path: str
) -> None:
    give(titles[0], "DMQ1", origin="manual", batch_id=12)
    give(titles[1], "7d1b-user", kind="user")

    answer = owner_api.get(path)

    assert answer.json() == [
        {
            "adamId": titles[0].adam_id,
            "pricingParam": "STDQ",
            "serialNumber": "DMQ1",
            "clientUserId": None,
            "origin": "manual",
            "batchId": "12",
            "since": "2026-05-04T12:00:30Z",
        },
        {
            "adamId": titles[0].adam_id,
            "pricingParam": "PLUS",
            "serialNumber": None,
            "clientUserId": "7d1b-user",
            "origin": "apple",
            "batchId": None,
            "since": "2026-05-04T12:00:30Z",
        },
    ]


@pytest.fixture
def eight(titles: list[LicensedApp]) -> list[str]:
    """Over three titles and both kinds of holders, in the order of the list."""
    give(titles[0], "A1", "A2", "B1")
    give(titles[0], "a-user", kind="user")
    give(titles[1], "A1")
    give(titles[2], "A2", "ZZ", "äöü")
    return ["A1", "A2", "B1", "a-user", "A1", "A2", "ZZ", "äöü"]


def test_pages_follow_the_key_both_ways(owner_api: ApiClient, eight: list[str], path: str) -> None:
    first = owner_api.get(f"{path}?perPage=3")
    second = owner_api.get(links(first)["next"])
    third = owner_api.get(links(second)["next"])
    back = owner_api.get(links(third)["prev"])
    last = owner_api.get(links(first)["last"])

    pages = [holders(page) for page in (first, second, third, back, last)]
    assert pages == [eight[:3], eight[3:6], eight[6:], eight[3:6], eight[5:]]
    assert "next" not in links(third)
    assert "prev" not in links(first)


def test_another_account_is_never_in_the_way(
    owner_api: ApiClient, organization: Organization, eight: list[str], path: str
) -> None:
    other = factories.VppAccountFactory(organization=organization)
    give(factories.LicensedAppFactory(account=other), "A1", "A2")

    first = owner_api.get(path)
    last = owner_api.get(f"{path}?endingBefore=end")

    assert holders(first) == holders(last) == eight


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"serialNumber": "A2"}, ["A2", "A2"]),
        ({"serialNumber": "zz"}, ["ZZ"]),
        ({"serialNumber": "a-user"}, []),
        ({"clientUserId": "a-user"}, ["a-user"]),
        ({"clientUserId": "A2"}, []),
        ({"pricingParam": "PLUS"}, ["A1"]),
        ({"adamId": "0"}, []),
        ({"origin": "apple", "serialNumber": "A1"}, ["A1", "A1"]),
        ({"origin": "rule"}, []),
    ],
)
def test_assignments_are_filtered(
    owner_api: ApiClient,
    eight: list[str],
    path: str,
    query: dict[str, str],
    expected: list[str],
) -> None:
    answer = owner_api.get(path, query)

    assert holders(answer) == expected


def test_a_title_is_filtered_with_and_without_its_price_class(
    owner_api: ApiClient, titles: list[LicensedApp], eight: list[str], path: str
) -> None:
    both = owner_api.get(path, {"adamId": titles[0].adam_id})
    one = owner_api.get(path, {"adamId": titles[0].adam_id, "pricingParam": "STDQ"})

    assert (holders(both), holders(one)) == (eight[:5], eight[:4])


def token(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "value",
    [
        "12",
        "ü",
        token("[]"),
        token('{"a": 1}'),
        token('[1, "device"]'),
        token('[1, "device", 5]'),
        token('[-1, "device", "A1"]'),
        token('[1e40, "device", "A1"]'),
        token('[99999999999999999999, "device", "A1"]'),
        token('[1, "device", "A\\u00001"]'),
    ],
)
def test_a_token_of_another_list_is_refused(owner_api: ApiClient, path: str, value: str) -> None:
    answer = owner_api.get(path, {"startingAfter": value})

    assert (answer.status_code, answer.json()) == (
        400,
        {
            "errors": ["“startingAfter” must be a token as the Link header of this list gives it."],
            "code": "bad_parameter",
        },
    )


@pytest.mark.parametrize("query", [{"origin": "luck"}, {"serialNumber": "A", "clientUserId": "B"}])
def test_filters_that_make_no_sense_are_refused(
    owner_api: ApiClient, path: str, query: dict[str, str]
) -> None:
    answer = owner_api.get(path, query)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_parameter")


@pytest.mark.parametrize("count", [1, 3])
def test_listing_costs_the_same_for_one_and_three(
    owner_api: ApiClient,
    titles: list[LicensedApp],
    path: str,
    django_assert_num_queries: object,
    count: int,
) -> None:
    give(titles[0], *[f"S{number}" for number in range(count)])
    owner_api.get("/organizations")

    with django_assert_num_queries(6):
        answer = owner_api.get(path)

    assert len(answer.json()) == count
