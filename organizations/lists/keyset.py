"""Paging by the values of a row and not by its number: page 10,000 costs what page 1 costs.

An ordering is a tuple of field or annotation names, a minus for descending, as `order_by` takes
them. Together they must be unique, and none of them may be null (`Coalesce` it). A cursor is the
ordering's values of the row at the edge of a page, signed and bound to that ordering.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

from django.core import signing
from django.db.models import Q, QuerySet

Row = TypeVar("Row")
Ordering = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place between two rows: beyond `values`, with `position` rows before it."""

    values: tuple[Any, ...]
    position: int = 0
    backward: bool = False

    def encode(self, ordering: Ordering) -> str:
        plain = [v if isinstance(v, str | int | float) else str(v) for v in self.values]
        return _signer(ordering).sign_object([plain, self.position, self.backward])

    @classmethod
    def decode(cls, text: str, ordering: Ordering) -> Self | None:
        """None for a text that we did not make, or made for another ordering."""
        try:
            values, position, backward = _signer(ordering).unsign_object(text)
        except signing.BadSignature:
            return None
        return cls(tuple(values), position, backward)


def _signer(ordering: Ordering) -> signing.Signer:
    return signing.Signer(salt="organizations.lists:" + ",".join(ordering))


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows in order, the number of rows before them, and where to go on."""

    rows: list[Row]
    start: int = 0
    previous: Cursor | None = None
    next: Cursor | None = None

    @property
    def is_everything(self) -> bool:
        return self.previous is None and self.next is None


def read_page(
    queryset: QuerySet[Any, Row], ordering: Ordering, *, size: int, cursor: Cursor | None = None
) -> Page[Row]:
    """One statement; a second one only where going back or on has reached an end."""
    page = None
    if cursor:
        read = _page_before if cursor.backward else _page_after
        page = read(queryset, ordering, size, cursor)
    return page or _first_page(queryset, ordering, size)


def _first_page(queryset: QuerySet[Any, Row], ordering: Ordering, size: int) -> Page[Row]:
    rows = list(queryset.order_by(*ordering)[: size + 1])
    return _page(rows[:size], ordering, start=0, has_more=len(rows) > size)


def _page_after(
    queryset: QuerySet[Any, Row], ordering: Ordering, size: int, cursor: Cursor
) -> Page[Row] | None:
    """None when the rows that were there have gone."""
    rows = _read_beyond(queryset, ordering, cursor.values, size + 1)
    if not rows:
        return None
    return _page(rows[:size], ordering, start=cursor.position, has_more=len(rows) > size)


def _page_before(
    queryset: QuerySet[Any, Row], ordering: Ordering, size: int, cursor: Cursor
) -> Page[Row] | None:
    """None when these would be the first rows: then the first page is shown, and a whole one."""
    rows = _read_beyond(queryset, _reversed(ordering), cursor.values, size + 1)
    if len(rows) <= size:
        return None
    start = max(cursor.position - size, 1)
    return _page(rows[:size][::-1], ordering, start=start, has_more=True)


def _page(rows: list[Row], ordering: Ordering, *, start: int, has_more: bool) -> Page[Row]:
    if not rows:
        return Page(rows, start)
    first, last = (values_of(row, ordering) for row in (rows[0], rows[-1]))
    return Page(
        rows,
        start,
        previous=Cursor(first, start, backward=True) if start else None,
        next=Cursor(last, start + len(rows)) if has_more else None,
    )


def iter_chunks(
    queryset: QuerySet[Any, Row], ordering: Ordering, *, size: int = 2000
) -> Iterator[list[Row]]:
    """All rows in constant memory, with no database cursor held open between the chunks."""
    rows = list(queryset.order_by(*ordering)[:size])
    while rows:
        yield rows
        if len(rows) < size:
            return
        rows = _read_beyond(queryset, ordering, values_of(rows[-1], ordering), size)


def _read_beyond(
    queryset: QuerySet[Any, Row], ordering: Ordering, values: Sequence[Any], limit: int
) -> list[Row]:
    beyond = queryset.filter(rows_after(ordering, values))
    return list(beyond.order_by(*ordering)[:limit])


def rows_after(ordering: Ordering, values: Sequence[Any]) -> Q:
    """The condition for the rows that come after one with these values.

    Each term's own bound is implied by the rest, but only with it the database enters an index.
    """
    condition = Q()
    for term, value in reversed(list(zip(ordering, values, strict=True))):
        name = term.removeprefix("-")
        further = Q((f"{name}__{_comparison(term)}", value))
        if condition:
            condition = Q((f"{name}__{_comparison(term)}e", value)) & (further | condition)
        else:
            condition = further
    return condition


def _comparison(term: str) -> str:
    return "lt" if term.startswith("-") else "gt"


def _reversed(ordering: Ordering) -> Ordering:
    return tuple(t.removeprefix("-") if t.startswith("-") else f"-{t}" for t in ordering)


def values_of(row: Any, ordering: Ordering) -> tuple[Any, ...]:
    names = [term.removeprefix("-") for term in ordering]
    values = tuple(row[n] if isinstance(row, dict) else getattr(row, n) for n in names)
    if None in values:
        raise ValueError(f"{', '.join(names)} must never be null to page by them: {values}")
    return values
