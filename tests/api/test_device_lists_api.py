"""Lists of devices over REST: Meraki's of a network, and ours of all networks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from licensing.api.device_rows import MORE
from organizations import automatic_tags
from organizations.models import Device, Network, Organization, Owner
from tests import factories
from tests.api.conftest import ApiClient, client_of


@pytest.fixture
def network(organization: Organization) -> Network:
    automatic_tags.ensure(organization)
    return factories.NetworkFactory(organization=organization, name="Oakmont")


@pytest.fixture
def ada(organization: Organization) -> Owner:
    staff = factories.TagFactory(organization=organization, name="staff")
    return factories.OwnerFactory(
        organization=organization,
        name="Ada",
        email="ada@example.org",
        username="ada",
        tag_ids=[staff.pk],
    )


@pytest.fixture
def cart(network: Network, ada: Owner) -> Device:
    tag = factories.TagFactory(organization=network.organization, name="Cart")
    return device(
        network,
        "DMQ1",
        name="Cart 1",
        model="iPad Air",
        os_version="17.4",
        supervised=True,
        udid="00008030-1",
        notes="Blue case",
        owner=ada,
        tag_ids=[tag.pk],
        last_connected_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
    )


def device(network: Network, serial: str | None, **fields: Any) -> Device:
    return factories.DeviceFactory(
        organization=network.organization, network=network, serial_number=serial, **fields
    )


def path_of(network: Network) -> str:
    return f"/networks/{network.pk}/sm/devices"


def everywhere(network: Network) -> str:
    return f"/organizations/{network.organization_id}/sm/devices"


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["name"] for row in answer.json()]


# --- Meraki's -----------------------------------------------------------------------------------------


def test_without_fields_there_are_merakis_nine(owner_api: ApiClient, cart: Device) -> None:
    answer = owner_api.get(path_of(cart.network))

    assert (answer.status_code, answer.json()) == (
        200,
        [
            {
                "id": str(cart.pk),
                "name": "Cart 1",
                "tags": ["Cart"],
                "ssid": "",
                "wifiMac": "",
                "osName": "iPadOS 17.4",
                "systemModel": "iPad Air",
                "uuid": "00008030-1",
                "serialNumber": "DMQ1",
            }
        ],
    )


def test_fields_are_added_as_they_are_asked_for(owner_api: ApiClient, cart: Device) -> None:
    app = factories.ManagedAppFactory(network=cart.network)
    factories.InstallationFactory(managed_app=app, device=cart, state="planned")
    asked = (
        *("lastConnected", "missingAppsCount", "ownerEmail", "ownerUsername", "isManaged"),
        *("isSupervised", "hasMdm", "hadMdm", "autoTags", "url", "systemType", "notes", "serial"),
        *("ip", "imei", "networkId", "ownerId", "ownerName", "ownerTags", "enrollment"),
        *("osVersion", "missingSince"),
    )

    answer = owner_api.get(path_of(cart.network), {"fields[]": asked})

    [row] = answer.json()
    assert {name: row[name] for name in asked} == {
        "lastConnected": 1772366400,
        "missingAppsCount": 1,
        "ownerEmail": "ada@example.org",
        "ownerUsername": "ada",
        "isManaged": True,
        "isSupervised": True,
        "hasMdm": True,
        "hadMdm": False,
        "autoTags": ["staff", "ios-devices", "ipads", "supervised-devices"],
        "url": f"http://127.0.0.1:8000/organizations/{cart.organization_id}/monitor/devices/{cart.pk}/",
        "systemType": "iPadOS",
        "notes": "Blue case",
        "serial": "DMQ1",
        "ip": "",
        "imei": None,
        "networkId": str(cart.network_id),
        "ownerId": str(cart.owner_id),
        "ownerName": "Ada",
        "ownerTags": ["staff"],
        "enrollment": "device",
        "osVersion": "17.4",
        "missingSince": None,
    }
    assert len(row) == 9 + len(asked)


def test_a_device_of_which_little_is_known(owner_api: ApiClient, network: Network) -> None:
    device(network, None, name="", enrollment="user")

    answer = owner_api.get(path_of(network), {"fields": ",".join(MORE)})

    [row] = answer.json()
    assert (row["serialNumber"], row["osName"], row["autoTags"]) == (
        "",
        "iPadOS",
        [
            *("devices-without-owner", "ios-devices", "ipads", "unsupervised-devices"),
            "user-enrollments",
        ],
    )
    assert {name for name in MORE if row[name] is None} >= {"lastConnected", "ownerEmail", "imei"}


def test_a_field_that_is_none_is_refused_with_those_there_are(
    owner_api: ApiClient, network: Network
) -> None:
    answer = owner_api.get(path_of(network), {"fields[]": "lastConected"})

    [sentence] = answer.json()["errors"]
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_parameter")
    assert sentence.startswith("“fields[]” has no field “lastConected”; there are androidSecurity")
    assert "lastConnected" in sentence


def test_merakis_filters(owner_api: ApiClient, cart: Device, ada: Owner) -> None:
    mac = device(cart.network, "C02", name="Mac", platform="macOS")
    device(cart.network, "F1", name="Phone", platform="iOS", owner=ada)
    queries = [
        {"ids[]": [cart.pk, mac.pk]},
        {"serials[]": ["dmq1", "C02"]},
        {"uuids[]": "00008030-1"},
        {"systemTypes[]": ["ios", "macOS"]},
        {"wifiMacs[]": "00:11:22:33:44:55"},
        {"scope[]": ["withAny", "cart"]},
        {"scope[]": ["withAny", "staff"]},
        {"scope[]": ["withAll", "staff", "Cart"]},
        {"scope": "withoutAny,staff"},
        {"scope[]": "all"},
        {"scope[]": "none"},
        {"scope[]": ["withAny", "mac-devices"]},
        {"serials[]": ["C02"], "systemTypes[]": ["iOS"]},
    ]

    found = [names(owner_api.get(path_of(cart.network), each)) for each in queries]

    assert found == [
        ["Cart 1", "Mac"],
        ["Cart 1", "Mac"],
        ["Cart 1"],
        ["Mac", "Phone"],
        [],
        ["Cart 1"],
        ["Cart 1", "Phone"],
        ["Cart 1"],
        ["Mac"],
        ["Cart 1", "Mac", "Phone"],
        [],
        ["Mac"],
        [],
    ]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"ids[]": "x"}, "bad_parameter"),
        ({"systemTypes[]": "Windows"}, "bad_parameter"),
        ({"scope[]": ["someOf", "cart"]}, "bad_parameter"),
        ({"scope[]": ["withAny", "nobody-has-it"]}, "tag_unknown"),
        ({"scope[]": "withAny"}, "scope_without_tags"),
        ({"perPage": "2"}, "bad_parameter"),
        ({"perPage": "1001"}, "bad_parameter"),
        ({"serials[]": "A\0"}, "bad_parameter"),
    ],
)
def test_what_makes_no_sense_is_refused(
    owner_api: ApiClient, network: Network, query: dict[str, Any], code: str
) -> None:
    answer = owner_api.get(path_of(network), query)

    assert (answer.status_code, answer.json()["code"], len(answer.json()["errors"])) == (
        400,
        code,
        1,
    )


def test_pages_follow_one_another(owner_api: ApiClient, network: Network) -> None:
    devices = [device(network, f"DMQ{number}", name=str(number)) for number in range(5)]

    first = owner_api.get(path_of(network), {"perPage": 3, "systemTypes[]": "iPadOS"})
    rest = owner_api.get(path_of(network), {"perPage": 3, "startingAfter": devices[2].pk})

    assert (names(first), names(rest)) == (["0", "1", "2"], ["3", "4"])
    assert f"systemTypes%5B%5D=iPadOS&startingAfter={devices[2].pk}>; rel=next" in first["Link"]


def test_a_page_costs_the_same_for_any_number(owner_api: ApiClient, network: Network) -> None:
    counts = []
    for number in (1, 2):
        for each in range(number):
            owner = factories.OwnerFactory(organization=network.organization)
            tag = factories.TagFactory(organization=network.organization)
            device(network, f"DMQ{number}{each}", owner=owner, tag_ids=[tag.pk])
        for path in (path_of(network), everywhere(network)):
            owner_api.get(path)  # the first use of a key is noted
            with CaptureQueriesContext(connection) as asked:
                found = names(owner_api.get(path, {"fields": ",".join(MORE)}))
            counts.append((len(asked), len(found)))

    (one, _), (everywhere_one, _), (three, rows), (everywhere_three, _) = counts
    assert (one, everywhere_one, rows) == (three, everywhere_three, 3)


# --- Ours ---------------------------------------------------------------------------------------------


@pytest.fixture
def fleet(cart: Device) -> Network:
    """Beside the cart: a Mac in another network, and a phone that is missing."""
    lakeside = factories.NetworkFactory(organization=cart.organization, name="Lakeside")
    device(lakeside, "C02", name="Mac", platform="macOS", os_version="14.1")
    device(
        cart.network,
        "F1",
        name="Phone",
        platform="iOS",
        os_version="18.0",
        missing_since=datetime(2026, 2, 1, tzinfo=UTC),
        last_connected_at=datetime(2025, 12, 1, tzinfo=UTC),
    )
    return lakeside


def test_devices_of_all_networks_say_where_they_are(
    owner_api: ApiClient, cart: Device, fleet: Network
) -> None:
    answer = owner_api.get(everywhere(fleet))

    assert [(row["name"], row["networkId"]) for row in answer.json()] == [
        ("Cart 1", str(cart.network_id)),
        ("Mac", str(fleet.pk)),
        ("Phone", str(cart.network_id)),
    ]
    assert len(answer.json()[0]) == 10


def test_the_filters_of_the_page(
    owner_api: ApiClient, cart: Device, fleet: Network, ada: Owner
) -> None:
    app = factories.ManagedAppFactory(network=cart.network)
    factories.InstallationFactory(managed_app=app, device=cart, state="planned")
    queries: list[dict[str, Any]] = [
        {"search": "cart"},
        {"search": "ada@"},
        {"networkId": fleet.pk},
        {"platform": "iOS"},
        {"enrollment": "user"},
        {"tag": "STAFF"},
        {"ownerId": ada.pk},
        {"hasOwner": "false"},
        {"supervised": "true"},
        {"missing": "true"},
        {"missing": "false"},
        {"missingBefore": "2026-02-02"},
        {"missingBefore": "2026-02-01"},
        {"missingApps": "true"},
        {"lastConnectedBefore": "2026-01-01"},
        {"osVersionBelow": "17.5"},
        {"platform": "macOS", "serials[]": "DMQ1"},
    ]

    found = [names(owner_api.get(everywhere(fleet), each)) for each in queries]

    assert found == [
        ["Cart 1"],
        ["Cart 1"],
        ["Mac"],
        ["Phone"],
        [],
        ["Cart 1"],
        ["Cart 1"],
        ["Mac", "Phone"],
        ["Cart 1"],
        ["Phone"],
        ["Cart 1", "Mac"],
        ["Phone"],
        [],
        ["Cart 1"],
        ["Mac", "Phone"],
        ["Cart 1", "Mac"],
        [],
    ]


def test_who_holds_a_license_of_an_app(owner_api: ApiClient, cart: Device, fleet: Network) -> None:
    account = factories.VppAccountFactory(organization=cart.organization)
    title = factories.LicensedAppFactory(account=account, app__adam_id="361285480")
    factories.AssignmentFactory(licensed_app=title, holder="C02")
    closed = factories.VppAccountFactory(organization=cart.organization, allowed_admins="named")
    hidden = factories.LicensedAppFactory(account=closed, app=title.app)
    factories.AssignmentFactory(licensed_app=hidden, holder="DMQ1")

    found = [
        names(owner_api.get(everywhere(fleet), {"adamId": adam_id}))
        for adam_id in ("361285480", "1")
    ]

    assert found == [["Mac"], []]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"networkId": "999999"}, "“networkId” makes no sense: Select a valid choice"),
        ({"platform": "Windows"}, "“platform” makes no sense: Select a valid choice"),
        ({"missingBefore": "soon"}, "“missingBefore” makes no sense: Enter a valid date."),
        ({"osVersionBelow": "x"}, "“osVersionBelow” makes no sense: Write a version as numbers"),
        ({"hasOwner": "maybe"}, "“hasOwner” must be one of true, false."),
        ({"ownerId": "x"}, "“ownerId” must be an id: digits only."),
        ({"tag": "none"}, "This organization has no tag “none”. Choose one of Configure > Tags."),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(
    owner_api: ApiClient, network: Network, query: dict[str, str], sentence: str
) -> None:
    answer = owner_api.get(everywhere(network), query)

    assert (answer.status_code, len(answer.json()["errors"])) == (400, 1)
    assert answer.json()["errors"][0].startswith(sentence)


# --- Who may ------------------------------------------------------------------------------------------


def test_who_sees_which_devices(
    cart: Device,
    fleet: Network,
    reader_api: ApiClient,
    outsider_api: ApiClient,
    network_admin_api: ApiClient,
    nobody_api: ApiClient,
) -> None:
    access = factories.NetworkAccessFactory(
        membership__organization=cart.organization, network=fleet, can_write=False
    )
    theirs = client_of(access.membership.admin)

    statuses = {
        path: [
            client.get(path).status_code
            for client in (reader_api, theirs, outsider_api, network_admin_api, nobody_api)
        ]
        for path in (path_of(fleet), path_of(cart.network), everywhere(fleet))
    }
    everything = names(theirs.get(everywhere(fleet)))
    hidden = theirs.get(everywhere(fleet), {"tag": "Cart"})

    assert list(statuses.values()) == [
        [200, 200, 404, 404, 401],
        [200, 404, 404, 404, 401],
        [200, 200, 404, 200, 401],
    ]
    assert (everything, hidden.status_code) == (["Mac"], 400)
    assert names(network_admin_api.get(everywhere(fleet))) == []
