"""Columns of a list and the links in their headers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """`sort` names fields or annotations that are never null; empty means not sortable.

    A column that is `wide_only` is left out on narrow screens; there its row says it elsewhere.
    """

    name: str
    label: str
    sort: tuple[str, ...] = ()
    numeric: bool = False
    hint: str = ""
    wide_only: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """A column as the head of the table shows it under the present order."""

    column: Column
    url: str = ""
    direction: str = ""  # "ascending", "descending" or not sorted by it
