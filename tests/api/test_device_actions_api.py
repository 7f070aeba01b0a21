"""What programs do to several devices at once: tags, owner, fields, apps, questions."""

from __future__ import annotations

from typing import Any

import pytest

from apps_catalog.models import ChannelCommand, Installation
from licensing.api import device_actions, device_selections
from organizations import automatic_tags
from organizations.models import AuditEvent, Device, Network, Organization, Tag
from tests import factories
from tests.api.conftest import ApiClient, client_of


@pytest.fixture
def network(organization: Organization, settings: Any) -> Network:
    settings.DEVICE_CHANNEL = "simulated"
    automatic_tags.ensure(organization)
    return factories.NetworkFactory(organization=organization, name="Oakmont")


@pytest.fixture
def cart(network: Network) -> Device:
    tag = factories.TagFactory(organization=network.organization, name="cart")
    return device(network, "DMQ1", name="Cart 1", tag_ids=[tag.pk])


@pytest.fixture
def phone(network: Network) -> Device:
    return device(network, "F1", name="Phone", platform="iOS")


def device(network: Network, serial: str, **fields: Any) -> Device:
    return factories.DeviceFactory(
        organization=network.organization, network=network, serial_number=serial, **fields
    )


def path_of(network: Network, act: str) -> str:
    return f"/networks/{network.pk}/sm/devices/{act}"


def tags_of(device: Device) -> list[str]:
    device.refresh_from_db()
    names = Tag.objects.in_bulk(device.tag_ids)
    return [names[pk].name for pk in device.tag_ids]


# --- Choosing -----------------------------------------------------------------------------------------


def test_devices_are_chosen_in_four_ways(
    owner_api: ApiClient, network: Network, cart: Device, phone: Device
) -> None:
    elsewhere = factories.DeviceFactory(organization=network.organization, serial_number="E1")
    ways: list[dict[str, Any]] = [
        {"ids": [str(cart.pk), str(elsewhere.pk), "x", "9" * 30]},
        {"serials": ["dmq1 ", "E1", "\0"]},
        {"wifiMacs": ["00:11:22:33:44:55"]},
        {"scope": ["withAny", "cart"]},
        {"scope": "withAny,ios-devices"},
        {"scope": "all"},
        {"scope": "none"},
        {"ids": []},
    ]
    for each in (cart, phone, elsewhere):
        factories.EnrollmentFactory(device=each)

    found = [owner_api.send("POST", path_of(network, "checkin"), way).json() for way in ways]

    both = [str(cart.pk), str(phone.pk)]
    assert [each["ids"] for each in found] == [both[:1], both[:1], [], both[:1], both, both, [], []]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "selection_unclear"),
        ({"ids": ["1"], "serials": ["A"]}, "selection_unclear"),
        ({"scope": ["withAny", "nobody-has-it"]}, "tag_unknown"),
        ({"scope": ["withAny"]}, "scope_without_tags"),
        ({"scope": "some,cart"}, "invalid"),
        ({"ids": "1"}, "invalid"),
        ({"ids": [1]}, "invalid"),
        ({"ids": None}, "invalid"),
        ({"ids": ["1"] * 50_001}, "invalid"),
    ],
    ids=["nothing", "two ways", "tag", "no tags", "operator", "text", "number", "null", "too many"],
)
@pytest.mark.parametrize("act", ["checkin", "unenroll", "delete"])
def test_a_choice_that_makes_no_sense_is_refused(
    owner_api: ApiClient, network: Network, act: str, body: dict[str, Any], code: str
) -> None:
    answer = owner_api.send("POST", path_of(network, act), body)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert len(answer.json()["errors"]) == 1


def test_more_devices_than_can_be_done_at_once(
    owner_api: ApiClient,
    network: Network,
    cart: Device,
    phone: Device,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(device_selections, "MOST_DEVICES", 1)

    answer = owner_api.send("POST", path_of(network, "delete"), {"scope": "all"})

    assert (answer.status_code, answer.json(), Device.objects.count()) == (
        400,
        {
            "errors": [
                "More than 1 devices are chosen, which is the most at once. Choose them in parts."
            ],
            "code": "too_many_devices",
        },
        2,
    )


# --- Tags ---------------------------------------------------------------------------------------------


def test_tags_are_added_removed_and_replaced(
    owner_api: ApiClient, network: Network, cart: Device, phone: Device
) -> None:
    path = path_of(network, "modifyTags")

    added = owner_api.send(
        "POST", path, {"scope": "all", "tags": ["Cart", "new"], "updateAction": "add"}
    )
    again = owner_api.send("POST", path, {"scope": "all", "tags": ["new"], "updateAction": "add"})
    taken = owner_api.send(
        "POST", path, {"serials": ["F1"], "tags": ["CART", "unheard"], "updateAction": "delete"}
    )
    replaced = owner_api.send(
        "POST", path, {"ids": [str(cart.pk)], "tags": ["b", "a"], "updateAction": "update"}
    )

    def row(device: Device, *tags: str) -> dict[str, Any]:
        told = {"id": str(device.pk), "wifiMac": "", "serial": device.serial_number}
        return told | {"tags": list(tags)}

    assert (added.status_code, added.json()) == (
        200,
        [row(cart, "cart", "new"), row(phone, "cart", "new")],
    )
    assert (again.status_code, again.json()) == (200, [])
    assert taken.json() == [row(phone, "new")]
    assert replaced.json() == [row(cart, "b", "a")]
    assert (tags_of(cart), tags_of(phone)) == (["b", "a"], ["new"])
    assert cart.sources == {"tags": "api"}
    assert not Tag.objects.filter(name="unheard").exists()
    event = AuditEvent.objects.filter(action="device.tagged").earliest("pk")
    assert (event.actor_kind, event.after) == (
        "api_key",
        {"added": ["cart", "new"], "removed": [], "devices": 2, "names": ["Cart 1", "Phone"]},
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"tags": ["two words"]}, "tag_wrong"),
        ({"tags": ["ios-devices"]}, "tag_is_automatic"),
        ({"tags": ["ios-devices"], "updateAction": "delete"}, "tag_is_automatic"),
        ({"updateAction": "toggle"}, "invalid"),
        ({"tags": "cart"}, "invalid"),
        ({"tgas": ["cart"]}, "invalid"),
    ],
)
def test_tags_that_nobody_can_have_are_refused(
    owner_api: ApiClient, network: Network, cart: Device, change: dict[str, Any], code: str
) -> None:
    body = {"scope": "all", "tags": ["new"], "updateAction": "add"} | change

    answer = owner_api.send("POST", path_of(network, "modifyTags"), body)

    assert (answer.status_code, answer.json()["code"], tags_of(cart)) == (400, code, ["cart"])


def test_tags_of_nobody_change_nothing(owner_api: ApiClient, network: Network) -> None:
    body = {"serials": ["NONE"], "tags": ["new"], "updateAction": "add"}

    answer = owner_api.send("POST", path_of(network, "modifyTags"), body)

    assert (answer.status_code, answer.json(), Tag.objects.filter(name="new").count()) == (
        200,
        [],
        0,
    )


# --- Fields -------------------------------------------------------------------------------------------


def test_the_name_and_the_notes_of_one_device(
    owner_api: ApiClient, network: Network, cart: Device
) -> None:
    path = path_of(network, "fields")

    renamed = owner_api.send("PUT", path, {"serial": "DMQ1", "deviceFields": {"name": "Cart 2"}})
    noted = owner_api.send("PUT", path, {"id": str(cart.pk), "deviceFields": {"notes": "Blue"}})
    nobody = owner_api.send("PUT", path, {"wifiMac": "00:11", "deviceFields": {"notes": "Red"}})

    row = {"id": str(cart.pk), "name": "Cart 2", "wifiMac": "", "serial": "DMQ1"}
    assert (renamed.status_code, renamed.json()) == (200, [row | {"notes": ""}])
    assert noted.json() == [row | {"notes": "Blue"}]
    assert (nobody.status_code, nobody.json()) == (200, [])
    cart.refresh_from_db()
    assert (cart.name, cart.notes, cart.sources) == ("Cart 2", "Blue", {"name": "api"})


def test_a_program_may_say_anew_what_a_program_said_and_not_what_the_device_said(
    owner_api: ApiClient, network: Network, cart: Device
) -> None:
    path, body = path_of(network, "fields"), {"serial": "DMQ1", "deviceFields": {"name": "Mine"}}

    Device.objects.update(sources={"name": "api"})
    said = owner_api.send("PUT", path, body)
    Device.objects.update(name="Its own", sources={"name": "channel"})
    refused = owner_api.send("PUT", path, body)

    assert (said.status_code, refused.status_code) == (200, 409)
    assert refused.json() == {
        "errors": [
            "The name comes from a better source (The device itself), which would change it back."
            " Leave it as it is."
        ],
        "code": "said_better",
    }


@pytest.mark.parametrize(
    "body",
    [
        {"deviceFields": {"name": "X"}},
        {"id": "1", "serial": "A", "deviceFields": {"name": "X"}},
        {"id": "1"},
        {"serial": "DMQ1", "deviceFields": {"name": "x" * 201}},
        {"serial": "DMQ1", "deviceFields": "X"},
    ],
    ids=["no device", "two", "no fields", "too long", "text"],
)
def test_fields_that_make_no_sense_are_refused(
    owner_api: ApiClient, network: Network, cart: Device, body: dict[str, Any]
) -> None:
    answer = owner_api.send("PUT", path_of(network, "fields"), body)

    assert (answer.status_code, len(answer.json()["errors"])) == (400, 1)


# --- Owners -------------------------------------------------------------------------------------------


def test_devices_are_given_to_an_owner_and_to_nobody(
    owner_api: ApiClient, network: Network, cart: Device, phone: Device
) -> None:
    path = path_of(network, "assignOwner")
    ada = factories.OwnerFactory(organization=network.organization, name="Ada")
    Device.objects.filter(pk=phone.pk).update(owner=ada)

    given = owner_api.send("POST", path, {"scope": "all", "ownerId": str(ada.pk)})
    taken = owner_api.send("POST", path, {"serials": ["F1"], "ownerId": None})

    assert (given.status_code, given.json()) == (200, {"ids": [str(cart.pk)]})
    assert taken.json() == {"ids": [str(phone.pk)]}
    owners = dict(Device.objects.values_list("serial_number", "owner"))
    assert owners == {"DMQ1": ada.pk, "F1": None}


def test_an_owner_of_others_is_refused(
    owner_api: ApiClient, network: Network, cart: Device
) -> None:
    stranger = factories.OwnerFactory()

    answers = [
        owner_api.send("POST", path_of(network, "assignOwner"), {"scope": "all"} | owner)
        for owner in ({"ownerId": str(stranger.pk)}, {"ownerId": "x"}, {})
    ]

    assert [each.status_code for each in answers] == [400, 400, 400]
    assert answers[0].json()["errors"] == [
        "“ownerId” must be the id of an owner of this organization, or null."
    ]


# --- Questions ----------------------------------------------------------------------------------------


def test_devices_are_asked_once_until_they_answer(
    owner_api: ApiClient, network: Network, cart: Device, phone: Device
) -> None:
    factories.EnrollmentFactory(device=cart)
    factories.EnrollmentFactory(device=phone, is_enrolled=False)
    other_mdm = device(network, "O1")
    factories.EnrollmentFactory(device=other_mdm, channel="nanomdm")

    answers = [
        owner_api.send("POST", path_of(network, "checkin"), {"scope": "all"}) for _ in range(2)
    ]

    assert [(each.status_code, each.json()) for each in answers] == [
        (200, {"ids": [str(cart.pk)]})
    ] * 2
    asked = ChannelCommand.objects.values_list("device", "request_type")
    assert list(asked) == [(cart.pk, "DeviceInformation")]
    event = AuditEvent.objects.get(action="device.report_asked")
    assert (event.target_name, event.after) == ("Cart 1", {"devices": 1})


# --- Apps ---------------------------------------------------------------------------------------------


@pytest.fixture
def installation(network: Network, cart: Device) -> Installation:
    app = factories.AppFactory(adam_id="361285480", name="Keynote", bundle_id="com.apple.Keynote")
    managed_app = factories.ManagedAppFactory(network=network, app=app)
    factories.EnrollmentFactory(device=cart)
    return factories.InstallationFactory(managed_app=managed_app, device=cart, state="licensed")


def test_apps_are_installed_on_several_devices_as_foreseen(
    owner_api: ApiClient, network: Network, installation: Installation, phone: Device
) -> None:
    here = device(network, "DMQ2")
    factories.InstallationFactory(
        managed_app=installation.managed_app, device=here, state="installed"
    )
    body = {"scope": "all", "appIds": [str(installation.managed_app_id)]}
    path = path_of(network, "installApps")

    foreseen = owner_api.send("POST", path, body | {"dryRun": True})
    untouched = Installation.objects.filter(asked_at__isnull=False).count()
    done = owner_api.send("POST", path, body)

    told = {
        "devices": 3,
        "apps": [
            {
                "appId": str(installation.managed_app_id),
                "asked": 1,
                "already": 1,
                "leftOut": [
                    {
                        "reason": "outOfScope",
                        "message": "The device is not in the scope of the app.",
                        "devices": 1,
                    }
                ],
            }
        ],
    }
    assert (foreseen.status_code, foreseen.json()) == (200, told | {"dryRun": True})
    assert untouched == 0
    assert (done.status_code, done.json()) == (200, told | {"dryRun": False})
    installation.refresh_from_db()
    assert installation.asked_by.startswith("owner@example.org (Tests (")


def test_apps_that_are_not_the_networks_are_refused(
    owner_api: ApiClient, network: Network, installation: Installation
) -> None:
    elsewhere = factories.ManagedAppFactory(network__organization=network.organization)
    body = {"scope": "all", "appIds": [str(installation.managed_app_id), str(elsewhere.pk)]}

    answer = owner_api.send("POST", path_of(network, "installApps"), body)

    assert (answer.status_code, answer.json()["code"]) == (400, "apps_unknown")
    assert not Installation.objects.filter(asked_at__isnull=False).exists()


def test_more_installs_than_can_be_asked_for_at_once(
    owner_api: ApiClient,
    network: Network,
    installation: Installation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(device_actions, "MOST_DEVICES", 1)
    another = factories.ManagedAppFactory(network=network)
    body = {"scope": "all", "appIds": [str(installation.managed_app_id), str(another.pk)]}

    answer = owner_api.send("POST", path_of(network, "installApps"), body)

    assert (answer.status_code, answer.json()["code"]) == (400, "too_many_devices")


# --- Who may ------------------------------------------------------------------------------------------

BODIES: dict[str, dict[str, Any]] = {
    "modifyTags": {"tags": ["new"], "updateAction": "add"},
    "checkin": {},
    "assignOwner": {"ownerId": None},
    "unenroll": {"licenses": "keep"},
    "delete": {"licenses": "keep"},
}


@pytest.mark.parametrize("act", BODIES)
def test_who_may_change_devices(
    network: Network,
    cart: Device,
    act: str,
    reader_api: ApiClient,
    outsider_api: ApiClient,
    network_admin_api: ApiClient,
    nobody_api: ApiClient,
) -> None:
    reads, writes = (
        client_of(
            factories.NetworkAccessFactory(
                membership__organization=network.organization, network=network, can_write=can_write
            ).membership.admin
        )
        for can_write in (False, True)
    )
    clients = (nobody_api, outsider_api, network_admin_api, reader_api, reads, writes)
    body = {"serials": ["DMQ1"]} | BODIES[act]

    told = [each.send("POST", path_of(network, act), body).status_code for each in clients]

    may = 403 if act == "assignOwner" else 200
    assert told == [401, 404, 404, 403, 403, may]


def test_a_network_admin_who_only_reads_here_is_told_so(
    organization: Organization, network: Network, cart: Device
) -> None:
    access = factories.NetworkAccessFactory(membership__organization=organization)
    factories.NetworkAccessFactory(membership=access.membership, network=network, can_write=False)
    api = client_of(access.membership.admin)

    answer = api.send("POST", path_of(network, "checkin"), {"scope": "all"})

    assert (answer.status_code, answer.json()) == (
        403,
        {
            "errors": ["You have read-only access to this network; this needs write access to it."],
            "code": "read_only",
        },
    )
