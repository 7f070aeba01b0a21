"""A CSV with errors, from the upload to the result, as one clicks through it."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from organizations.models import Admin, Owner
from tests import factories
from tests.browser.conftest import Complaints, OpenPage
from tests.browser.crawl import scrolling_tables, too_wide, violations
from vpp_accounts.models import VppAccount

PEOPLE = """E-mail;Full Name;Tags;Shoe size
ann@example.org;Ann Lee;"grade-4
teachers";38
bo@example.org;Bo Diaz;;41
not an address;Cy Fox;;
ann@example.org;Ann Lee again;;
"""


@pytest.fixture
def account(administrator: Admin) -> VppAccount:
    organization = administrator.memberships.get().organization
    factories.OwnerFactory(organization=organization, name="Bo", email="bo@example.org")
    return factories.VppAccountFactory(organization=organization, name="North", state="in_sync")


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people of the school.csv"
    path.write_text(PEOPLE, encoding="utf-16")
    return path


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_a_csv_with_errors_is_checked_confirmed_and_imported(
    open_page: OpenPage,
    complaints: Complaints,
    administrator: Admin,
    account: VppAccount,
    people: Path,
    worker: None,
    theme: str,
    width: int,
) -> None:
    page = open_page(administrator, theme=theme, width=width)
    page.goto(f"/organizations/{account.organization_id}/configure/owners/import/")
    expect(page.get_by_label("VPP account")).to_have_value("")
    seen = trouble(page)

    page.get_by_label("File", exact=True).set_input_files(people)
    page.get_by_role("button", name="Check the file").click()
    confirm = page.get_by_role("button", name="Import 2 people")
    expect(confirm).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Nothing is written before you confirm.")).to_be_visible()
    expect(page.get_by_text("Shoe size")).to_be_visible()
    seen += trouble(page)
    page.get_by_label("Verdict").select_option("Error")
    expect(page.get_by_role("rowheader", name="2", exact=True)).to_be_hidden()
    expect(page.locator(".list-count")).to_have_text("2 rows")
    seen += trouble(page)
    confirm.click()

    expect(page.get_by_role("region", name="State")).to_contain_text("Finished", timeout=30_000)
    expect(page.get_by_role("link", name="Result as CSV")).to_be_visible()
    seen += trouble(page)
    names = Owner.objects.order_by("email").values_list("name", flat=True)
    assert list(names) == ["Ann Lee", "Bo Diaz"]
    page.goto(f"/organizations/{account.organization_id}/configure/owners/import/")
    expect(page.get_by_role("link", name="people of the school.csv")).to_be_visible()
    seen += trouble(page)
    assert (seen, complaints) == ([], [])


def test_a_file_that_cannot_be_read_is_told(
    open_page: OpenPage,
    complaints: Complaints,
    administrator: Admin,
    account: VppAccount,
    tmp_path: Path,
    worker: None,
) -> None:
    wrong = tmp_path / "list.csv"
    wrong.write_text("Who,Where\nAnn,North\n")
    page = open_page(administrator, width=390)
    page.goto(
        f"/organizations/{account.organization_id}/configure/owners/import/?account={account.pk}"
    )

    page.get_by_label("File", exact=True).set_input_files(wrong)
    page.get_by_role("button", name="Check the file").click()

    expect(page.get_by_text("Mend the file and upload it again.")).to_be_visible(timeout=30_000)
    assert trouble(page) == []
    page.get_by_role("link", name="Upload another file").click()
    expect(page.get_by_label("VPP account")).to_have_value(str(account.pk))
    assert complaints == []


def trouble(page: Page) -> list[str]:
    return violations(page) + too_wide(page) + scrolling_tables(page)
