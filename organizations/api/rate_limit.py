"""How many requests a second are answered: of one organization, and from one address.

A bucket holds what passes in a second and is filled evenly, so ten at once pass, and ten more in the
first second, as Meraki says. Kept in Redis for all processes: while it is away, nobody is limited.
"""

from __future__ import annotations

import time
from functools import cache

import redis
import structlog
from django.conf import settings
from django.http import HttpRequest
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rest_framework.exceptions import APIException

from organizations.throttle import address_of

log = structlog.get_logger(__name__)

PREFIX = "api_rate"
TIMEOUT = 0.5  # seconds; who asks would rather not be counted than wait
ASK_AGAIN_AFTER = 5.0  # seconds, once Redis did not answer

# All there is to know of a bucket is when it will be full. KEYS: the bucket. ARGV: requests a second,
# and the time in microseconds, for tests; else Redis's own, so that machines need not agree about it.
# `%.0f`, because Lua would write 1.7e+15.
TAKE = """
local clock = redis.call('TIME')
local now = tonumber(ARGV[2]) or clock[1] * 1000000 + clock[2]
local full_at = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0)) + 1000000 / ARGV[1]
local wait = full_at - now - 1000000
if wait > 0 then
  return math.ceil(wait)
end
redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', 60000)
return 0
"""


class RateLimited(APIException):
    status_code = 429
    default_code = "rate_limited"

    def __init__(self, whose: str, wait: float) -> None:
        self.wait = wait
        super().__init__(f"API rate limit exceeded for {whose}")


class Buckets:
    def __init__(self, url: str) -> None:
        client = redis.Redis.from_url(
            url,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            retry=Retry(NoBackoff(), 1),  # what was idle for long may have been closed
        )
        self._take = client.register_script(TAKE)
        self._away_until = 0.0

    def take(self, name: str, per_second: int) -> float:
        """In how many seconds to come again; 0 lets pass."""
        if time.monotonic() < self._away_until:
            return 0.0
        try:
            wait = self._take(keys=[f"{PREFIX}:{name}"], args=[per_second, now()])
        except RedisError as error:
            log.warning("rate_limit.unavailable", error=type(error).__name__)
            self._away_until = time.monotonic() + ASK_AGAIN_AFTER
            return 0.0
        return int(wait) / 1e6


def count_address(request: HttpRequest) -> None:
    """Before the key is looked up: guessing must not cost us statements without end."""
    if settings.API_RATE_PER_ADDRESS > 0:
        _count("address", address_of(request), settings.API_RATE_PER_ADDRESS)


def count_organization(organization_id: int) -> None:
    """Only for keys that open it: a stranger cannot use up what is somebody else's."""
    if settings.API_RATE_PER_ORGANIZATION > 0:
        _count("organization", str(organization_id), settings.API_RATE_PER_ORGANIZATION)


def _count(kind: str, name: str, per_second: int) -> None:
    if wait := buckets(settings.REDIS_URL).take(f"{kind}:{name}", per_second):
        raise RateLimited(kind, wait)


@cache
def buckets(url: str) -> Buckets:
    return Buckets(url)


def now() -> str:
    """Nothing: Redis has the time."""
    return ""
