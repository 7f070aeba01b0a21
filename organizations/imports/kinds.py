"""What kind of file it is, and its rows: text, a workbook of today (.xlsx), an old one (.xls)."""

from __future__ import annotations

from collections.abc import Sequence

from organizations.imports.old_excel import read_old_workbook
from organizations.imports.refusals import AS_CSV, FileWrong
from organizations.imports.spreadsheets import read_workbook
from organizations.imports.text import Recognised, Rows, read_text
from organizations.uploads import LARGEST

LARGEST_FILE = LARGEST

XLSX = b"PK\x03\x04"
WORKBOOK = b"xl/workbook"
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
NO_TABLE = {
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"{\\rtf": "a text document",
    b"\x1f\x8b": "a compressed file",
    b"bplist": "a property list",
    b"<": "a web page or XML",
}
# Other kinds of files that are archives as well, by the name of one of their parts.
ARCHIVES = {
    b"Index/": "a Numbers spreadsheet",
    b"opendocument": "an OpenDocument file",
    b"word/": "a Word document",
    b"ppt/": "a presentation",
}


def _filled(cells: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in cells)


def rows_of(content: bytes, *, recognised: Recognised = _filled) -> Rows:
    """Every row of the first sheet with the number that a spreadsheet shows. Text is divided where
    its first row says most: where nobody knows what stands there, into most cells.
    """
    refuse_no_table(content)
    if content.startswith(XLSX):
        return read_workbook(content)
    if content.startswith(OLD_EXCEL):
        return read_old_workbook(content)
    return read_text(content, recognised)


def refuse_no_table(content: bytes, *, each: str = "entry") -> None:
    """What can be told without reading it."""
    if not content.strip(b" \t\r\n\0\xef\xbb\xbf\xff\xfe"):
        raise FileEmpty(each)
    if len(content) > LARGEST_FILE:
        raise FileWrong(
            f"This file has {-(-len(content) // 1024**2):,} MB; at most {LARGEST_FILE // 1024**2} MB"
            " are read. Split it, each part with the header row."
        )
    if kind := _other_kind(content):
        raise FileWrong(f"This is {kind} and no table. {AS_CSV}")


class FileEmpty(FileWrong):
    def __init__(self, each: str) -> None:
        super().__init__(
            f"This file is empty. Choose one with a header row and a row for each {each}."
        )


def _other_kind(content: bytes) -> str:
    if content.startswith(XLSX):
        if WORKBOOK in content:
            return ""
        known = (kind for part, kind in ARCHIVES.items() if part in content)
        return next(known, "a ZIP archive")
    return next((kind for start, kind in NO_TABLE.items() if content.startswith(start)), "")
