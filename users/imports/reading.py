"""People out of an uploaded file: its rows, cleaned, each with what is wrong with it in itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from organizations.lists.export import FORMULA_STARTS
from organizations.refusals import Refusal
from organizations.services import checked_tags
from organizations.uploads import LARGEST
from users.imports.columns import FIELDS, Header, read_header
from users.imports.refusals import AS_CSV, FileWrong
from users.imports.spreadsheets import read_workbook
from users.imports.text import Rows, read_text
from users.services import PersonDetails, checked

LARGEST_FILE = LARGEST
MOST_ROWS = 100_000
LENGTHS = {"name": 200, "email": 254, "username": 200, "tags": 2000, "managed_apple_account": 254}

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
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
# They come along when text is copied from web pages and mails, and nobody sees them.
INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row; `problem` says what is wrong with it whatever else is known."""

    number: int
    said: dict[str, str]
    problem: str

    @property
    def cells(self) -> list[str]:
        """In the order of FIELDS, no longer than they are kept."""
        return [self.said.get(field, "")[: LENGTHS[field]] for field in FIELDS]


def refuse_no_table(content: bytes) -> None:
    """What can be told without reading it."""
    if not content.strip(b" \t\r\n\0\xef\xbb\xbf\xff\xfe"):
        raise FileWrong(
            "This file is empty. Choose one with a header row and a row for each person."
        )
    if len(content) > LARGEST_FILE:
        raise FileWrong(
            f"This file has {-(-len(content) // 1024**2):,} MB; at most {LARGEST_FILE // 1024**2} MB"
            " are read. Split it, each part with the header row."
        )
    if content.startswith(OLD_EXCEL):
        raise FileWrong(
            "This is an old Excel file (.xls), or a workbook that is protected with a password. Save"
            " it as .xlsx without a password and upload it again."
        )
    if kind := _other_kind(content):
        raise FileWrong(f"This is {kind} and no table. {AS_CSV}")


def _other_kind(content: bytes) -> str:
    if content.startswith(XLSX):
        if WORKBOOK in content:
            return ""
        known = (kind for part, kind in ARCHIVES.items() if part in content)
        return next(known, "a ZIP archive")
    return next((kind for start, kind in NO_TABLE.items() if content.startswith(start)), "")


class PeopleFile:
    """A file that is read once, row by row; what is wrong with all of it is raised on the way."""

    def __init__(self, content: bytes) -> None:
        refuse_no_table(content)
        self._rows = read_workbook(content) if content.startswith(XLSX) else read_text(content)
        self._header = _header_of(self._rows)
        self.notices = self._header.notices

    def __iter__(self) -> Iterator[FileRow]:
        people = 0
        for number, cells in self._rows:
            if not any(map(str.strip, cells)):
                continue
            people += 1
            if people > MOST_ROWS:
                raise FileWrong(
                    f"This file has more than {MOST_ROWS:,} rows. Split it, each part with the"
                    " header row."
                )
            yield _row(number, cells, self._header)
        if not people:
            raise FileWrong(
                "This file has a header row and nobody below it. Add a row for each person."
            )


def _header_of(rows: Rows) -> Header:
    for _, cells in rows:
        if any(map(str.strip, cells)):
            return read_header(cells)
    raise FileWrong("This file is empty. Choose one with a header row and a row for each person.")


def _row(number: int, cells: Sequence[str], header: Header) -> FileRow:
    said = {}
    for field, place in header.places.items():
        if place < len(cells) and (text := _clean(cells[place])):
            said[field] = text
    surplus = any(map(str.strip, cells[header.width :]))
    return FileRow(number, said, _problem(said, surplus=surplus))


def _clean(cell: str) -> str:
    """On one line, without the spaces around it."""
    text = " ".join(cell.translate(INVISIBLE).split())
    # Our own downloads put an apostrophe before what a spreadsheet would run as a formula.
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA_STARTS) else text


def _problem(said: dict[str, str], *, surplus: bool) -> str:
    if surplus:
        return (
            "This row has more cells than the header. Put quotation marks around text with commas."
        )
    if CONTROL.search("".join(said.values())):
        return "A control character is in this row. Type it anew."
    try:
        _refuse(said)
    except Refusal as refusal:
        return str(refusal)[:300]
    return ""


def _refuse(said: dict[str, str]) -> None:
    """What a page would refuse as well."""
    checked(
        PersonDetails(
            email=said.get("email"),
            name=said.get("name"),
            username=said.get("username"),
            managed_apple_account=said.get("managed_apple_account"),
        )
    )
    if tags := said.get("tags"):
        said["tags"] = " ".join(checked_tags(tags.split()))
        if "," in tags or ";" in tags:
            raise TagsDivided
        if len(tags) > LENGTHS["tags"]:
            raise TooManyTags


class TagsDivided(Refusal):
    code = "tag_wrong"

    def __init__(self) -> None:
        super().__init__("Tags are separated by spaces. Leave out the commas and semicolons.")


class TooManyTags(Refusal):
    code = "tag_wrong"

    def __init__(self) -> None:
        super().__init__(f"The tags have more than {LENGTHS['tags']:,} characters. Give fewer.")
