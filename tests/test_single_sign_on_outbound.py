"""Where identity providers may lie: an organization names the address, and we ask it."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from organizations import outbound as every_outbound
from organizations.models import Organization
from organizations.signin import outbound
from tests.oidc_provider import OidcProvider, running
from tests.reading import errors_of
from tests.single_sign_on import oidc_form, oidc_row


@pytest.fixture(scope="module")
def server() -> Iterator[OidcProvider]:
    with running() as provider:
        yield provider


@pytest.fixture
def provider(server: OidcProvider, settings: Any) -> OidcProvider:
    settings.SSO_ALLOW_PRIVATE = True
    server.__init__(server.issuer)  # type: ignore[misc]
    return server


def adapter() -> Any:
    return outbound.Session().get_adapter("https://idp.example.org")


def edit_page(organization: Organization) -> str:
    row = oidc_row(organization, OidcProvider("https://idp.example.org"))
    return f"/organizations/{organization.pk}/sign-in/providers/{row.pk}/edit/"


@pytest.mark.parametrize(
    ("address", "is_public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("2002:7f00:1::1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::5db8:d822", True),
        ("64:ff9b:1::7f00:1", False),
        ("::7f00:1", False),
        ("::ffff:0:7f00:1", False),
        ("fec0::1", False),
        ("2606:4700::1111", True),
    ],
)
def test_only_public_addresses_are_asked(address: str, is_public: bool) -> None:
    assert every_outbound.is_public(ipaddress.ip_address(address)) == is_public


@pytest.mark.parametrize(
    "issuer",
    [
        "https://127.0.0.1",
        "https://[::1]",
        "https://localhost",
        "https://169.254.169.254",
        "https://2130706433",
        "https://0x7f.1",
    ],
)
def test_a_private_issuer_is_refused(
    owner_client: Client,
    organization: Organization,
    provider: OidcProvider,
    settings: Any,
    issuer: str,
) -> None:
    settings.SSO_ALLOW_PRIVATE = False
    form = oidc_form(provider, issuer=issuer)

    answer = owner_client.post(edit_page(organization), form)

    (told,) = errors_of(answer)
    assert "is not a public address. Identity providers have one." in told
    assert provider.asked == []


def test_plain_http_is_refused(
    owner_client: Client, organization: Organization, provider: OidcProvider, settings: Any
) -> None:
    settings.SSO_ALLOW_PRIVATE = False
    answer = owner_client.post(edit_page(organization), oidc_form(provider))

    assert errors_of(answer) == [f"“{provider.issuer}” is not an https address."]


def test_a_name_that_changes_its_mind_is_asked_where_it_was_checked(
    provider: OidcProvider, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the second answer is private, and nobody asks a second time."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])

    def resolve(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        if host != "rebinding.example":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]
        return [(2, 1, 6, "", (address, port)) for address in next(answers)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    port = provider.issuer.rpartition(":")[2]

    found = outbound.get_json(f"http://rebinding.example:{port}/keys")

    assert found == provider.keys()
    assert next(answers) == ["10.0.0.1"]


@pytest.mark.parametrize(
    ("host", "is_refused"),
    [
        *[(host, True) for host in ("127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1")],
        *[(host, True) for host in ("localhost", "LOCALHOST.", "a.localhost.", "10.0.0.1.", "::1")],
        *[
            (host, False)
            for host in ("idp.example.org", "93.184.216.34", "0x5db8d822", "10.example")
        ],
    ],
)
def test_what_a_proxy_would_read_as_a_private_address_is_no_name(
    settings: Any, host: str, is_refused: bool
) -> None:
    settings.SSO_ALLOW_PRIVATE = False

    try:
        adapter().check_literal("https", host)
    except outbound.NotPublic:
        refused = True
    else:
        refused = False

    assert refused == is_refused


def test_one_private_address_among_public_ones_is_enough(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SSO_ALLOW_PRIVATE = False
    both = [(2, 1, 6, "", (address, 443)) for address in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: both)

    with pytest.raises(outbound.NotPublic):
        adapter().address_of("https", "mixed.example", 443)


def test_an_answer_that_trickles_is_cut_off(
    provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(every_outbound, "SECONDS_IN_ALL", 0)

    with pytest.raises(outbound.Unreachable, match="answered too slowly"):
        outbound.get_json(f"{provider.issuer}/keys")


def test_redirects_are_not_followed(provider: OidcProvider) -> None:
    asked = {"redirect_uri": "/keys", "state": "x", "code_challenge": "x"}
    query = "&".join(f"{name}={value}" for name, value in asked.items())

    with pytest.raises(outbound.Unreachable, match="answered with HTTP 302"):
        outbound.get_json(f"{provider.issuer}/authorize?{query}")

    assert [path for path, _ in provider.asked] == ["/authorize"]
