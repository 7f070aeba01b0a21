"""Connecting a NanoMDM: entered, checked while one watches, and its webhook key made."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from apps_catalog.models import ChannelSettings
from apps_catalog.tasks import check_channel
from organizations.models import Admin, Organization
from tests.browser.conftest import OpenPage
from tests.browser.crawl import too_wide, violations
from tests.nanomdm_stub import NanoMdmStub
from tests.nanomdm_stub.fleet import TOPIC


@pytest.fixture
def stub() -> Iterator[NanoMdmStub]:
    with NanoMdmStub() as server:
        yield server


@pytest.mark.parametrize("width", [1280, 390])
def test_a_server_is_connected_and_checked(
    open_page: OpenPage, owner: Admin, organization: Organization, stub: NanoMdmStub, width: int
) -> None:
    page = open_page(owner, width=width)
    page.goto(f"/organizations/{organization.pk}/mdm/")
    page.get_by_role("link", name="Set up").click()

    page.get_by_label("NanoMDM", exact=True).check()
    page.get_by_label("Server's address").fill(stub.url)
    page.get_by_label("API key").fill(stub.key)
    page.get_by_label("Topic of the push certificate").fill(TOPIC)
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("A worker asks the server now.")).to_be_visible()
    check_channel(organization_id=organization.pk)
    expect(page.get_by_text("It works.")).to_be_visible(timeout=10_000)
    page.get_by_role("link", name="Make a key").click()
    page.get_by_role("button", name="Make a key").click()
    key = page.get_by_role("textbox", name="Key").input_value()
    assert key == ChannelSettings.objects.get().webhook_key
    home = f"/organizations/{organization.pk}/mdm/device-channel/"
    page.goto(home)
    found = [violations(page), too_wide(page)]
    page.goto(f"{home}profile/")
    found += [violations(page), too_wide(page)]
    assert found == [[], [], [], []]
