"""Workbooks for tests, part by part, as Excel and others write them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"


def workbook(rows: Iterable[Iterable[str]], **parts: str) -> bytes:
    """The rows from the first one on; `parts` replace or add others (`/` written `__`)."""
    strings: list[str] = []
    sheet = "".join(
        f'<row r="{number}">{"".join(_cell(strings, text, column, number) for column, text in enumerate(row))}</row>'
        for number, row in enumerate(rows, 1)
    )
    return packed(
        {
            "xl/sharedStrings.xml": shared(f"<si><t>{escape(text)}</t></si>" for text in strings),
            "xl/worksheets/sheet1.xml": worksheet(sheet),
        }
        | {name.replace("__", "/"): text for name, text in parts.items()}
    )


def _cell(strings: list[str], text: str, column: int, number: int) -> str:
    if not text:
        return ""
    strings.append(text)
    return f'<c r="{chr(65 + column)}{number}" t="s"><v>{len(strings) - 1}</v></c>'


def shared(items: Iterable[str]) -> str:
    return f'<?xml version="1.0"?><sst xmlns="{MAIN}">{"".join(items)}</sst>'


def worksheet(rows: str) -> str:
    return (
        f'<?xml version="1.0"?><worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'
    )


def packed(parts: dict[str, str]) -> bytes:
    """With what every workbook has, in the order in which the names sort."""
    every = {
        "_rels/.rels": relations(("rId1", "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<?xml version="1.0"?><workbook xmlns="{MAIN}" xmlns:r="{RELATION}">'
        '<sheets><sheet name="People" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relations(
            ("rId1", "worksheet", "worksheets/sheet1.xml"),
            ("rId2", "sharedStrings", "/xl/sharedStrings.xml"),
        ),
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (every | parts).items():
            archive.writestr(name, text)
    return file.getvalue()


def relations(*entries: tuple[str, str, str]) -> str:
    found = "".join(
        f'<Relationship Id="{key}" Type="{RELATION}/{kind}" Target="{target}"/>'
        for key, kind, target in entries
    )
    return f'<?xml version="1.0"?><Relationships xmlns="{RELATIONS}">{found}</Relationships>'
