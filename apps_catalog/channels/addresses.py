"""Which addresses an MDM server may have: an admin names it, so it may lead anywhere.

It often stands in a private network: whether that may be asked, the operator says
(NANOMDM_PRIVATE_ADDRESSES). What gives away the machine that we run on may never be: link-local
addresses, where clouds keep their machines' credentials. Without encryption the API key stays inside a
private network.
"""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from requests.auth import HTTPBasicAuth

from organizations.signin import outbound
from organizations.signin.outbound import Address

# Of clouds, in ranges that are otherwise fine.
METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("fd00:ec2::254", "100.100.100.200", "192.0.0.192")
)


class NotAServer(outbound.Unreachable):
    """No MDM server is at such an address; the text is safe to show."""


class Session(outbound.Session):
    """As careful as with identity providers: no redirects, no long answers, none that are slow."""

    def __init__(self, user: str, key: str) -> None:
        super().__init__()
        self.auth = HTTPBasicAuth(user.encode(), key.encode())
        for scheme in outbound.SCHEMES:
            self.mount(f"{scheme}://", ServerAdapter())


class ServerAdapter(outbound.PublicAdapter):
    def address_of(self, scheme: str, host: str, port: int) -> Address:
        addresses = outbound.resolved(host, port)
        for address in addresses:
            check(scheme, address, host)
        return addresses[0]

    def check_literal(self, host: str) -> None:
        if address := outbound.literal(host.rstrip(".")):
            check("https", address, host)


def check(scheme: str, address: Address, host: str) -> None:
    plain = unwrapped(address)
    if (
        plain in METADATA
        or plain.is_link_local
        or plain.is_multicast
        or plain.is_unspecified
        or (plain.version == 4 and plain.is_reserved)
    ):
        raise NotAServer(f"{host} is an address at which no MDM server can be. Enter its own.")
    is_public = outbound.is_public(address)
    if not is_public and not settings.NANOMDM_PRIVATE_ADDRESSES:
        raise NotAServer(
            f"{host} is in a private network, which this installation asks no MDM servers in. Its"
            " operator can allow that with NANOMDM_PRIVATE_ADDRESSES."
        )
    if scheme == "http" and is_public:
        raise NotAServer(f"{host} is a public address, so it must be asked over https.")


def unwrapped(address: Address) -> Address:
    """Out of every disguise in which IPv6 carries an IPv4 address."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in outbound.TRANSLATED:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address


def problem_of(url: str) -> str:
    """What is wrong with an address as it is typed; empty where a server may answer there."""
    example = "Write it like https://mdm.example.org."
    parts = _parts(url)
    if parts is None or parts.scheme not in outbound.SCHEMES or not parts.hostname:
        return f"“{url[:80]}” is no address of a server. {example}"
    if parts.username or parts.password:
        return f"User and key do not belong into the address: there are fields for them. {example}"
    if parts.query or parts.fragment:
        return f"The address has no question mark and no hash sign. {example}"
    if address := outbound.literal(parts.hostname.rstrip(".")):
        try:
            check(parts.scheme, address, parts.hostname)
        except NotAServer as error:
            return str(error)
    return ""


def _parts(url: str) -> SplitResult | None:
    with suppress(ValueError):
        parts = urlsplit(url)
        if parts.port != 0:
            return parts
    return None


def origin(url: str) -> str:
    """Who answers there: another one must not be sent the key of the one before."""
    parts = urlsplit(url)
    port = parts.port or outbound.SCHEMES.get(parts.scheme, 0)
    return f"{parts.scheme}://{parts.hostname}:{port}" if parts.hostname else ""
