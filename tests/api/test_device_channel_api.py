"""REST: how apps reach devices, and the simulated fleet."""

from __future__ import annotations

import plistlib
from typing import Any

import pytest

from apps_catalog.models import ChannelSettings, Enrollment, SimulatedDevice, SimulatedFleet
from apps_catalog.tasks import check_channel
from organizations.models import AuditEvent, IdempotentAnswer, Network, Organization
from tests import factories
from tests.api.conftest import ApiClient

pytestmark = pytest.mark.django_db
URL = "https://mdm.example.org"
NANOMDM = {"kind": "nanomdm", "baseUrl": URL, "apiUser": "nanomdm", "apiKey": "wombat"}
UNCHECKED = {
    "isUnderWay": False,
    "askedAt": None,
    "checkedAt": None,
    "problem": None,
    "version": None,
    "pushExpiresAt": None,
    "pushIsEnding": False,
}


@pytest.fixture
def oakmont(organization: Organization) -> Network:
    return factories.NetworkFactory(organization=organization, name="Oakmont")


@pytest.fixture
def simulated(organization: Organization) -> ChannelSettings:
    return ChannelSettings.objects.create(organization=organization, kind="simulated")


def channel(organization: Organization, path: str = "") -> str:
    return f"/organizations/{organization.pk}/sm/deviceChannel{path}"


# --- Deciding -------------------------------------------------------------------------------------


def test_without_a_decision_it_is_as_the_installation_says(
    owner_api: ApiClient, organization: Organization
) -> None:
    assert owner_api.get(channel(organization)).json() == {
        "kind": None,
        "effectiveKind": "none",
        "baseUrl": None,
        "apiUser": "nanomdm",
        "hasApiKey": False,
        "topic": None,
        "networkId": None,
        "webhookUrl": None,
        "hasWebhookKey": False,
        "enrolledDevices": 0,
        "lastEventAt": None,
        "refusedEventAt": None,
        "check": UNCHECKED,
        "troubles": [],
        "fleet": None,
    }
    assert not ChannelSettings.objects.exists()


def test_a_server_is_connected_and_its_key_never_told(
    owner_api: ApiClient, organization: Organization, oakmont: Network
) -> None:
    sent = NANOMDM | {"topic": "com.apple.mgmt.x", "networkId": str(oakmont.pk)}

    response = owner_api.send("PUT", channel(organization), sent)

    chosen, told = ChannelSettings.objects.get(), response.json()
    assert (chosen.api_key, chosen.network) == ("wombat", oakmont)
    assert told == owner_api.get(channel(organization)).json()
    assert {name: told[name] for name in (*NANOMDM.keys() - {"apiKey"}, "networkId")} == {
        "kind": "nanomdm",
        "baseUrl": URL,
        "apiUser": "nanomdm",
        "networkId": str(oakmont.pk),
    }
    assert (told["hasApiKey"], told["check"]["isUnderWay"]) == (True, True)
    assert told["webhookUrl"].endswith(f"/channels/nanomdm/{chosen.uuid}")
    assert b"wombat" not in response.content
    event = AuditEvent.objects.get(action="device_channel.edited")
    assert (event.after["apiKey"], event.actor_kind) == ("a new one", "api_key")


def test_what_is_not_sent_stays(
    owner_api: ApiClient, organization: Organization, oakmont: Network
) -> None:
    path = channel(organization)
    owner_api.send("PUT", path, NANOMDM | {"networkId": str(oakmont.pk)})

    owner_api.send("PUT", path, {"topic": "com.apple.mgmt.x"})
    kept = ChannelSettings.objects.get()
    told = owner_api.send("PUT", path, {"kind": None, "networkId": None}).json()

    assert (kept.kind, kept.base_url, kept.api_key) == ("nanomdm", URL, "wombat")
    assert (kept.topic, kept.network) == ("com.apple.mgmt.x", oakmont)
    assert (told["kind"], told["networkId"], told["topic"]) == (None, None, "com.apple.mgmt.x")


@pytest.mark.parametrize(
    ("sent", "code", "error"),
    [
        ({"kind": "smoke"}, "invalid", "“kind”: "),
        ({"kind": "nanomdm"}, "device_channel_wrong", "Enter the address of the NanoMDM server."),
        ({"baseUrl": "mdm"}, "device_channel_wrong", "is no address of a server"),
        ({"networkId": "999999"}, "device_channel_wrong", "not in this organization"),
        ({"networkId": "x"}, "invalid", "must be the id of a network."),
        ({"topic": "x" * 201}, "invalid", "no more than 200 characters"),
    ],
)
def test_what_cannot_work_is_refused(
    owner_api: ApiClient, organization: Organization, sent: Any, code: str, error: str
) -> None:
    response = owner_api.send("PUT", channel(organization), sent)

    assert response.status_code == 400
    assert error in response.json()["errors"][0]
    assert code == "invalid" or response.json()["code"] == code
    assert not ChannelSettings.objects.exclude(kind="", base_url="").exists()


def test_a_key_is_not_sent_to_another_server(
    owner_api: ApiClient, organization: Organization
) -> None:
    owner_api.send("PUT", channel(organization), NANOMDM)

    response = owner_api.send("PUT", channel(organization), {"baseUrl": "https://evil.example"})

    assert response.json()["errors"] == ["This is another server. Enter its API key as well."]
    assert ChannelSettings.objects.get().base_url == URL


# --- Keys, checks, profiles -----------------------------------------------------------------------


def test_a_webhook_key_is_told_once(owner_api: ApiClient, organization: Organization) -> None:
    key = {"Idempotency-Key": "make a key"}

    first = owner_api.send("POST", channel(organization, "/key"), headers=key)
    again = owner_api.send("POST", channel(organization, "/key"), headers=key)

    chosen = ChannelSettings.objects.get()
    assert (first.status_code, first.json()["webhookKey"]) == (201, chosen.webhook_key)
    assert again.json() == first.json() | {"webhookKey": None}
    assert chosen.webhook_key.encode() not in bytes(IdempotentAnswer.objects.get().body)
    assert owner_api.get(channel(organization)).json()["hasWebhookKey"]


def test_a_check_is_asked_for_and_fetched(
    owner_api: ApiClient, organization: Organization, simulated: ChannelSettings
) -> None:
    path = channel(organization, "/check")

    asked = owner_api.send("POST", path)
    check_channel(organization_id=organization.pk)
    found = owner_api.get(path).json()

    assert (asked.status_code, asked.json()["isUnderWay"]) == (202, True)
    assert (found["isUnderWay"], found["problem"], bool(found["checkedAt"])) == (False, None, True)


def test_where_another_mdm_installs_there_is_nothing_to_check(
    owner_api: ApiClient, organization: Organization
) -> None:
    response = owner_api.send("POST", channel(organization, "/check"))

    assert (response.status_code, response.json()["code"]) == (409, "device_channel_not_checked")


def test_an_enrollment_profile_is_made_and_nothing_of_it_stored(
    owner_api: ApiClient, organization: Organization, oakmont: Network
) -> None:
    path, key = channel(organization, "/profile"), {"Idempotency-Key": "profile"}
    owner_api.send("PUT", channel(organization), NANOMDM | {"topic": "com.apple.mgmt.x"})
    proposed = owner_api.get(path).json()
    sent = proposed | {
        "networkId": str(oakmont.pk),
        "scepUrl": "https://scep.example.org",
        "scepChallenge": "platypus",
    }

    made = owner_api.send("POST", path, sent, headers=key)
    again = owner_api.send("POST", path, sent, headers=key)

    assert proposed == {
        "networkId": None,
        "serverUrl": f"{URL}/mdm",
        "topic": "com.apple.mgmt.x",
    }
    told = made.json()
    scep, mdm = plistlib.loads(told["profile"].encode())["PayloadContent"]
    assert (made.status_code, told["fileName"]) == (200, "enroll-oakmont.mobileconfig")
    assert mdm["ServerURL"] == f"{URL}/mdm?network={oakmont.pk}"
    assert scep["PayloadContent"]["Challenge"] == "platypus"
    assert again.json() == told | {"profile": None}
    assert b"platypus" not in bytes(IdempotentAnswer.objects.get().body)


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({"serverUrl": "http://mdm.example.org"}, "“serverUrl”: Devices enroll over https only."),
        ({"scepUrl": "scep.example.org"}, "“scepUrl”: Enter an address that begins with"),
        ({"topic": ""}, "“topic” can't be blank."),
        ({"networkId": "999999"}, "That network is not in this organization."),
    ],
)
def test_a_profile_that_no_device_takes_is_refused(
    owner_api: ApiClient, organization: Organization, oakmont: Network, sent: Any, error: str
) -> None:
    right = {
        "networkId": str(oakmont.pk),
        "serverUrl": f"{URL}/mdm",
        "topic": "com.apple.mgmt.x",
        "scepUrl": "https://scep.example.org",
    }

    response = owner_api.send("POST", channel(organization, "/profile"), right | sent)

    assert response.status_code == 400
    assert error in response.json()["errors"][0]


# --- The simulated fleet --------------------------------------------------------------------------


def test_the_fleet_enrolls_connects_and_goes_wrong(
    owner_api: ApiClient, organization: Organization, oakmont: Network, simulated: ChannelSettings
) -> None:
    factories.DeviceFactory(organization=organization, network=oakmont)

    enrolled = owner_api.send("POST", channel(organization, "/fleet/enroll")).json()
    woken = owner_api.send("POST", channel(organization, "/fleet/tick")).json()
    switched = owner_api.send(
        "POST", channel(organization, "/fleet/faults"), {"fault": "slow", "on": True, "percent": 30}
    ).json()

    told = owner_api.get(channel(organization)).json()
    assert (enrolled, woken) == ({"devices": 1}, {"devices": 1})
    assert (Enrollment.objects.count(), SimulatedDevice.objects.get().is_awake) == (1, True)
    assert SimulatedFleet.objects.get().faults == {"slow": {"share": 30}}
    assert {each["fault"]: each["percent"] for each in switched["faults"]}["slow"] == 30
    assert (told["fleet"], told["enrolledDevices"]) == (switched, 1)


def test_a_fault_is_switched_off(
    owner_api: ApiClient, organization: Organization, simulated: ChannelSettings
) -> None:
    path = channel(organization, "/fleet/faults")
    owner_api.send("POST", path, {"fault": "slow", "on": True})

    told = owner_api.send("POST", path, {"fault": "slow", "on": False}).json()

    assert SimulatedFleet.objects.get().faults == {}
    assert {each["percent"] for each in told["faults"]} == {None}


@pytest.mark.parametrize("act", ["enroll", "tick", "faults"])
def test_a_fleet_that_is_real_is_left_alone(
    owner_api: ApiClient, organization: Organization, act: str
) -> None:
    sent = {"fault": "slow", "on": True}

    response = owner_api.send("POST", channel(organization, f"/fleet/{act}"), sent)

    assert (response.status_code, response.json()["code"]) == (409, "not_simulated")
    assert not SimulatedDevice.objects.exists()


@pytest.mark.parametrize(
    "sent", [{}, {"fault": "smoke", "on": True}, {"fault": "slow", "on": True, "percent": 0}]
)
def test_a_switch_that_there_is_not_is_refused(
    owner_api: ApiClient, organization: Organization, simulated: ChannelSettings, sent: Any
) -> None:
    assert owner_api.send("POST", channel(organization, "/fleet/faults"), sent).status_code == 400


# --- Who may --------------------------------------------------------------------------------------


def test_who_sees_and_decides(
    organization: Organization,
    reader_api: ApiClient,
    outsider_api: ApiClient,
    network_admin_api: ApiClient,
) -> None:
    clients = (reader_api, outsider_api, network_admin_api)
    acts = ("/key", "/check", "/profile", "/fleet/enroll", "/fleet/tick", "/fleet/faults")

    looks = [each.get(channel(organization)).status_code for each in clients]
    decides = [each.send("PUT", channel(organization), NANOMDM).status_code for each in clients]
    acted = {
        each.send("POST", channel(organization, act)).status_code
        for each in (reader_api, network_admin_api)
        for act in acts
    }

    assert (looks, decides, acted) == ([200, 404, 403], [403, 404, 403], {403})
    assert not ChannelSettings.objects.exists()
