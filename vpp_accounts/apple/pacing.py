"""Permits for requests: never more than Apple's `maxRequestPerSecond` for one location in any second.

Apple counts all requests of a location or token together ("limits", 15 a second), so every request
takes a permit, and all processes that work on one location share one schedule through Redis. Permits
are handed out evenly at 98 % of the rate; above 200 a second in lumps worth 10 ms, because a sleep or
a round trip per request would then cost more than the request. 98 % plus one lump stays within the
rate over any second that one chooses to look at.

After Apple has throttled us, `hold` closes the schedule for everybody until the wait is over.
"""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Protocol

from vpp_accounts.apple.errors import Throttled

DOCUMENTED_RATE = 15.0
_SHARE_USED = 0.98
_LUMP_SECONDS = 0.01
_REDIS_PAUSE = 5.0


class Pacer(Protocol):
    """What the client asks before every request."""

    def acquire(self) -> None:
        """Wait for a permit; `Throttled` when the wait would be too long."""

    def set_rate(self, per_second: float) -> None:
        """Obey another limit from now on, in requests per second."""

    def hold(self, seconds: float) -> None:
        """Give no permits for so many seconds: Apple has asked this location to wait."""


class _EvenPacer(ABC):
    """Hands out lumps of permits by a schedule that the subclass keeps."""

    def __init__(
        self,
        *,
        rate: float,
        longest_wait: float,
        clock: Callable[[], float],
        sleep: Callable[[float], object],
    ) -> None:
        self._longest_wait = longest_wait
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._held_until = float("-inf")
        self._left = 0
        self._opens = self._closes = float("-inf")
        self.set_rate(rate)

    def set_rate(self, per_second: float) -> None:
        if per_second <= 0:
            raise ValueError(f"A rate must be above zero, not {per_second}.")
        with self._lock:
            self._rate = per_second
            self._lump = max(1, int(per_second * _LUMP_SECONDS))
            self._spacing = self._lump / (per_second * _SHARE_USED)
            self._left = 0

    def acquire(self) -> None:
        while True:
            with self._lock:
                opens = self._take()
            wait = opens - self._clock()
            if wait > 0:
                self._sleep(wait)
            # While we slept another thread may have learned that Apple wants us to wait.
            if self._clock() >= self._held_until:
                return

    def hold(self, seconds: float) -> None:
        with self._lock:
            self._left = 0
            self._held_until = max(self._held_until, self._clock() + seconds)
            self._hold(seconds)

    def _take(self) -> float:
        """When the next permit is good, on our own clock."""
        now = self._clock()
        # A lump left over from an idle spell must not come on top of a fresh one.
        if self._left == 0 or now >= self._closes:
            wait = self._reserve(self._spacing)
            if wait > self._longest_wait:
                raise Throttled("Apple asked this location to wait", retry_after=wait)
            self._opens = now + wait
            self._closes = self._opens + self._spacing
            self._left = self._lump
        self._left -= 1
        return self._opens

    @abstractmethod
    def _reserve(self, spacing: float) -> float:
        """Seconds until the next free place in the schedule, which is then taken for `spacing`.

        A wait longer than the longest is answered but takes no place.
        """

    @abstractmethod
    def _hold(self, seconds: float) -> None:
        """Close the schedule for so many seconds, never opening it earlier than it was to open."""


class LocalPacer(_EvenPacer):
    """A schedule for the threads of one process."""

    def __init__(
        self,
        rate: float = DOCUMENTED_RATE,
        *,
        longest_wait: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._next = float("-inf")
        super().__init__(rate=rate, longest_wait=longest_wait, clock=clock, sleep=sleep)

    def _reserve(self, spacing: float) -> float:
        now = self._clock()
        place = max(now, self._next, self._held_until)
        if place - now <= self._longest_wait:
            self._next = place + spacing
        return place - now

    def _hold(self, seconds: float) -> None:
        """Nothing to tell anybody: `_held_until` is the whole schedule's."""


# KEYS: the location's hash. ARGV: spacing and longest wait in microseconds. Redis's own clock, so
# that machines need not agree about the time. `%.0f`, because Lua would write 1.7e+15.
_RESERVE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local place = math.max(now, tonumber(redis.call('HGET', KEYS[1], 'next') or 0),
                       tonumber(redis.call('HGET', KEYS[1], 'held_until') or 0))
local wait = place - now
if wait <= tonumber(ARGV[2]) then
  redis.call('HSET', KEYS[1], 'next', string.format('%.0f', place + ARGV[1]))
end
redis.call('PEXPIRE', KEYS[1], math.ceil((wait + ARGV[1]) / 1000) + 60000)
return string.format('%.0f', wait)
"""

_HOLD = """
local time = redis.call('TIME')
local until_then = time[1] * 1000000 + time[2] + ARGV[1]
local held_until = tonumber(redis.call('HGET', KEYS[1], 'held_until') or 0)
if until_then > held_until then
  redis.call('HSET', KEYS[1], 'held_until', string.format('%.0f', until_then))
  redis.call('PEXPIRE', KEYS[1], math.ceil(ARGV[1] / 1000) + 60000)
end
return 1
"""


class RedisPacer(_EvenPacer):
    """One schedule for all processes that use the same `key` (one key per location).

    `redis` needs only `eval(script, numkeys, *keys_and_args)`. When it fails, each process paces
    itself at `fallback_share` of the rate, because it cannot know how many others there are.
    """

    def __init__(
        self,
        redis: Any,
        key: str,
        rate: float = DOCUMENTED_RATE,
        *,
        longest_wait: float = 30.0,
        fallback_share: float = 0.25,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._redis = redis
        self._key = key
        self._share = fallback_share
        self._redis_again = float("-inf")
        self._alone = LocalPacer(longest_wait=longest_wait, clock=clock, sleep=sleep)
        super().__init__(rate=rate, longest_wait=longest_wait, clock=clock, sleep=sleep)

    def _reserve(self, spacing: float) -> float:
        longest = int(self._longest_wait * 1e6)
        shared = self._eval(_RESERVE, max(1, round(spacing * 1e6)), longest)
        if shared is None:
            return self._alone._reserve(spacing / self._share)
        return float(shared) / 1e6

    def _hold(self, seconds: float) -> None:
        self._alone.hold(seconds)
        self._eval(_HOLD, int(seconds * 1e6))

    def _eval(self, script: str, *arguments: int) -> Any:
        """The script's answer, or None while Redis does not answer."""
        if self._clock() < self._redis_again:
            return None
        try:
            return self._redis.eval(script, 1, self._key, *arguments)
        except Exception:  # noqa: BLE001 -- any client library may be behind `redis`, each with its own errors
            self._redis_again = self._clock() + _REDIS_PAUSE
            return None
