"""Bulk reads and writes: COPY into a temporary table, then one statement for all rows.

Lines are COPY text: fields divided by tabs, as PostgreSQL writes them, so that what was read from
Apple and what is held can be compared as lines (docs/decisions.md has the measurements).
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

_SPECIAL = re.compile(r"[\\\t\n\r\b\f\v]")
_ESCAPES = {
    "\\": r"\\",
    "\t": r"\t",
    "\n": r"\n",
    "\r": r"\r",
    "\b": r"\b",
    "\f": r"\f",
    "\v": r"\v",
}
_PLAIN = {escape[1]: value for value, escape in _ESCAPES.items()}


def escaped(values: Iterable[str]) -> Iterable[str]:
    """The values as COPY writes them. Serial numbers never need it; other MDMs' ids might."""
    values = list(values)
    if not _SPECIAL.search("".join(values)):
        return values
    return [_SPECIAL.sub(lambda found: _ESCAPES[found.group()], value) for value in values]


def unescaped(value: str) -> str:
    """One value of a COPY line as it was."""
    if "\\" not in value:
        return value
    return re.sub(r"\\(.)", lambda found: _PLAIN[found.group(1)], value)


def copy_out(query: str, parameters: Sequence[Any]) -> list[str]:
    """The rows of a query as lines."""
    buffer = io.BytesIO()
    with connection.cursor() as cursor:
        statement = cursor.cursor.mogrify(query, parameters).decode()
        cursor.cursor.copy_expert(f"COPY ({statement}) TO STDOUT", buffer)
    return buffer.getvalue().decode().split("\n")[:-1]  # splitlines would also cut at U+2028


def stage(table: str, columns: str, lines: Iterable[str]) -> None:
    """Fill a temporary table, in the place of an earlier one; gone at the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{table}")
        cursor.execute(f"CREATE TEMPORARY TABLE {table} ({columns}) ON COMMIT DROP")
        text = "\n".join(lines)
        if text:
            cursor.cursor.copy_expert(f"COPY {table} FROM STDIN", io.BytesIO(text.encode()))
        # Without it the planner takes the table for empty and loops over millions of rows.
        cursor.execute(f"ANALYZE {table}")


def execute(statement: str, parameters: Sequence[Any] | dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def returned(statement: str, parameters: Sequence[Any] | dict[str, Any]) -> list[tuple[Any, ...]]:
    """The rows that a statement gives back."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())
