"""One grant as a person does it: boxes ticked on two pages, the plan, the batch, and back."""

import pytest
from playwright.sync_api import Page, expect

from licensing import titles
from licensing.batches import make_plan, wish_for
from licensing.models import Assignment, BatchPlan, LicensedApp
from organizations.audit import Actor
from organizations.models import Admin, Device, Network
from tests import factories
from tests.browser.conftest import Complaints, OpenPage
from tests.browser.crawl import scrolling_tables, too_wide, violations
from tests.browser.test_every_page import LOOKS
from tests.draining import drain
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount


def a_title(apple: FakeApple, organization_id: int) -> LicensedApp:
    """With 40 licenses at Apple, and a school of 30 devices."""
    location = apple.create_location(name="Lakeside School", org_name="Example Schools")
    apple.purchase(location.uid, "1187400216", 40)
    account = factories.VppAccountFactory(
        organization_id=organization_id,
        name="Lakeside",
        uid=location.uid,
        token=location.issue_token(),
    )
    network = Network.objects.get(organization=organization_id)
    for number in range(30):
        factories.DeviceFactory(
            organization=network.organization,
            network=network,
            serial_number=f"DMQ{number:02d}",
            name=f"Cart iPad {number:02d}",
        )
    return factories.LicensedAppFactory(
        account=account,
        app__adam_id="1187400216",
        app__name="Tidepool Math",
        total_count=40,
        assigned_count=0,
        available_count=40,
    )


def tick(page: Page, *names: str) -> None:
    for name in names:
        page.get_by_role("checkbox", name=f"Choose {name}").check()


def test_a_grant_from_the_boxes_to_the_batch(
    open_page: OpenPage, complaints: Complaints, administrator: Admin, apple: FakeApple
) -> None:
    organization_id = administrator.memberships.get().organization_id
    title = a_title(apple, organization_id)
    page = open_page(administrator)
    page.goto(f"{titles.url_of(title)}?holders=devices&size=25")

    tick(page, "Cart iPad 01", "Cart iPad 02")
    page.get_by_role("link", name="Next").click()
    tick(page, "Cart iPad 27")
    expect(page.get_by_text("3 chosen, 2 of them on other pages")).to_be_visible()
    page.get_by_role("button", name="+ Grant license to device(s)").click()
    expect(page.get_by_role("heading", name="Grant “Tidepool Math” to 3 devices")).to_be_visible()
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_text("3 chosen, 2 of them on other pages")).to_be_visible()
    page.get_by_role("button", name="+ Grant license to device(s)").click()
    page.get_by_role("button", name="Grant 3 licenses").click()
    page.wait_for_url("**/batches/**")
    expect(page.get_by_text("has begun").first).to_be_visible()
    drain(VppAccount.objects.get(pk=title.account_id), apple)
    page.goto(f"{titles.url_of(title)}?holders=devices&state=licensed")

    expect(page.get_by_text("3 devices", exact=True)).to_be_visible()
    expect(page.get_by_text("Nothing chosen")).to_be_visible()
    held = Assignment.objects.filter(licensed_app=title).order_by("holder")
    assert list(held.values_list("holder", flat=True)) == ["DMQ01", "DMQ02", "DMQ27"]
    assert complaints == []


def test_the_box_in_the_head_and_all_that_match(
    open_page: OpenPage, complaints: Complaints, administrator: Admin, apple: FakeApple
) -> None:
    organization_id = administrator.memberships.get().organization_id
    title = a_title(apple, organization_id)
    page = open_page(administrator, width=390)
    page.goto(f"{titles.url_of(title)}?holders=devices&size=25")

    page.get_by_role("checkbox", name="All on this page").check()
    expect(page.get_by_text("25 chosen")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("Nothing chosen")).to_be_visible()
    page.get_by_role("checkbox", name="Select all 30 that match").check()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("checkbox", name="Select all 30 that match")).to_be_checked()
    page.get_by_role("searchbox").fill("iPad 0")
    expect(page.get_by_role("checkbox", name="Select all 10 that match")).not_to_be_checked()
    page.get_by_role("checkbox", name="Select all 10 that match").check()
    page.get_by_role("button", name="+ Grant license to device(s)").click()

    expect(page.get_by_role("heading", name="to 10 devices")).to_be_visible()
    assert complaints == []


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_the_pages_of_plans_and_holders_look_right_everywhere(
    open_page: OpenPage, complaints: Complaints, demo: dict, theme: str, width: int
) -> None:
    """What no link leads to, because a form does."""
    page = open_page(Admin.objects.get(email=demo["email"]), theme=theme, width=width)
    wrong = {}
    for what in ("grant", "revoke", "book", "retire", "invite"):
        plan = a_plan(what, VppAccount.objects.get(pk=demo["vpp_account_ids"][0]))
        address = f"/organizations/{plan.organization_id}/manage/vpp/plans/{plan.pk}/"
        page.goto(address)
        wrong[what] = violations(page) + too_wide(page) + scrolling_tables(page)

    assert wrong == {"grant": [], "revoke": [], "book": [], "retire": [], "invite": []}
    assert complaints == []


def a_plan(what: str, account: VppAccount) -> BatchPlan:
    ours = LicensedApp.objects.filter(account=account)
    people = account.vpp_users.all()
    serials = list(
        Device.objects.filter(organization=account.organization_id)
        .exclude(serial_number=None)
        .values_list("serial_number", flat=True)
    )
    if what in ("retire", "invite"):
        wish = wish_for(kind=what, users=people)
    elif what == "book":
        wish = wish_for(kind="grant", titles=ours.filter(product_type="Book")[:2], users=people)
    else:
        titles_ = ours.filter(product_type="App")[:6]
        wish = wish_for(kind=what, titles=titles_, serials=[*serials, "UNKNOWN1"], users=people)
    return make_plan(by=Actor.system("Test"), membership=None, account=account, wish=wish)
