"""The main job, as a person does it: a token goes in, its licenses show up."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from organizations.models import Admin
from tests.browser.conftest import Complaints, OpenPage
from vpp_accounts.models import VppAccount


def fill_in(page: Page, *, token: Path) -> None:
    window = page.get_by_role("dialog")
    window.get_by_label("Name", exact=True).fill("Lakeside iPads")
    window.get_by_label("Email").fill("apps@example.org")
    window.get_by_label("Service token file").set_input_files(token)


def test_a_token_goes_in_and_its_licenses_show_up(
    open_page: OpenPage,
    complaints: Complaints,
    administrator: Admin,
    token_file: Path,
    worker: None,
) -> None:
    page = open_page()
    page.goto("/")
    page.get_by_label("Email").fill(administrator.email)
    page.get_by_label("Password", exact=True).fill("a long enough password")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("navigation").get_by_role("link", name="MDM").click()
    page.evaluate("window.neverReloaded = true")

    page.get_by_role("link", name="Add new").first.click()
    fill_in(page, token=token_file)
    expect(page.get_by_role("dialog")).to_contain_text("Example Schools and valid until")
    page.get_by_role("dialog").get_by_role("button", name="Update").click()

    row = page.get_by_role("row", name=re.compile("Lakeside iPads"))
    expect(row).to_contain_text("In sync")
    expect(row).to_contain_text(re.compile(r"3\s+titles"))
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert page.evaluate("window.neverReloaded") is True

    page.get_by_role("navigation").get_by_role("link", name="VPP", exact=True).click()
    table = page.get_by_role("table").first
    expect(table).to_contain_text("Tidepool Math")
    expect(table).to_contain_text("Biology: Life in Layers")
    expect(table).to_contain_text("Classroom Camera")
    expect(page.get_by_role("row", name=re.compile("Classroom Camera"))).to_contain_text(
        "unlimited", ignore_case=True
    )
    assert complaints == []


def test_the_row_shows_how_far_the_sync_is(
    open_page: OpenPage, administrator: Admin, token_file: Path, apple: object
) -> None:
    """Without a worker, so that the work stands still while somebody looks."""
    page = open_page(administrator)
    page.goto(_mdm(administrator))

    page.get_by_role("link", name="Add new").first.click()
    fill_in(page, token=token_file)
    page.get_by_role("dialog").get_by_role("button", name="Update").click()

    row = page.get_by_role("row", name=re.compile("Lakeside iPads"))
    expect(row).to_contain_text("Waiting for a worker")
    expect(row.get_by_role("progressbar")).to_be_visible()
    page.reload()
    expect(row).to_contain_text("Waiting for a worker")


def test_a_wrong_file_is_told_beside_the_field(
    open_page: OpenPage, administrator: Admin, apple: object, tmp_path: Path
) -> None:
    wrong = tmp_path / "server token.p7m"
    wrong.write_text("Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nMIAGCS")
    page = open_page(administrator)
    page.goto(_mdm(administrator))

    page.get_by_role("link", name="Add new").first.click()
    fill_in(page, token=wrong)
    page.get_by_role("dialog").get_by_role("button", name="Update").click()

    field = page.get_by_role("dialog").get_by_label("Service token file")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile("enrollment", re.IGNORECASE))
    assert page.get_by_label("Name", exact=True).input_value() == "Lakeside iPads"
    assert not VppAccount.objects.exists()


def test_no_file_has_merakis_sentence(
    open_page: OpenPage, administrator: Admin, apple: object
) -> None:
    page = open_page(administrator)
    page.goto(_mdm(administrator))

    page.get_by_role("link", name="Add new").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Update").click()

    field = page.get_by_role("dialog").get_by_label("Service token file")
    expect(field).to_have_accessible_description(re.compile("VPP service token can't be blank"))


def test_the_window_works_by_keyboard_alone(
    open_page: OpenPage, administrator: Admin, token_file: Path, worker: None
) -> None:
    page = open_page(administrator)
    page.goto(_mdm(administrator))
    opener = page.locator("#account-add")
    window = page.get_by_role("dialog")

    opener.focus()
    page.keyboard.press("Enter")
    expect(window).to_be_visible()
    page.keyboard.press("Escape")
    expect(window).to_be_hidden()
    expect(opener).to_be_focused()

    page.keyboard.press("Enter")
    tab_to(page, "name")
    page.keyboard.type("Lakeside iPads")
    tab_to(page, "email")
    page.keyboard.type("apps@example.org")
    tab_to(page, "token_text", opening="or paste its text")
    page.keyboard.insert_text(token_file.read_text())
    page.keyboard.press("Tab")
    expect(window).to_contain_text("Example Schools and valid until")
    window.get_by_label("Name", exact=True).focus()
    page.keyboard.press("Enter")

    expect(window).to_be_hidden()
    row = page.get_by_role("row", name=re.compile("Lakeside iPads"))
    expect(row).to_contain_text("In sync")


def tab_to(page: Page, field: str, *, opening: str = "") -> None:
    """Press Tab until the field has the focus; on the way, open what hides it."""
    for _ in range(40):
        at = page.evaluate(
            "({name: document.activeElement.name, text: document.activeElement.textContent.trim()})"
        )
        if at["name"] == field:
            return
        if opening and at["text"] == opening:
            page.keyboard.press("Enter")
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never comes to {field}.")


def _mdm(admin: Admin) -> str:
    return f"/organizations/{admin.memberships.get().organization_id}/mdm/"
