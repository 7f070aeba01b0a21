"""Networks over REST: Meraki's operations with the services of the pages."""

import pytest

from organizations.models import AuditEvent, Network, Organization
from tests import factories
from tests.api.conftest import ApiClient


@pytest.fixture
def path(organization: Organization) -> str:
    return f"/organizations/{organization.pk}/networks"


def test_a_network_can_be_added_read_changed_and_deleted(
    owner_api: ApiClient, organization: Organization, path: str
) -> None:
    body = {
        "name": "North",
        "productTypes": ["systemsManager"],
        "timeZone": "Europe/Vienna",
        "tags": ["primary", "south-west"],
        "notes": "Two buildings",
    }

    added = owner_api.send("POST", path, body)
    one = f"/networks/{added.json()['id']}"
    changed = owner_api.send("PUT", one, {"name": "North Campus", "tags": []})
    read = owner_api.get(one)
    deleted = owner_api.send("DELETE", one)
    gone = owner_api.get(one)

    as_added = body | {
        "id": added.json()["id"],
        "organizationId": str(organization.pk),
        "enrollmentString": "",
        "url": f"http://127.0.0.1:8000/organizations/{organization.pk}/networks/",
        "isBoundToConfigTemplate": False,
    }
    as_changed = as_added | {"name": "North Campus", "tags": []}
    assert (added.status_code, added.json()) == (201, as_added)
    assert (changed.status_code, changed.json()) == (200, as_changed)
    assert read.json() == as_changed
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert gone.status_code == 404


def test_what_a_key_did_stands_in_the_audit_log(owner_api: ApiClient, path: str) -> None:
    owner_api.send("POST", path, {"name": "North"})

    event = AuditEvent.objects.get()
    assert (event.action, event.target_name, event.actor_kind) == (
        "network.added",
        "North",
        "api_key",
    )
    assert event.actor_name.startswith("owner@example.org (Tests (")
    assert event.request_id


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "   "}, 400, "invalid"),
        ({"name": "North"}, 409, "network_name_taken"),
        ({"name": "NORTH"}, 409, "network_name_taken"),
        ({"name": "A", "tags": ["two words"]}, 400, "tag_wrong"),
        ({"name": "A", "timeZone": "Mars/Olympus"}, 400, "time_zone_unknown"),
        ({"name": "x" * 201}, 400, "invalid"),
    ],
)
def test_what_the_page_refuses_is_refused_here(
    owner_api: ApiClient,
    organization: Organization,
    path: str,
    body: dict[str, object],
    status: int,
    code: str,
) -> None:
    factories.NetworkFactory(organization=organization, name="North")

    answer = owner_api.send("POST", path, body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert Network.objects.count() == 1


def test_a_network_with_devices_needs_a_network_that_takes_them(
    owner_api: ApiClient, organization: Organization
) -> None:
    full, empty = factories.NetworkFactory.create_batch(2, organization=organization)
    device = factories.DeviceFactory(organization=organization, network=full)

    refused = owner_api.send("DELETE", f"/networks/{full.pk}")
    moved = owner_api.send("DELETE", f"/networks/{full.pk}?moveDevicesTo={empty.pk}")

    device.refresh_from_db()
    assert (refused.status_code, refused.json()["code"]) == (409, "network_has_devices")
    assert (moved.status_code, device.network_id) == (204, empty.pk)


@pytest.mark.parametrize("target", ["elsewhere", "no-id", "999999"])
def test_devices_cannot_move_to_a_network_that_is_not_ours(
    owner_api: ApiClient, organization: Organization, target: str
) -> None:
    network = factories.NetworkFactory(organization=organization)
    if target == "elsewhere":
        target = str(factories.NetworkFactory().pk)

    answer = owner_api.send("DELETE", f"/networks/{network.pk}?moveDevicesTo={target}")

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_parameter")
    assert Network.objects.filter(pk=network.pk).exists()


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["A", "B", "C"]),
        ({"tags[]": "x"}, ["A", "B"]),
        ({"tags[]": ["x", "y"]}, ["A", "B", "C"]),
        ({"tags": ["x", "y"], "tagsFilterType": "withAllTags"}, ["B"]),
        ({"productTypes[]": ["wireless", "systemsManager"]}, ["A", "B", "C"]),
        ({"productTypes[]": ["wireless"]}, []),
        ({"isBoundToConfigTemplate": "false"}, ["A", "B", "C"]),
        ({"isBoundToConfigTemplate": "true"}, []),
        ({"configTemplateId": "N_1"}, []),
    ],
)
def test_networks_are_filtered_as_meraki_does(
    owner_api: ApiClient,
    organization: Organization,
    path: str,
    query: dict[str, object],
    names: list[str],
) -> None:
    for name, tags in (("A", ["x"]), ("B", ["x", "y"]), ("C", ["y"])):
        factories.NetworkFactory(organization=organization, name=name, tags=tags)

    answer = owner_api.get(path, query)

    assert [row["name"] for row in answer.json()] == names


def test_an_unknown_way_to_filter_is_refused(owner_api: ApiClient, path: str) -> None:
    answer = owner_api.get(path, {"tagsFilterType": "without"})

    assert answer.json()["errors"] == ["“tagsFilterType” must be one of withAllTags, withAnyTags."]


@pytest.mark.parametrize("count", [1, 3])
def test_listing_costs_the_same_for_one_and_three(
    owner_api: ApiClient,
    organization: Organization,
    path: str,
    django_assert_num_queries: object,
    count: int,
) -> None:
    factories.NetworkFactory.create_batch(count, organization=organization)
    owner_api.get("/organizations")

    with django_assert_num_queries(3):
        answer = owner_api.get(path)

    assert len(answer.json()) == count
