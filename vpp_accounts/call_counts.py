"""How often Apple was called, by endpoint and by what came of it, counted by all processes together.

The counts are for watching alone: where Redis does not answer they are lost, and no call waits for it
or fails.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import redis
import structlog
from django.conf import settings

from vpp_accounts.apple.types import Call

log = structlog.get_logger(__name__)

KEY = "apple:calls"
OK = "ok"
QUICK = 0.25  # seconds
PAUSE = 30.0  # seconds without counting, once Redis did not answer
CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


class CallCounts:
    """One hash in Redis. `connect` gives whatever has `hincrby` and `hgetall`."""

    def __init__(
        self, connect: Callable[[], Any], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._again_at = float("-inf")

    def note(self, call: Call) -> None:
        if self._clock() < self._again_at:
            return
        try:
            self._connect().hincrby(KEY, f"{call.path} {result_of(call)}", 1)
        except Exception as error:  # noqa: BLE001  nothing about counting is worth a call
            self._again_at = self._clock() + PAUSE
            log.warning("apple.calls_not_counted", error=type(error).__name__)

    def read(self) -> dict[tuple[str, str], int]:
        """(endpoint, result) → how often, since Redis was empty."""
        found: dict[tuple[str, str], int] = {}
        for field, count in self._connect().hgetall(KEY).items():
            endpoint, _, result = field.decode().rpartition(" ")
            found[endpoint, result] = int(count)
        return found


def result_of(call: Call) -> str:
    """`ok`, or the name of the error (vpp_accounts/apple/errors.py) such as `token_revoked`."""
    return CAPITAL.sub("_", call.error).lower() or OK


@cache
def _redis() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=QUICK, socket_connect_timeout=QUICK
    )


call_counts = CallCounts(_redis)
