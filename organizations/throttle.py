"""How often one address may ask for something that nobody has signed in for.

Counted in the cache: while it is away nobody is counted, and nobody is kept out.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone

SITE = 64  # bits: whoever has one IPv6 address has all that begin like it


@dataclass(frozen=True, slots=True)
class Limit:
    """So many times in so many seconds from one address."""

    name: str
    most: int
    seconds: int

    def count(self, request: HttpRequest) -> int:
        """Count this request; in how many seconds its address may come again, 0 for at once."""
        window, gone = divmod(int(timezone.now().timestamp()), self.seconds)
        key = f"throttle:{self.name}:{window}:{address_of(request)}"
        cache.add(key, 0, timeout=self.seconds)
        try:
            times = cache.incr(key)
        except ValueError:  # it was forgotten just now
            return 0
        return 0 if times <= self.most else self.seconds - gone


def address_of(request: HttpRequest) -> str:
    """The client's, as far as trusted proxies tell; of IPv6 the part that is one site's."""
    try:
        address = ipaddress.ip_address(get_adapter().get_client_ip(request))
    except PermissionDenied:  # a socket without addresses
        return "unknown"
    # A socket for both shows IPv4 in the guise of IPv6, where all of it is one site.
    plain = getattr(address, "ipv4_mapped", None) or address
    if isinstance(plain, ipaddress.IPv4Address):
        return str(plain)
    return str(ipaddress.ip_network((address, SITE), strict=False).network_address)
