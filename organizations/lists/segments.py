"""Rows of several tables as one list, one table after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from django.db.models import Q, QuerySet

Part = QuerySet[Any, Any]
RARE = 10_000


@dataclass(frozen=True, slots=True)
class Segments:
    """Querysets that a list treats as one; the next is read only where the one before has ended.

    Each yields dicts of the same names, one of which is the place of its queryset (0, 1, 2 …): every
    ordering begins with it.
    """

    parts: tuple[Part, ...]
    limit: int | None = None
    read_ahead: int = 0

    model: ClassVar[None] = None  # django-filter wants to know it

    def all(self) -> Segments:
        return self

    def filter(self, *conditions: Q, **lookups: Any) -> Segments:
        return self._with(part.filter(*conditions, **lookups) for part in self.parts)

    def values(self, *names: str) -> Segments:
        return self._with(part.values(*names) for part in self.parts)

    def order_by(self, *ordering: str) -> Segments:
        backward = bool(ordering) and ordering[0].startswith("-")
        parts = self.parts[::-1] if backward else self.parts
        return self._with(part.order_by(*ordering) for part in parts)

    def rare(self) -> Segments:
        """The same rows, for when they may be few among very many.

        Asked for 50, the database looks at one candidate after the other; asked for thousands it
        compares all at once, which is several times faster where there are hardly any.
        """
        return replace(self, read_ahead=RARE)

    def __getitem__(self, cut: slice) -> Segments:
        """The first ones: `rows[:50]`."""
        return replace(self, limit=cut.stop)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        left = self.limit
        for part in self.parts:
            if left == 0:
                return
            rows = list(part if left is None else part[: max(left, self.read_ahead)])[:left]
            left = None if left is None else left - len(rows)
            yield from rows

    def count(self) -> int:
        if self.limit is None:
            return sum(part.count() for part in self.parts)
        first, *others = (part[: self.limit] for part in self.parts)
        return first.union(*others, all=True)[: self.limit].count()

    def _with(self, parts: Iterable[Part]) -> Segments:
        return replace(self, parts=tuple(parts))
