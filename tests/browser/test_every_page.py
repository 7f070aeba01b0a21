"""Every page, in light and dark, wide and on a telephone: accessible, silent, never too wide."""

from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from licensing import sync
from licensing.demo.tenant import DEMO
from organizations.management.inviting import password_link
from organizations.models import Admin
from tests import factories
from tests.browser.conftest import Complaints, OpenPage
from tests.browser.crawl import pages_from, scrolling_tables, too_wide, violations
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import SyncRun, VppAccount
from vpp_accounts.runs import request_sync

LOOKS = [
    pytest.param("light", 1280, id="light"),
    pytest.param("dark", 1280, id="dark"),
    pytest.param("light", 390, id="telephone"),
]
SIGNED_OUT = [
    "/accounts/login/",
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
    "/accounts/signup/",
    "/accounts/sso/",
    "/api/v1/docs",
]
SIGNED_IN = [
    "/accounts/logout/",
    "/accounts/reauthenticate/",
    "/accounts/2fa/passkeys/add/",
    "/accounts/2fa/app/activate/",
]
OF_FULL_ADMINS = [  # others are refused
    "settings/delete/",
    "configure/tags/add/",
    "manage/apps/add/",
    "monitor/devices/add/",
    "mdm/device-channel/profile/",
    "webhooks/add/",
]
OF_AN_ORGANIZATION = [
    "webhooks/add/",
    "",
    "mdm/",
    "mdm/device-channel/",
    "mdm/device-channel/profile/",
    "manage/apps/",
    "manage/apps/add/",
    "manage/vpp/licensed-applications/",
    "manage/vpp/users/",
    "manage/vpp/batches/",
    "manage/vpp/reclaim/",
    "manage/vpp/reclaim/rules/",
    "manage/vpp/reclaim/preview/",
    "manage/vpp/reclaim/protected/",
    "manage/vpp/activity/",
    "manage/vpp/settings/",
    "manage/vpp/invitations/",
    "manage/vpp/unknown-holders/",
    "monitor/devices/",
    "monitor/devices/add/",
    "configure/owners/",
    "configure/owners/import/",
    "configure/tags/",
    "configure/tags/add/",
    "help/vpp-installs/",
    "monitor/devices/import/",
    "networks/",
    "networks/choose/",
    "settings/",
    "settings/delete/",
    "sign-in/",
    "webhooks/",
    "admins/",
    "activity/",
]


def full_admin(demo: dict) -> Admin:
    return Admin.objects.get(email=demo["email"])


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_pages_that_links_lead_to(
    open_page: OpenPage, complaints: Complaints, demo: dict, theme: str, width: int
) -> None:
    page = open_page(full_admin(demo), theme=theme, width=width)

    wrong = examined(page, pages_from(page, "/")) | examined(page, each_of(page, SIGNED_IN))

    assert len(wrong) >= 15  # else the walk ended early, and silence means nothing
    assert only_trouble(wrong) == {}
    assert complaints == []


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_pages_for_somebody_not_signed_in(
    open_page: OpenPage,
    complaints: Complaints,
    live_server: LiveServer,
    settings: LazySettings,
    owner: Admin,
    theme: str,
    width: int,
) -> None:
    settings.BASE_URL = live_server.url
    page = open_page(theme=theme, width=width)

    wrong = examined(page, each_of(page, [*SIGNED_OUT, password_link(owner)]))

    assert only_trouble(wrong) == {}
    assert complaints == []


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_pages_of_an_organization_that_has_nothing_yet(
    open_page: OpenPage, complaints: Complaints, owner: Admin, theme: str, width: int
) -> None:
    page = open_page(owner, theme=theme, width=width)
    home = f"/organizations/{owner.memberships.get().organization_id}/"

    wrong = examined(page, each_of(page, [home + each for each in OF_AN_ORGANIZATION]))

    assert only_trouble(wrong) == {}
    assert complaints == []


def test_pages_for_a_read_only_admin(
    open_page: OpenPage, complaints: Complaints, demo: dict
) -> None:
    reader = Admin.objects.get(email=demo["read_only"]["email"])
    page = open_page(reader)
    home = f"/organizations/{demo['organization_id']}/"

    theirs = [home + each for each in OF_AN_ORGANIZATION if each not in OF_FULL_ADMINS]
    wrong = examined(page, each_of(page, theirs))

    assert only_trouble(wrong) == {}
    assert complaints == []


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_pages_when_something_needs_a_person(
    open_page: OpenPage,
    complaints: Complaints,
    demo: dict,
    apple: FakeApple,
    theme: str,
    width: int,
) -> None:
    elementary, high = VppAccount.objects.filter(pk__in=demo["vpp_account_ids"]).order_by("name")
    apple.claim(elementary.uid, {"id": "other", "name": "Other MDM", "metadata": "v3"})
    apple.revoke_tokens(high.uid)
    for account in (elementary, high):
        run = request_sync(by=DEMO, account=account, trigger=SyncRun.Trigger.MANUAL)
        sync.run(sync_run_id=run.pk)
    page = open_page(full_admin(demo), theme=theme, width=width)
    home = f"/organizations/{demo['organization_id']}/"
    take_over = f"mdm/accounts/{elementary.pk}/take-over/"

    wrong = examined(
        page, each_of(page, [home + each for each in [*OF_AN_ORGANIZATION, take_over]])
    )

    assert only_trouble(wrong) == {}
    assert complaints == []


def test_a_page_that_is_not_there(open_page: OpenPage, owner: Admin) -> None:
    factories.NetworkFactory(organization=owner.memberships.get().organization)
    page = open_page(owner)

    wrong = examined(page, each_of(page, ["/nothing/here/", "/organizations/999999/mdm/"]))

    assert only_trouble(wrong) == {}


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_the_window_over_a_page(
    open_page: OpenPage, complaints: Complaints, demo: dict, theme: str, width: int
) -> None:
    page = open_page(full_admin(demo), theme=theme, width=width)
    page.goto(f"/organizations/{demo['organization_id']}/mdm/")

    page.get_by_role("link", name="Add new").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Update").click()
    page.get_by_text("VPP service token can't be blank").first.wait_for()

    assert (violations(page), too_wide(page)) == ([], [])
    assert complaints == []


def each_of(page: Page, addresses: list[str]) -> Iterator[str]:
    for address in addresses:
        page.goto(address)
        yield address


def examined(page: Page, walk: Iterator[str]) -> dict[str, list[str]]:
    return {address: violations(page) + too_wide(page) + scrolling_tables(page) for address in walk}


def only_trouble(found: dict[str, list[str]]) -> dict[str, list[str]]:
    return {address: trouble for address, trouble in found.items() if trouble}
