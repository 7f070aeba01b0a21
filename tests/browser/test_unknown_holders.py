"""From the number beside an account to the plan that takes everything back from a ghost."""

import pytest

from organizations.models import Admin
from tests import factories
from tests.browser.conftest import Complaints, OpenPage
from tests.browser.crawl import too_wide, violations
from vpp_accounts.models import VppAccount


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_a_ghost_is_found_and_its_licenses_are_planned_to_be_revoked(
    open_page: OpenPage, complaints: Complaints, owner: Admin, theme: str, width: int
) -> None:
    account = ghosts_in(owner)
    page = open_page(owner, theme=theme, width=width)
    page.goto(f"/organizations/{account.organization_id}/mdm/")

    page.get_by_role("link", name="2 unknown holders").click()
    page.get_by_role("checkbox", name="Choose GHOST2").check()
    seen = violations(page) + too_wide(page)
    page.get_by_role("button", name="Revoke all licenses of the chosen").click()
    page.get_by_role("heading", name="Revoke all licenses of 1 device?").wait_for()
    seen += violations(page) + too_wide(page)
    page.get_by_role("textbox").fill(account.name)
    page.get_by_role("button", name="Show the plan").click()

    page.get_by_role("heading", name="Revoke all licenses from 1 device").wait_for()
    assert (seen, complaints) == ([], [])


def ghosts_in(owner: Admin) -> VppAccount:
    """An account with two serial numbers that no device has."""
    organization = owner.memberships.get().organization
    account = factories.VppAccountFactory(organization=organization, name="North", state="in_sync")
    VppAccount.objects.filter(pk=account.pk).update(last_synced_at=account.created_at)
    title = factories.LicensedAppFactory(account=account, app__name="Notes")
    for serial in ("GHOST1", "GHOST2"):
        factories.AssignmentFactory(licensed_app=title, holder=serial)
    return account
