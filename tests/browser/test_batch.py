"""A batch as one watches it: the bar moves by itself, and its end is told on any page."""

import re

import pytest
from playwright.sync_api import Page, expect

from licensing import batches
from licensing.models import Batch, LicensedApp
from organizations.audit import Actor
from organizations.models import Admin
from tests import factories
from tests.browser.conftest import Complaints, OpenPage
from tests.browser.crawl import scrolling_tables, too_wide, violations
from tests.draining import synced
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

KEYNOTE = "361285480"


@pytest.fixture
def account(apple: FakeApple, administrator: Admin) -> VppAccount:
    location = apple.create_location(name="North", org_name="Example Schools")
    apple.purchase(location.uid, KEYNOTE, quantity=2)
    return factories.VppAccountFactory(
        organization=administrator.memberships.get().organization,
        name="North",
        uid=location.uid,
        token=location.issue_token(),
    )


def began(account: VppAccount, admin: Admin, *serials: str) -> Batch:
    titles = synced(account).values() if not account.licensed_apps.exists() else None
    wish = batches.wish_for(
        kind="grant",
        titles=titles or LicensedApp.objects.filter(account=account),
        serials=serials,
    )
    by = Actor.of_admin(admin)
    plan = batches.make_plan(by=by, membership=None, account=account, wish=wish)
    return batches.start(by=by, membership=None, plan=plan)


def address(batch: Batch) -> str:
    return f"/organizations/{batch.organization_id}/manage/vpp/batches/{batch.pk}/"


def test_the_bar_moves_and_the_page_ends_without_a_reload(
    open_page: OpenPage,
    complaints: Complaints,
    administrator: Admin,
    apple: FakeApple,
    account: VppAccount,
    worker: None,
) -> None:
    apple.settings.event_delay_seconds = 1  # less than until the first look at it
    page = open_page(administrator)
    batch = began(account, administrator, "SERIAL1", "SERIAL2", "SERIAL3")
    page.goto(address(batch))
    page.evaluate("window.neverReloaded = true")
    live = page.get_by_role("region", name="State")
    expect(live).to_contain_text(re.compile("Starting|Running"))
    expect(page.get_by_role("link", name="1 batch")).to_be_visible()

    expect(live).to_contain_text("Finished", timeout=30_000)

    expect(live).to_contain_text("3 of 3")
    expect(live).to_contain_text(re.compile(r"Waiting for a license\s+1"))
    expect(page.get_by_role("row", name=re.compile("SERIAL1"))).to_contain_text("Succeeded")
    expect(page.get_by_role("row", name=re.compile("SERIAL3"))).to_contain_text("Waiting")
    expect(page.get_by_role("link", name="1 batch")).to_be_hidden()
    assert page.evaluate("window.neverReloaded") is True
    assert (violations(page), too_wide(page)) == ([], [])
    assert complaints == []


def test_the_end_is_told_on_another_page(
    open_page: OpenPage,
    complaints: Complaints,
    administrator: Admin,
    apple: FakeApple,
    account: VppAccount,
    worker: None,
) -> None:
    apple.settings.event_delay_seconds = 1  # less than until the first look at it
    page = open_page(administrator)
    batch = began(account, administrator, "SERIAL1")
    page.goto(f"/organizations/{batch.organization_id}/networks/")

    told = page.locator("#toasts")
    expect(told).to_contain_text(re.compile(r"Grant: .* 1 device:\s+1 succeeded"), timeout=30_000)
    assert violations(page) == []
    page.get_by_role("button", name="Close").click()

    expect(told).to_be_empty()
    assert complaints == []


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_batches_and_waiting_lists_look_right(
    open_page: OpenPage,
    complaints: Complaints,
    administrator: Admin,
    account: VppAccount,
    width: int,
    theme: str,
) -> None:
    """Without a worker: one that runs, one that is paused, one with everything that can go wrong."""
    running = began(account, administrator, "SERIAL1")
    factories.BatchFactory(
        account=account,
        state="paused",
        planned=1,
        about="Notes · 1 device",
        reason="Apple is busy.",
    )
    title = LicensedApp.objects.get()
    ended = factories.BatchFactory(
        account=account,
        state="finished",
        finished_at=running.created_at,
        about="Notes · 4 devices",
        succeeded=1,
        failed=1,
        skipped=1,
        waiting=1,
    )
    person = factories.VppUserFactory(account=account)
    for state, kind, holder, number in (
        ("succeeded", "user", person.client_user_id, None),
        ("failed", "device", "SERIAL2", 9707),
        ("skipped", "device", "SERIAL3", None),
        ("waiting", "device", "SERIAL4", None),
    ):
        factories.BatchItemFactory(
            batch=ended, licensed_app=title, state=state, holder_kind=kind, holder=holder,
            error_number=number, message="" if state == "succeeded" else f"It is {state} for a reason.",
        )  # fmt: skip
    page = open_page(administrator, width=width, theme=theme)
    vpp = f"/organizations/{ended.organization_id}/manage/vpp"
    waiting = f"{vpp}/{account.pk}/apps/{title.adam_id}/{title.pricing_param}/waiting/"

    wrong = {
        each: trouble(page, each)
        for each in (address(running), address(ended), f"{vpp}/batches/", waiting)
    }

    assert {each: found for each, found in wrong.items() if found} == {}
    assert complaints == []


def trouble(page: Page, each: str) -> list[str]:
    page.goto(each)
    return violations(page) + too_wide(page) + scrolling_tables(page)
