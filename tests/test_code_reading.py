"""Sheets of redemption codes: Apple's own in each kind of file, and whatever else people have."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable

import pytest

from apps_catalog.codes.reading import (
    MOST_ROWS,
    Malformed,
    Sheet,
    SheetCode,
    read_sheet,
    table_of,
)
from apps_catalog.codes.refusals import SheetTooLarge
from organizations.imports import FileWrong
from tests.old_workbooks import old_workbook
from tests.workbooks import workbook

LINK = "https://buy.itunes.apple.com/WebObjects/MZFinance.woa/wa/freeProductCodeWizard?code="
FIRST, SECOND, THIRD = "W7ABCDEFGHIJ", "XK3LMNOPQRST", "YP9UVWXYZABC"
APPLES = [
    ["Order ID", "20110412-A"],
    ["Product Name", "Tidepool Math"],
    ["Adam ID", "1187400216"],
    ["Codes Purchased", "3"],
    ["Codes Redeemed", "1"],
    ["Codes Remaining", "2"],
    [],
    ["Code", "Code Redemption Link"],
    [FIRST, LINK + FIRST],
    [SECOND, "redeemed"],
    [THIRD, LINK + THIRD],
]


def as_csv(rows: Iterable[Iterable[str]], delimiter: str = ",") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode()


def read(rows: list[list[str]], column: int | None = None) -> Sheet:
    return read_sheet(table_of(as_csv(rows)), column)


def codes_of(sheet: Sheet) -> list[str]:
    return [each.code for each in sheet.codes]


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(as_csv, id="csv"),
        pytest.param(lambda rows: as_csv(rows, ";"), id="semicolons"),
        pytest.param(lambda rows: as_csv(rows, "\t").decode().encode("utf-16"), id="utf-16"),
        pytest.param(workbook, id="xlsx"),
        pytest.param(old_workbook, id="xls"),
    ],
)
def test_apples_sheet_is_read_whatever_its_kind(kind: Callable[..., bytes]) -> None:
    sheet = read_sheet(table_of(kind(APPLES)))

    assert (sheet.column, sheet.order, sheet.adam_id) == (0, "20110412-A", "1187400216")
    assert [(each.code, each.is_redeemed) for each in sheet.codes] == [
        (FIRST, False),
        (SECOND, True),
        (THIRD, False),
    ]
    assert sheet.malformed == []


def test_rows_are_numbered_as_a_spreadsheet_numbers_them() -> None:
    sheet = read(APPLES)

    assert sheet.codes[0] == SheetCode(9, FIRST, is_redeemed=False)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([["Name", "Value"], ["a", FIRST], ["b", SECOND]], id="another header"),
        pytest.param([["a", FIRST], ["b", SECOND]], id="no header"),
        pytest.param([["a", LINK + FIRST], ["b", LINK + SECOND]], id="links alone"),
        pytest.param(
            [["n", "Code Redemption Link"], ["a", LINK + FIRST], ["b", LINK + SECOND]],
            id="a column of links",
        ),
        pytest.param([["Order 1", "about"], ["a", FIRST.lower()], ["b", SECOND]], id="small"),
    ],
)
def test_without_apples_header_codes_are_found_by_how_they_look(rows: list[list[str]]) -> None:
    sheet = read(rows)

    assert (sheet.column, codes_of(sheet), sheet.malformed) == (1, [FIRST, SECOND], [])


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([["Name"], ["Ann"], ["Ben"]], id="no code at all"),
        pytest.param([["n", "v"], ["1", FIRST], ["2", "old"], ["3", "older"]], id="too few"),
        pytest.param([["123456789012"], ["123456789013"]], id="numbers"),
    ],
)
def test_where_nobody_can_tell_no_column_is_guessed(rows: list[list[str]]) -> None:
    sheet = read(rows)

    assert (sheet.column, sheet.codes, sheet.malformed) == (None, (), ())


def test_a_chosen_column_is_read() -> None:
    rows = [["n", "v"], ["1", FIRST], ["2", "old"], ["3", "older"]]

    sheet = read(rows, column=1)

    assert codes_of(sheet) == [FIRST]
    assert sheet.malformed == [
        Malformed(3, "3 characters, and a code has 12"),
        Malformed(4, "5 characters, and a code has 12"),
    ]


def test_what_is_malformed_says_why() -> None:
    rows = [["Code", "Code Redemption Link"], [FIRST, ""], [FIRST, ""], ["W7ABCDEFGHI", ""]]
    rows += [["W7ABCDEFGH-J", ""], ["redeemed", ""], ["", "something"]]

    sheet = read(rows)

    assert codes_of(sheet) == [FIRST]
    assert sheet.malformed == [
        Malformed(3, "the same code as in row 2"),
        Malformed(4, "11 characters, and a code has 12"),
        Malformed(5, "a code has letters and digits only"),
        Malformed(6, "redeemed, and the code itself is not in the sheet"),
        Malformed(7, "no code in this row"),
    ]


def test_the_order_may_stand_in_one_cell() -> None:
    sheet = read([["Order Number: M77"], ["Code"], [FIRST]])

    assert (sheet.order, codes_of(sheet)) == ("M77", [FIRST])


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(FileWrong, match="PDF"):
        table_of(b"%PDF-1.7")
    with pytest.raises(FileWrong, match="empty"):
        table_of(b"")
    with pytest.raises(SheetTooLarge, match="20,000 rows"):
        table_of(b"x\n" * (MOST_ROWS + 1))
    with pytest.raises(SheetTooLarge, match="2 MB"):
        table_of(b"x" * (2 * 1024 * 1024 + 1))
