"""Old workbooks (.xls) for tests: the records of a sheet, in the container that Excel puts them in."""

from __future__ import annotations

import struct
from collections.abc import Iterable

SECTOR = 512
FREE, END, TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
SMALLEST = 4096  # what is smaller stands elsewhere in the container
DATE_FORMAT = 14


def old_workbook(rows: Iterable[Iterable[object]]) -> bytes:
    """The first sheet; a `float` with a `date:` before it (as text) is shown as a date."""
    return contained(_stream(rows))


def _record(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _stream(rows: Iterable[Iterable[object]]) -> bytes:
    bof = struct.pack("<HHHHII", 0x0600, 0x0005, 0x0DBB, 0x07CC, 0, 6)
    sheet_bof = struct.pack("<HHHHII", 0x0600, 0x0010, 0x0DBB, 0x07CC, 0, 6)
    formats = b"".join(
        _record(0x00E0, struct.pack("<HHH", 0, number, 0) + b"\0" * 14)
        for number in (0, DATE_FORMAT)
    )
    codepage = _record(0x0042, struct.pack("<H", 1200))
    name = struct.pack("<BB", 5, 0) + b"Sheet"
    before = _record(0x0809, bof) + codepage + formats
    place = len(before) + len(_record(0x0085, struct.pack("<IH", 0, 0) + name)) + 4
    book = before + _record(0x0085, struct.pack("<IH", place, 0) + name) + _record(0x000A)
    cells = b"".join(
        _cell(row, column, value)
        for row, values in enumerate(rows)
        for column, value in enumerate(values)
    )
    return book + _record(0x0809, sheet_bof) + cells + _record(0x000A)


def _cell(row: int, column: int, value: object) -> bytes:
    place = struct.pack("<HH", row, column)
    match value:
        case bool():
            return _record(0x0205, place + struct.pack("<HBB", 0, value, 0))
        case int() | float():
            return _record(0x0203, place + struct.pack("<Hd", 0, value))
        case str() if value.startswith("date:"):
            days = float(value.removeprefix("date:"))
            return _record(0x0203, place + struct.pack("<Hd", 1, days))
        case str() if value:
            text = value.encode("utf-16-le")
            return _record(0x0204, place + struct.pack("<HHB", 0, len(text) // 2, 1) + text)
    return b""


def contained(stream: bytes, name: str = "Workbook") -> bytes:
    """One stream in a compound document: its header, its table of sectors, its directory."""
    stream = stream.ljust(SMALLEST, b"\0")
    sectors = -(-len(stream) // SECTOR)
    table = [TABLE, END, *range(3, sectors + 2), END]
    tables = -(-len(table) // (SECTOR // 4))
    assert tables == 1, "a larger workbook needs more than one table of sectors"
    table += [FREE] * (SECTOR // 4 - len(table))
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        *(0x3E, 3, 0xFFFE, 9, 6),
        *(0, 1, 1, 0, SMALLEST, END, 0, END, 0),
    )
    header += struct.pack("<109I", 0, *[FREE] * 108)
    directory = (
        _entry("Root Entry", 5, child=1, start=END, size=0)
        + _entry(name, 2, start=2, size=len(stream))
        + _entry("", 0, start=0, size=0) * 2
    )
    return (
        header
        + struct.pack(f"<{len(table)}I", *table)
        + directory
        + stream.ljust(sectors * SECTOR, b"\0")
    )


def _entry(name: str, kind: int, *, start: int, size: int, child: int = FREE) -> bytes:
    text = (name + "\0").encode("utf-16-le") if name else b""
    return struct.pack(
        "<64sHBBIII16xI8x8xIII", text, len(text), kind, 1, FREE, FREE, child, 0, start, size, 0
    )
