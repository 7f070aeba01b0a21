"""What a sheet of codes says: Apple's own, with rows before its header, or any other table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from apps_catalog.codes.refusals import SheetTooLarge
from organizations.imports import rows_of

MOST_ROWS = 20_000
LARGEST = 2 * 1024 * 1024
LONGEST_CELL = 500
HEADER_WITHIN = 60  # rows
CODE = re.compile(r"(?=[A-Z0-9]*[A-Z])[A-Z0-9]{12}")
IN_LINK = re.compile(r"[?&]code=([A-Za-z0-9]{12})(?![A-Za-z0-9])")
OF_CODES = ("code", "redemptioncode", "vppcode", "promocode")
OF_LINKS = ("coderedemptionlink", "redemptionlink", "redemptionurl", "coderedemptionurl")
OF_ORDERS = ("orderid", "ordernumber", "order", "orderno")
OF_APPS = ("adamid", "itunesid", "appid", "applestoreid", "appleid", "itemid")
REDEEMED = "redeemed"

Row = tuple[int, list[str]]  # the number that a spreadsheet shows, and the cells


@dataclass(frozen=True, slots=True)
class SheetCode:
    number: int
    code: str
    is_redeemed: bool


@dataclass(frozen=True, slots=True)
class Malformed:
    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """`column` None: nobody can tell where the codes stand."""

    column: int | None
    order: str
    adam_id: str
    codes: Sequence[SheetCode]
    malformed: Sequence[Malformed]


def table_of(content: bytes) -> list[Row]:
    """The rows that say something."""
    if len(content) > LARGEST:
        raise SheetTooLarge(f"{LARGEST // 1024**2} MB")
    filled = (
        (number, [_clean(cell) for cell in cells])
        for number, cells in rows_of(content)
        if any(cell.strip() for cell in cells)
    )
    table = list(islice(filled, MOST_ROWS + 1))
    if len(table) > MOST_ROWS:
        raise SheetTooLarge(f"{MOST_ROWS:,} rows")
    return table


def read_sheet(table: Sequence[Row], column: int | None = None) -> Sheet:
    """`column`: where somebody has said that the codes stand."""
    header = _header_of(table)
    below = table[header + 1 :] if header is not None else table
    if column is None:
        column = _column_of(table[header][1]) if header is not None else None
    if column is None:
        column = _by_pattern(below)
    before = table[:header] if header is not None else table
    order, adam_id = _said(before, OF_ORDERS), _said(before, OF_APPS)
    if column is None:
        return Sheet(None, order, adam_id, (), ())
    codes, malformed = _codes_in(below, column, has_header=header is not None)
    return Sheet(column, order, adam_id, codes, malformed)


def columns_of(table: Sequence[Row]) -> list[int]:
    """Those in which anything stands."""
    return sorted({place for _, cells in table for place, cell in enumerate(cells) if cell})


# --- Where the codes stand --------------------------------------------------------------------------


def _header_of(table: Sequence[Row]) -> int | None:
    rows = enumerate(table[:HEADER_WITHIN])
    return next((at for at, (_, cells) in rows if _column_of(cells) is not None), None)


def _column_of(header: Sequence[str]) -> int | None:
    """Its codes rather than its links, of which redeemed ones have none."""
    names = [_word(cell) for cell in header]
    wanted = (*OF_CODES, *OF_LINKS)
    return next((names.index(name) for name in wanted if name in names), None)


def _by_pattern(table: Sequence[Row]) -> int | None:
    """The column with the most codes, if from the first on most of its cells are some."""
    found = {place: _hits(table, place) for place in columns_of(table)}
    likely = {place: hits for place, (hits, filled) in found.items() if hits * 2 > filled}
    return max(likely, key=lambda place: (likely[place], -place), default=None)


def _hits(table: Sequence[Row], place: int) -> tuple[int, int]:
    cells = [cells[place] for _, cells in table if place < len(cells) and cells[place]]
    first = next((at for at, cell in enumerate(cells) if _code_in(cell)), len(cells))
    return sum(bool(_code_in(cell)) for cell in cells), len(cells) - first


# --- What stands there ------------------------------------------------------------------------------


def _codes_in(
    table: Sequence[Row], column: int, *, has_header: bool
) -> tuple[list[SheetCode], list[Malformed]]:
    codes: dict[str, SheetCode] = {}
    malformed: list[Malformed] = []
    for number, cells in table:
        text = cells[column] if column < len(cells) else ""
        code = _code_in(text)
        if code in codes:
            malformed.append(Malformed(number, f"the same code as in row {codes[code].number}"))
        elif code:
            codes[code] = SheetCode(number, code, _is_redeemed(cells))
        elif has_header or codes:  # what stands before the first code is about all of them
            malformed.append(Malformed(number, _why(text)))
    return list(codes.values()), malformed


def _code_in(cell: str) -> str:
    """Of the code itself, or of Apple's link to redeem it; empty where there is none."""
    if found := IN_LINK.search(cell):
        return found[1].upper()
    text = cell.upper()
    return text if CODE.fullmatch(text) else ""


def _is_redeemed(cells: Iterable[str]) -> bool:
    return any(cell.casefold() == REDEEMED for cell in cells)


def _why(cell: str) -> str:
    if not cell:
        return "no code in this row"
    if cell.casefold() == REDEEMED:
        return "redeemed, and the code itself is not in the sheet"
    if len(cell) != 12:
        return f"{len(cell)} characters, and a code has 12"
    return "a code has letters and digits only"


def _said(table: Sequence[Row], names: Sequence[str]) -> str:
    """What stands beside one of these words, in the rows before the codes."""
    for _, cells in table[:HEADER_WITHIN]:
        for place, cell in enumerate(cells):
            name, _, rest = cell.partition(":")
            if _word(name) in names:
                beside = next((other for other in cells[place + 1 :] if other), "")
                return (rest.strip() or beside)[:100]
    return ""


def _word(cell: str) -> str:
    return "".join(letter for letter in cell.casefold() if letter.isalnum())


def _clean(cell: str) -> str:
    return " ".join(cell.replace("\ufeff", "").split())[:LONGEST_CELL]
