"""The rows of a file whose header names its columns: cleaned, each with what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from organizations.imports.columns import Columns, Header
from organizations.imports.kinds import FileEmpty, refuse_no_table, rows_of
from organizations.imports.refusals import FileWrong
from organizations.imports.text import Rows
from organizations.refusals import Refusal

# What a spreadsheet would run: our own downloads put an apostrophe before it (organizations/lists).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
# They come along when text is copied from web pages and mails, and nobody sees them.
INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row; `problem` says what is wrong with it whatever else is known."""

    number: int
    said: dict[str, str]
    problem: str
    cells: list[str]  # in the order of the fields, no longer than they are kept


class TableFile:
    """A file that is read once, row by row; what is wrong with all of it is raised on the way.

    `refuse` looks at what a row says, brings it into its usual form, and raises what is wrong.
    """

    def __init__(
        self, content: bytes, columns: Columns, refuse: Callable[[dict[str, str]], None]
    ) -> None:
        refuse_no_table(content, each=columns.each)
        self.columns, self._refuse = columns, refuse
        self._rows = rows_of(content, recognised=columns.recognised)
        self._header = self._header_of(self._rows)
        self.notices = self._header.notices

    def __iter__(self) -> Iterator[FileRow]:
        rows, most = 0, self.columns.most_rows
        for number, cells in self._rows:
            if not any(map(str.strip, cells)):
                continue
            rows += 1
            if rows > most:
                raise FileWrong(
                    f"This file has more than {most:,} rows. Split it, each part with the"
                    " header row."
                )
            yield self._row(number, cells)
        if not rows:
            raise FileWrong(
                f"This file has a header row and {self.columns.nobody} below it. Add a row for each"
                f" {self.columns.each}."
            )

    def _header_of(self, rows: Rows) -> Header:
        for _, cells in rows:
            if any(map(str.strip, cells)):
                return self.columns.read_header(cells)
        raise FileEmpty(self.columns.each)

    def _row(self, number: int, cells: Sequence[str]) -> FileRow:
        said = {}
        for field, place in self._header.places.items():
            if place < len(cells) and (text := _clean(cells[place])):
                said[field] = text
        surplus = any(map(str.strip, cells[self._header.width :]))
        problem = self._problem(said, surplus=surplus)
        return FileRow(number, said, problem, self.columns.kept(said))

    def _problem(self, said: dict[str, str], *, surplus: bool) -> str:
        if surplus:
            return (
                "This row has more cells than the header. Put quotation marks around text with"
                " commas."
            )
        if CONTROL.search("".join(said.values())):
            return "A control character is in this row. Type it anew."
        try:
            self._refuse(said)
        except Refusal as refusal:
            return str(refusal)[:300]
        return ""


def _clean(cell: str) -> str:
    """On one line, without the spaces around it."""
    text = " ".join(cell.translate(INVISIBLE).split())
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA_STARTS) else text
