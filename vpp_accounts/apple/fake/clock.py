"""The fake's own time: the machine's, moved forward on request."""

import time
from datetime import UTC, datetime


class Clock:
    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time() + self.offset

    def steady(self) -> float:
        """Seconds for measuring spans: never jumps back when the machine's clock is set."""
        return time.monotonic() + self.offset

    def advance(self, seconds: float) -> None:
        self.offset += seconds


def apple_date(seconds: float) -> str:
    """Apple's form: `2027-05-01T10:11:12+0000`, always UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def seconds_of(text: str) -> float:
    """Read an ISO date or moment; without a zone it is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
