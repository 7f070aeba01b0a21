"""How often one address may ask for something that nobody has signed in for.

Counted in the cache: while it is away nobody is counted, and nobody is kept out.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone

from organizations.addresses import client_address

SITE = 64  # bits: whoever has one IPv6 address has all that begin like it


@dataclass(frozen=True, slots=True)
class Limit:
    """So many times in so many seconds from one address."""

    name: str
    most: int
    seconds: int

    def count(self, request: HttpRequest) -> int:
        """Count this request; in how many seconds its address may come again, 0 for at once."""
        return self.count_for(address_of(request))

    def count_for(self, whom: str) -> int:
        """The same for anybody who can be named, such as an organization."""
        window, gone = divmod(int(timezone.now().timestamp()), self.seconds)
        key = f"throttle:{self.name}:{window}:{whom}"
        cache.add(key, 0, timeout=self.seconds)
        try:
            times = cache.incr(key)
        except ValueError:  # it was forgotten just now
            return 0
        return 0 if times <= self.most else self.seconds - gone


def address_of(request: HttpRequest) -> str:
    """The client's; of IPv6 the part that is one site's."""
    address = client_address(request)
    if address is None:
        return "unknown"
    if ipaddress.ip_address(address).version == 4:
        return address
    return str(ipaddress.ip_network((address, SITE), strict=False).network_address)
