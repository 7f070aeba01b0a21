"""Owners as an admin meets them: the list, somebody added twice, two who become one."""

import pytest

from organizations.models import Admin, Organization, Owner
from tests.browser.conftest import Complaints, OpenPage
from tests.browser.crawl import scrolling_tables, too_wide, violations
from tests.browser.test_every_page import LOOKS
from tests.factories import (
    DeviceFactory,
    OwnerFactory,
    TagFactory,
    VppAccountFactory,
    VppUserFactory,
)


@pytest.fixture
def ann(organization: Organization) -> Owner:
    """With everything that a row can show."""
    tags = [TagFactory(organization=organization, name=f"grade-{n}", kind="owner") for n in (4, 5)]
    ann = OwnerFactory(
        organization=organization,
        name="Ann-Kathrin Schmidt-Rottluff",
        email="ann-kathrin.schmidt-rottluff@long-name.example.org",
        managed_apple_account="aschmidt@appleid.long-name.example.org",
        tag_ids=[tag.pk for tag in tags],
        source="csv",
        missing_since="2026-11-12T10:00Z",
    )
    DeviceFactory.create_batch(11, organization=organization, owner=ann)
    for name, status in (("North", "Associated"), ("South", "Retired")):
        account = VppAccountFactory(organization=organization, name=name)
        VppUserFactory(account=account, owner=ann, apple_status=status, failure="Refused once.")
    return ann


def faults(page: object) -> list[str]:
    return violations(page) + too_wide(page) + scrolling_tables(page)


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_somebody_who_is_there_already_is_completed_and_merged(
    open_page: OpenPage, complaints: Complaints, owner: Admin, ann: Owner, theme: str, width: int
) -> None:
    OwnerFactory(organization=ann.organization, name="A. Schmidt", email="", username="aschmidt")
    page = open_page(owner, theme=theme, width=width)
    found = []

    page.goto(f"/organizations/{ann.organization_id}/configure/owners/")
    page.get_by_text("No longer in the source since").wait_for()
    found += faults(page)
    page.get_by_role("link", name="Add New").click()
    page.get_by_label("Email").fill(ann.email)
    page.get_by_label("Tags").fill("teachers")
    page.get_by_role("button", name="Create owner").click()
    merge = page.get_by_role("button", name="Merge by e-mail")
    merge.wait_for()
    found += faults(page)
    merge.click()
    page.get_by_text("was there already").wait_for()
    page.get_by_role("link", name=ann.name).click()
    page.get_by_text("Apple limits each Apple ID to 10 devices").wait_for()
    found += faults(page)
    page.get_by_role("link", name="Merge").click()
    page.get_by_label("Find the other owner").fill("aschmidt")
    page.get_by_role("button", name="Find").click()
    found += faults(page)
    page.get_by_role("link", name="A. Schmidt").click()
    page.get_by_role("button", name="Merge").wait_for()
    found += faults(page)
    page.get_by_role("button", name="Merge").click()
    page.get_by_text("are one owner now").wait_for()

    assert (found, complaints) == ([], [])
    result = Owner.objects.get()
    assert (result.username, len(result.tag_ids)) == ("aschmidt", 3)


def test_the_list_narrows_while_one_types(open_page: OpenPage, owner: Admin, ann: Owner) -> None:
    OwnerFactory(organization=ann.organization, name="Ben Hill")
    page = open_page(owner)
    page.goto(f"/organizations/{ann.organization_id}/configure/owners/")

    page.get_by_label("Search").fill("ben")
    page.get_by_text("1 owner", exact=True).first.wait_for()

    assert page.get_by_role("link", name="Ben Hill").is_visible()
    assert page.get_by_role("link", name=ann.name).count() == 0
