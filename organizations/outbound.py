"""Requests to addresses that an organization names, which may lead anywhere.

They are asked by the address that was checked and not by a name that may mean something else a
moment later; nothing is followed, and no answer is long or slow. Which addresses may be asked, each
use says by itself.
"""

from __future__ import annotations

import io
import ipaddress
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import Enum, auto
from typing import Any
from urllib.parse import SplitResult, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

SECONDS = 5  # to connect, and between two parts of an answer
SECONDS_IN_ALL = 10
LONGEST_ANSWER = 1_000_000
# IPv4 behind NAT64 (also with the prefix for one's own network), and in the forms of before.
TRANSLATED = tuple(
    ipaddress.ip_network(text)
    for text in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96")
)
UNICAST = ipaddress.ip_network("2000::/3")  # all that is routed between networks
SCHEMES = {"https": 443, "http": 80}
# Of clouds, in ranges that are otherwise fine.
METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("fd00:ec2::254", "100.100.100.200", "192.0.0.192")
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# Raises `Unreachable` where the address (with its scheme, and the name that led there) is refused.
Check = Callable[[str, Address, str], None]

Failed = requests.RequestException  # whatever went wrong on the way, ours or the library's


class Unreachable(requests.RequestException):
    """It did not answer, or not in a way that can be read; the text is safe to show."""


class Session(requests.Session):
    """Asks the addresses that `check` lets through and nothing else.

    `most`: how much of an answer is read. With `cuts` the rest is left unread; else it is an error.
    """

    def __init__(
        self,
        check: Check,
        *,
        schemes: Iterable[str] = ("https",),
        most: int = LONGEST_ANSWER,
        cuts: bool = False,
    ) -> None:
        super().__init__()
        self.adapters.clear()
        for scheme in schemes:
            self.mount(f"{scheme}://", CheckedAdapter(check, most, cuts=cuts))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nothing is followed: who answers elsewhere is asked elsewhere."""
        return


class CheckedAdapter(HTTPAdapter):
    def __init__(self, check: Check, most: int, *, cuts: bool) -> None:
        super().__init__()
        self.check, self.most, self.cuts = check, most, cuts

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        until = time.monotonic() + SECONDS_IN_ALL
        try:
            response = super().send(request, **{**options, "timeout": SECONDS, "stream": True})
        except requests.ConnectionError as error:
            if time.monotonic() >= until:
                raise Unreachable(f"{_host(request)} answered too slowly.") from error
            raise
        try:
            body = self._read(response, until)
        finally:
            response.close()
        response.raw = io.BytesIO(body)
        return response

    def _read(self, response: requests.Response, until: float) -> bytes:
        body = bytearray()
        try:
            while part := response.raw.read1(65_536, decode_content=True):
                body += part
                _refuse_more(response, body, self.most, until)
        except (HTTPError, Unreachable) as error:
            if not self.cuts:
                if isinstance(error, Unreachable):
                    raise
                raise Unreachable(f"{_host(response.request)} broke off its answer.") from error
        return bytes(body[: self.most])

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        pool = self._pool(request, verify, proxies, cert)
        pool.ConnectionCls = _OF[issubclass(pool.ConnectionCls, HTTPSConnection)]
        return pool

    def _pool(self, request: requests.PreparedRequest, verify: Any, proxies: Any, cert: Any) -> Any:
        parts = urlsplit(str(request.url))
        host, port = parts.hostname or "", parts.port or SCHEMES[parts.scheme]
        if select_proxy(str(request.url), proxies):
            self.check_literal(parts.scheme, host)  # a name is the proxy's to resolve
            return super().get_connection_with_tls_context(request, verify, proxies, cert)
        params, found = self.build_connection_pool_key_attributes(request, verify, cert)
        params["host"] = str(self.address_of(parts.scheme, host, port))
        pool: dict[str, Any] = dict(found)
        if parts.scheme == "https":
            pool |= {"server_hostname": host, "assert_hostname": host}
        request.headers["Host"] = parts.netloc
        return self.poolmanager.connection_from_host(**params, pool_kwargs=pool)

    def address_of(self, scheme: str, host: str, port: int) -> Address:
        """Where to connect to. One bad address among several is enough to refuse them all."""
        addresses = resolved(host, port)
        for address in addresses:
            self.check(scheme, address, host)
        return addresses[0]

    def check_literal(self, scheme: str, host: str) -> None:
        if address := literal_of(host):
            self.check(scheme, address, host)


def _refuse_more(response: requests.Response, body: bytearray, most: int, until: float) -> None:
    if len(body) > most:
        raise Unreachable(f"{_host(response.request)} answered too much.")
    if time.monotonic() > until:
        raise Unreachable(f"{_host(response.request)} answered too slowly.")


def _host(request: requests.PreparedRequest) -> str:
    return urlsplit(str(request.url)).hostname or ""


# --- However slowly somebody answers, byte by byte ------------------------------------------------


class _EndsInTime:
    """A connection that is cut when its time is over: the library only limits each single wait."""

    sock: socket.socket | None
    _ending: tuple[threading.Timer, socket.socket] | None = None

    def _new_conn(self) -> socket.socket:
        connected: socket.socket = super()._new_conn()  # type: ignore[misc]
        self._begin(connected)
        return connected

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None:  # it is kept alive, and asked again
            self._begin(self.sock)
        super().request(*args, **kwargs)  # type: ignore[misc]

    def close(self) -> None:
        self._end()
        super().close()  # type: ignore[misc]

    def _begin(self, connected: socket.socket) -> None:
        self._end()
        # Of the same connection; the first one changes hands when encryption begins.
        twin = socket.socket(fileno=os.dup(connected.fileno()))
        timer = threading.Timer(SECONDS_IN_ALL, _cut, [twin])
        timer.daemon = True
        timer.start()
        self._ending = timer, twin

    def _end(self) -> None:
        if self._ending:
            timer, twin = self._ending
            timer.cancel()
            twin.close()
            self._ending = None


def _cut(twin: socket.socket) -> None:
    with suppress(OSError):
        twin.shutdown(socket.SHUT_RDWR)


class _TimedHttp(_EndsInTime, HTTPConnection):
    pass


class _TimedHttps(_EndsInTime, HTTPSConnection):
    pass


_OF = {False: _TimedHttp, True: _TimedHttps}

# --- Which addresses ------------------------------------------------------------------------------


class Unfit(Enum):
    """Why an address is not asked."""

    NEVER = (
        auto()
    )  # link-local, a cloud's own, nobody's: what gives away the machine that we run on
    PRIVATE = auto()
    PLAIN = auto()  # public, and not encrypted


def unfit(scheme: str, address: Address, *, private: bool) -> Unfit | None:
    """`private`: addresses inside a private network are asked, there also without encryption."""
    plain = unwrapped(address)
    nobodys = (
        plain.is_multicast or plain.is_unspecified or (plain.version == 4 and plain.is_reserved)
    )
    if plain in METADATA or plain.is_link_local or nobodys:
        return Unfit.NEVER
    if not is_public(address):
        return None if private else Unfit.PRIVATE
    return Unfit.PLAIN if scheme == "http" else None


def resolved(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"There is no server called {host}.") from error
    return [ipaddress.ip_address(str(place[4][0]).partition("%")[0]) for place in found]


def literal_of(host: str) -> Address | None:
    """The address that a host in a URL is by itself: written out, or this very machine."""
    name = host.rstrip(".").lower()
    is_here = name == "localhost" or name.endswith(".localhost")
    return literal("127.0.0.1" if is_here else name)


def literal(text: str) -> Address | None:
    """An address and no name; also as resolvers read them, such as 127.1 and 0x7f000001."""
    with suppress(ValueError):
        return ipaddress.ip_address(text)
    with suppress(ValueError, OSError):
        return ipaddress.IPv4Address(socket.inet_aton(text))
    return None


def is_public(address: Address) -> bool:
    """Also behind every disguise in which IPv6 carries an IPv4 address."""
    plain = unwrapped(address)
    if plain != address:
        return is_public(plain)
    if isinstance(address, ipaddress.IPv6Address) and address not in UNICAST:
        return False
    return address.is_global and not address.is_multicast


def unwrapped(address: Address) -> Address:
    """Out of every disguise in which IPv6 carries an IPv4 address."""
    if isinstance(address, ipaddress.IPv6Address):
        own = address in (ipaddress.IPv6Address("::"), ipaddress.IPv6Address("::1"))
        if not own and any(address in network for network in TRANSLATED):
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address


def parts_of(url: str) -> SplitResult | None:
    """None for what is no address of a server."""
    with suppress(ValueError):
        parts = urlsplit(url)
        if parts.scheme in SCHEMES and parts.hostname and parts.port != 0:
            return parts
    return None
