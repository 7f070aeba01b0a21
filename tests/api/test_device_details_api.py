"""One device over REST: what its page shows, what is said of it, what is on it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps_catalog.models import ChannelCommand, Installation, InstallationStep
from licensing.api.device_unknown import UNKNOWN
from organizations import automatic_tags
from organizations.audit import Actor
from organizations.devices.editing import DeviceDetails, edit_device
from organizations.models import AuditEvent, Device, Network, Organization, Owner
from tests import factories
from tests.api.conftest import ApiClient, client_of


@pytest.fixture
def network(organization: Organization, settings: Any) -> Network:
    settings.DEVICE_CHANNEL = "simulated"
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
    tag = factories.TagFactory(organization=network.organization, name="cart")
    return factories.DeviceFactory(
        organization=network.organization,
        network=network,
        serial_number="DMQ1",
        name="Cart 1",
        model="iPad Air",
        os_version="17.4",
        notes="Blue",
        owner=ada,
        tag_ids=[tag.pk],
        sources={"model": "channel", "owner": "csv"},
        last_connected_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
    )


def path_of(device: Device, part: str = "") -> str:
    return f"/networks/{device.network_id}/sm/devices/{device.pk}{part}"


# --- What it is ---------------------------------------------------------------------------------------


def test_a_device_with_all_that_is_known_of_it(
    owner_api: ApiClient, cart: Device, ada: Owner, by: Actor
) -> None:
    account = factories.VppAccountFactory(organization=cart.organization)
    title = factories.LicensedAppFactory(account=account, app__name="Keynote")
    held = factories.AssignmentFactory(licensed_app=title, holder="DMQ1")
    person = factories.VppUserFactory(account=account, owner=ada)
    book = factories.LicensedAppFactory(account=account, app__name="Pages")
    batch = factories.BatchFactory(account=account)
    item = factories.BatchItemFactory(
        batch=batch, licensed_app=book, holder_kind="user", holder=person.client_user_id
    )
    edit_device(by=by, device=cart, details=DeviceDetails(name="Cart One"))
    edited = AuditEvent.objects.get(action="device.edited")

    answer = owner_api.get(path_of(cart))

    told = {"vppAccountId": str(account.pk), "pricingParam": "STDQ", "message": ""}
    device = Device.objects.get()
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "id": str(cart.pk),
            "networkId": str(cart.network_id),
            "serialNumber": "DMQ1",
            "name": "Cart One",
            "model": "iPad Air",
            "platform": "iPadOS",
            "osVersion": "17.4",
            "supervised": False,
            "enrollment": "device",
            "udid": "",
            "notes": "Blue",
            "owner": {
                "id": str(ada.pk),
                "name": "Ada",
                "email": "ada@example.org",
                "username": "ada",
            },
            "tags": ["cart"],
            "ownerTags": ["staff"],
            "automaticTags": ["ios-devices", "ipads", "unsupervised-devices"],
            "sources": [
                {"field": "name", "source": "page", "since": wire(edited.at)},
                {"field": "model", "source": "channel", "since": None},
                {"field": "owner", "source": "csv", "since": None},
            ],
            "licenses": [
                told
                | {
                    "adamId": title.adam_id,
                    "name": "Keynote",
                    "holder": "device",
                    "clientUserId": None,
                    "state": "licensed",
                    "since": wire(held.since),
                    "by": "Found at Apple",
                    "batchId": None,
                },
                told
                | {
                    "adamId": book.adam_id,
                    "name": "Pages",
                    "holder": "owner",
                    "clientUserId": person.client_user_id,
                    "state": "pending",
                    "since": wire(item.changed_at),
                    "by": "owner@example.org",
                    "batchId": str(batch.pk),
                },
            ],
            "missingAppsCount": 0,
            "lastConnectedAt": "2026-03-01T12:00:00Z",
            "createdAt": wire(device.created_at),
            "missingSince": None,
            "missingFrom": None,
            "unenrolledAt": None,
            "wipedAt": None,
            "url": f"http://127.0.0.1:8000/organizations/{cart.organization_id}/monitor/devices/{cart.pk}/",
        },
    )


def wire(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_device_is_changed_and_what_is_not_sent_stays(
    owner_api: ApiClient, cart: Device, organization: Organization
) -> None:
    bob = factories.OwnerFactory(organization=organization, name="Bob")
    body = {
        "name": " Cart  2 ",
        "osVersion": "18.0",
        "supervised": True,
        "notes": "",
        "tags": ["new", "Cart"],
        "ownerId": str(bob.pk),
    }

    changed = owner_api.send("PUT", path_of(cart), body)
    freed = owner_api.send("PUT", path_of(cart), {"ownerId": None, "tags": []})

    told, left = changed.json(), freed.json()
    assert (changed.status_code, told["name"], told["osVersion"], told["notes"]) == (
        200,
        "Cart 2",
        "18.0",
        "",
    )
    assert (told["supervised"], told["tags"], told["owner"]["name"]) == (
        True,
        ["new", "cart"],
        "Bob",
    )
    assert (told["model"], told["platform"]) == ("iPad Air", "iPadOS")
    assert (left["owner"], left["tags"], left["name"]) == (None, [], "Cart 2")
    cart.refresh_from_db()
    assert (cart.sources["name"], cart.sources["tags"], cart.sources["owner"]) == ("api",) * 3


def test_a_device_that_was_read_can_be_sent_back(owner_api: ApiClient, cart: Device) -> None:
    read = owner_api.get(path_of(cart)).json()

    written = owner_api.send("PUT", path_of(cart), read)

    assert (written.status_code, written.json()) == (200, read)
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"model": "Mac"}, 409, "said_better"),
        ({"enrollment": "none"}, 400, "value_wrong"),
        ({"platform": "Windows"}, 400, "invalid"),
        ({"name": "x" * 201}, 400, "invalid"),
        ({"tags": ["two words"]}, 400, "tag_wrong"),
        ({"tags": ["ipads"]}, 400, "tag_is_automatic"),
        ({"ownerId": "999999"}, 400, "bad_parameter"),
        ({"serialNumber": "OTHER", "nmae": "X"}, 400, "invalid"),
    ],
)
def test_what_cannot_be_said_is_refused(
    owner_api: ApiClient, cart: Device, body: dict[str, Any], status: int, code: str
) -> None:
    answer = owner_api.send("PUT", path_of(cart), body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not AuditEvent.objects.filter(action="device.edited").exists()


def test_what_happened_to_it(owner_api: ApiClient, cart: Device, by: Actor) -> None:
    app = factories.ManagedAppFactory(network=cart.network, app__name="Keynote")
    InstallationStep.objects.create(
        organization=cart.organization,
        managed_app_id=app.pk,
        device_id=cart.pk,
        at=datetime(2026, 1, 1, tzinfo=UTC),
        new="planned",
        cause="In scope",
        actor_kind="rule",
        actor_name="Keynote in Oakmont",
    )
    edit_device(by=by, device=cart, details=DeviceDetails(notes="Red"))
    event = AuditEvent.objects.get()

    answer = owner_api.get(path_of(cart, "/history"))

    assert (answer.status_code, answer.json()) == (
        200,
        [
            {
                "at": wire(event.at),
                "action": "device.edited",
                "what": "Device changed",
                "change": "Notes: Blue → Red",
                "by": "owner@example.org",
                "auditEventId": str(event.pk),
            },
            {
                "at": "2026-01-01T00:00:00Z",
                "action": "installation.moved",
                "what": "Keynote: Planned",
                "change": "In scope",
                "by": "Keynote in Oakmont",
                "auditEventId": None,
            },
        ],
    )


# --- What is on it ------------------------------------------------------------------------------------


def software(cart: Device, **fields: Any) -> Installation:
    app = factories.AppFactory(name="Keynote", bundle_id="com.apple.Keynote", seller="Apple")
    managed_app = factories.ManagedAppFactory(network=cart.network, app=app)
    return factories.InstallationFactory(managed_app=managed_app, device=cart, **fields)


def test_the_apps_of_a_device_in_merakis_words(owner_api: ApiClient, cart: Device) -> None:
    here = software(cart, state="installed", is_managed=True, version="14.0")
    leaving = software(cart, state="reclaimed_pending_removal", is_wanted=False)
    removed = software(cart, state="removed_by_user")

    answer = owner_api.get(path_of(cart, "/softwares"))

    rows = answer.json()
    assert (answer.status_code, rows[0]) == (
        200,
        {
            "id": str(here.pk),
            "deviceId": str(cart.pk),
            "appId": str(here.managed_app_id),
            "itunesId": here.managed_app.adam_id,
            "identifier": "com.apple.Keynote",
            "name": "Keynote",
            "vendor": "Apple",
            "version": "14.0",
            "shortVersion": "14.0",
            "status": "installed",
            "isManaged": True,
            "toInstall": False,
            "toUninstall": False,
            "installedAt": wire(here.since),
            "uninstalledAt": None,
            "createdAt": None,
            "updatedAt": wire(here.since),
            "bundleSize": None,
            "dynamicSize": None,
            "path": "",
            "licenseKey": "",
            "redemptionCode": None,
            "iosRedemptionCode": False,
        },
    )
    told = [
        (row["id"], row["toInstall"], row["toUninstall"], row["uninstalledAt"]) for row in rows[1:]
    ]
    assert told == [
        (str(leaving.pk), False, True, None),
        (str(removed.pk), True, False, wire(removed.since)),
    ]


def test_what_was_said_to_a_device_newest_first(owner_api: ApiClient, cart: Device) -> None:
    app = software(cart).managed_app
    commands = [
        factories.ChannelCommandFactory(device=cart),
        factories.ChannelCommandFactory(
            device=cart,
            request_type="InstallApplication",
            managed_app_id=app.pk,
            state="failed",
            problem="No license",
        ),
        factories.ChannelCommandFactory(device=cart, state="done"),
        factories.ChannelCommandFactory(device=cart, state="done"),
    ]
    factories.ChannelCommandFactory(device__organization=cart.organization)

    answer = owner_api.get(path_of(cart, "/deviceCommandLogs"), {"perPage": 3})
    rest = owner_api.get(
        path_of(cart, "/deviceCommandLogs"), {"perPage": 3, "startingAfter": commands[1].pk}
    )

    install, question = commands[1], commands[0]
    assert (answer.status_code, len(answer.json()), answer.json()[2]) == (
        200,
        3,
        {
            "action": "InstallApplication",
            "name": "Keynote",
            "details": "failed: No license",
            "dashboardUser": "",
            "ts": wire(install.created_at),
        },
    )
    assert [(row["action"], row["name"], row["details"]) for row in rest.json()] == [
        ("DeviceInformation", "", "waiting")
    ]
    assert rest.json()[0]["ts"] == wire(question.created_at)


@pytest.mark.parametrize("part", [unknown.name for unknown in UNKNOWN])
def test_what_nothing_here_tells_is_empty(owner_api: ApiClient, cart: Device, part: str) -> None:
    answer = owner_api.get(path_of(cart, f"/{part}"))

    assert (answer.status_code, answer.json()) == (200, [])


def test_restrictions_are_an_object(owner_api: ApiClient, cart: Device) -> None:
    answer = owner_api.get(path_of(cart, "/restrictions"))

    assert (answer.status_code, answer.json()) == (200, {"restrictions": []})


@pytest.mark.parametrize("part", ["/softwares", "/deviceCommandLogs", ""])
def test_a_device_costs_the_same_however_much_it_has(
    owner_api: ApiClient, cart: Device, part: str
) -> None:
    account = factories.VppAccountFactory(organization=cart.organization)
    counts = []
    for number in (1, 2):
        for _ in range(number):
            app = software(cart).managed_app
            factories.ChannelCommandFactory(device=cart, managed_app_id=app.pk)
            title = factories.LicensedAppFactory(account=account)
            factories.AssignmentFactory(licensed_app=title, holder="DMQ1")
        owner_api.get(path_of(cart, part))  # the first use of a key is noted
        with CaptureQueriesContext(connection) as asked:
            assert owner_api.get(path_of(cart, part)).status_code == 200
        counts.append(len(asked))

    assert counts[0] == counts[1]


# --- Questions ----------------------------------------------------------------------------------------


def test_a_device_is_asked_what_it_is_and_which_apps_it_has(
    owner_api: ApiClient, cart: Device
) -> None:
    factories.EnrollmentFactory(device=cart)
    here = software(cart, state="installed")
    before = software(cart, state="licensed")

    answer = owner_api.post(path_of(cart, "/refreshDetails"))

    assert (answer.status_code, answer.json()) == (200, {"ids": [str(cart.pk)]})
    assert ChannelCommand.objects.get().request_type == "DeviceInformation"
    here.refresh_from_db()
    before.refresh_from_db()
    assert (here.next_at is None, before.next_at) == (False, None)


def test_a_device_that_no_channel_reaches_cannot_be_asked(
    owner_api: ApiClient, cart: Device
) -> None:
    answer = owner_api.post(path_of(cart, "/refreshDetails"))

    assert (answer.status_code, answer.json()["code"]) == (409, "device_not_reached")
    assert not ChannelCommand.objects.exists()


# --- Who may ------------------------------------------------------------------------------------------


def test_who_may_see_and_change_a_device(
    cart: Device,
    reader_api: ApiClient,
    outsider_api: ApiClient,
    network_admin_api: ApiClient,
    nobody_api: ApiClient,
) -> None:
    access = factories.NetworkAccessFactory(
        membership__organization=cart.organization, network=cart.network
    )
    writes = client_of(access.membership.admin)
    clients = (nobody_api, outsider_api, network_admin_api, reader_api, writes)

    seen = [each.get(path_of(cart)).status_code for each in clients]
    changed = [each.send("PUT", path_of(cart), {"notes": "Red"}).status_code for each in clients]
    owned = writes.send("PUT", path_of(cart), {"ownerId": None})

    assert seen == [401, 404, 404, 200, 200]
    assert changed == [401, 404, 404, 403, 200]
    assert (owned.status_code, owned.json()["errors"]) == (
        403,
        ["Owners belong to the organization; ask an admin with full access to it."],
    )


def test_a_device_of_another_network_is_not_found(
    owner_api: ApiClient, cart: Device, organization: Organization
) -> None:
    other = factories.NetworkFactory(organization=organization)

    answer = owner_api.get(f"/networks/{other.pk}/sm/devices/{cart.pk}")

    assert answer.status_code == 404
