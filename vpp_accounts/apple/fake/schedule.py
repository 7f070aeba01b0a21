"""What will happen later, in the order of its time."""

import heapq
from collections.abc import Callable
from threading import Lock

Action = Callable[[], object]


class Schedule:
    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: list[tuple[float, int, Action]] = []
        self._count = 0

    def at(self, moment: float, action: Action) -> None:
        with self._lock:
            self._count += 1
            heapq.heappush(self._waiting, (moment, self._count, action))

    def next_due(self, now: float) -> Action | None:
        with self._lock:
            if not self._waiting or self._waiting[0][0] > now:
                return None
            return heapq.heappop(self._waiting)[2]
