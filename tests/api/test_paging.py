"""Walking a list by its Link header, both ways, as plain clients and the meraki SDK do."""

import re

import pytest
from django.test import Client

from organizations.models import Organization
from tests import factories
from tests.api.conftest import ApiClient

LINK = re.compile(r"<([^>]*)>; rel=(\w+)")
SDK = {"User-Agent": "python-meraki/1.53.0 Example"}


@pytest.fixture
def base(organization: Organization) -> str:
    return f"/organizations/{organization.pk}/networks"


def links(answer: object) -> dict[str, str]:
    return {relation: target for target, relation in LINK.findall(answer.headers["Link"])}


def follow(api: Client, target: str) -> object:
    """A plain client resolves the absolute address; ours leaves out host and prefix."""
    return api.get(target.removeprefix("http://127.0.0.1:8000/api/v1"))


def names(answer: object) -> list[str]:
    return [row["name"] for row in answer.json()]


@pytest.fixture
def seven(organization: Organization) -> list[str]:
    made = [factories.NetworkFactory(organization=organization) for _ in range(7)]
    return [network.name for network in made]


def test_the_first_page_says_where_to_go_on(
    owner_api: ApiClient, base: str, seven: list[str]
) -> None:
    answer = owner_api.get(base, {"perPage": "3", "tagsFilterType": "withAnyTags"})

    here = f"http://127.0.0.1:8000/api/v1{base}?perPage=3&tagsFilterType=withAnyTags"
    third = answer.json()[2]["id"]
    assert names(answer) == seven[:3]
    assert links(answer) == {
        "first": here,
        "next": f"{here}&startingAfter={third}",
        "last": f"{here}&endingBefore=end",
    }


def test_forwards_to_the_end_and_back_again(
    owner_api: ApiClient, base: str, seven: list[str]
) -> None:
    first = owner_api.get(f"{base}?perPage=3")
    second = follow(owner_api, links(first)["next"])
    third = follow(owner_api, links(second)["next"])
    back = follow(owner_api, links(third)["prev"])
    home = follow(owner_api, links(back)["prev"])

    assert [names(page) for page in (first, second, third)] == [seven[:3], seven[3:6], seven[6:]]
    assert [names(page) for page in (back, home)] == [seven[3:6], seven[:3]]
    assert [sorted(links(page)) for page in (first, second, third, back, home)] == [
        ["first", "last", "next"],
        ["first", "last", "next", "prev"],
        ["first", "last", "prev"],
        ["first", "last", "next", "prev"],
        ["first", "last", "next"],
    ]


def test_the_last_page_is_full_and_knows_the_way_back(
    owner_api: ApiClient, base: str, seven: list[str]
) -> None:
    first = owner_api.get(f"{base}?perPage=3")

    last = follow(owner_api, links(first)["last"])

    assert names(last) == seven[4:]
    assert sorted(links(last)) == ["first", "last", "prev"]
    assert names(follow(owner_api, links(last)["prev"])) == seven[1:4]


def test_a_page_that_holds_everything_has_no_neighbours(
    owner_api: ApiClient, base: str, organization: Organization
) -> None:
    only = factories.NetworkFactory(organization=organization)

    answer = owner_api.get(f"{base}?perPage=3")

    assert names(answer) == [only.name]
    assert sorted(links(answer)) == ["first", "last"]


def test_an_empty_list_is_a_page_too(owner_api: ApiClient, base: str) -> None:
    answer = owner_api.get(base)

    assert (answer.json(), sorted(links(answer))) == ([], ["first", "last"])


def test_rows_that_go_meanwhile_move_nothing(
    owner_api: ApiClient, base: str, seven: list[str], organization: Organization
) -> None:
    first = owner_api.get(f"{base}?perPage=3")
    organization.networks.filter(name__in=seven[:3]).delete()

    second = follow(owner_api, links(first)["next"])

    assert names(second) == seven[3:6]


def test_the_meraki_sdk_gets_addresses_it_can_prefix(
    owner_api: ApiClient, base: str, seven: list[str]
) -> None:
    walked, target = [], f"{base}?perPage=3"

    while target:
        answer = owner_api.get(target, headers=SDK)
        walked += names(answer)
        target = links(answer).get("next")

    assert walked == seven
    assert links(answer)["first"] == f"{base}?perPage=3"


def test_newest_first_walks_the_other_way(owner_api: ApiClient, organization: Organization) -> None:
    account = factories.VppAccountFactory(organization=organization)
    runs = [
        factories.SyncRunFactory(account=account, finished_at=account.created_at) for _ in range(5)
    ]
    newest = [str(run.pk) for run in reversed(runs)]
    path = f"/organizations/{organization.pk}/sm/vppAccounts/{account.pk}/syncRuns"

    first = owner_api.get(f"{path}?perPage=3")
    second = follow(owner_api, links(first)["next"])
    back = follow(owner_api, links(second)["prev"])
    last = follow(owner_api, links(first)["last"])

    pages = [[row["id"] for row in page.json()] for page in (first, second, back, last)]
    assert pages == [newest[:3], newest[3:], newest[:3], newest[2:]]


def test_brackets_survive_in_the_links(
    owner_api: ApiClient, base: str, organization: Organization
) -> None:
    made = [factories.NetworkFactory(organization=organization, tags=["a&b"]) for _ in range(4)]
    factories.NetworkFactory(organization=organization)

    first = owner_api.get(base, {"perPage": 3, "tags[]": ["a&b", "zoo"]})
    second = follow(owner_api, links(first)["next"])

    assert names(first) + names(second) == [network.name for network in made]


@pytest.mark.parametrize("value", ["0", "2", "100001", "-3", "three", "3.0", "٣", "9" * 30])
def test_a_page_size_out_of_range_is_refused(owner_api: ApiClient, base: str, value: str) -> None:
    answer = owner_api.get(base, {"perPage": value})

    assert (answer.status_code, answer.json()) == (
        400,
        {
            "errors": ["“perPage” must be a whole number from 3 to 100000."],
            "code": "bad_parameter",
        },
    )


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"startingAfter": "N_12"}, "“startingAfter” must be an id as this list gives it."),
        ({"endingBefore": "-1"}, "“endingBefore” must be an id as this list gives it."),
        (
            {"startingAfter": "1", "endingBefore": "2"},
            "“startingAfter” and “endingBefore” exclude each other.",
        ),
    ],
)
def test_a_token_of_no_list_is_refused(
    owner_api: ApiClient, base: str, query: dict[str, str], sentence: str
) -> None:
    answer = owner_api.get(base, query)

    assert (answer.status_code, answer.json()["errors"]) == (400, [sentence])


def test_a_token_beyond_all_ids_finds_nothing(owner_api: ApiClient, base: str) -> None:
    answer = owner_api.get(base, {"startingAfter": "9" * 19})

    assert (answer.status_code, answer.json()) == (200, [])
