"""The pages of redemption codes: a sheet is imported, a code handed out; accessible, never too wide."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from apps_catalog.models import ManagedApp
from organizations.models import Admin
from tests import factories
from tests.browser.conftest import Complaints, OpenPage
from tests.browser.crawl import scrolling_tables, too_wide, violations
from tests.codes import CODES, sheet_of


@pytest.fixture
def app(owner: Admin) -> ManagedApp:
    organization = owner.memberships.get().organization
    network = factories.NetworkFactory(organization=organization, name="Oakmont")
    title = factories.AppFactory(adam_id="1187400216", name="Tidepool Math", price="4.99")
    factories.OwnerFactory(organization=organization, name="Ann Lee", email="ann@example.org")
    return factories.ManagedAppFactory(network=network, app=title)


def upload(page: Page, content: bytes) -> None:
    page.get_by_role("link", name="Import codes").click()
    sheet = {"name": "codes.csv", "mimeType": "text/csv", "buffer": content}
    page.get_by_label("Sheet of an order").set_input_files(files=[sheet])
    page.get_by_role("button", name="Check the file").click()


@pytest.mark.parametrize(
    ("theme", "width"),
    [
        pytest.param("light", 1280, id="light"),
        pytest.param("dark", 1280, id="dark"),
        pytest.param("light", 390, id="telephone"),
    ],
)
def test_codes_are_imported_and_handed_out(
    open_page: OpenPage,
    complaints: Complaints,
    owner: Admin,
    app: ManagedApp,
    theme: str,
    width: int,
) -> None:
    page = open_page(owner, theme=theme, width=width)
    wrong: dict[str, list[str]] = {}

    def look(name: str) -> None:
        wrong[name] = violations(page) + too_wide(page) + scrolling_tables(page)

    page.goto(f"/organizations/{app.organization_id}/manage/apps/{app.pk}/")
    page.get_by_role("link", name="Codes of old orders").click()
    look("empty")
    upload(page, f"number,what\n1,{CODES[0]}\n2,old\n3,older".encode())
    look("asks for the column")
    page.get_by_role("button", name="Cancel").click()
    upload(page, sheet_of(*CODES, "SHORT", adam_id="361309726", redeemed=CODES[2:]))
    look("preview")
    page.get_by_role("button", name="Import 3 codes").click()
    page.get_by_text("3 codes are imported.").wait_for()
    look("list")
    page.get_by_role("link", name="Hand out").click()
    page.get_by_label("Choose Ann Lee").check()
    look("owners")
    page.get_by_role("button", name="Hand out one code each").click()
    page.get_by_text("1 code is handed out; its mail goes out now.").wait_for()
    look("handed out")
    page.get_by_role("link", name="Show the code that ends with GHIJ").click()
    look("before it is shown")
    page.get_by_role("button", name="Show the code").click()
    look("shown")

    assert page.get_by_label("Code", exact=True).input_value() == CODES[0]
    assert {name: found for name, found in wrong.items() if found} == {}
    assert len(wrong) == 8
    assert complaints == []
