"""Roles and profiles: Meraki's addresses, answered with what this product has of them."""

from __future__ import annotations

import pytest

from organizations.models import Organization
from tests import factories
from tests.api.conftest import ApiClient

NAMES = ["Full", "Read-only", "Network full", "Network read-only"]


@pytest.fixture
def path(organization: Organization) -> str:
    return f"/organizations/{organization.pk}/sm/admins/roles"


def role(number: int) -> dict[str, object]:
    name = NAMES[number - 1]
    return {"roleId": str(number), "name": name, "scope": "all_tags", "tags": []}


def test_the_roles_are_four(owner_api: ApiClient, path: str) -> None:
    answer = owner_api.get(path)

    assert answer.json() == {
        "items": [role(number) for number in (1, 2, 3, 4)],
        "meta": {"counts": {"items": {"total": 4, "remaining": 0}}},
    }


@pytest.mark.parametrize(
    ("query", "numbers", "remaining", "relations"),
    [
        ("perPage=3", [1, 2, 3], 1, ["first", "next", "last"]),
        ("perPage=3&startingAfter=3", [4], 0, ["first", "prev", "last"]),
        ("perPage=3&endingBefore=end", [2, 3, 4], 0, ["first", "prev", "last"]),
        ("perPage=3&endingBefore=2", [1], 3, ["first", "next", "last"]),
        ("startingAfter=9", [], 0, ["first", "last"]),
    ],
)
def test_roles_come_in_pages(
    owner_api: ApiClient,
    path: str,
    query: str,
    numbers: list[int],
    remaining: int,
    relations: list[str],
) -> None:
    answer = owner_api.get(f"{path}?{query}")

    body = answer.json()
    assert body["items"] == [role(number) for number in numbers]
    assert body["meta"]["counts"]["items"] == {"total": 4, "remaining": remaining}
    assert [part.rsplit("rel=")[1] for part in answer["Link"].split(", ")] == relations


@pytest.mark.parametrize(
    "query", ["perPage=2", "startingAfter=x", "startingAfter=1&endingBefore=3"]
)
def test_pages_that_make_no_sense_are_refused(owner_api: ApiClient, path: str, query: str) -> None:
    answer = owner_api.get(f"{path}?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_parameter")


def test_one_role_is_shown_and_others_are_not_found(owner_api: ApiClient, path: str) -> None:
    found, missing = owner_api.get(f"{path}/2"), owner_api.get(f"{path}/5")

    assert (found.json(), missing.status_code) == (role(2), 404)


@pytest.mark.parametrize(("method", "tail"), [("POST", ""), ("PUT", "/1"), ("DELETE", "/1")])
def test_roles_are_fixed(owner_api: ApiClient, path: str, method: str, tail: str) -> None:
    answer = owner_api.send(method, path + tail, {"name": "Helpers"})

    assert (answer.status_code, answer.json()) == (
        400,
        {
            "errors": [
                "Roles are fixed here: full and read-only, of the organization or of some networks."
                " Give an admin their rights under /organizations/{organizationId}/admins."
            ],
            "code": "roles_are_fixed",
        },
    )


def test_roles_are_shown_to_the_organizations_admins_alone(
    reader_api: ApiClient, network_admin_api: ApiClient, outsider_api: ApiClient, path: str
) -> None:
    answers = [api.get(path).status_code for api in (reader_api, network_admin_api, outsider_api)]

    assert answers == [200, 403, 404]


def test_there_are_no_profiles(owner_api: ApiClient, organization: Organization) -> None:
    network = factories.NetworkFactory(organization=organization)
    path = f"/networks/{network.pk}/sm/profiles"

    answer = owner_api.get(f"{path}?payloadTypes[]=Restrictions&perPage=3")
    too_many = owner_api.get(f"{path}?perPage=51")

    assert (answer.status_code, answer.json(), "rel=first" in answer["Link"]) == (200, [], True)
    assert too_many.status_code == 400
