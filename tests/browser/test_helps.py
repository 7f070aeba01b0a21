"""What helps on a page: a column explains itself, a long list of choices narrows."""

from playwright.sync_api import Page, expect

from licensing import titles
from organizations.models import Admin
from tests import factories
from tests.browser.conftest import Complaints, OpenPage
from tests.browser.crawl import violations


def home_of(admin: Admin) -> str:
    return f"/organizations/{admin.memberships.get().organization_id}/"


def test_a_column_explains_itself_by_keyboard(
    open_page: OpenPage, complaints: Complaints, owner: Admin
) -> None:
    account = factories.VppAccountFactory(organization=owner.memberships.get().organization)
    factories.LicensedAppFactory(account=account)
    page = open_page(owner)
    page.goto(f"{home_of(owner)}manage/vpp/licensed-applications/")
    help_button = page.get_by_role("button", name="What “Irrevocable” means")
    explained = page.get_by_text(titles.IRREVOCABLE)

    help_button.focus()
    page.keyboard.press("Enter")

    expect(explained).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(explained).to_be_hidden()
    assert complaints == []


def test_many_networks_narrow_while_one_types(
    open_page: OpenPage, complaints: Complaints, owner: Admin
) -> None:
    organization = owner.memberships.get().organization
    for number in range(9):
        factories.NetworkFactory(organization=organization, name=f"School {number}")
    page = open_page(owner)
    page.goto(f"{home_of(owner)}mdm/accounts/add/")
    page.get_by_role("radio", name="These networks", exact=True).check()
    shown = page.get_by_role("group", name="These networks", exact=True)
    shown.get_by_role("checkbox", name="School 2").check()

    search = shown.get_by_role("searchbox")
    search.fill("ool 7")
    search.press("Enter")

    assert names_in(page) == ["School 7"]
    search.fill("")
    assert len(names_in(page)) == 9
    expect(shown.get_by_role("checkbox", name="School 2")).to_be_checked()
    assert complaints == []


def names_in(page: Page) -> list[str]:
    boxes = page.get_by_role("group", name="These networks", exact=True).get_by_role("checkbox")
    return boxes.evaluate_all("boxes => boxes.map(box => box.labels[0].innerText.trim())")
