"""How many rows there are, without counting a million of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import QuerySet

CAP = 10_000


@dataclass(frozen=True, slots=True)
class Total:
    """A number of rows; capped means "at least"."""

    number: int
    is_capped: bool = False

    def __str__(self) -> str:
        return f"{intcomma(self.number)}{'+' if self.is_capped else ''}"


def capped_count(queryset: QuerySet[Any, Any], column: str = "pk", *, cap: int = CAP) -> Total:
    """Exact up to the cap; beyond it the database stops counting.

    `column` is any column of the table that an index has (a composite key cannot be counted).
    """
    number = queryset.order_by().values(column)[: cap + 1].count()
    return Total(min(number, cap), is_capped=number > cap)
