"""Monitor > Devices: the list, its filters and its file."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from organizations import automatic_tags
from organizations.models import Admin, Device, Network, Organization, Owner, Tag
from tests.conftest import signed_in
from tests.factories import (
    AppFactory,
    DeviceFactory,
    InstallationFactory,
    ManagedAppFactory,
    MembershipFactory,
    NetworkAccessFactory,
    NetworkFactory,
    OwnerFactory,
    TagFactory,
)
from tests.reading import text_of
from tests.test_holders_pages import first_words, rows_of


@pytest.fixture
def oakmont(organization: Organization) -> Network:
    return NetworkFactory(organization=organization, name="Oakmont")


@pytest.fixture
def lakeside(organization: Organization) -> Network:
    return NetworkFactory(organization=organization, name="Lakeside")


@pytest.fixture
def ada(organization: Organization) -> Owner:
    teacher = TagFactory(organization=organization, name="teacher", kind=Tag.Kind.OWNER)
    return OwnerFactory(organization=organization, name="Ada", tag_ids=[teacher.pk])


def device(network: Network, serial: str | None, name: str, **values: object) -> Device:
    return DeviceFactory(
        organization=network.organization,
        network=network,
        serial_number=serial,
        name=name,
        **values,
    )


def list_url(organization: Organization, query: str = "") -> str:
    return reverse("licensing:device_list", args=[organization.pk]) + query


def names(client: Client, organization: Organization, query: str = "") -> list[str]:
    return first_words(client.get(list_url(organization, query)), 1)


def test_a_row_says_what_is_known_of_a_device(
    owner_client: Client, organization: Organization, oakmont: Network, ada: Owner
) -> None:
    cart = TagFactory(organization=organization, name="cart")
    mine = device(
        oakmont,
        "DMQ1",
        "Cart-1",
        model="iPad Air",
        os_version="17.4",
        supervised=True,
        owner=ada,
        tag_ids=[cart.pk],
        missing_since=datetime(2026, 5, 2, tzinfo=UTC),
        missing_from="csv",
    )
    keynote = ManagedAppFactory(network=oakmont)
    InstallationFactory(managed_app=keynote, device=mine, state="licensed")
    InstallationFactory(
        managed_app=ManagedAppFactory(network=oakmont), device=mine, state="installed"
    )

    rows = rows_of(owner_client.get(list_url(organization)))

    assert rows == [
        "Cart-1 Missing from its source since 2 May 2026 DMQ1 iPad Air iPadOS 17.4 supervised"
        " Oakmont Ada cart teacher never 1 missing app"
    ]


def test_devices_are_listed_by_name_serial_number_or_last_connection(
    owner_client: Client, organization: Organization, oakmont: Network
) -> None:
    now = timezone.now()
    device(oakmont, "C3", "Bee", last_connected_at=now)
    device(oakmont, None, "Cat")
    device(oakmont, "A1", "Ant", last_connected_at=now - timedelta(days=1))

    orders = {
        sort: names(owner_client, organization, f"?sort={sort}")
        for sort in ("name", "-name", "serial_number", "-connected")
    }

    assert orders == {
        "name": ["Ant", "Bee", "Cat"],
        "-name": ["Cat", "Bee", "Ant"],
        "serial_number": ["Cat", "Ant", "Bee"],
        "-connected": ["Bee", "Ant", "Cat"],
    }


def test_filters_narrow_the_list(
    owner_client: Client,
    organization: Organization,
    oakmont: Network,
    lakeside: Network,
    ada: Owner,
) -> None:
    automatic_tags.ensure(organization)
    cart = TagFactory(organization=organization, name="cart")
    ipads = Tag.objects.get(organization=organization, name="ipads")
    now = timezone.now()
    first = device(
        oakmont,
        "DMQ1",
        "One",
        owner=ada,
        tag_ids=[cart.pk],
        supervised=True,
        os_version="9.3.5",
        last_connected_at=now,
    )
    device(
        lakeside,
        "DMQ2",
        "Two",
        platform="macOS",
        os_version="17.0",
        last_connected_at=now - timedelta(days=30),
        missing_since=now - timedelta(days=10),
    )
    device(lakeside, None, "Three", enrollment="user", os_version="26.1")
    app = ManagedAppFactory(network=oakmont)
    InstallationFactory(managed_app=app, device=first, state="failed")
    teacher = ada.tag_ids[0]
    week_ago = (now - timedelta(days=7)).date()

    found = {
        query: sorted(names(owner_client, organization, query))
        for query in (
            "?q=mq2",
            "?q=ada",
            f"?network={lakeside.pk}",
            "?platform=macOS",
            f"?tag={cart.pk}",
            f"?tag={teacher}",
            f"?tag={ipads.pk}",
            "?owned=no",
            "?supervised=yes",
            "?enrollment=user",
            "?listed=no",
            f"?missing_since={week_ago}",
            f"?seen_before={week_ago}",
            "?apps=missing",
            "?apps=complete",
            "?os_below=17",
            "?os_below=17.0.1",
        )
    }

    assert found == {
        "?q=mq2": ["Two"],
        "?q=ada": ["One"],
        f"?network={lakeside.pk}": ["Three", "Two"],
        "?platform=macOS": ["Two"],
        f"?tag={cart.pk}": ["One"],
        f"?tag={teacher}": ["One"],
        f"?tag={ipads.pk}": ["One", "Three"],
        "?owned=no": ["Three", "Two"],
        "?supervised=yes": ["One"],
        "?enrollment=user": ["Three"],
        "?listed=no": ["Two"],
        f"?missing_since={week_ago}": ["Two"],
        f"?seen_before={week_ago}": ["Three", "Two"],
        "?apps=missing": ["One"],
        "?apps=complete": ["Three", "Two"],
        "?os_below=17": ["One"],
        "?os_below=17.0.1": ["One", "Two"],
    }


def test_a_version_that_is_none_is_below_nothing(
    owner_client: Client, organization: Organization, oakmont: Network
) -> None:
    device(oakmont, "DMQ1", "One", os_version="beta")
    device(oakmont, "DMQ2", "Two", os_version="")

    assert names(owner_client, organization, "?os_below=99") == []
    response = owner_client.get(list_url(organization, "?os_below=seventeen"))
    assert "Write a version as numbers, for example 17.4." in text_of(response)


def test_the_list_is_narrowed_to_the_chosen_network(
    owner_client: Client, organization: Organization, oakmont: Network, lakeside: Network
) -> None:
    device(oakmont, "DMQ1", "One")
    device(lakeside, "DMQ2", "Two")

    owner_client.post(
        reverse("organizations:network_choose", args=[organization.pk]), {"network": lakeside.pk}
    )

    assert names(owner_client, organization) == ["Two"]


def test_the_file_begins_with_the_columns_of_the_import(
    owner_client: Client, organization: Organization, oakmont: Network, ada: Owner
) -> None:
    cart = TagFactory(organization=organization, name="cart")
    device(oakmont, "DMQ1", "One", owner=ada, tag_ids=[cart.pk], os_version="17.4")

    response = owner_client.get(list_url(organization, "?format=csv"))

    lines = b"".join(response.streaming_content).decode("utf-8-sig")
    header, row = csv.reader(io.StringIO(lines))
    assert dict(zip(header, row, strict=True)) == {
        "serialNumber": "DMQ1",
        "name": "One",
        "model": "",
        "platform": "iPadOS",
        "osVersion": "17.4",
        "supervised": "N",
        "ownerEmail": ada.email,
        "tags": "cart",
        "network": "Oakmont",
        "owner": "Ada",
        "ownerTags": "teacher",
        "enrollment": "Device enrollment",
        "lastConnected": "",
        "missingApps": "0",
        "missingFromSourceSince": "",
    }


def test_more_devices_cost_no_more_queries(
    owner_client: Client, organization: Organization, oakmont: Network, ada: Owner
) -> None:
    def queries(number: int) -> int:
        app = ManagedAppFactory(network=oakmont, app=AppFactory())
        for _ in range(number):
            mine = DeviceFactory(organization=organization, network=oakmont, owner=ada)
            InstallationFactory(managed_app=app, device=mine)
        with CaptureQueriesContext(connection) as asked:
            owner_client.get(list_url(organization))
        return len(asked)

    queries(1)  # warms what is asked once
    one, more = queries(1), queries(5)

    assert more == one


# --- Who sees what, and may do what -------------------------------------------------------------------


def network_admin(organization: Organization, network: Network, *, can_write: bool = True) -> Admin:
    membership = MembershipFactory(organization=organization, access="none")
    NetworkAccessFactory(membership=membership, network=network, can_write=can_write)
    return membership.admin


def test_admins_of_a_network_see_its_devices_alone(
    organization: Organization, oakmont: Network, lakeside: Network, outsider_client: Client
) -> None:
    ours, theirs, _ = (
        TagFactory(organization=organization, name=name) for name in ("ours", "theirs", "nobodys")
    )
    ada = OwnerFactory(organization=organization, tag_ids=[ours.pk])
    device(oakmont, "DMQ1", "One", tag_ids=[theirs.pk])
    device(lakeside, "DMQ2", "Two", owner=ada)
    client = signed_in(network_admin(organization, lakeside))

    html = client.get(list_url(organization)).content.decode()

    assert names(client, organization) == ["Two"]
    assert [name in html for name in ("ours", "theirs", "nobodys")] == [True, False, False]
    assert outsider_client.get(list_url(organization)).status_code == 404


def test_who_may_not_write_sees_the_buttons_with_the_reason(
    reader_client: Client, organization: Organization, oakmont: Network
) -> None:
    device(oakmont, "DMQ1", "One")

    html = reader_client.get(list_url(organization)).content.decode()

    assert "formaction" not in html
    assert html.count("You have read-only access; a full admin of the organization can do it.") >= 9


def test_without_a_network_there_is_a_step_before(
    owner_client: Client, organization: Organization
) -> None:
    nowhere = text_of(owner_client.get(list_url(organization)))
    NetworkFactory(organization=organization)
    nothing = text_of(owner_client.get(list_url(organization)))

    assert "No network yet" in nowhere
    assert "No device yet" in nothing
    assert "+ Add device" in nothing
