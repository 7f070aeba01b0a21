"""Walking a list of Apple's, page by page, several pages at a time.

Apple's rules ("using-paginated-endpoints"): pages count from 0, the server chooses their size, at most
five requests at a time, `totalPages` may grow while one walks, and `versionId` changes with every write.
A page beyond the end answers 9650: the list has become shorter.

Threads are for waiting. Against a server that answers within a few milliseconds they only fight for the
interpreter, so the width follows the fastest of the last answers.
"""

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Generic, TypeVar

from vpp_accounts.apple.errors import PageOutOfRange
from vpp_accounts.apple.types import Page, Unreadable

T = TypeVar("T")

MOST_IN_FLIGHT = 5
_WORTH_A_THREAD = 0.005  # seconds
_REMEMBERED = 8

Fetch = Callable[[int, threading.Event], Page[T]]
_Timed = tuple[Page[T], float]


class WalkEnded(Exception):
    """A page was about to be asked for that nobody waits for any more."""


class Traversal(Generic[T]):
    """One walk over one list. Lazy: nothing is asked before the first use, and it is walked once.

    `fetch(index, stopped)` reads one page; it may be called from several threads and should give up
    when `stopped` is set.
    """

    def __init__(self, fetch: Fetch[T], *, clock: Callable[[], float] = time.perf_counter) -> None:
        self._fetch = fetch
        self._clock = clock
        self._stopped = threading.Event()
        self._first: Page[T] | None = None
        self._started = False
        self._walked = False
        self._version_id = ""
        self._stable = True
        self._end = 1
        self._missing = sys.maxsize  # the lowest page that Apple said is not there
        self._next = 1
        self._in_flight = 0
        self._arrived: SimpleQueue[tuple[int, Future[_Timed[T]]]] = SimpleQueue()
        self._pool: ThreadPoolExecutor | None = None
        self._times: deque[float] = deque(maxlen=_REMEMBERED)
        self.pages_done = 0
        self.unreadable: list[Unreadable] = []

    @property
    def version_id(self) -> str:
        """The version of the first page, which is the one to ask changes since for."""
        self._start()
        return self._version_id

    @property
    def total_pages(self) -> int:
        """How many pages there are as far as known; at least 1."""
        self._start()
        return self._end

    @property
    def is_stable(self) -> bool:
        """Whether every page so far carried the version of the first and none was missing.

        After the whole walk: the rows are the list as it was at one moment. A list without a version
        is never stable.
        """
        return self._stable and bool(self._version_id)

    def rows(self) -> Iterator[T]:
        """The rows of all pages."""
        for page in self.pages():
            yield from page.rows

    def pages(self) -> Iterator[Page[T]]:
        """Every page once, in order of arrival. The first error stops the walk and is raised."""
        if self._walked:
            raise RuntimeError("This list has been walked already; ask the client for a new one.")
        self._walked = True
        return self._walk()

    def _start(self) -> None:
        if not self._started:
            self._first = self._fetched(self._timed(0))
            self._started = True
            self._version_id = self._first.version_id
            self._end = self._first.total_pages

    def _walk(self) -> Iterator[Page[T]]:
        self._start()
        page, self._first = self._first, None
        try:
            while page is not None:
                self._count(page)
                yield page
                page = self._next_page()
        finally:
            self._stop()

    def _count(self, page: Page[T]) -> None:
        self.pages_done += 1
        self.unreadable += page.unreadable
        self._stable = self._stable and page.version_id == self._version_id
        # An answer from before the list became shorter must not make it long again.
        self._end = min(max(self._end, page.total_pages), self._missing)

    def _next_page(self) -> Page[T] | None:
        """The page that comes next, by whichever way is quicker; None after the last."""
        while True:
            index, answer = self._next_answer()
            if answer is None:
                return None
            try:
                return self._fetched(answer())
            except PageOutOfRange:
                self._missing = min(self._missing, index)
                self._end = min(self._end, index)
                self._stable = False

    def _next_answer(self) -> tuple[int, Callable[[], _Timed[T]] | None]:
        width = MOST_IN_FLIGHT if min(self._times) > _WORTH_A_THREAD else 1
        if width == 1 and not self._in_flight and self._next < self._end:
            index = self._take_index()
            return index, lambda: self._timed(index)
        while self._in_flight < width and self._next < self._end:
            self._submit(self._take_index())
        if not self._in_flight:
            return self._end, None
        index, future = self._arrived.get()
        self._in_flight -= 1
        return index, future.result

    def _take_index(self) -> int:
        self._next += 1
        return self._next - 1

    def _submit(self, index: int) -> None:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(MOST_IN_FLIGHT, thread_name_prefix="apple-page")
        self._in_flight += 1
        future = self._pool.submit(self._timed, index)
        future.add_done_callback(lambda done: self._arrived.put((index, done)))

    def _timed(self, index: int) -> _Timed[T]:
        started = self._clock()
        page = self._fetch(index, self._stopped)
        return page, self._clock() - started

    def _fetched(self, timed: _Timed[T]) -> Page[T]:
        page, seconds = timed
        self._times.append(seconds)
        return page

    def _stop(self) -> None:
        """Let go of what is still in flight: nobody will read it."""
        self._stopped.set()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
