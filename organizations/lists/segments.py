"""Rows of several tables as one list, one table after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Q, QuerySet


class Segments:
    """Querysets that a list treats as one; the next is read only where the one before has ended.

    Each yields dicts of the same names, one of which is the place of its queryset (0, 1, 2 …): every
    ordering begins with it.
    """

    model = None  # django-filter wants to know it

    def __init__(self, parts: Iterable[QuerySet[Any, Any]], *, limit: int | None = None) -> None:
        self.parts = tuple(parts)
        self.limit = limit

    def all(self) -> Segments:
        return self

    def filter(self, *conditions: Q, **lookups: Any) -> Segments:
        return Segments(part.filter(*conditions, **lookups) for part in self.parts)

    def values(self, *names: str) -> Segments:
        return Segments(part.values(*names) for part in self.parts)

    def order_by(self, *ordering: str) -> Segments:
        backward = bool(ordering) and ordering[0].startswith("-")
        parts = self.parts[::-1] if backward else self.parts
        return Segments(part.order_by(*ordering) for part in parts)

    def __getitem__(self, cut: slice) -> Segments:
        """The first ones: `rows[:50]`."""
        return Segments(self.parts, limit=cut.stop)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        left = self.limit
        for part in self.parts:
            if left == 0:
                return
            rows = list(part if left is None else part[:left])
            left = None if left is None else left - len(rows)
            yield from rows

    def count(self) -> int:
        number = 0
        for part in self.parts:
            if self.limit is not None and number >= self.limit:
                break
            number += part.count() if self.limit is None else part[: self.limit - number].count()
        return number
