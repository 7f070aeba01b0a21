"""Organization > Networks: list, add, rename, tag, delete with its consequences; and Activity."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertRedirects

from organizations import services
from organizations.audit import Actor
from organizations.hooks import network_deletion
from organizations.models import AuditEvent, Device, Network, Organization
from organizations.refusals import Refusal
from organizations.services import NetworkDetails
from tests.factories import (
    DeviceFactory,
    NetworkAccessFactory,
    NetworkFactory,
)
from tests.reading import errors_of, text_of


@pytest.fixture
def network(organization: Organization) -> Network:
    return NetworkFactory(organization=organization, name="Lakeside Elementary", tags=["north"])


@pytest.fixture
def list_url(organization: Organization) -> str:
    return reverse("organizations:network_list", args=[organization.pk])


@pytest.fixture
def add_url(organization: Organization) -> str:
    return reverse("organizations:network_add", args=[organization.pk])


def edit_url(network: Network) -> str:
    return reverse("organizations:network_edit", args=[network.organization_id, network.pk])


def delete_url(network: Network) -> str:
    return reverse("organizations:network_delete", args=[network.organization_id, network.pk])


def form(**changes: str) -> dict[str, str]:
    return {"name": "Oakwood", "time_zone": "Europe/Vienna", "tags": "", "notes": "", **changes}


def events() -> list[tuple[Any, ...]]:
    return list(
        AuditEvent.objects.order_by("id").values_list("action", "target_name", "before", "after")
    )


# --- List -----------------------------------------------------------------------------------------


def test_network_list_shows_names_tags_and_devices(
    network: Network, list_url: str, owner_client: Client
) -> None:
    DeviceFactory.create_batch(2, organization=network.organization, network=network)
    NetworkFactory(name="Somebody else's")

    page = text_of(owner_client.get(list_url))

    assert "Lakeside Elementary north UTC 2" in page
    assert "1 network" in page
    assert "Somebody else's" not in page


def test_network_list_starts_with_a_way_on(list_url: str, owner_client: Client) -> None:
    page = text_of(owner_client.get(list_url))

    assert "No networks yet" in page


def test_network_admins_see_their_networks_only(network: Network, list_url: str) -> None:
    NetworkFactory(organization=network.organization, name="Hidden School")
    access = NetworkAccessFactory(
        membership__organization=network.organization, membership__access="none", network=network
    )
    client = Client()
    client.force_login(access.membership.admin)

    page = text_of(client.get(list_url))

    assert "Lakeside Elementary" in page
    assert "Hidden School" not in page


def test_a_reader_sees_the_controls_with_the_reason(
    network: Network, list_url: str, add_url: str, reader_client: Client
) -> None:
    page = reader_client.get(list_url).content.decode()

    assert "Your access does not include this. A full admin of the organization can do it." in page
    assert add_url not in page


# --- Doors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [edit_url, delete_url])
def test_readers_may_not_and_outsiders_find_nothing(
    address: Any, network: Network, reader_client: Client, outsider_client: Client
) -> None:
    url = address(network)

    answers = [
        client.request(REQUEST_METHOD=method, PATH_INFO=url).status_code
        for client in (reader_client, outsider_client)
        for method in ("GET", "POST")
    ]

    assert answers == [403, 403, 404, 404]


def test_a_network_cannot_be_borrowed_through_ones_own_organization(
    network: Network, outsider: Any, outsider_client: Client
) -> None:
    own = outsider.memberships.get().organization_id

    answer = outsider_client.get(reverse("organizations:network_edit", args=[own, network.pk]))

    assert answer.status_code == 404


# --- Add and edit ---------------------------------------------------------------------------------


def test_adding_a_network(
    organization: Organization, add_url: str, list_url: str, owner_client: Client
) -> None:
    told = form(name="  Oakwood   Middle ", tags="middle, north Middle", notes="Cart in 112")

    answer = owner_client.post(add_url, told)

    assertRedirects(answer, list_url)
    network = organization.networks.get()
    facts = {
        "name": "Oakwood Middle",
        "timeZone": "Europe/Vienna",
        "tags": ["middle", "north"],
        "notes": "Cart in 112",
    }
    assert services.facts(network) == facts
    assert events() == [("network.added", "Oakwood Middle", None, facts)]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "A network needs a name."),
        ({"name": "   "}, "A network needs a name."),
        (
            {"name": "lakeside ELEMENTARY"},
            "This organization already has a network “lakeside ELEMENTARY”. Choose another name.",
        ),
        (
            {"name": "x" * 201},
            "The name has 201 characters; at most 200 are possible. Shorten it.",
        ),
        (
            {"time_zone": "Mars/Olympus"},
            "“Mars/Olympus” is no time zone. Give its name, for example Europe/Vienna.",
        ),
        ({"tags": "y" * 101}, f"“{'y' * 20}…” is longer than 100 characters. Shorten it."),
    ],
)
def test_what_cannot_be_a_network(
    changes: dict[str, str], sentence: str, network: Network, add_url: str, owner_client: Client
) -> None:
    answer = owner_client.post(add_url, form(**changes))

    assert errors_of(answer) == [sentence]
    assert list(network.organization.networks.all()) == [network]
    assert events() == []


def test_a_tag_with_a_space_is_refused_where_it_can_be_given(
    organization: Organization, by: Actor
) -> None:
    details = NetworkDetails("Oakwood", tags=("north campus",))

    with pytest.raises(Refusal) as refusal:
        services.add_network(by=by, organization=organization, details=details)

    assert str(refusal.value) == (
        "“north campus” has a space in it. A tag is one word: use - or _ instead."
    )
    assert (refusal.value.code, refusal.value.field) == ("tag_wrong", "tags")


def test_a_network_takes_the_zone_of_its_organization(
    organization: Organization, by: Actor
) -> None:
    organization.time_zone = "America/Chicago"

    network = services.add_network(
        by=by, organization=organization, details=NetworkDetails("Oakwood")
    )

    assert network.time_zone == "America/Chicago"


def test_editing_records_only_what_changed(
    network: Network, list_url: str, owner_client: Client
) -> None:
    told = form(name="Lakeside", time_zone="UTC", tags="north")

    answer = owner_client.post(edit_url(network), told)

    assertRedirects(answer, list_url)
    assert events() == [
        ("network.edited", "Lakeside", {"name": "Lakeside Elementary"}, {"name": "Lakeside"})
    ]


def test_saving_without_a_change_leaves_no_trace(network: Network, owner_client: Client) -> None:
    owner_client.post(
        edit_url(network), form(name="Lakeside Elementary", time_zone="UTC", tags="north")
    )

    assert events() == []


def test_the_edit_form_shows_what_is(network: Network, owner_client: Client) -> None:
    page = owner_client.get(edit_url(network)).content.decode()

    assert 'value="Lakeside Elementary"' in page
    assert re.search(r'<option value="UTC" selected', page)


# --- Delete ---------------------------------------------------------------------------------------


def test_deleting_says_what_ends_and_what_stays(network: Network, owner_client: Client) -> None:
    NetworkFactory(organization=network.organization, name="Oakwood")
    DeviceFactory.create_batch(2, organization=network.organization, network=network)
    NetworkAccessFactory(membership__organization=network.organization, network=network)

    def told(sender: object, network: Network, **kwargs: object) -> list[str]:
        return [f"Something of {network} goes too."]

    network_deletion.connect(told)
    try:
        page = text_of(owner_client.get(delete_url(network)))
    finally:
        network_deletion.disconnect(told)

    assert "1 network admin loses the access to it." in page
    assert "Something of Lakeside Elementary goes too." in page
    assert "2 devices, in the network that you choose below" in page


def test_deleting_moves_the_devices(network: Network, list_url: str, owner_client: Client) -> None:
    target = NetworkFactory(organization=network.organization, name="Oakwood")
    device = DeviceFactory(organization=network.organization, network=network)

    answer = owner_client.post(
        delete_url(network), {"typed_name": "Lakeside Elementary", "move_devices_to": target.pk}
    )

    assertRedirects(answer, list_url)
    assert Device.objects.get(pk=device.pk).network == target
    assert list(network.organization.networks.all()) == [target]
    assert [(action, after) for action, _, _, after in events()] == [
        ("network.deleted", {"devicesMoved": 1, "movedTo": "Oakwood"})
    ]


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"typed_name": ""}, "Type the name of the network to delete it."),
        (
            {"typed_name": "Lakeside"},
            "That is not the network's name. Type “Lakeside Elementary” exactly.",
        ),
        (
            {"typed_name": "Lakeside Elementary", "move_devices_to": ""},
            "1 device is in “Lakeside Elementary”. Choose the network that takes them over.",
        ),
    ],
)
def test_nothing_is_deleted_in_passing(
    told: dict[str, str], sentence: str, network: Network, owner_client: Client
) -> None:
    target = NetworkFactory(organization=network.organization)
    DeviceFactory(organization=network.organization, network=network)

    answer = owner_client.post(delete_url(network), {"move_devices_to": target.pk, **told})

    assert errors_of(answer) == [sentence]
    assert network.organization.networks.count() == 2


def test_devices_cannot_move_into_another_organization(
    network: Network, by: Actor, owner_client: Client
) -> None:
    NetworkFactory(organization=network.organization)
    theirs = NetworkFactory()
    DeviceFactory(organization=network.organization, network=network)

    answer = owner_client.post(
        delete_url(network), {"typed_name": network.name, "move_devices_to": theirs.pk}
    )
    with pytest.raises(Refusal):
        services.delete_network(by=by, network=network, move_devices_to=theirs)

    assert len(errors_of(answer)) == 1
    assert Network.objects.filter(pk=network.pk).exists()


def test_a_device_that_came_meanwhile_keeps_its_network(network: Network, by: Actor) -> None:
    DeviceFactory(organization=network.organization, network=network)

    with pytest.raises(services.NetworkHasDevices) as refusal:
        services.delete_network(by=by, network=network)

    assert str(refusal.value) == (
        "1 device is in “Lakeside Elementary”. Choose the network that takes them over."
    )
    assert events() == []


def test_the_only_network_with_devices_cannot_go(network: Network, owner_client: Client) -> None:
    DeviceFactory(organization=network.organization, network=network)

    page = text_of(owner_client.get(delete_url(network)))

    assert "Lakeside Elementary cannot be deleted." in page
