"""What a page can do, a program can do: every address that changes something has its operation."""

from tests.api.page_operations import PAGES, SIGN_IN, Operations, Without
from tests.sweep.table import TABLE


def pages_that_change() -> set[str]:
    return {name for name, line in TABLE.items() if line.writes and not name.startswith("/")}


def operations_of(page: str) -> Operations:
    """Those without a namespace are the sign-in's own."""
    return PAGES.get(page, () if ":" in page else SIGN_IN)


def test_every_page_that_changes_something_has_its_operation() -> None:
    """A page that fails here wants a line in tests/api/page_operations.py, and an operation."""
    missing = {page for page in pages_that_change() if not operations_of(page)}

    assert missing == set()


def test_nothing_is_told_of_pages_that_are_not_there() -> None:
    assert set(PAGES) - pages_that_change() == set()


def test_every_operation_of_a_page_exists(openapi: dict) -> None:
    known = {
        operation["operationId"]
        for path in openapi["paths"].values()
        for operation in path.values()
    }

    told = {
        name
        for operations in PAGES.values()
        if not isinstance(operations, Without)
        for name in operations
    }

    assert told - known == set()
