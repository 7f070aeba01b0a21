"""From where a request comes: the nearest address that is not one of our own proxies.

What headers tell of the way here is believed of TRUSTED_PROXIES only: single addresses, networks such
as 10.0.0.0/8, and `unix` for a proxy on the same machine that connects through a socket file.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, MutableMapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

UNIX = "unix"
BELIEVED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST")
# Nobody here asks for these, but libraries might.
NEVER_BELIEVED = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_SERVER",
    "HTTP_X_FORWARDED_SSL",
    "HTTP_X_REAL_IP",
    "HTTP_X_CLIENT_IP",
    "HTTP_CLIENT_IP",
    "HTTP_TRUE_CLIENT_IP",
    "HTTP_CF_CONNECTING_IP",
    "HTTP_X_CLUSTER_CLIENT_IP",
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Environ = MutableMapping[str, Any]


def client_address(request: HttpRequest) -> str | None:
    """None for a socket without addresses."""
    address = parsed(str(request.META.get("REMOTE_ADDR", "")))
    return str(address) if address else None


class ProxyMiddleware:
    """Behind it a request is as the outermost of our proxies received it. It has to be the first."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        for name in NEVER_BELIEVED:
            request.META.pop(name, None)
        told = [str(request.META.pop(name, "")) for name in BELIEVED]
        if is_trusted(str(request.META.get("REMOTE_ADDR", ""))):
            _believe(request.META, *told)
        return self.get_response(request)


def _believe(meta: Environ, hops: str, protocol: str, host: str) -> None:
    meta["REMOTE_ADDR"] = _nearest_stranger(str(meta.get("REMOTE_ADDR", "")), hops)
    if protocol:
        is_https = protocol.split(",")[0].strip().lower() == "https"
        meta["wsgi.url_scheme"] = "https" if is_https else "http"
    if host:
        meta["HTTP_HOST"] = host.split(",")[0].strip()


def _nearest_stranger(nearest: str, hops: str) -> str:
    """Each hop is vouched for by the one after it, as long as that is ours."""
    for hop in reversed(hops.split(",")):
        address = parsed(hop.strip())
        if address is None:
            break
        nearest = str(address)
        if not is_trusted(nearest):
            break
    return nearest


def is_trusted(text: str) -> bool:
    if not text:
        return UNIX in settings.TRUSTED_PROXIES
    address = parsed(text)
    networks = _networks(tuple(settings.TRUSTED_PROXIES))
    return address is not None and any(address in network for network in networks)


@lru_cache(maxsize=8)
def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts if text != UNIX)


def parsed(text: str) -> Address | None:
    """An address, perhaps with a port behind it, as some proxies write them."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    # A socket for both shows IPv4 in the guise of IPv6.
    return getattr(address, "ipv4_mapped", None) or address
