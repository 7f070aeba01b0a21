"""From one organization and network to another, and what is closed, in a real browser."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from organizations.models import Admin, Network, Organization
from tests.browser.conftest import Complaints, OpenPage
from tests.browser.crawl import scrolling_tables, too_wide, violations
from tests.browser.test_every_page import LOOKS
from tests.factories import (
    DeviceFactory,
    LicensedAppFactory,
    MembershipFactory,
    NetworkFactory,
    SyncRunFactory,
    VppAccountFactory,
)
from vpp_accounts.models import AccountState

SHOTS = os.environ.get("SHOTS")


@pytest.fixture
def organizations(owner: Admin) -> list[Organization]:
    """The owner's own and 24 more, some of them with something to do."""
    now = timezone.now()
    found = [
        MembershipFactory(admin=owner, organization__name=f"Lakeside Consolidated District {n}")
        for n in range(24)
    ]
    for number, state in enumerate((AccountState.EXPIRED, AccountState.SYNC_FAILED, "in_sync")):
        account = VppAccountFactory(
            organization=found[number].organization,
            state=state,
            token_expires_at=now + timedelta(days=20 * number - 5),
            last_synced_at=now,
        )
        LicensedAppFactory(account=account, low_since=now)
        SyncRunFactory(account=account)
    Organization.objects.filter(pk=found[4].organization_id).update(
        suspended_at=now, suspended_reason="Not paid."
    )
    return [each.organization for each in found]


@pytest.fixture
def networks(organization: Organization) -> list[Network]:
    found = [
        NetworkFactory(organization=organization, name=f"Elementary School {n:02}")
        for n in range(60)
    ]
    DeviceFactory(organization=organization, network=found[7])
    VppAccountFactory(organization=organization)
    return found


def home(organization: Organization) -> str:
    return f"/organizations/{organization.pk}/"


def faults(page: Page, name: str) -> list[str]:
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png")
    return violations(page) + too_wide(page) + scrolling_tables(page)


def test_switching_by_typing_stays_on_the_same_page(
    open_page: OpenPage,
    complaints: Complaints,
    owner: Admin,
    organization: Organization,
    organizations: list[Organization],
) -> None:
    page = open_page(owner)
    page.goto(f"{home(organization)}networks/")

    page.get_by_label("Organization: Example Schools. Switch").click()
    page.get_by_label("Find an organization").press_sequentially("district 17")
    page.get_by_role("link", name="Lakeside Consolidated District 17").click()

    page.get_by_role("heading", name="Networks").wait_for()
    assert page.url.endswith(f"{home(organizations[17])}networks/")
    page.get_by_label("Organization: Lakeside Consolidated District 17. Switch").click()
    page.get_by_role("link", name="Example Schools").click()
    page.wait_for_url(f"**{home(organization)}networks/")
    assert complaints == []


def test_choosing_a_network_by_typing_and_taking_it_off(
    open_page: OpenPage,
    complaints: Complaints,
    owner: Admin,
    organization: Organization,
    networks: list[Network],
) -> None:
    page = open_page(owner)
    page.goto(home(organization))

    page.get_by_label("Network: All networks. Switch").click()
    page.get_by_label("Find a network").press_sequentially("school 59")
    page.get_by_role("button", name="Elementary School 59").click()
    page.get_by_text("Network: Elementary School 59").wait_for()
    page.get_by_role("button", name="Show all networks").click()

    page.get_by_label("Network: All networks. Switch").wait_for()
    assert complaints == []


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_the_switchers_and_the_overview_over_all(
    open_page: OpenPage,
    complaints: Complaints,
    owner: Admin,
    organization: Organization,
    organizations: list[Organization],
    networks: list[Network],
    theme: str,
    width: int,
) -> None:
    page = open_page(owner, theme=theme, width=width)
    look = f"{theme}-{width}"
    wrong = {}

    page.goto("/organizations/")
    wrong["list"] = faults(page, f"list-{look}")
    page.goto(home(organizations[0]))
    page.goto(home(organization))
    page.get_by_label("Organization: Example Schools. Switch").click()
    wrong["organizations"] = faults(page, f"organizations-{look}")
    page.get_by_label("Network: All networks. Switch").click()
    wrong["networks"] = faults(page, f"networks-{look}")
    page.get_by_role("button", name="Elementary School 07").click()
    page.get_by_role("button", name="Show all networks").wait_for()
    wrong["chip"] = faults(page, f"chip-{look}")
    for below in ("networks/choose/", "settings/", "settings/delete/"):
        page.goto(f"{home(organization)}{below}")
        wrong[below] = faults(page, f"{below.replace('/', '_')}-{look}")

    assert [f"{name}: {each}" for name, found in wrong.items() for each in found] == []
    assert complaints == []


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_pages_of_a_closed_organization(
    open_page: OpenPage,
    owner: Admin,
    organization: Organization,
    organizations: list[Organization],
    theme: str,
    width: int,
) -> None:
    page = open_page(owner, theme=theme, width=width)
    look = f"{theme}-{width}"
    wrong = {}

    page.goto(home(organizations[4]))
    wrong["suspended"] = faults(page, f"suspended-{look}")
    page.goto(f"{home(organization)}settings/delete/")
    page.get_by_label("Type “Example Schools” to confirm").fill("Example Schools")
    page.get_by_role("button", name="Delete organization").click()
    page.get_by_role("button", name="Undo the deletion").wait_for()
    wrong["deleted"] = faults(page, f"deleted-{look}")
    page.goto(home(organization))
    wrong["closed"] = faults(page, f"closed-{look}")
    page.get_by_role("link", name="Show it or undo it").click()
    page.get_by_role("button", name="Undo the deletion").click()
    page.get_by_role("heading", name="Example Schools").wait_for()

    assert [f"{name}: {each}" for name, found in wrong.items() for each in found] == []
