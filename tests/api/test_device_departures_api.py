"""Devices that leave over REST: moved, unenrolled, deleted; and what becomes of their licenses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from licensing.models import LicensingSettings, ProtectedHolder, Reclaim
from organizations.models import AuditEvent, Device, Network, Organization
from tests import factories
from tests.api.conftest import ApiClient, client_of
from vpp_accounts.models import VppAccount


@pytest.fixture
def network(organization: Organization) -> Network:
    return factories.NetworkFactory(organization=organization, name="Oakmont")


@pytest.fixture
def lakeside(organization: Organization) -> Network:
    return factories.NetworkFactory(organization=organization, name="Lakeside")


@pytest.fixture
def north(organization: Organization) -> VppAccount:
    return factories.VppAccountFactory(organization=organization, name="North")


@pytest.fixture
def cart(network: Network, north: VppAccount) -> Device:
    """It holds a license that can go back, one that cannot, and one that is protected."""
    device = factories.DeviceFactory(
        organization=network.organization, network=network, serial_number="DMQ1", name="Cart 1"
    )
    factories.AssignmentFactory(
        licensed_app=factories.LicensedAppFactory(account=north), holder="DMQ1"
    )
    factories.AssignmentFactory(
        licensed_app=factories.LicensedAppFactory(account=north, revocable=False), holder="DMQ1"
    )
    kept = factories.LicensedAppFactory(account=north)
    factories.AssignmentFactory(licensed_app=kept, holder="DMQ1")
    ProtectedHolder.objects.create(
        organization=network.organization,
        holder_kind="device",
        holder="DMQ1",
        adam_id=kept.adam_id,
        by_name="owner@example.org",
    )
    return device


@pytest.fixture
def plain(network: Network) -> Device:
    return factories.DeviceFactory(
        organization=network.organization, network=network, serial_number="DMQ2", name="Cart 2"
    )


def path_of(network: Network, act: str) -> str:
    return f"/networks/{network.pk}/sm/devices/{act}"


def planned() -> list[tuple[str, str, str, int]]:
    rows = Reclaim.objects.order_by("pk")
    today = timezone.now()
    return [
        (row.holder, row.cause, row.state, (row.due_at - today + timedelta(hours=1)).days)
        for row in rows
        if row.due_at
    ]


PREVIEW = {
    "devices": 2,
    "holders": 1,
    "returning": [{"name": "North", "licenses": 1}],
    "permanent": 1,
    "protected": 1,
    "notByRule": 1,
    "otherAccounts": False,
    "missingApps": 0,
    "default": {"licenses": "now", "days": 7},
}


@pytest.mark.parametrize("act", ["unenroll", "delete", "move"])
def test_what_would_come_of_it(
    owner_api: ApiClient,
    network: Network,
    lakeside: Network,
    cart: Device,
    plain: Device,
    act: str,
) -> None:
    body: dict[str, Any] = {"serials": ["DMQ1", "DMQ2"], "dryRun": True}
    body |= {"newNetwork": str(lakeside.pk)} if act == "move" else {}

    answer = owner_api.send("POST", path_of(network, act), body)

    told = answer.json()
    sentences = told["preview"].pop("consequences")
    assert (answer.status_code, told["ids"]) == (200, [str(cart.pk), str(plain.pk)])
    assert told["preview"] == PREVIEW
    assert sentences[0].startswith("1 device holds 1 license")
    assert set(Device.objects.values_list("network", "enrollment")) == {(network.pk, "device")}
    assert not AuditEvent.objects.exists()
    assert not Reclaim.objects.exists()


def test_devices_move_with_a_choice_for_their_licenses(
    owner_api: ApiClient, network: Network, lakeside: Network, cart: Device, plain: Device
) -> None:
    body = {"serials": ["DMQ1"], "newNetwork": str(lakeside.pk), "licenses": "now"}

    moved = owner_api.send("POST", path_of(network, "move"), body)
    again = owner_api.send("POST", path_of(network, "move"), body)

    assert (moved.status_code, moved.json()) == (
        200,
        {"ids": [str(cart.pk)], "newNetwork": str(lakeside.pk)},
    )
    assert again.json() == {"ids": [], "newNetwork": str(lakeside.pk)}
    assert dict(Device.objects.values_list("serial_number", "network")) == {
        "DMQ1": lakeside.pk,
        "DMQ2": network.pk,
    }
    assert planned() == [("DMQ1", "moved", "planned", 0)]


def test_a_move_to_where_one_may_not_write_is_refused(
    network: Network, lakeside: Network, cart: Device
) -> None:
    access = factories.NetworkAccessFactory(
        membership__organization=network.organization, network=network
    )
    api = client_of(access.membership.admin)
    elsewhere = factories.NetworkFactory()

    answers = [
        api.send("POST", path_of(network, "move"), {"serials": ["DMQ1"], "newNetwork": text})
        for text in (str(lakeside.pk), str(elsewhere.pk), "N_1", "9" * 30)
    ]

    assert {(each.status_code, *each.json()["errors"]) for each in answers} == {
        (400, "“newNetwork” must be the id of a network in which you may write.")
    }
    cart.refresh_from_db()
    assert cart.network == network


def test_devices_are_marked_unenrolled_once(
    owner_api: ApiClient, network: Network, cart: Device, plain: Device
) -> None:
    body = {"serials": ["DMQ1"], "licenses": "later", "days": 3}

    first, again = (owner_api.send("POST", path_of(network, "unenroll"), body) for _ in range(2))

    assert (first.status_code, first.json()) == (200, {"ids": [str(cart.pk)]})
    assert again.json() == {"ids": []}
    assert dict(Device.objects.values_list("serial_number", "enrollment")) == {
        "DMQ1": "none",
        "DMQ2": "device",
    }
    assert planned() == [("DMQ1", "unenrolled", "planned", 3)]


def test_one_device_is_marked_unenrolled_as_meraki_has_it(
    owner_api: ApiClient, network: Network, cart: Device
) -> None:
    path = f"/networks/{network.pk}/sm/devices/{cart.pk}/unenroll"

    foreseen = owner_api.send("POST", path, {"dryRun": True})
    before = Device.objects.get().enrollment
    done, again = (owner_api.post(path) for _ in range(2))

    assert (foreseen.status_code, foreseen.json()["success"], before) == (200, False, "device")
    assert foreseen.json()["preview"]["devices"] == 1
    assert [(each.status_code, each.json()) for each in (done, again)] == [
        (200, {"success": True})
    ] * 2
    assert Device.objects.get().enrollment == "none"


def test_devices_are_deleted_and_what_nobody_chose_is_as_the_organization_has_it(
    owner_api: ApiClient, network: Network, cart: Device, plain: Device
) -> None:
    LicensingSettings.objects.create(
        organization=network.organization, departure_choice="later", departure_days=30
    )

    answer = owner_api.send("POST", path_of(network, "delete"), {"serials": ["DMQ1", "UNHEARD"]})

    assert (answer.status_code, answer.json()) == (200, {"ids": [str(cart.pk)]})
    assert list(Device.objects.all()) == [plain]
    assert planned() == [("DMQ1", "deleted", "planned", 30)]
    event = AuditEvent.objects.get(action="device.deleted")
    assert (event.actor_kind, event.target_name) == ("api_key", "Cart 1")


@pytest.mark.parametrize("act", ["unenroll", "delete"])
def test_none_that_match_are_none_that_leave(
    owner_api: ApiClient, network: Network, cart: Device, act: str
) -> None:
    answer = owner_api.send("POST", path_of(network, act), {"serials": ["UNHEARD"]})

    assert (answer.status_code, answer.json()) == (200, {"ids": []})


@pytest.mark.parametrize(
    "choice", [{"licenses": "burn"}, {"licenses": "later", "days": 0}, {"days": 366}, {"days": "x"}]
)
def test_a_choice_that_makes_no_sense_is_refused(
    owner_api: ApiClient, network: Network, cart: Device, choice: dict[str, Any]
) -> None:
    answer = owner_api.send("POST", path_of(network, "delete"), {"scope": "all"} | choice)

    assert (answer.status_code, len(answer.json()["errors"])) == (400, 1)
    assert Device.objects.count() == 1


def test_licenses_of_accounts_that_one_does_not_see_are_not_named(
    network: Network, cart: Device, north: VppAccount
) -> None:
    VppAccount.objects.update(allowed_admins="named")
    access = factories.NetworkAccessFactory(
        membership__organization=network.organization, network=network
    )
    api = client_of(access.membership.admin)

    answer = api.send("POST", path_of(network, "delete"), {"scope": "all", "dryRun": True})

    told = answer.json()["preview"]
    assert (told["returning"], told["otherAccounts"], told["holders"]) == ([], True, 0)
    assert "North" not in answer.content.decode()
