"""Devices over REST: many at once, with a verdict for each."""

from __future__ import annotations

from typing import Any

import pytest

from organizations.models import AuditEvent, Device, Network, Organization, Owner
from tests import factories
from tests.api.conftest import ApiClient, client_of


@pytest.fixture
def network(organization: Organization) -> Network:
    return factories.NetworkFactory(organization=organization, name="Oakmont")


@pytest.fixture
def path(network: Network) -> str:
    return f"/networks/{network.pk}/sm/devices"


def verdicts(answer: Any) -> list[tuple[str, str, str]]:
    told = answer.json()["devices"]
    return [(each["serialNumber"], each["verdict"], each["message"]) for each in told]


def test_devices_are_added_and_updated(
    owner_api: ApiClient, path: str, organization: Organization, network: Network
) -> None:
    held = factories.DeviceFactory(organization=organization, network=network, serial_number="HELD")
    body = {
        "devices": [
            {
                "serialNumber": "dmq1",
                "name": "Cart 1",
                "model": "iPad Air",
                "platform": "iPadOS",
                "osVersion": "18.2",
                "supervised": True,
                "ownerEmail": "ann@example.org",
                "tags": ["cart", "grade-4"],
            },
            {"serialNumber": "HELD", "osVersion": "18.2"},
            {"serialNumber": "HELD2"},
        ]
    }

    answer = owner_api.send("POST", path, body)

    new = Device.objects.get(serial_number="DMQ1")
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "devices": [
                {
                    "serialNumber": "DMQ1",
                    "id": str(new.pk),
                    "verdict": "created",
                    "message": "new owner ann@example.org",
                },
                {
                    "serialNumber": "HELD",
                    "id": str(held.pk),
                    "verdict": "updated",
                    "message": "OS version",
                },
                {
                    "serialNumber": "HELD2",
                    "id": None,
                    "verdict": "error",
                    "message": "A new device needs a platform: iOS, iPadOS, macOS, tvOS, watchOS or"
                    " visionOS. Give one, or its model.",
                },
            ]
        },
    )
    assert (new.network, new.owner, new.supervised) == (network, Owner.objects.get(), True)
    assert new.sources["name"] == "api"
    event = AuditEvent.objects.get(action="devices.saved")
    assert (event.actor_kind, event.after) == (
        "api_key",
        {"source": "REST API", "created": 1, "updated": 1, "devices": ["DMQ1", "HELD"]},
    )


def test_what_is_wrong_with_one_hinders_no_other_one(owner_api: ApiClient, path: str) -> None:
    devices = [
        "DMQ1",
        {"serialNumber": 7, "platform": "iOS"},
        {"serialNumber": "A", "platform": "iOS", "supervised": "yes"},
        {"serialNumber": "B", "platform": "iOS", "tags": "cart"},
        {"serialNumber": "C", "platform": "iOS", "tags": [1]},
        {"serialNumber": "D", "platform": "iOS", "name": ["x"]},
        {"serialNumber": "E\u0000", "platform": "iOS"},
        {"serialNumber": "F", "platform": "iOS", "name": None, "tags": None, "more": 1},
        {"serialNumber": "F", "platform": "iOS"},
        {},
    ]

    answer = owner_api.send("POST", path, {"devices": devices})

    assert (answer.status_code, verdicts(answer)) == (
        200,
        [
            ("", "error", "A device must be an object: {…}."),
            ("", "error", "“serialNumber” must be a text."),
            ("A", "error", "“supervised” must be true or false."),
            ("B", "error", "“tags” must be a list of texts."),
            ("C", "error", "“tags” must be a list of texts."),
            ("D", "error", "“name” must be a text."),
            ("E", "error", "A control character is in this record. Type it anew."),
            ("F", "created", ""),
            ("F", "error", "Record 8 is about this device already. Leave one of them out."),
            (
                "",
                "error",
                "The serial number is missing. Give it: it says which device this is.",
            ),
        ],
    )


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "“devices” is missing."),
        ({"devices": "DMQ1"}, "“devices”: must be a list of devices."),
        (
            {"devices": [{}] * 10_001},
            "“devices”: takes at most 10,000 at once; these are 10,001. Send them in parts.",
        ),
        ([], "The body must be a JSON object: {…}."),
    ],
    ids=["nothing", "no list", "too many", "no object"],
)
def test_a_body_that_is_wrong_as_a_whole_is_refused(
    owner_api: ApiClient, path: str, body: Any, sentence: str
) -> None:
    answer = owner_api.send("POST", path, body)

    assert (answer.status_code, answer.json()["errors"]) == (400, [sentence])


def test_a_body_that_is_too_large_is_refused(owner_api: ApiClient, path: str) -> None:
    answer = owner_api.send("POST", path, {"devices": [{"serialNumber": "A" * 21 * 2**20}]})

    assert answer.status_code == 413
    assert answer.json()["errors"] == ["The body is larger than 20 MB. Send it in parts."]


def test_ten_thousand_devices_at_once(owner_api: ApiClient, path: str) -> None:
    devices = [{"serialNumber": f"DMQ{n}", "model": "iPad Air"} for n in range(10_000)]

    answer = owner_api.send("POST", path, {"devices": devices})

    assert {verdict for _, verdict, _ in verdicts(answer)} == {"created"}
    assert Device.objects.count() == 10_000


def test_a_request_sent_twice_is_answered_alike(owner_api: ApiClient, path: str) -> None:
    body = {"devices": [{"serialNumber": "A", "platform": "iOS"}]}
    headers = {"Idempotency-Key": "k-1"}

    first, again = (owner_api.send("POST", path, body, headers=headers) for _ in range(2))

    assert first.json() == again.json()
    assert [each["verdict"] for each in again.json()["devices"]] == ["created"]


# --- Who may ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("can_write", "status"), [(True, 200), (False, 403)])
def test_admins_of_the_network(
    organization: Organization, network: Network, path: str, can_write: bool, status: int
) -> None:
    elsewhere = factories.NetworkFactory(organization=organization, name="Elsewhere")
    factories.DeviceFactory(organization=organization, network=elsewhere, serial_number="THEIRS")
    access = factories.NetworkAccessFactory(
        membership__organization=organization, network=network, can_write=can_write
    )
    other = factories.NetworkFactory(organization=organization)
    factories.NetworkAccessFactory(membership=access.membership, network=other, can_write=True)
    body = {"devices": [{"serialNumber": "THEIRS"}, {"serialNumber": "A", "platform": "iOS"}]}

    answer = client_of(access.membership.admin).send("POST", path, body)

    assert answer.status_code == status
    if can_write:
        sentence = (
            "This device is in another network, where you may change nothing. Ask an"
            " administrator of the organization."
        )
        assert verdicts(answer) == [("THEIRS", "error", sentence), ("A", "created", "")]
    else:
        assert answer.json()["errors"] == [
            "You have read-only access to this network; this needs write access to it."
        ]


@pytest.mark.parametrize(
    ("access", "verdict"),
    [
        ("none", "Owners belong to the organization; ask an admin with full access to it, or leave"
         " the owner out."),
        ("read-only", "No owner here has the address new@example.org. Ask an admin with full access"
         " to the organization to add one."),
    ],
)  # fmt: skip
def test_admins_of_the_network_add_no_people(
    organization: Organization, network: Network, path: str, access: str, verdict: str
) -> None:
    ann = factories.OwnerFactory(organization=organization, email="ann@example.org")
    factories.DeviceFactory(
        organization=organization, network=network, serial_number="ANNS", owner=ann
    )
    admin = factories.NetworkAccessFactory(
        membership__organization=organization, membership__access=access, network=network
    ).membership.admin
    body = [
        {"serialNumber": "ANNS", "ownerEmail": "Ann@example.org"},
        {"serialNumber": "A", "platform": "iOS", "ownerEmail": "new@example.org"},
        {"serialNumber": "B", "platform": "iOS", "ownerEmail": ""},
    ]

    answer = client_of(admin).send("POST", path, {"devices": body})

    assert verdicts(answer) == [
        ("ANNS", "unchanged", ""),
        ("A", "error", verdict),
        ("B", "created", ""),
    ]
    assert list(Owner.objects.all()) == [ann]


def test_admins_of_networks_learn_of_no_people(
    organization: Organization, network: Network, path: str
) -> None:
    factories.OwnerFactory(organization=organization, email="ann@example.org")
    access = factories.NetworkAccessFactory(membership__organization=organization, network=network)
    emails = ("ann@example.org", "new@example.org")
    body = [
        {"serialNumber": f"A{number}", "platform": "iOS", "ownerEmail": email}
        for number, email in enumerate(emails)
    ]

    answer = client_of(access.membership.admin).send("POST", path, {"devices": body})

    (_, _, known), (_, _, unknown) = verdicts(answer)
    assert known == unknown


def test_readers_and_strangers(
    reader_api: ApiClient,
    outsider_api: ApiClient,
    network_admin_api: ApiClient,
    nobody_api: ApiClient,
    path: str,
) -> None:
    body = {"devices": [{"serialNumber": "A", "platform": "iOS"}]}
    clients = (reader_api, outsider_api, network_admin_api, nobody_api)

    statuses = [client.send("POST", path, body).status_code for client in clients]

    assert (statuses, Device.objects.count()) == ([403, 404, 404, 401], 0)
