"""A typing error in a request is told, and never taken for “as it was”."""

from typing import Any

import pytest

from organizations.models import Network, Organization
from tests import factories
from tests.api.conftest import ApiClient
from tests.api.routes import Route, routes
from users.models import VppUser

# Addresses at which something is read and written.
BOTH_WAYS = [
    each
    for each in routes()
    # A sheet of codes is told its column, which is never read as such.
    if {"get", "put"} <= set(each.methods) and "codeImportId" not in each.path
]


@pytest.fixture
def network(organization: Organization) -> Network:
    return factories.NetworkFactory(organization=organization, name="Oakmont")


def test_a_field_that_is_none_is_refused_with_the_one_that_was_meant(
    owner_api: ApiClient, network: Network
) -> None:
    answer = owner_api.send("PUT", f"/networks/{network.pk}", {"nmae": "Lincoln", "name": "Elm"})

    network.refresh_from_db()
    assert (answer.status_code, network.name) == (400, "Oakmont")
    assert answer.json() == {
        "errors": ["“nmae” is no field of this request. Did you mean “name”?"],
        "code": "invalid",
    }


def test_what_is_like_nothing_is_refused_without_a_guess(
    owner_api: ApiClient, network: Network
) -> None:
    answer = owner_api.send("PUT", f"/networks/{network.pk}", {"colour": "red"})

    assert answer.json()["errors"] == ["“colour” is no field of this request."]


def test_fields_of_meraki_that_mean_nothing_here_are_passed_over(
    owner_api: ApiClient, network: Network
) -> None:
    body = {"name": "Elm", "enrollmentString": "elm"}

    answer = owner_api.send("PUT", f"/networks/{network.pk}", body)

    assert (answer.status_code, answer.json()["name"]) == (200, "Elm")


def test_a_network_that_was_read_can_be_sent_back(owner_api: ApiClient, network: Network) -> None:
    app = factories.ManagedAppFactory(network=network)
    read = owner_api.get(f"/networks/{network.pk}/sm/apps/{app.pk}").json()

    written = owner_api.send("PUT", f"/networks/{network.pk}/sm/apps/{app.pk}", read)

    assert (written.status_code, written.json()["scope"]) == (200, read["scope"])


@pytest.mark.parametrize("route", BOTH_WAYS, ids=str)
def test_whatever_was_read_can_be_sent_back(
    route: Route, rows: dict[str, object], owner_api: ApiClient
) -> None:
    VppUser.objects.filter(pk=rows["userId"]).update(owner=rows["ownerId"])
    address = route.filled(rows)
    read = owner_api.get(address).json()

    written = owner_api.send("PUT", address, read)

    assert written.status_code == 200 or written.json()["code"] == "roles_are_fixed", written.json()


@pytest.mark.parametrize(
    ("address", "name", "value"),
    [
        ("/organizations/{organizationId}", "id", "1"),
        ("/organizations/{organizationId}/admins/{adminId}", "email", "eve@example.org"),
        ("/organizations/{organizationId}/sm/owners/{ownerId}", "addedBy", "import"),
        ("/organizations/{organizationId}/sm/tags/{tagId}", "kind", "automatic"),
        ("/organizations/{organizationId}/sm/vppAccounts/{vppAccountId}", "networkIdAdmins", "1"),
        ("/networks/{networkId}", "organizationId", "1"),
        ("/networks/{networkId}/sm/apps/{appId}", "adamId", "361304891"),
        ("/networks/{networkId}/sm/apps/{appId}", "tags", ["cart"]),
        ("/networks/{networkId}/sm/devices/{deviceId}", "serialNumber", "C02ANOTHER"),
        ("/networks/{networkId}/sm/devices/{deviceId}", "networkId", "1"),
        ("/networks/{networkId}/sm/targetGroups/{targetGroupId}", "tags", ["cart"]),
    ],
)
def test_what_cannot_be_changed_is_not_passed_over_with_another_value(
    address: str, name: str, value: object, rows: dict[str, object], owner_api: ApiClient
) -> None:
    body = {name: value} | ({"name": "elm"} if "/tags/" in address else {})

    answer = owner_api.send("PUT", address.format(**rows), body)

    assert (answer.status_code, answer.json()) == (
        400,
        {
            "errors": [
                f"“{name}” cannot be changed here. Leave it out, or send it as it was read."
            ],
            "code": "invalid",
        },
    )


def test_a_request_that_is_repeated_may_tell_the_tags_that_were_before(
    organization: Organization, network: Network, owner_api: ApiClient
) -> None:
    tag = factories.TagFactory(organization=organization, name="cart")
    app = factories.ManagedAppFactory(network=network)
    address = f"/networks/{network.pk}/sm/apps/{app.pk}"
    body = owner_api.get(address).json() | {"scope": f"withAny,{tag.name}"}

    answers = [owner_api.send("PUT", address, body) for _ in range(2)]

    assert [(each.status_code, each.json()["tags"]) for each in answers] == [(200, ["cart"])] * 2


def test_a_logo_is_no_part_of_json(
    rows: dict[str, object], organization: Organization, owner_api: ApiClient
) -> None:
    address = f"/organizations/{organization.pk}/sm/invitationSettings"

    answer = owner_api.send("PUT", address, {"logo": "iVBORw0KGgo="})

    assert (answer.status_code, answer.json()["errors"][0][:30]) == (
        400,
        "“logo” cannot be changed here.",
    )


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"departure": {"dayz": 3}}, "“departure”: “dayz” is no field"),
        ({"rules": [{"cause": "silent", "takeBack": True}]}, "“takeBack” is no field"),
    ],
)
def test_a_typing_error_inside_of_a_body_is_told(
    body: dict[str, Any], problem: str, organization: Organization, owner_api: ApiClient
) -> None:
    address = f"/organizations/{organization.pk}/sm/reclaim/rules"

    answer = owner_api.send("PUT", address, body)

    assert answer.status_code == 400
    assert problem in answer.json()["errors"][0]
