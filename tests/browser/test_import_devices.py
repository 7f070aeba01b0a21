"""A file with devices, from the upload to the result, as one clicks through it."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from organizations.models import Admin, Device
from tests import factories
from tests.browser.conftest import Complaints, OpenPage
from tests.browser.crawl import scrolling_tables, too_wide, violations

DEVICES = """Serial No.;Device Name;Model;Tags;Asset tag
dmq1;Cart 1;iPad Air;cart-1;4711
DMQ2;Cart 2;Toaster;;
"""


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_devices_are_checked_confirmed_and_imported(
    open_page: OpenPage,
    complaints: Complaints,
    administrator: Admin,
    tmp_path: Path,
    worker: None,
    theme: str,
    width: int,
) -> None:
    organization = administrator.memberships.get().organization
    factories.NetworkFactory(organization=organization, name="Oakmont")
    file = tmp_path / "devices.csv"
    file.write_text(DEVICES)
    page = open_page(administrator, theme=theme, width=width)
    page.goto(f"/organizations/{organization.pk}/monitor/devices/import/")
    assert (violations(page), too_wide(page)) == ([], [])

    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_label("Network of new devices").select_option("Oakmont")
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_text("“Asset tag” is no column that we read.")).to_be_visible(timeout=30_000)
    assert (violations(page), too_wide(page), scrolling_tables(page)) == ([], [], [])
    page.get_by_role("button", name="Import 1 device").click()

    expect(page.get_by_role("region", name="State")).to_contain_text("Finished", timeout=30_000)
    expect(page.get_by_role("link", name="Result as CSV")).to_be_visible()
    assert [str(device) for device in Device.objects.all()] == ["Cart 1"]
    assert complaints == []
