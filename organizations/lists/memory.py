"""A list of rows that are made in memory: at most a few thousand, read in a constant number of
statements. Everything else is as in any other list, cursors included.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from django.http import QueryDict

from organizations.lists.counting import Total
from organizations.lists.keyset import Cursor, Ordering, Page, Row, values_of
from organizations.lists.listing import Listing
from organizations.lists.segments import Segments

AT_A_TIME = 500  # lines of a CSV file


@dataclass(frozen=True, slots=True)
class _Down:
    """A value of a descending term."""

    value: Any

    def __lt__(self, other: _Down) -> bool:
        return bool(other.value < self.value)


def key_of(values: Sequence[Any], ordering: Ordering) -> tuple[Any, ...]:
    pairs = zip(ordering, values, strict=True)
    return tuple(_Down(value) if term.startswith("-") else value for term, value in pairs)


def in_order(rows: Sequence[Row], ordering: Ordering) -> list[Row]:
    return sorted(rows, key=lambda row: key_of(values_of(row, ordering), ordering))


def page_of(
    rows: Sequence[Row], ordering: Ordering, *, size: int, cursor: Cursor | None
) -> Page[Row]:
    """`rows` in order already."""
    keys = [key_of(values_of(row, ordering), ordering) for row in rows]
    start = 0
    if cursor:
        place = key_of(cursor.values, ordering)
        start = bisect_right(keys, place)
        if cursor.backward:
            start = max(0, bisect_left(keys, place) - size)
    start = start if start < len(rows) else 0
    shown = list(rows[start : start + size])
    end = start + len(shown)
    return Page(
        shown,
        start,
        Cursor(values_of(shown[0], ordering), start, backward=True) if start else None,
        Cursor(values_of(shown[-1], ordering), end) if end < len(rows) else None,
    )


class RowListing(Listing[Row]):
    """A subclass says what `filtered` are."""

    def __init__(self, params: QueryDict, rows: Sequence[Row]) -> None:
        super().__init__(params, cast("Any", rows))

    @cached_property
    def filters(self) -> Any:
        """Its form is what counts: what it finds in these rows, the subclass says."""
        return self.filterset(self.params, queryset=Segments(())) if self.filterset else None

    @cached_property
    def filtered(self) -> list[Row]:
        return list(self.unfiltered)

    @cached_property
    def ordered(self) -> list[Row]:
        return in_order(self.filtered, self.ordering)

    @cached_property
    def page(self) -> Page[Any]:
        cursor = Cursor.decode(self.params.get("after", ""), self.ordering)
        return page_of(self.ordered, self.ordering, size=self.size, cursor=cursor)

    @cached_property
    def total(self) -> Total:
        return Total(len(self.filtered))

    def _export_chunks(self) -> Iterator[list[list[object]]]:
        for start in range(0, len(self.ordered), AT_A_TIME):
            rows = self.dress(self.ordered[start : start + AT_A_TIME])
            yield [[of(row) for of in self.export.values()] for row in rows]
