"""VPP > Reclaim with rows in it: kept by its row, chosen over the list, accessible in every look."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from licensing.models import LicensingSettings, Reclaim
from organizations.models import Admin, Organization
from tests import factories
from tests.browser.conftest import Complaints, OpenPage
from tests.browser.crawl import scrolling_tables, too_wide, violations
from vpp_accounts.models import VppAccount


@pytest.fixture
def rows(account: VppAccount, organization: Organization) -> list[Reclaim]:
    title = factories.LicensedAppFactory(account=account, app__name="Keynote")
    LicensingSettings.objects.create(organization=organization, reclaims_as_of=timezone.now())
    found = []
    for number, state in enumerate(("planned", "planned", "found", "started")):
        due = timezone.now() if state == "planned" else None
        found.append(
            Reclaim.objects.create(
                organization=organization,
                account=account,
                licensed_app=title,
                holder_kind="device",
                holder=f"DMQ00000{number}",
                holder_name=f"iPad {number}",
                cause="unenrolled",
                state=state,
                due_at=due,
                waits_since=due if number else None,
            )
        )
    return found


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
def test_every_page_of_it(
    open_page: OpenPage,
    complaints: Complaints,
    owner: Admin,
    rows: list[Reclaim],
    theme: str,
    width: int,
) -> None:
    page = open_page(owner, theme=theme, width=width)

    trouble = {}
    for name in ("", "rules/", "preview/", "protected/"):
        page.goto(f"/organizations/{rows[0].organization_id}/manage/vpp/reclaim/{name}")
        trouble[name] = violations(page) + too_wide(page) + scrolling_tables(page)

    assert {name: found for name, found in trouble.items() if found} == {}
    assert complaints == []


def test_one_is_undone_in_its_row_and_the_others_are_kept_over_the_list(
    open_page: OpenPage, complaints: Complaints, owner: Admin, rows: list[Reclaim]
) -> None:
    page: Page = open_page(owner)
    page.goto(f"/organizations/{rows[0].organization_id}/manage/vpp/reclaim/")

    page.get_by_role("button", name="Undo: keep Keynote from DMQ000000").click()
    page.get_by_text("1 kept.").wait_for()
    page.get_by_label("Choose Keynote from DMQ000002").check()
    page.get_by_role("button", name="Keep", exact=True).click()
    page.get_by_text("1 kept.").wait_for()

    states = Reclaim.objects.order_by("holder").values_list("state", flat=True)
    assert list(states) == ["undone", "planned", "undone", "started"]
    assert page.get_by_text("Nothing chosen").is_visible()
    assert complaints == []
