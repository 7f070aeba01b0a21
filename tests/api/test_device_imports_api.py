"""Devices out of files over REST: uploaded, checked by a worker, confirmed, applied."""

from typing import Any

import pytest

from organizations.devices import importing
from organizations.models import AuditEvent, Device, DeviceImport, Network, Organization, Owner
from tests import factories
from tests.api.conftest import ApiClient
from tests.api.test_owner_imports_api import moment, upload

CSV = (
    "serialNumber,name,platform,supervised,ownerEmail,tags,network\n"
    "c02aaa111,Cart 1,iPadOS,true,ann@example.org,cart,Oakmont\n"
    "C02AAA222,,iOS,,,,\n"
    "C02AAA333,,Windows,,,,\n"
)


@pytest.fixture
def path(organization: Organization) -> str:
    return f"/organizations/{organization.pk}/sm/devices/imports"


@pytest.fixture
def oakmont(organization: Organization) -> Network:
    return factories.NetworkFactory(organization=organization, name="Oakmont")


def checked(api: ApiClient, path: str, content: str = CSV, **fields: Any) -> str:
    """Uploaded, and looked at by a worker: the import's address."""
    answer = upload(api, path, content, **fields)
    assert answer.status_code == 202, answer.content
    importing.check(answer.json()["id"])
    return f"{path}/{answer.json()['id']}"


def applied(one: str) -> None:
    """A worker has written it."""
    importing.apply(one.rsplit("/", 1)[1])


def row(number: int, verdict: str, serial: str, **fields: Any) -> dict[str, Any]:
    return {
        "row": number,
        "verdict": verdict,
        "message": "",
        "serialNumber": serial,
        "name": "",
        "model": "",
        "platform": "",
        "osVersion": "",
        "supervised": None,
        "ownerEmail": "",
        "tags": [],
        "network": "",
        "deviceId": None,
    } | fields


def test_a_file_is_uploaded_checked_confirmed_and_applied(
    owner_api: ApiClient, path: str, oakmont: Network
) -> None:
    annexe = factories.NetworkFactory(organization=oakmont.organization, name="Annexe")

    begun = upload(owner_api, path, CSV, networkId=str(annexe.pk))
    one = f"{path}/{begun.json()['id']}"
    importing.check(begun.json()["id"])
    looked_at = owner_api.get(one)
    rows = owner_api.get(f"{one}/rows").json()
    nothing_yet = Device.objects.exists()
    confirmed = owner_api.send("POST", f"{one}/confirm")
    applied(one)
    finished = owner_api.get(one)

    stored = DeviceImport.objects.get()
    as_begun = {
        "id": str(stored.pk),
        "fileName": "people.csv",
        "state": "checking",
        "problem": None,
        "counts": None,
        "wholeList": False,
        "missing": None,
        "needsConfirmMissing": False,
        "notices": [],
        "createdBy": stored.actor_name,
        "createdAt": moment(stored.created_at),
        "checkedAt": None,
        "finishedAt": None,
        "networkId": str(annexe.pk),
        "ownersAdded": None,
    }
    as_checked = as_begun | {
        "state": "checked",
        "counts": {"new": 2, "update": 0, "unchanged": 0, "error": 1},
        "missing": 0,
        "checkedAt": moment(stored.checked_at),
    }
    assert (begun.status_code, begun.json()) == (202, as_begun)
    assert (looked_at.status_code, looked_at.json()) == (200, as_checked)
    assert rows[:2] == [
        row(
            2,
            "new",
            "C02AAA111",
            message="new owner ann@example.org",
            name="Cart 1",
            platform="iPadOS",
            supervised=True,
            ownerEmail="ann@example.org",
            tags=["cart"],
            network="Oakmont",
        ),
        row(3, "new", "C02AAA222", platform="iOS"),
    ]
    assert [(each["row"], each["verdict"]) for each in rows[2:]] == [(4, "error")]
    assert not nothing_yet
    assert (confirmed.status_code, confirmed.json()) == (202, as_checked | {"state": "applying"})
    assert finished.json() == as_checked | {
        "state": "finished",
        "ownersAdded": 1,
        "finishedAt": moment(stored.finished_at),
    }
    devices = Device.objects.order_by("serial_number")
    assert list(devices.values_list("serial_number", "network")) == [
        ("C02AAA111", oakmont.pk),
        ("C02AAA222", annexe.pk),
    ]
    assert Owner.objects.get().email == "ann@example.org"
    assert AuditEvent.objects.filter(action="devices.imported").count() == 1


@pytest.mark.parametrize(
    ("query", "expected"),
    [("verdict=new", [2, 3]), ("verdict=error", [4]), ("search=cart", [2]), ("search=aaa2", [3])],
)
def test_rows_are_found(
    owner_api: ApiClient, path: str, oakmont: Network, query: str, expected: list[int]
) -> None:
    one = checked(owner_api, path, networkId=str(oakmont.pk))

    found = owner_api.get(f"{one}/rows?{query}")

    assert [each["row"] for each in found.json()] == expected


def test_a_whole_list_flags_what_it_lacks(
    owner_api: ApiClient, path: str, oakmont: Network
) -> None:
    first = checked(owner_api, path, networkId=str(oakmont.pk))
    owner_api.send("POST", f"{first}/confirm")
    applied(first)
    second = checked(owner_api, path, "serialNumber\nC02AAA111\n", wholeList="true")

    told = owner_api.get(second).json()
    owner_api.send("POST", f"{second}/confirm")
    applied(second)

    assert (told["wholeList"], told["missing"], told["needsConfirmMissing"]) == (True, 1, False)
    flagged = Device.objects.exclude(missing_since=None)
    assert list(flagged.values_list("serial_number", flat=True)) == ["C02AAA222"]


def test_a_cancelled_import_writes_nothing(
    owner_api: ApiClient, path: str, oakmont: Network
) -> None:
    one = checked(owner_api, path)

    cancelled = owner_api.send("POST", f"{one}/cancel")
    confirmed = owner_api.send("POST", f"{one}/confirm")

    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert (confirmed.status_code, confirmed.json()["code"]) == (409, "import_not_waiting")
    assert not Device.objects.exists()


def test_a_network_of_somebody_else_is_refused(owner_api: ApiClient, path: str) -> None:
    elsewhere = factories.NetworkFactory()

    answer = upload(owner_api, path, CSV, networkId=str(elsewhere.pk))

    assert (answer.status_code, answer.json()) == (
        400,
        {
            "errors": ["“networkId” must be the id of a network of this organization."],
            "code": "bad_parameter",
        },
    )
    assert not DeviceImport.objects.exists()


def test_imports_are_for_who_sees_the_organization_and_begun_by_full_admins(
    reader_api: ApiClient,
    network_admin_api: ApiClient,
    outsider_api: ApiClient,
    owner_api: ApiClient,
    path: str,
) -> None:
    one = checked(owner_api, path)
    clients = (reader_api, network_admin_api, outsider_api)

    read = [[api.get(each).status_code for each in (path, one, f"{one}/rows")] for api in clients]
    wrote = [
        {
            upload(api, path, CSV).status_code,
            api.send("POST", f"{one}/confirm").status_code,
            api.send("POST", f"{one}/cancel").status_code,
        }
        for api in clients
    ]

    assert read == [[200] * 3, [403] * 3, [404] * 3]
    assert wrote == [{403}, {403}, {404}]
    assert DeviceImport.objects.get().state == "checked"
