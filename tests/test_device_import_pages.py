"""Monitor > Devices > Import: the upload, the verdicts, the confirmation, the result."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from organizations.devices import importing
from organizations.models import Admin, Device, DeviceImport, Network, Organization
from tests.conftest import signed_in
from tests.factories import DeviceFactory, NetworkAccessFactory, NetworkFactory
from tests.reading import errors_of, text_of

MIXED = """serialNumber,name,model,network
DMQ1,Cart 1,iPad Air,
DMQ2,Cart 2,iPad Air,Elm
DMQ3,Cart 3,Toaster,
DMQ1,Cart 4,iPad Air,
"""


@pytest.fixture
def network(organization: Organization) -> Network:
    return NetworkFactory(organization=organization, name="Oakmont")


def add_url(organization: Organization) -> str:
    return reverse("organizations:device_import_add", args=[organization.pk])


def url(name: str, file_import: DeviceImport) -> str:
    arguments = [file_import.organization_id, file_import.pk]
    return reverse(f"organizations:device_import_{name}", args=arguments)


def upload(client: Client, organization: Organization, content: str, **fields: Any) -> HttpResponse:
    file = SimpleUploadedFile("devices.csv", content.encode())
    return client.post(add_url(organization), {"file": file} | fields)


def uploaded(
    client: Client, organization: Organization, content: str, **fields: Any
) -> DeviceImport:
    """Uploaded, and not looked at by a worker yet."""
    response = upload(client, organization, content, **fields)
    assert response.status_code == 302, errors_of(response)
    return DeviceImport.objects.latest("created_at")


def checked(
    client: Client, organization: Organization, content: str, **fields: Any
) -> DeviceImport:
    file_import = uploaded(client, organization, content, **fields)
    importing.check(file_import.pk)
    file_import.refresh_from_db()
    return file_import


def came(network: Network, number: int) -> None:
    sources = {"serial_number": "csv"}
    for each in range(number):
        DeviceFactory(
            organization=network.organization,
            network=network,
            name=f"Gone {each}",
            sources=sources,
        )


# --- Uploading ----------------------------------------------------------------------------------------


def test_device_import_add_explains_the_file(
    owner_client: Client, organization: Organization, network: Network
) -> None:
    page = owner_client.get(add_url(organization))

    text = text_of(page)
    assert "serialNumber is needed, the others are optional." in text
    assert "serialNumber Which device it is. Capitals do not matter. DMQX7RA1PLK3" in text
    assert "Nothing is written before you confirm." in text
    assert f'<option value="{network.pk}" selected>' in page.content.decode()  # the only one


def test_device_import_template_can_be_imported(
    owner_client: Client, organization: Organization, network: Network
) -> None:
    template = owner_client.get(
        reverse("organizations:device_import_template", args=[organization.pk])
    )

    text = template.content.decode("utf-8-sig")
    assert text.splitlines()[0] == (
        "serialNumber,name,model,platform,osVersion,supervised,ownerEmail,tags,network"
    )
    file_import = checked(owner_client, organization, text, network=network.pk)
    assert file_import.counts["new"] == 1


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"file": ""}, "Choose the file with the devices: a CSV or a workbook."),
        ({"network": 0}, "This network is not there any more. Choose another one."),
        (
            {"content": ""},
            "This file is empty. Choose one with a header row and a row for each device.",
        ),
        ({"content": "%PDF"}, "This is a PDF document and no table."),
    ],
)
def test_device_import_add_says_what_is_wrong(
    owner_client: Client, organization: Organization, fields: dict[str, Any], sentence: str
) -> None:
    content = fields.pop("content", MIXED)

    page = upload(owner_client, organization, content, **fields)

    assert (page.status_code, DeviceImport.objects.count()) == (200, 0)
    assert sentence in text_of(page)


def test_the_network_of_another_organization_cannot_be_chosen(
    owner_client: Client, organization: Organization
) -> None:
    page = upload(owner_client, organization, MIXED, network=NetworkFactory().pk)

    assert (page.status_code, DeviceImport.objects.count()) == (200, 0)


def test_a_double_click_uploads_once(owner_client: Client, organization: Organization) -> None:
    first, again = (uploaded(owner_client, organization, MIXED) for _ in range(2))

    assert (first, DeviceImport.objects.count()) == (again, 1)


# --- Looking, and confirming --------------------------------------------------------------------------


def test_device_import_detail_shows_the_verdicts(
    owner_client: Client, organization: Organization, network: Network
) -> None:
    NetworkFactory(organization=organization, name="Elm")
    file_import = checked(owner_client, organization, MIXED, network=network.pk)

    page = owner_client.get(url("detail", file_import))

    text = text_of(page)
    assert "New devices go into Oakmont, where their row names no other network." in text
    assert "2 rows with errors are left out." in text
    assert "Row 2 is about this device already. Leave one of them out." in text
    assert "Import 2 devices" in text
    assert Device.objects.count() == 0


def test_device_import_confirm_writes_them(
    owner_client: Client, organization: Organization, network: Network
) -> None:
    NetworkFactory(organization=organization, name="Elm")
    file_import = checked(owner_client, organization, MIXED, network=network.pk)

    owner_client.post(url("confirm", file_import))
    importing.apply(file_import.pk)

    page = owner_client.get(url("detail", file_import))
    devices = Device.objects.order_by("serial_number").values_list("serial_number", "network__name")
    assert list(devices) == [("DMQ1", "Oakmont"), ("DMQ2", "Elm")]
    assert "Imported by owner@example.org" in text_of(page)


def test_the_result_is_a_file_that_can_be_mended_and_uploaded_again(
    owner_client: Client, organization: Organization, network: Network
) -> None:
    file_import = checked(owner_client, organization, MIXED, network=network.pk)

    answer = owner_client.get(url("detail", file_import), {"verdict": "error", "format": "csv"})

    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["row"], row["serialNumber"], row["model"]) for row in rows] == [
        ("3", "DMQ2", "iPad Air"),  # no network Elm
        ("4", "DMQ3", "Toaster"),
        ("5", "DMQ1", "iPad Air"),
    ]
    assert rows[0]["message"] == ("There is no network “Elm” here. Give the name of one of yours.")


def test_device_import_cancel_writes_nothing(
    owner_client: Client, organization: Organization, network: Network
) -> None:
    file_import = checked(owner_client, organization, MIXED, network=network.pk)

    owner_client.post(url("cancel", file_import))

    page = owner_client.get(url("detail", file_import))
    assert "No device was written." in text_of(page)
    assert Device.objects.count() == 0


def test_many_missing_devices_are_named_and_asked_about(
    owner_client: Client, organization: Organization, network: Network
) -> None:
    came(network, 12)
    file_import = checked(owner_client, organization, MIXED, network=network.pk, is_complete="on")

    page = owner_client.get(url("detail", file_import))
    owner_client.post(url("confirm", file_import))
    file_import.refresh_from_db()

    text = text_of(page)
    assert (
        "12 devices that came with an earlier file are not in this one: importing flags them as missing."
        in text
    )
    assert "12 devices are not in this file, and are to be flagged as missing." in text
    assert "Missing: Gone 0, Gone 1," in text
    assert "and 2 more." in text
    assert file_import.state == "checked"
    owner_client.post(url("confirm", file_import), {"confirm_missing": "1"})
    importing.apply(file_import.pk)
    assert Device.objects.filter(missing_from="csv").count() == 12
    finished = text_of(owner_client.get(url("detail", file_import)))
    assert "are not in this one, and are flagged as missing." in finished


def test_a_page_that_waits_loads_itself_again(
    owner_client: Client, organization: Organization
) -> None:
    file_import = uploaded(owner_client, organization, MIXED)
    headers = {"HX-Request": "true"}
    page = owner_client.get(url("detail", file_import))
    same = owner_client.get(url("detail", file_import), {"stand": "checking0"}, headers=headers)
    importing.check(file_import.pk)
    moved = owner_client.get(url("detail", file_import), {"stand": "checking0"}, headers=headers)

    assert "Each row is looked at. Nothing is written before you confirm." in text_of(page)
    assert (same.status_code, moved.headers.get("HX-Refresh")) == (204, "true")


def test_a_page_says_when_no_worker_runs(owner_client: Client, organization: Organization) -> None:
    file_import = uploaded(owner_client, organization, MIXED)

    with time_machine.travel(file_import.created_at + timedelta(minutes=2)):
        owner_client.force_login(Admin.objects.get(email="owner@example.org"))
        page = owner_client.get(url("detail", file_import))

    assert "No worker has taken this file for over a minute" in text_of(page)


def test_the_list_of_rows_costs_as_many_queries_for_three_as_for_one(
    owner_client: Client, organization: Organization, network: Network
) -> None:
    def cost(rows: int) -> int:
        content = "serial,model\n" + "".join(f"DMQ{n},iPad\n" for n in range(rows))
        file_import = checked(owner_client, organization, content, network=network.pk)
        owner_client.get(url("detail", file_import))
        with CaptureQueriesContext(connection) as queries:
            owner_client.get(url("detail", file_import))
        return len(queries)

    assert cost(1) == cost(3)


# --- Who may ------------------------------------------------------------------------------------------


def test_readers_look_and_change_nothing(
    owner_client: Client, reader_client: Client, organization: Organization, network: Network
) -> None:
    file_import = checked(owner_client, organization, MIXED, network=network.pk)

    pages = [
        reader_client.get(address)
        for address in (add_url(organization), url("detail", file_import))
    ]
    posts = [
        upload(reader_client, organization, MIXED),
        *(reader_client.post(url(name, file_import)) for name in ("confirm", "cancel")),
    ]

    assert [page.status_code for page in pages] == [200, 200]
    assert all("Your access does not include this." in page.content.decode() for page in pages)
    assert [post.status_code for post in posts] == [403, 403, 403]


def test_outsiders_and_admins_of_networks_find_nothing(
    owner_client: Client, outsider_client: Client, organization: Organization, network: Network
) -> None:
    file_import = checked(owner_client, organization, MIXED, network=network.pk)
    access = NetworkAccessFactory(
        membership__organization=organization, network=network, can_write=True
    )
    addresses = [add_url(organization), url("detail", file_import)]

    statuses = [
        client.get(address).status_code
        for client in (outsider_client, signed_in(access.membership.admin))
        for address in addresses
    ]

    assert statuses == [404] * 4
