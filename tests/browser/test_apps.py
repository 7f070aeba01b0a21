"""An app as a person deploys it: found in the store, given a scope, looked at, saved."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from apps_catalog.models import ManagedApp, StoreSearch
from organizations.models import Admin, Organization
from tests import factories
from tests.browser.conftest import Complaints, OpenPage
from tests.browser.crawl import scrolling_tables, too_wide, violations
from tests.browser.test_every_page import LOOKS
from tests.managed import School, school
from vpp_accounts.apple.fake import FakeApple

SPELLING = "Wordgrove Spelling"


@pytest.fixture
def oakmont(apple: FakeApple, administrator: Admin) -> School:
    organization = Organization.objects.get(pk=administrator.memberships.get().organization_id)
    location = apple.create_location(name="North", org_name="Example Schools")
    account = factories.VppAccountFactory(
        organization=organization,
        name="North",
        uid=location.uid,
        token=location.issue_token(),
    )
    found = school(apple, account)
    for number in range(4):
        found.device(name=f"iPad {number}")
    found.device(name="Own iPad", serial_number=None)
    return found


def examined(page: Page) -> list[str]:
    return violations(page) + too_wide(page) + scrolling_tables(page)


def test_an_app_from_the_store_to_its_scope(
    open_page: OpenPage,
    complaints: Complaints,
    administrator: Admin,
    oakmont: School,
    worker: None,
) -> None:
    page = open_page(administrator)
    page.goto(oakmont.below())

    page.get_by_text("Add new").click()
    page.get_by_role("link", name="iOS App Store app").click()
    page.get_by_label("Search the App Store").fill("spelling")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name=f"Choose {SPELLING}").click()
    page.get_by_label("Oakmont").check()
    page.get_by_role("button", name="Add").click()

    expect(page.get_by_role("heading", name=SPELLING)).to_be_visible()
    expect(page.get_by_text("No device is in scope.")).to_be_visible()
    page.get_by_label("Devices with any of these tags").check()
    page.get_by_label("cart", exact=True).check()
    expect(page.get_by_text("In scope 5: 5 cannot")).to_be_visible()
    page.get_by_role("button", name="Save Changes").click()

    expect(page.get_by_text(f"{SPELLING} is saved.")).to_be_visible()
    app = ManagedApp.objects.get(app__name=SPELLING)
    assert (app.network.name, app.scope_operator, app.scope_tag_ids) == (
        "Oakmont",
        "withAny",
        [oakmont.cart.pk],
    )
    assert complaints == []


def test_what_saving_leads_to_is_live(
    open_page: OpenPage, complaints: Complaints, administrator: Admin, oakmont: School
) -> None:
    page = open_page(administrator)
    page.goto(oakmont.page)

    page.get_by_label("All devices").check()
    page.get_by_label("Grant to devices in scope").check()

    expect(page.get_by_text("Needs 4, has 3: 1 waits. 1 more license")).to_be_visible()
    expect(page.get_by_text("3 licenses are granted.")).to_be_visible()
    page.get_by_role("button", name="Save Changes").click()
    expect(page.get_by_text("Tidepool Math is saved.")).to_be_visible()
    assert complaints == []


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_pages_of_apps(
    open_page: OpenPage,
    complaints: Complaints,
    administrator: Admin,
    oakmont: School,
    theme: str,
    width: int,
) -> None:
    scope = {"scope_operator": "withAny", "scope_tag_ids": [oakmont.cart.pk]}
    ManagedApp.objects.update(**scope, in_scope=5, waiting=1, failed=1)
    search = StoreSearch.objects.create(
        organization=oakmont.organization, term="spelling", country="US", platform="iOS"
    )
    page = open_page(administrator, theme=theme, width=width)

    wrong = {}
    for path in ("", f"{oakmont.app.pk}/", f"{oakmont.app.pk}/delete/", f"add/?search={search.pk}"):
        page.goto(oakmont.below(path))
        wrong[path] = examined(page)

    assert {path: found for path, found in wrong.items() if found} == {}
    assert complaints == []
