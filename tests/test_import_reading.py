"""Rows out of files: CSV in its many forms, workbooks, and what is neither."""

import csv
import io
import string
import zipfile
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizations.imports.refusals import FileWrong
from organizations.imports.spreadsheets import DAMAGED, MOST_UNPACKED
from tests.workbooks import packed, relations, shared, workbook, worksheet
from users.imports.reading import FIELDS, LARGEST_FILE, MOST_ROWS, PeopleFile

ADA = {"name": "Ada Lövelace", "email": "ada@example.org"}
PLAIN = "name,email\nAda Lövelace,ada@example.org\n"
AS_CSV = "Save it as “CSV UTF-8” or as .xlsx and upload it again."
HEADER = [FIELDS[field] for field in FIELDS]


def read(content: bytes | str) -> list[tuple[int, dict[str, str], str]]:
    encoded = content.encode() if isinstance(content, str) else content
    return [(row.number, row.said, row.problem) for row in PeopleFile(encoded)]


def refusal_of(content: bytes | str) -> str:
    with pytest.raises(FileWrong) as refused:
        read(content)
    return str(refused.value)


# --- Text -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "encoded",
    [
        PLAIN.encode("utf-8"),
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        ("\ufeff" + PLAIN).encode("utf-16-be"),
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-16-be"),
    ],
    ids=["UTF-8", "UTF-8 mark", "UTF-16 mark", "UTF-16 BE mark", "UTF-16 LE", "UTF-16 BE"],
)
def test_encodings(encoded: bytes) -> None:
    assert read(encoded) == [(2, ADA, "")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(delimiter: str, line_end: str) -> None:
    text = PLAIN.replace(",", delimiter).replace("\n", line_end)

    assert read(text) == [(2, ADA, "")]


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\r\nname;email\r\nAda Lövelace;ada@example.org",
        '"sep=|"\nname|email\nAda Lövelace|ada@example.org',
        "Email address,Full Name\nada@example.org,Ada Lövelace",
        "E-MAIL;NAME\nada@example.org;Ada Lövelace",
        "name,email,,,\nAda Lövelace,ada@example.org,,,\n,,,,\n",
        'name, email\n"Ada\n  Lövelace", "ada@example.org"',
        "name,email\nAda Lövelace,\u200bada@example.org\u00a0",
    ],
    ids=["sep", "bar", "order", "capitals", "trailing", "line break", "invisible"],
)
def test_the_same_person_in_many_ways(text: str) -> None:
    assert read(text) == [(2, ADA, "")]


def test_rows_are_numbered_as_in_a_spreadsheet() -> None:
    text = '\nname,email\n"A\nda",ada@example.org\n,,\nBo,bo@example.org\n'

    assert [(number, said["name"]) for number, said, _ in read(text)] == [(3, "A da"), (5, "Bo")]


def test_columns_that_say_nothing_are_named() -> None:
    file = PeopleFile(b"email,Room,Phone\na@example.org,1,2\n")

    assert file.notices == ["“Room”, “Phone” are no columns that we read."]


def test_all_columns() -> None:
    text = "Name,Mail,Login,Managed Apple ID,Tag\nAnn,a@b.cc,alee,ann@school.example,staff  Staff x"

    assert read(text) == [
        (
            2,
            {
                "name": "Ann",
                "email": "a@b.cc",
                "username": "alee",
                "tags": "staff x",
                "managed_apple_account": "ann@school.example",
            },
            "",
        )
    ]


CELLS = st.text(
    st.characters(
        exclude_categories=["Cs", "Cc"], exclude_characters="\u200b\u200c\u200d\u2060\ufeff"
    )
    | st.sampled_from(",;\t\r\n\" '"),
    max_size=30,
)
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])
# Python's writer leaves a line break bare where it is not the one that ends its lines.
DIALECTS = st.fixed_dictionaries(
    {"delimiter": st.sampled_from(",;\t"), "quoting": st.just(csv.QUOTE_MINIMAL)}
) | st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from(",;\t"),
        "quoting": st.just(csv.QUOTE_ALL),
        "lineterminator": st.sampled_from(["\n", "\r"]),
    }
)


@given(names=st.lists(CELLS, min_size=1, max_size=8), encoding=ENCODINGS, dialect=DIALECTS)
def test_whatever_is_written_is_read(names: list[str], encoding: str, dialect: Any) -> None:
    text = io.StringIO()
    writer = csv.writer(text, **dialect)
    writer.writerow(["name", "email"])
    writer.writerows([name, f"p{number}@example.org"] for number, name in enumerate(names))

    rows = read(text.getvalue().encode(encoding))

    assert [said.get("name", "") for _, said, _ in rows] == [" ".join(n.split()) for n in names]
    assert [number for number, _, _ in rows] == list(range(2, len(names) + 2))


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_read_or_refused(content: bytes) -> None:
    with suppress(FileWrong):
        assert all(number > 1 for number, _, _ in read(content))


@given(st.binary(max_size=60), st.integers(0, 900))
def test_a_workbook_that_was_damaged_is_read_or_refused(garbage: bytes, place: int) -> None:
    good = workbook([["email"], ["a@example.org"]])

    with suppress(FileWrong):
        assert len(read(good[:place] + garbage + good[place + len(garbage) :])) == 1


# --- Rows with something wrong in themselves ------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("Ann,ann,,", "“ann” is no e-mail address. Give one like ann@example.org."),
        (
            "Ann,a@b.cc,,ann",
            "“ann” is no Managed Apple Account. Give one like ann@example.org.",
        ),
        ("n" * 201 + ",a@b.cc,,", "Names have at most 200 characters."),
        (
            'Ann,a@b.cc,"staff, x",',
            "Tags are separated by spaces. Leave out the commas and semicolons.",
        ),
        (
            f"Ann,a@b.cc,{'t' * 101},",
            "“tttttttttttttttttttt…” is longer than 100 characters. Shorten it.",
        ),
        (
            f"Ann,a@b.cc,{' '.join(f'{n:05}' for n in range(400))},",
            "The tags have more than 2,000 characters. Give fewer.",
        ),
        (
            "Lee, Ann,a@b.cc,staff,a@c.dd",
            "This row has more cells than the header. Put quotation marks around text with commas.",
        ),
        ("A\x07nn,a@b.cc,,", "A control character is in this row. Type it anew."),
    ],
)
def test_what_is_wrong_is_said(row: str, problem: str) -> None:
    rows = read(f"name,email,tags,managedAppleAccount\n{row}\nBo,bo@example.org,,")

    assert [(number, told) for number, _, told in rows] == [(2, problem), (3, "")]


def test_what_is_too_long_is_cut_where_it_is_kept() -> None:
    [row] = PeopleFile(f"email,name\n{'e' * 300},{'n' * 300}".encode())

    assert row.problem
    assert [len(cell) for cell in row.cells] == [200, 254, 0, 0, 0]


# --- Files that cannot be read --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "This file is empty. Choose one with a header row and a row for each person."),
        (b"\xef\xbb\xbf\n , \n", None),
        (b"\xff\xfe\r\0\n\0", None),
        ("name,email\n", "This file has a header row and nobody below it."),
        (
            "first,last\nAda,Lovelace",
            "A column “email” or “managedAppleAccount” is needed, and the first row names “first”,"
            " “last”. Add a header row like name,email,username,tags,managedAppleAccount.",
        ),
        ("email,Mail\na@b.cc,b@b.cc", "The columns “email” and “Mail” both mean email."),
        (
            'name,email\na,a@b.cc\n"b\n\nb",b@b.cc\nÄda,c@b.cc'.encode("latin-1"),
            f"Row 4 is not UTF-8. {AS_CSV}",
        ),
        ("Näme,email\na,a@b.cc".encode("cp1252"), f"Row 1 is not UTF-8. {AS_CSV}"),
        ("name,email\na,a@b.cc".encode("utf-16") + b"\0", f"Row 2 is not UTF-16. {AS_CSV}"),
        ("email\na@b.cc\nb\0@b.cc", f"Row 3 has NUL characters, so it is no text. {AS_CSV}"),
        (
            'name,email\na,a@b.cc\n"b,b@b.cc\nc,c@b.cc',
            "Row 3 cannot be divided into cells: a quotation mark is not closed",
        ),
        (bytes(range(256)) * 9, f"This file is no table. {AS_CSV}"),
        (b"%PDF-1.7 x", f"This is a PDF document and no table. {AS_CSV}"),
        (b"\x89PNG\r\n\x1a\nxx", f"This is a picture and no table. {AS_CSV}"),
        (b"\xff\xd8\xff\xe0 JFIF", f"This is a picture and no table. {AS_CSV}"),
        (b"<html><body>", f"This is a web page or XML and no table. {AS_CSV}"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old",
            "This is an old Excel file (.xls), or a workbook",
        ),
        (b"PK\x03\x04 Index/Document.iwa", f"This is a Numbers spreadsheet and no table. {AS_CSV}"),
        (b"PK\x03\x04 vnd.oasis.opendocument", "This is an OpenDocument file and no table."),
        (b"PK\x03\x04 holiday.jpg", f"This is a ZIP archive and no table. {AS_CSV}"),
    ],
)
def test_files_that_are_no_table_of_people(content: bytes | str, sentence: str | None) -> None:
    told = refusal_of(content)

    assert told.startswith(sentence or "This file is empty.")


def test_files_that_are_too_large() -> None:
    assert refusal_of(b"email\n" + b"x" * LARGEST_FILE).startswith(
        "This file has 21 MB; at most 20 MB are read."
    )


def test_one_row_too_many_is_refused_and_no_row_less() -> None:
    full = "email\n" + "a@example.org\n" * MOST_ROWS

    assert len(read(full)) == MOST_ROWS
    assert refusal_of(full + "b@example.org").startswith("This file has more than 100,000 rows.")


# --- Workbooks ------------------------------------------------------------------------------------


def test_a_workbook() -> None:
    content = workbook([["Name", "E-Mail", "Room"], [], ["Ada Lövelace", "ada@example.org", "1"]])

    assert read(content) == [(3, ADA, "")]
    assert PeopleFile(content).notices == ["“Room” is no column that we read."]


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), max_size=20),
        min_size=1,
        max_size=5,
    )
)
def test_whatever_a_workbook_says_is_read(names: list[str]) -> None:
    people = [[name, f"p{number}@example.org"] for number, name in enumerate(names)]

    rows = read(workbook([["name", "email"], *people]))

    cleaned = [
        " ".join(n.translate(dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))).split())
        for n in names
    ]
    assert [said.get("name", "") for _, said, _ in rows] == cleaned


def test_cells_of_every_kind() -> None:
    rich = "<si><r><t>Ada </t></r><r><t>Lövelace</t></r><rPh><t>EIDA</t></rPh></si>"
    header = "".join(
        f'<c r="{column}1" t="inlineStr"><is><t>{name}</t></is></c>'
        for column, name in zip("ACE", ["name", "email", "username"], strict=True)
    )
    row = (
        '<c r="A2" t="s"><v>0</v></c><c r="B2" s="1"/>'
        '<c r="C2" t="str"><f>LOWER("X")</f><v>ada@example.org</v></c><c r="E2"><v>4711</v></c>'
    )
    content = workbook(
        [],
        xl__sharedStrings__xml="",
        **{
            "xl/sharedStrings.xml": shared([rich]),
            "xl/worksheets/sheet1.xml": worksheet(
                f"<row r='1'>{header}</row><row r='2'>{row}</row>"
            ),
        },
    )

    assert read(content) == [(2, ADA | {"username": "4711"}, "")]


def test_the_first_sheet_counts_wherever_it_lies() -> None:
    cell = "<row><c t='inlineStr'><is><t>{}</t></is></c></row>"
    content = packed(
        {
            "_rels/.rels": relations(("a", "officeDocument", "/book/workbook9.xml")),
            "book/workbook9.xml": "<workbook xmlns:r='r'><sheets><sheet name='One' r:id='x'/>"
            "<sheet name='Two' r:id='y'/></sheets></workbook>",
            "book/_rels/workbook9.xml.rels": relations(
                ("y", "worksheet", "two.xml"), ("x", "worksheet", "../elsewhere/one.xml")
            ),
            "elsewhere/one.xml": worksheet(cell.format("email") + cell.format("a@example.org")),
        }
    )

    assert read(content) == [(2, {"email": "a@example.org"}, "")]


def test_a_cell_far_out_costs_nothing() -> None:
    """Readers that make a grid of all cells run out of memory here."""
    far = '<row r="1048576"><c r="XFD1048576" t="str"><v>x</v></c></row>'
    first = '<row r="1"><c r="A1" t="str"><v>email</v></c></row>'
    content = workbook([], **{"xl/worksheets/sheet1.xml": worksheet(first + far)})

    assert refusal_of(content).startswith("This file has a header row and nobody below it.")


def test_a_workbook_that_unpacks_to_very_much_is_refused() -> None:
    content = workbook([], **{"xl/worksheets/sheet1.xml": worksheet(" " * MOST_UNPACKED)})

    assert len(content) < 1024 * 1024
    assert refusal_of(content).startswith("This workbook has more than 150 MB when it is unpacked.")


@pytest.mark.parametrize(
    "parts",
    [
        {"xl/worksheets/sheet1.xml": "<worksheet>"},
        {"xl/worksheets/sheet1.xml": worksheet("<row r='0'><c t='str'><v>x</v></c></row>")},
        {"xl/worksheets/sheet1.xml": worksheet("<row><c t='s'><v>7</v></c></row>")},
        {
            "xl/worksheets/sheet1.xml": '<!DOCTYPE w [<!ENTITY a "aaaa">]>'
            + worksheet("<row><c t='str'><v>&a;</v></c></row>").removeprefix(
                '<?xml version="1.0"?>'
            )
        },
        {"xl/worksheets/sheet1.xml": worksheet(f"<row><c><v>{'9' * 40_000}</v></c></row>")},
        {"xl/worksheets/sheet1.xml": worksheet(2 * "<row r='2'><c t='str'><v>x</v></c></row>")},
        {"xl/_rels/workbook.xml.rels": relations()},
        {"_rels/.rels": relations()},
        {"xl/workbook.xml": "<workbook/>"},
    ],
    ids=[
        "XML",
        "row 0",
        "string",
        "document type",
        "long cell",
        "row twice",
        "no sheet",
        "no book",
        "empty",
    ],
)
def test_workbooks_that_are_damaged(parts: dict[str, str]) -> None:
    told = refusal_of(workbook([["email"], ["a@example.org"]], **parts))

    assert told == DAMAGED


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_workbook_is_packed_as_spreadsheets_pack(packing: int) -> None:
    file = io.BytesIO()
    plain = zipfile.ZipFile(io.BytesIO(workbook([["email"], ["a@example.org"]])))
    with plain, zipfile.ZipFile(file, "w", packing) as other:
        for name in plain.namelist():
            other.writestr(name, plain.read(name))

    assert refusal_of(file.getvalue()) == DAMAGED


def test_names_of_columns_are_those_of_the_template() -> None:
    assert HEADER == ["name", "email", "username", "tags", "managedAppleAccount"]
    assert set(",".join(HEADER)) <= set(string.ascii_letters + ",")
