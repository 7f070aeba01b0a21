"""Walking a list of Apple's by cursor, as the lists of subscriptions are.

Each page names the cursor of the next one, so there is nothing to ask in parallel, and how many
pages there are is known at the end only. A cursor is opaque; Apple's examples show one on the
last page too, which leads to an empty page (protocol reference 2.15).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from vpp_accounts.apple.errors import Unavailable
from vpp_accounts.apple.types import Unreadable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CursorPage(Generic[T]):
    """One page of a list. `next_cursor` is None on the last; `version_id` is empty when not sent."""

    rows: list[T]
    next_cursor: str | None
    version_id: str
    unreadable: list[Unreadable]


class CursorTraversal(Generic[T]):
    """One walk over one list, as `Traversal` is: lazy, and walked once.

    `fetch(cursor)` reads one page; None asks for the first.
    """

    def __init__(self, fetch: Callable[[str | None], CursorPage[T]]) -> None:
        self._fetch = fetch
        self._first: CursorPage[T] | None = None
        self._walked = False
        self._stable = True
        self.pages_done = 0
        self.unreadable: list[Unreadable] = []

    @property
    def version_id(self) -> str:
        """The version of the first page. There is no asking for changes since: read it all again."""
        return self._start().version_id

    @property
    def is_stable(self) -> bool:
        """Whether every page so far carried the version of the first.

        After the whole walk: the rows are the list as it was at one moment.
        """
        return self._stable and self._first is not None and bool(self._first.version_id)

    def rows(self) -> Iterator[T]:
        """The rows of all pages."""
        for page in self.pages():
            yield from page.rows

    def pages(self) -> Iterator[CursorPage[T]]:
        """Every page once, in order. The first error stops the walk and is raised."""
        if self._walked:
            raise RuntimeError("This list has been walked already; ask the client for a new one.")
        self._walked = True
        return self._walk()

    def _start(self) -> CursorPage[T]:
        if self._first is None:
            self._first = self._fetch(None)
        return self._first

    def _walk(self) -> Iterator[CursorPage[T]]:
        page = self._start()
        followed: set[str] = set()
        yield self._counted(page)
        while page.next_cursor is not None:
            if page.next_cursor in followed:
                raise Unavailable("Apple's list leads back to a page that was read already")
            followed.add(page.next_cursor)
            page = self._fetch(page.next_cursor)
            yield self._counted(page)

    def _counted(self, page: CursorPage[T]) -> CursorPage[T]:
        self.pages_done += 1
        self.unreadable += page.unreadable
        self._stable = self._stable and page.version_id == self.version_id
        return page
