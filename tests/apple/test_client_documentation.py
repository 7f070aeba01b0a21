"""docs/apple.md promises a test for everything: the tests exist, and nothing is left out."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import vpp_accounts.apple
from vpp_accounts.apple import AppleClient
from vpp_accounts.apple.errors import CLASS_OF_NUMBER
from vpp_accounts.apple.fake.service import ROUTES
from vpp_accounts.apple.fake.trouble import KINDS

TESTS = Path(__file__).parent
CLIENT = Path(vpp_accounts.apple.__file__).parent
NOT_ENDPOINTS = {"close", "manage_as"}
PAGE = (TESTS.parents[1] / "docs" / "apple.md").read_text()


def rows_below(heading: str) -> dict[str, str]:
    """First column → the rest of the row, of the table in that section."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", section, re.MULTILINE)
    return {first.strip("`"): rest for first, rest in rows[2:]}


def references(text: str) -> set[tuple[str, str]]:
    return set(re.findall(r"`(test_\w+\.py)::(test_\w+)`", text))


@cache
def names_in(name: str) -> set[str]:
    tree = ast.parse((TESTS / name).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_test_that_the_page_names_exists() -> None:
    missing = [(file, test) for file, test in references(PAGE) if test not in names_in(file)]

    assert missing == []


@pytest.mark.parametrize("heading", ["Endpoints", "Fields", "Error numbers", "Faults of the fake"])
def test_every_row_names_a_test(heading: str) -> None:
    assert [first for first, rest in rows_below(heading).items() if not references(rest)] == []


def test_no_endpoint_is_missing() -> None:
    rows = rows_below("Endpoints")
    methods = {name for name in dir(AppleClient) if not name.startswith("_")}

    assert {rest.split()[0] for rest in rows.values()} == methods - NOT_ENDPOINTS
    assert {f"{method} {path}" for path, names in ROUTES.items() for method in names} < set(rows)


def test_no_error_number_is_missing() -> None:
    shown = {
        int(number): re.findall(r"`(\w+)`", rest)[0]
        for number, rest in rows_below("Error numbers").items()
    }

    assert shown == {number: kind.__name__ for number, kind in CLASS_OF_NUMBER.items()}


def test_no_fault_is_missing() -> None:
    assert set(rows_below("Faults of the fake")) == set(KINDS)


def test_no_field_that_the_client_reads_or_sends_is_missing() -> None:
    texts = {
        node.value
        for path in CLIENT.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    fields = {text for text in texts if re.fullmatch(r"[a-z]+([A-Z][a-z0-9]*)+", text)}
    shown = set(re.findall(r"`(\w+)`", " ".join(rows_below("Fields").values())))

    assert len(fields) > 40
    assert fields - shown == set()
