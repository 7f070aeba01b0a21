"""Rows out of an .xls workbook, as Excel wrote it until 2003: those of its first sheet."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from organizations.imports.refusals import FileWrong
from organizations.imports.text import Rows

UNREADABLE = (
    "This is an old Excel file (.xls), or a workbook with a password, that cannot be opened. Save it"
    " as .xlsx without a password and upload it again."
)


class _Silence:
    """Where xlrd complains about files; their senders are told by us."""

    def write(self, text: str) -> None: ...


def read_old_workbook(content: bytes) -> Rows:
    import xlrd  # noqa: PLC0415  hardly any file needs it

    try:
        book = xlrd.open_workbook(file_contents=content, logfile=_Silence(), ragged_rows=True)
        sheet = book.sheet_by_index(0)
        for place in range(sheet.nrows):
            yield place + 1, [_text(cell, book.datemode) for cell in sheet.row(place)]
    except Exception as error:  # xlrd trusts its file, and falls over it in any way
        raise FileWrong(UNREADABLE) from error


def _text(cell: Any, datemode: int) -> str:
    """As the cell looks, as far as that can be told without its format."""
    import xlrd  # noqa: PLC0415

    if cell.ctype == xlrd.XL_CELL_NUMBER:
        return str(int(cell.value)) if cell.value == int(cell.value) else repr(cell.value)
    if cell.ctype == xlrd.XL_CELL_DATE:
        moment: datetime = xlrd.xldate_as_datetime(cell.value, datemode)
        return moment.isoformat(sep=" ").removesuffix(" 00:00:00")
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return "TRUE" if cell.value else "FALSE"
    # The database takes no NUL.
    return str(cell.value).replace("\0", "") if cell.ctype == xlrd.XL_CELL_TEXT else ""
