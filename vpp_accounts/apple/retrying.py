"""When to ask again: reads after any trouble, writes only when they certainly were not done.

Apple's own `Retry-After` comes first and is kept to the second (calling earlier can lengthen a block,
protocol reference 2.13.4); without it the waits grow exponentially with full jitter. A wait longer than a
worker should sit through is not slept: the error goes up with `retry_after` set.
"""

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from vpp_accounts.apple.errors import AppleError, Throttled, Unavailable

T = TypeVar("T")

_LONGEST_BACKOFF = 600.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`retries` more tries, each after at most `longest_wait` seconds.

    `jitter` gives a number from 0 to 1.
    """

    retries: int = 4
    longest_wait: float = 30.0
    sleep: Callable[[float], object] = time.sleep
    jitter: Callable[[], float] = random.random

    def run(self, once: Callable[[int], T], *, on_throttled: Callable[[float], None]) -> T:
        """The result of the first try that works; `once` is given the number of the try, from 1.

        `on_throttled` hears how many seconds Apple wants to be left alone.
        """
        attempt = 0
        while True:
            attempt += 1
            try:
                return once(attempt)
            except (Unavailable, Throttled) as error:
                self._wait(error, attempt, on_throttled)

    def _wait(self, error: AppleError, attempt: int, on_throttled: Callable[[float], None]) -> None:
        """Sleep before the next try, or raise `error` when there is none to be made here."""
        wait = self.wait_after(error, attempt)
        error.retry_after = wait
        # Without a status it comes from the pacer, which then knows already.
        if isinstance(error, Throttled) and error.status is not None:
            on_throttled(wait)
        if attempt > self.retries or wait > self.longest_wait:
            raise error
        self.sleep(wait)

    def wait_after(self, error: AppleError, attempt: int) -> float:
        """Seconds to wait after the `attempt`-th try failed with `error`."""
        if error.retry_after is not None:
            return error.retry_after
        start = 5.0 if isinstance(error, Throttled) else 0.5
        longest = min(_LONGEST_BACKOFF, start * math.pow(3, attempt - 1))
        return self.jitter() * longest
