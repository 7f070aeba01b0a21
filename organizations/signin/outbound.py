"""Requests to identity providers: an organization names the address, so it may lead anywhere.

Only https and only public addresses are asked, by the address that was checked and not by a name
that may mean something else a moment later; nothing is followed, and no answer is long or slow.
"""

from __future__ import annotations

import io
import ipaddress
import socket
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3.exceptions import HTTPError

SECONDS = 5  # to connect, and between two parts of an answer
SECONDS_IN_ALL = 10
LONGEST_ANSWER = 1_000_000
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # IPv4 behind NAT64
SCHEMES = {"https": 443, "http": 80}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


Failed = requests.RequestException  # whatever went wrong on the way, ours or the library's


class Unreachable(requests.RequestException):
    """It did not answer, or not in a way that can be read; the text is safe to show."""


class NotPublic(Unreachable):
    """The address lies inside somebody's own network."""


def get_json(url: str, **options: Any) -> dict[str, Any]:
    return _json("GET", url, **options)


def post_form(url: str, form: dict[str, str], **options: Any) -> dict[str, Any]:
    """Also what comes with an error: OAuth puts the reason into a body like any other."""
    return _json("POST", url, data=form, expected=(200, 400, 401), **options)


def _json(
    method: str, url: str, *, expected: tuple[int, ...] = (200,), **options: Any
) -> dict[str, Any]:
    host = urlsplit(url).hostname
    try:
        with Session() as session:
            response = session.request(method, url, **options)
    except Unreachable:
        raise
    except (requests.RequestException, OSError) as error:
        raise Unreachable(f"{host} cannot be reached ({type(error).__name__}).") from error
    if response.status_code not in expected:
        raise Unreachable(f"{host} answered with HTTP {response.status_code}.")
    try:
        answer = response.json()
    except (ValueError, RecursionError) as error:  # brackets can be nested without end
        raise Unreachable(f"{host} answered something that is not JSON.") from error
    if not isinstance(answer, dict):
        raise Unreachable(f"{host} answered JSON that is not an object.")
    return answer


class Session(requests.Session):
    """Asks public https addresses and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.adapters.clear()
        for scheme in schemes():
            self.mount(f"{scheme}://", PublicAdapter())

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nothing is followed: who answers elsewhere is asked elsewhere."""
        return


class PublicAdapter(HTTPAdapter):
    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        until = time.monotonic() + SECONDS_IN_ALL
        response = super().send(request, **{**options, "timeout": SECONDS, "stream": True})
        try:
            body = _read(response, until)
        except HTTPError as error:
            raise Unreachable(f"{_host(request)} broke off its answer.") from error
        finally:
            response.close()
        response.raw = io.BytesIO(body)
        return response

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        parts = urlsplit(str(request.url))
        host, port = parts.hostname or "", parts.port or SCHEMES[parts.scheme]
        if select_proxy(str(request.url), proxies):
            self.check_literal(host)  # a name is the proxy's to resolve
            return super().get_connection_with_tls_context(request, verify, proxies, cert)
        params, found = self.build_connection_pool_key_attributes(request, verify, cert)
        params["host"] = str(self.address_of(parts.scheme, host, port))
        pool: dict[str, Any] = dict(found)
        if parts.scheme == "https":
            pool |= {"server_hostname": host, "assert_hostname": host}
        request.headers["Host"] = parts.netloc
        return self.poolmanager.connection_from_host(**params, pool_kwargs=pool)

    def address_of(self, scheme: str, host: str, port: int) -> Address:
        return public_address(host, port)

    def check_literal(self, host: str) -> None:
        refuse_private_literal(host)


def _read(response: requests.Response, until: float) -> bytes:
    body = bytearray()
    while part := response.raw.read1(65_536, decode_content=True):
        body += part
        if len(body) > LONGEST_ANSWER:
            raise Unreachable(f"{_host(response.request)} answered too much.")
        if time.monotonic() > until:
            raise Unreachable(f"{_host(response.request)} answered too slowly.")
    return bytes(body)


def _host(request: requests.PreparedRequest) -> str:
    return urlsplit(str(request.url)).hostname or ""


# --- Which addresses ------------------------------------------------------------------------------


def schemes() -> tuple[str, ...]:
    return ("https", "http") if settings.SSO_ALLOW_PRIVATE else ("https",)


def public_address(host: str, port: int) -> Address:
    """Where to connect to. One private address among several is enough to refuse them all."""
    addresses = resolved(host, port)
    for address in addresses:
        refuse_private(address, host)
    return addresses[0]


def resolved(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"There is no server called {host}.") from error
    return [ipaddress.ip_address(str(place[4][0]).partition("%")[0]) for place in found]


def refuse_private(address: Address, host: str) -> None:
    if not settings.SSO_ALLOW_PRIVATE and not is_public(address):
        raise NotPublic(f"{host} is not a public address. Identity providers have one.")


def refuse_private_literal(host: str) -> None:
    name = host.rstrip(".").lower()
    is_here = name == "localhost" or name.endswith(".localhost")
    if address := literal("127.0.0.1" if is_here else name):
        refuse_private(address, host)


def literal(text: str) -> Address | None:
    """An address and no name; also as resolvers read them, such as 127.1 and 0x7f000001."""
    with suppress(ValueError):
        return ipaddress.ip_address(text)
    with suppress(ValueError, OSError):
        return ipaddress.IPv4Address(socket.inet_aton(text))
    return None


def is_public(address: Address) -> bool:
    """Also behind every disguise in which IPv6 carries an IPv4 address."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in TRANSLATED:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        inner = address.ipv4_mapped or address.sixtofour
        if inner:
            return is_public(inner)
    return address.is_global and not address.is_multicast
