"""Rows out of text, as spreadsheets and programs write it: CSV in its many forms."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from organizations.imports.refusals import AS_CSV, FileWrong

Rows = Iterator[tuple[int, list[str]]]  # the number that a spreadsheet shows, and the cells
Recognised = Callable[[Sequence[str]], int]  # how much a header says, where it is one

BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
DELIMITERS = (",", ";", "\t")
SEPARATOR_LINE = re.compile(r'"?sep=([,;\t|])"?\s*', re.IGNORECASE)  # Excel's own hint to itself
LOOKED_AT = 400  # bytes that tell UTF-16 without a mark by its zeros
BINARY = re.compile(rb"[\x01-\x08\x0e-\x1f]")


def read_text(content: bytes, recognised: Recognised) -> Rows:
    encoding = _encoding_of(content)
    announced = _announced(content, encoding)
    if announced:
        yield from _Reading(content, encoding, announced, begins_at=1).rows()
    else:
        readings = [_Reading(content, encoding, delimiter) for delimiter in DELIMITERS]
        yield from max(readings, key=lambda reading: _score(reading, recognised)).rows()


def _encoding_of(content: bytes) -> str:
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return encoding
    head = content[:LOOKED_AT]
    if 0 in head and BINARY.search(head):
        raise FileWrong(f"This file is no table. {AS_CSV}")
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) * 4 < len(head):  # plain letters of UTF-16 are zeros by half
        return "utf-8"
    return "utf-16-le" if odd > even else "utf-16-be"


def _announced(content: bytes, encoding: str) -> str:
    """The delimiter that a line of its own before the header names; "" where there is none."""
    with suppress(UnicodeDecodeError, StopIteration):
        first = next(_stream(content, encoding))
        if found := SEPARATOR_LINE.fullmatch(first):
            return found[1]
    return ""


def _stream(content: bytes, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(content), encoding, newline="")


def _score(reading: _Reading, recognised: Recognised) -> int:
    """How much the first row says when it is read like this."""
    with suppress(FileWrong):
        return max((recognised(cells) for _, cells in reading.first_rows()), default=0)
    return -1


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way of reading the file."""

    content: bytes
    encoding: str
    delimiter: str
    begins_at: int = 0  # the line of the header's row

    def rows(self) -> Rows:
        stream = _stream(self.content, self.encoding)
        for _ in range(self.begins_at):
            next(stream)
        number = 0
        try:
            for number, cells in enumerate(self._parsed(stream), 1):
                if "\0" in "".join(cells):
                    raise FileWrong(f"Row {number} has NUL characters, so it is no text. {AS_CSV}")
                yield number, cells
        except UnicodeDecodeError:
            raise FileWrong(self._undecodable()) from None
        except csv.Error:
            raise FileWrong(
                f"Row {number + 1} cannot be divided into cells: a quotation mark is not closed,"
                f" or stands in the midst of a quoted cell. {AS_CSV}"
            ) from None

    def first_rows(self) -> Rows:
        """The first row that is not empty."""
        for number, cells in self.rows():
            if any(cell.strip() for cell in cells):
                yield number, cells
                return

    def _parsed(self, lines: Iterator[str], *, strict: bool = True) -> Iterator[list[str]]:
        return csv.reader(lines, delimiter=self.delimiter, strict=strict, skipinitialspace=True)

    def _undecodable(self) -> str:
        encoding = "UTF-16" if self.encoding.startswith("utf-16") else "UTF-8"
        return f"Row {self._row_of_the_error()} is not {encoding}. {AS_CSV}"

    def _row_of_the_error(self) -> int:
        try:
            self.content.decode(self.encoding)
        except UnicodeDecodeError as error:
            before = self.content[: error.start].decode(self.encoding, errors="ignore")
            # One letter stands for what cannot be decoded: it may be the first of its row.
            lines = io.StringIO(before + "x", newline="")
            return sum(1 for _ in self._parsed(lines, strict=False)) - self.begins_at
        return 1
