"""Rows out of .xls workbooks, and out of any file whose header nobody knows."""

from __future__ import annotations

import random

import pytest

from organizations.devices.columns import DeviceFile
from organizations.imports import FileWrong, rows_of
from tests.old_workbooks import contained, old_workbook
from tests.workbooks import workbook
from users.imports.reading import PeopleFile

SHEET = [
    ["Order", 4711, "", ""],
    [],
    ["Code", "Price", "Day", "Used"],
    ["AB-12 ü", 1.5, "date:45658", True],
]


def test_cells_of_every_kind() -> None:
    assert list(rows_of(old_workbook(SHEET))) == [
        (1, ["Order", "4711"]),
        (2, []),
        (3, ["Code", "Price", "Day", "Used"]),
        (4, ["AB-12 ü", "1.5", "2025-01-01", "TRUE"]),
    ]


def test_people_and_devices_are_read() -> None:
    content = old_workbook([["Serial", "Email"], ["dmq1", "ann@example.org"]])

    [device], [person] = DeviceFile(content), PeopleFile(content)

    assert (device.number, device.said) == (
        2,
        {"serial_number": "DMQ1", "owner_email": "ann@example.org"},
    )
    assert person.said == {"email": "ann@example.org"}


@pytest.mark.parametrize(
    "content",
    [
        b"Order;4711\n\nCode;Link\nAB12;https://example.org/?a=1,2\n",
        'Order,4711\n\nCode,Link\nAB12,"https://example.org/?a=1,2"\n'.encode("utf-16"),
        b"Order\t4711\r\n\r\nCode\tLink\r\nAB12\thttps://example.org/?a=1,2\r\n",
        workbook([["Order", "4711"], [], ["Code", "Link"], ["AB12", "https://example.org/?a=1,2"]]),
        old_workbook(
            [["Order", 4711], [], ["Code", "Link"], ["AB12", "https://example.org/?a=1,2"]]
        ),
    ],
    ids=["semicolons", "UTF-16", "tabs", "xlsx", "xls"],
)
def test_rows_of_files_of_every_kind(content: bytes) -> None:
    rows = [(number, cells) for number, cells in rows_of(content) if cells]

    assert rows == [
        (1, ["Order", "4711"]),
        (3, ["Code", "Link"]),
        (4, ["AB12", "https://example.org/?a=1,2"]),
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
        contained(b"not a workbook", "EncryptedPackage"),
        contained(b"\x09\x08\xff\xff"),
        old_workbook(SHEET)[:3000],
    ],
    ids=["no container", "password", "no records", "cut off"],
)
def test_what_cannot_be_opened_is_said(content: bytes) -> None:
    with pytest.raises(FileWrong) as refused:
        list(rows_of(content))

    assert str(refused.value) == (
        "This is an old Excel file (.xls), or a workbook with a password, that cannot be opened."
        " Save it as .xlsx without a password and upload it again."
    )


def test_damage_of_any_kind_is_told_or_read_past() -> None:
    chance = random.Random(7)
    whole = old_workbook(SHEET)

    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 8)):
            damaged[chance.randrange(8, len(damaged))] = chance.randrange(256)
        try:
            rows = list(rows_of(bytes(damaged)))
        except FileWrong:
            continue
        assert all(isinstance(cell, str) and "\0" not in cell for _, row in rows for cell in row)
