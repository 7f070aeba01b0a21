"""Which addresses an MDM server may have: an admin names it, so it may lead anywhere.

It often stands in a private network: whether that may be asked, the operator says
(NANOMDM_PRIVATE_ADDRESSES). What gives away the machine that we run on may never be: link-local
addresses, where clouds keep their machines' credentials. Without encryption the API key stays inside a
private network.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from requests.auth import HTTPBasicAuth

from organizations import outbound
from organizations.outbound import Address, Unfit


class NotAServer(outbound.Unreachable):
    """No MDM server is at such an address; the text is safe to show."""


class Session(outbound.Session):
    """As careful as with identity providers: no redirects, no long answers, none that are slow."""

    def __init__(self, user: str, key: str) -> None:
        super().__init__(check, schemes=outbound.SCHEMES)
        self.auth = HTTPBasicAuth(user.encode(), key.encode())


def check(scheme: str, address: Address, host: str) -> None:
    match outbound.unfit(scheme, address, private=settings.NANOMDM_PRIVATE_ADDRESSES):
        case Unfit.NEVER:
            raise NotAServer(f"{host} is an address at which no MDM server can be. Enter its own.")
        case Unfit.PRIVATE:
            raise NotAServer(
                f"{host} is in a private network, which this installation asks no MDM servers in."
                " Its operator can allow that with NANOMDM_PRIVATE_ADDRESSES."
            )
        case Unfit.PLAIN:
            raise NotAServer(f"{host} is a public address, so it must be asked over https.")


def problem_of(url: str) -> str:
    """What is wrong with an address as it is typed; empty where a server may answer there."""
    example = "Write it like https://mdm.example.org."
    parts = outbound.parts_of(url)
    if parts is None or not parts.hostname:
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


def origin(url: str) -> str:
    """Who answers there: another one must not be sent the key of the one before."""
    parts = urlsplit(url)
    port = parts.port or outbound.SCHEMES.get(parts.scheme, 0)
    return f"{parts.scheme}://{parts.hostname}:{port}" if parts.hostname else ""
