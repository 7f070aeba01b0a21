"""Apple's limit of requests a second: one token bucket per location."""

from dataclasses import dataclass
from threading import Lock

from vpp_accounts.apple.fake.clock import Clock


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Throttle:
    """Holds one second's worth of requests and refills evenly."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._buckets: dict[str, _Bucket] = {}

    def admits(self, uid: str, per_second: float) -> bool:
        now = self._clock.steady()
        with self._lock:
            bucket = self._buckets.setdefault(uid, _Bucket(per_second, now))
            refilled = bucket.left + (now - bucket.at) * per_second
            bucket.left, bucket.at = min(per_second, refilled), now
            if bucket.left < 1:
                return False
            bucket.left -= 1
            return True

    def clear(self) -> None:
        self._buckets.clear()
