"""REST: searching the App Store."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps_catalog.models import StoreSearch
from apps_catalog.tasks import search_store
from tests import factories
from tests.api.conftest import ApiClient, client_of
from tests.managed import MATH, School, school
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

LONGEST = 200


@pytest.fixture
def oakmont(fake: FakeApple, account: VppAccount) -> School:
    return school(fake, account)


def searches(oakmont: School, search_id: str = "") -> str:
    return (
        f"/organizations/{oakmont.organization.pk}/sm/apps/searches{search_id and '/'}{search_id}"
    )


def asked(api: ApiClient, oakmont: School, **said: Any) -> dict[str, Any]:
    """The search, after a worker has answered."""
    found = api.send("POST", searches(oakmont), said).json()
    search_store(search_id=found["id"])
    return api.get(searches(oakmont, found["id"])).json()


def test_a_search_is_asked_by_a_worker_and_fetched(oakmont: School, owner_api: ApiClient) -> None:
    response = owner_api.send("POST", searches(oakmont), {"term": "wordgrove spelling"})
    waiting = response.json()
    search_store(search_id=waiting["id"])
    answered = owner_api.get(searches(oakmont, waiting["id"])).json()

    assert (response.status_code, waiting["state"], waiting["results"]) == (202, "asking", [])
    assert (waiting["country"], waiting["platform"]) == ("US", "iOS")
    (found,) = answered["results"]
    assert (answered["state"], answered["message"]) == ("answered", None)
    assert {name: found[name] for name in ("adamId", "name", "bundleId", "priceText")} == {
        "adamId": "1203518844",
        "name": "Wordgrove Spelling",
        "bundleId": "co.wordgrove.spelling",
        "priceText": "$3.99",
    }
    assert (found["licenses"], found["networkIds"]) == ([], [])


def test_a_result_says_what_we_have_of_it(oakmont: School, owner_api: ApiClient) -> None:
    (found,) = asked(owner_api, oakmont, term=MATH)["results"]

    (held,) = found["licenses"]
    assert held["vppAccountId"] == str(oakmont.account.pk)
    assert (held["pricingParam"], held["available"]) == ("STDQ", 3)
    assert found["networkIds"] == [str(oakmont.network.pk)]


def test_of_an_account_that_is_not_theirs_nothing_is_told(oakmont: School) -> None:
    access = factories.NetworkAccessFactory(
        membership__organization=oakmont.organization,
        network=factories.NetworkFactory(organization=oakmont.organization, name="Elm"),
    )

    (found,) = asked(client_of(access.membership.admin), oakmont, term=MATH)["results"]

    assert (found["licenses"], found["networkIds"]) == ([], [])


def test_a_failure_of_the_store_says_what_to_do(oakmont: School, owner_api: ApiClient) -> None:
    oakmont.fake.set_fault("metadata_throttled")

    told = asked(owner_api, oakmont, term="wordgrove")

    assert (told["state"], told["results"]) == ("failed", [])
    assert told["message"].startswith("Apple's store takes no more searches just now.")


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({}, "“term” is missing."),
        ({"term": " "}, "“term” can't be blank."),
        ({"term": "x" * (LONGEST + 1)}, "no more than 200 characters"),
        ({"term": "x", "country": "USA"}, "must be a code of two letters, for example US."),
        ({"term": "x", "platform": "watchOS"}, "“platform”: "),
    ],
)
def test_what_makes_no_sense_is_refused(
    oakmont: School, owner_api: ApiClient, said: dict[str, Any], error: str
) -> None:
    response = owner_api.send("POST", searches(oakmont), said)

    assert response.status_code == 400
    assert error in response.json()["errors"][0]
    assert not StoreSearch.objects.exists()


def test_too_many_searches_are_refused_for_a_minute(oakmont: School, owner_api: ApiClient) -> None:
    for number in range(15):
        owner_api.send("POST", searches(oakmont), {"term": f"app {number}"})

    response = owner_api.send("POST", searches(oakmont), {"term": "one more"})

    assert (response.status_code, response.json()["code"]) == (400, "too_many_searches")
    assert response["Retry-After"] == "60"


def test_who_may_search(
    oakmont: School,
    owner_api: ApiClient,
    reader_api: ApiClient,
    outsider_api: ApiClient,
    network_admin_api: ApiClient,
) -> None:
    search = owner_api.send("POST", searches(oakmont), {"term": "chess"}).json()["id"]
    clients = (reader_api, outsider_api, network_admin_api)

    asking = [each.send("POST", searches(oakmont), {"term": "x"}).status_code for each in clients]
    looking = [each.get(searches(oakmont, search)).status_code for each in clients]

    assert asking == [403, 404, 202]
    assert looking == [200, 404, 200]


def test_a_search_of_another_organization_is_not_found(
    oakmont: School, owner_api: ApiClient
) -> None:
    search = StoreSearch.objects.create(
        organization=factories.OrganizationFactory(), term="x", country="US", platform="iOS"
    )

    assert owner_api.get(searches(oakmont, str(search.pk))).status_code == 404
    assert owner_api.get(searches(oakmont, "not-an-id")).status_code == 404


def test_a_long_answer_costs_the_same_as_a_short_one(oakmont: School, owner_api: ApiClient) -> None:
    def count(search: dict[str, Any]) -> int:
        with CaptureQueriesContext(connection) as statements:
            owner_api.get(searches(oakmont, search["id"]))
        return len(statements)

    short, long = (asked(owner_api, oakmont, term=term) for term in (MATH, "a"))

    assert (len(short["results"]), len(long["results"]) > 3) == (1, True)
    assert count(short) == count(long)
