"""Organization > MDM > Device channel: who decides how apps reach devices, and whether it works."""

from __future__ import annotations

import plistlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps_catalog.channels import checking, configuring
from apps_catalog.channels.choosing import channel_of, kind_of
from apps_catalog.channels.configuring import ChannelDetails, ChannelWrong, NothingToCheck
from apps_catalog.channels.worries import SIMULATED, worries
from apps_catalog.models import ChannelKind, ChannelSettings
from apps_catalog.tasks import check_channel, check_channels
from organizations.audit import Actor
from organizations.models import AuditEvent, Network, Organization
from tests.factories import NetworkAccessFactory, NetworkFactory
from tests.nanomdm_stub import NanoMdmStub
from tests.nanomdm_stub.fleet import TOPIC

pytestmark = pytest.mark.django_db
URL = "https://mdm.example.org"
NANOMDM = {"kind": "nanomdm", "base_url": URL, "api_user": "nanomdm", "api_key": "wombat"}


@pytest.fixture
def oakmont(organization: Organization) -> Network:
    return NetworkFactory(organization=organization, name="Oakmont")


@pytest.fixture
def chosen(organization: Organization, by: Actor) -> ChannelSettings:
    return configuring.configure(
        by=by, organization=organization, details=ChannelDetails(**NANOMDM, topic=TOPIC)
    )


@pytest.fixture
def stub() -> Iterator[NanoMdmStub]:
    with NanoMdmStub() as server:
        yield server


def address(organization: Organization, page: str = "") -> str:
    return f"/organizations/{organization.pk}/mdm/device-channel/{page}"


def stored() -> ChannelSettings:
    return ChannelSettings.objects.get()


# --- Deciding ---------------------------------------------------------------------------------------


def test_a_full_admin_connects_a_server(
    owner_client: Client, organization: Organization, oakmont: Network
) -> None:
    form = NANOMDM | {"topic": TOPIC, "network": oakmont.pk}

    response = owner_client.post(address(organization, "edit/"), form)

    chosen = stored()
    assert (response.status_code, response["Location"]) == (302, address(organization))
    assert (chosen.kind, chosen.base_url, chosen.api_user, chosen.api_key, chosen.topic) == (
        *("nanomdm", URL, "nanomdm", "wombat", TOPIC),
    )
    assert (chosen.network, chosen.check_asked_at is not None) == (oakmont, True)
    event = AuditEvent.objects.get(action="device_channel.edited")
    assert event.after == {
        "kind": "nanomdm",
        "baseUrl": URL,
        "topic": TOPIC,
        "network": "Oakmont",
        "apiKey": "a new one",
    }


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"base_url": ""}, "base_url", "Enter the address of the NanoMDM server."),
        ({"base_url": "mdm.example.org"}, "base_url", "is no address of a server"),
        ({"base_url": "ftp://mdm.example.org"}, "base_url", "is no address of a server"),
        ({"base_url": "https://mdm.example.org:port"}, "base_url", "is no address of a server"),
        ({"base_url": "https://a:b@mdm.example.org"}, "base_url", "do not belong into the address"),
        ({"base_url": "https://mdm.example.org?a=b"}, "base_url", "no question mark"),
        ({"base_url": "https://169.254.169.254"}, "base_url", "no MDM server can be"),
        ({"base_url": "https://0xa9fea9fe"}, "base_url", "no MDM server can be"),
        ({"base_url": "http://[::ffff:169.254.0.1]"}, "base_url", "no MDM server can be"),
        ({"base_url": "http://93.184.215.14"}, "base_url", "must be asked over https"),
        ({"api_user": ""}, "api_user", "Enter the user of its API"),
        ({"api_key": ""}, "api_key", "Enter the key of its API"),
        ({"kind": "carrier pigeon"}, "kind", "Choose one of"),
        ({"topic": "x" * 201}, "topic", "longer than 200 characters"),
        ({"api_key": "x" * 2001}, "api_key", "at most 2,000 characters"),
    ],
)
def test_what_cannot_be_saved(
    organization: Organization, by: Actor, changes: dict[str, str], field: str, words: str
) -> None:
    with pytest.raises(ChannelWrong) as refused:
        configuring.configure(
            by=by, organization=organization, details=ChannelDetails(**NANOMDM | changes)
        )

    assert (refused.value.field, words in str(refused.value)) == (field, True)


def test_the_form_says_what_is_wrong(owner_client: Client, organization: Organization) -> None:
    response = owner_client.post(address(organization, "edit/"), NANOMDM | {"base_url": "mdm"})

    assert response.context["form"].errors == {
        "base_url": ["“mdm” is no address of a server. Write it like https://mdm.example.org."]
    }


def test_a_network_of_somebody_else_cannot_be_chosen(organization: Organization, by: Actor) -> None:
    details = ChannelDetails(network=NetworkFactory())

    with pytest.raises(ChannelWrong, match="not in this organization"):
        configuring.configure(by=by, organization=organization, details=details)


def test_the_key_stays_where_none_is_entered(chosen: ChannelSettings, by: Actor) -> None:
    details = ChannelDetails(**NANOMDM | {"api_key": "", "base_url": f"{URL}/v1"})

    configuring.configure(by=by, organization=chosen.organization, details=details)

    assert (stored().api_key, stored().base_url) == ("wombat", f"{URL}/v1")


def test_the_key_is_not_sent_to_another_server(chosen: ChannelSettings, by: Actor) -> None:
    for url in ("https://evil.example.org", f"{URL}:8443", "http://mdm.example.org"):
        details = ChannelDetails(**NANOMDM | {"api_key": "", "base_url": url})
        with pytest.raises(ChannelWrong, match="This is another server"):
            configuring.configure(by=by, organization=chosen.organization, details=details)


def test_the_key_is_shown_nowhere(chosen: ChannelSettings, owner_client: Client) -> None:
    page = owner_client.get(address(chosen.organization)).content.decode()

    assert ("wombat" not in page, chosen.api_key_ciphertext not in page) == (True, True)
    assert "One is stored, and it is never shown." in page


def test_another_server_is_not_known_to_work(chosen: ChannelSettings, by: Actor) -> None:
    ChannelSettings.objects.update(
        problem="No answer.",
        version="v0.9",
        checked_at=timezone.now(),
        push_expires_at=timezone.now(),
    )

    configuring.configure(
        by=by, organization=chosen.organization, details=ChannelDetails(**NANOMDM, topic="other")
    )

    after = stored()
    assert (after.problem, after.version, after.checked_at, after.push_expires_at) == (
        *("", "", None, None),
    )


def test_whoever_decides_nothing_has_what_the_installation_has(
    organization: Organization, settings: Any, by: Actor
) -> None:
    kinds = [kind_of(organization.pk)]
    settings.DEVICE_CHANNEL = "nanomdm"
    kinds.append(kind_of(organization.pk))
    configuring.configure(by=by, organization=organization, details=ChannelDetails(kind="none"))
    kinds.append(kind_of(organization.pk))

    assert kinds == [ChannelKind.NONE, ChannelKind.NANOMDM, ChannelKind.NONE]
    assert channel_of(organization.pk) is None


# --- Who --------------------------------------------------------------------------------------------


def test_a_reader_sees_it_and_changes_nothing(
    chosen: ChannelSettings, reader_client: Client
) -> None:
    organization = chosen.organization
    shown = reader_client.get(address(organization))
    refused = [
        reader_client.post(address(organization, page)).status_code
        for page in ("edit/", "key/", "check/", "profile/")
    ]

    assert (shown.status_code, refused) == (200, [403] * 4)
    assert all(field.disabled for field in shown.context["form"].fields.values())
    assert "A full admin of the organization can do it." in shown.content.decode()


def test_an_outsider_sees_nothing(chosen: ChannelSettings, outsider_client: Client) -> None:
    pages = ("", "edit/", "key/", "check/", "profile/")

    answers = [
        outsider_client.get(address(chosen.organization, page)).status_code for page in pages
    ]

    assert answers == [404] * 5


def test_admins_of_networks_do_not_see_it(chosen: ChannelSettings, oakmont: Network) -> None:
    access = NetworkAccessFactory(membership__organization=chosen.organization, network=oakmont)
    client = Client()
    client.force_login(access.membership.admin)

    assert client.get(address(chosen.organization)).status_code == 404
    assert (
        "Device channel"
        not in client.get(f"/organizations/{chosen.organization_id}/mdm/").content.decode()
    )


def test_the_mdm_page_leads_to_it(owner_client: Client, organization: Organization) -> None:
    page = owner_client.get(f"/organizations/{organization.pk}/mdm/").content.decode()

    assert address(organization) in page
    assert "How apps reach devices: None: another MDM installs apps." in page


# --- The webhook's key --------------------------------------------------------------------------------


def test_the_webhook_key_is_shown_once(chosen: ChannelSettings, owner_client: Client) -> None:
    made = owner_client.post(address(chosen.organization, "key/")).content.decode()
    after = owner_client.get(address(chosen.organization)).content.decode()

    key = stored().webhook_key
    assert (len(key), key in made, key in after) == (43, True, False)
    assert f"/channels/nanomdm/{chosen.uuid}" in after


def test_what_a_new_key_stops_is_said_before(chosen: ChannelSettings, owner_client: Client) -> None:
    url = address(chosen.organization, "key/")
    first = owner_client.get(url).content.decode()
    owner_client.post(url)
    second = owner_client.get(url).content.decode()

    words = "Events that are signed with the key before are refused."
    assert (words in first, words in second) == (False, True)


def test_a_new_key_replaces_the_old_one(chosen: ChannelSettings, by: Actor) -> None:
    organization = chosen.organization
    first = configuring.make_webhook_key(by=by, organization=organization)
    second = configuring.make_webhook_key(by=by, organization=organization)

    told = AuditEvent.objects.filter(action="device_channel.key_made").order_by("pk")
    assert (first != second, stored().webhook_key) == (True, second)
    assert list(told.values_list("after", flat=True)) == [
        {"replacesAnother": False},
        {"replacesAnother": True},
    ]


# --- Checking -----------------------------------------------------------------------------------------


def test_a_worker_checks_what_somebody_asked_for(
    chosen: ChannelSettings, owner_client: Client, stub: NanoMdmStub
) -> None:
    ChannelSettings.objects.update(base_url=stub.url)
    chosen = stored()
    chosen.api_key = stub.key
    chosen.save()
    organization = chosen.organization

    asked = owner_client.post(address(organization, "check/"), headers={"HX-Request": "true"})
    check_channel(organization_id=organization.pk)
    shown = owner_client.get(address(organization, "check/"), headers={"HX-Request": "true"})

    assert 'hx-trigger="every 2s"' in asked.content.decode()
    assert 'hx-trigger="every 2s"' not in shown.content.decode()
    assert "It works." in shown.content.decode()
    after = stored()
    assert (after.problem, after.version, after.push_expires_at) == (
        *("", "v0.9.1", stub.push_expires_at),
    )


def test_what_is_wrong_is_said_in_plain_words(
    chosen: ChannelSettings, owner_client: Client, stub: NanoMdmStub
) -> None:
    ChannelSettings.objects.update(base_url=stub.url)

    check_channel(organization_id=chosen.organization_id)

    words = "The server refuses the API user or the API key. Enter them again."
    page = owner_client.get(address(chosen.organization)).content.decode()
    assert (stored().problem, words in page) == (words, True)


def test_without_javascript_the_page_is_shown_again(
    chosen: ChannelSettings, owner_client: Client
) -> None:
    organization = chosen.organization

    responses = [
        owner_client.post(address(organization, "check/")),
        owner_client.get(address(organization, "check/")),
    ]

    assert [each["Location"] for each in responses] == [address(organization)] * 2


def test_there_is_nothing_to_check_where_another_mdm_installs(organization: Organization) -> None:
    with pytest.raises(NothingToCheck):
        configuring.ask_check(organization=organization)


def test_which_are_checked_by_the_sweep(
    chosen: ChannelSettings, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = ChannelSettings.objects.create(
        organization=NetworkFactory().organization, checked_at=timezone.now() - timedelta(days=1)
    )
    rung: list[int] = []
    monkeypatch.setattr(
        check_channel, "delay", lambda organization_id: rung.append(organization_id)
    )

    def due() -> list[int]:
        rung.clear()
        check_channels()
        return sorted(rung)

    ours, theirs = chosen.organization_id, other.organization_id
    never = due()
    ChannelSettings.objects.filter(pk=chosen.pk).update(checked_at=timezone.now())
    just_now = due()
    ChannelSettings.objects.filter(pk=chosen.pk).update(check_asked_at=timezone.now())
    asked = due()
    settings.DEVICE_CHANNEL = "nanomdm"

    assert (never, just_now, asked, due()) == ([ours], [], [ours], sorted([ours, theirs]))


# --- What is worth knowing ----------------------------------------------------------------------------


def test_nothing_to_say_where_all_is_well(chosen: ChannelSettings) -> None:
    ChannelSettings.objects.update(push_expires_at=timezone.now() + timedelta(days=31))

    assert worries(chosen.organization_id) == []


def test_a_simulated_fleet_is_not_mistaken_for_a_real_one(
    organization: Organization, settings: Any, owner_client: Client
) -> None:
    settings.DEVICE_CHANNEL = "simulated"

    devices = owner_client.get(f"/organizations/{organization.pk}/monitor/devices/")
    networks = owner_client.get(f"/organizations/{organization.pk}/networks/")

    assert worries(organization.pk) == [SIMULATED]
    assert SIMULATED.text in devices.content.decode()
    assert SIMULATED.text not in networks.content.decode()


@pytest.mark.parametrize(
    ("days", "words"),
    [(29, "The MDM push certificate ends on "), (-1, "The MDM push certificate ended on ")],
)
def test_the_push_certificate_ends(chosen: ChannelSettings, days: int, words: str) -> None:
    ends = timezone.now() + timedelta(days=days)
    ChannelSettings.objects.update(push_expires_at=ends, problem="No answer.")

    [problem, push] = worries(chosen.organization_id)

    assert (problem.text, problem.is_trouble) == ("The MDM server does not work: No answer.", True)
    assert push.text.startswith(f"{words}{ends:%-d %B %Y}")
    assert checking.is_ending(stored()) is True


# --- The profile ----------------------------------------------------------------------------------------


def test_a_profile_for_a_network(
    chosen: ChannelSettings, owner_client: Client, oakmont: Network
) -> None:
    form = {
        "network": oakmont.pk,
        "server_url": f"{URL}/mdm",
        "topic": TOPIC,
        "scep_url": "https://scep.example.org/scep",
        "scep_name": "Example CA",
        "scep_challenge": "a challenge",
    }
    responses = [
        owner_client.post(address(chosen.organization, "profile/"), form) for _ in range(2)
    ]

    profile = plistlib.loads(responses[0].content)
    scep, mdm = profile["PayloadContent"]
    assert responses[0]["Content-Type"] == "application/x-apple-aspen-config"
    assert responses[0]["Content-Disposition"] == (
        'attachment; filename="enroll-oakmont.mobileconfig"'
    )
    assert responses[0].content == responses[1].content
    assert mdm["ServerURL"] == f"{URL}/mdm?network={oakmont.pk}"
    kept = ("Topic", "SignMessage", "AccessRights", "CheckOutWhenRemoved")
    assert [mdm[key] for key in kept] == [TOPIC, True, 8191, True]
    assert "com.apple.mdm.per-user-connections" in mdm["ServerCapabilities"]
    assert mdm["IdentityCertificateUUID"] == scep["PayloadUUID"]
    assert scep["PayloadContent"]["URL"] == "https://scep.example.org/scep"
    assert scep["PayloadContent"]["Challenge"] == "a challenge"
    uuids = {each["PayloadUUID"] for each in (profile, scep, mdm)}
    assert len(uuids) == 3


def test_the_form_of_the_profile_begins_with_what_is_known(
    chosen: ChannelSettings, owner_client: Client
) -> None:
    form = owner_client.get(address(chosen.organization, "profile/")).context["form"]

    assert (form["server_url"].value(), form["topic"].value()) == (f"{URL}/mdm", TOPIC)


def test_a_profile_needs_its_values(chosen: ChannelSettings, owner_client: Client) -> None:
    form = {"server_url": "http://mdm.example.org/mdm", "scep_url": "scep.example.org"}

    response = owner_client.post(address(chosen.organization, "profile/"), form)

    assert response.context["form"].errors == {
        "network": ["Choose the network that its devices belong to."],
        "server_url": ["Devices enroll over https only. Enter such an address."],
        "topic": ["Enter the topic of the server's push certificate."],
        "scep_url": ["Enter an address that begins with https:// or http://."],
    }
