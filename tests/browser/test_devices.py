"""Devices as an admin meets them: chosen over pages, tagged, moved; one of them with all it has."""

import pytest
from playwright.sync_api import Page

from organizations.models import Admin, Device, Network, Organization
from tests.browser.conftest import Complaints, OpenPage
from tests.browser.crawl import scrolling_tables, too_wide, violations
from tests.browser.test_every_page import LOOKS
from tests.factories import (
    AssignmentFactory,
    DeviceFactory,
    InstallationFactory,
    LicensedAppFactory,
    ManagedAppFactory,
    NetworkFactory,
    OwnerFactory,
    TagFactory,
    VppAccountFactory,
)


@pytest.fixture
def oakmont(organization: Organization) -> Network:
    return NetworkFactory(organization=organization, name="Oakmont Elementary School")


@pytest.fixture
def cart(oakmont: Network) -> list[Device]:
    """More than a page of them; the first with everything that a row can show."""
    organization = oakmont.organization
    own, inherited = (TagFactory(organization=organization, name=n) for n in ("cart-12", "staff"))
    ada = OwnerFactory(
        organization=organization, name="Ada Schmidt-Rottluff", tag_ids=[inherited.pk]
    )
    first = DeviceFactory(
        organization=organization,
        network=oakmont,
        name="Cart 00",
        model="iPad (10th generation)",
        os_version="17.4.1",
        owner=ada,
        tag_ids=[own.pk],
        notes="Dented.",
        sources={"name": "page", "model": "channel", "owner": "csv"},
        missing_since="2026-11-12T10:00Z",
        missing_from="csv",
    )
    title = LicensedAppFactory(account=VppAccountFactory(organization=organization, name="North"))
    AssignmentFactory(licensed_app=title, holder=first.serial_number)
    for state, reason in (("blocked", "noLicenseLeft"), ("failed", "unknownError")):
        app = ManagedAppFactory(network=oakmont)
        InstallationFactory(managed_app=app, device=first, state=state, reason=reason)
    ManagedAppFactory(network=oakmont, scope_operator="none")
    others = [
        DeviceFactory(organization=organization, network=oakmont, name=f"Cart {number:02}")
        for number in range(1, 30)
    ]
    return [first, *others]


def faults(page: Page) -> list[str]:
    return violations(page) + too_wide(page) + scrolling_tables(page)


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_devices_are_chosen_over_pages_and_tagged(
    open_page: OpenPage,
    complaints: Complaints,
    owner: Admin,
    cart: list[Device],
    theme: str,
    width: int,
) -> None:
    page = open_page(owner, theme=theme, width=width)
    found = []

    page.goto(f"/organizations/{cart[0].organization_id}/monitor/devices/?size=25")
    page.get_by_label("Choose Cart 00").check()
    found += faults(page)
    page.get_by_role("link", name="Next").click()
    page.get_by_label("Choose Cart 29").check()
    page.get_by_text("2 chosen, 1 of them on other pages").wait_for()
    page.get_by_text("More", exact=True).click()
    page.get_by_role("button", name="Add or remove tags").click()
    page.get_by_text("2 devices:").wait_for()
    found += faults(page)
    page.get_by_label("Add tags").fill("grade-5")
    page.get_by_role("button", name="Save tags").click()
    page.get_by_text("2 devices got other tags.").wait_for()

    tagged = Device.objects.filter(tag_ids__len__gt=0, name__in=["Cart 00", "Cart 29"])
    assert sorted(len(device.tag_ids) for device in tagged) == [1, 2]
    assert found == []
    assert complaints == []


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_a_device_is_looked_at_edited_and_deleted(
    open_page: OpenPage,
    complaints: Complaints,
    owner: Admin,
    cart: list[Device],
    theme: str,
    width: int,
) -> None:
    page = open_page(owner, theme=theme, width=width)
    found = []

    page.goto(f"/organizations/{cart[0].organization_id}/monitor/devices/")
    page.get_by_role("link", name="Cart 00").click()
    page.get_by_role("heading", name="Identity").wait_for()
    found += faults(page)
    page.get_by_role("link", name="Edit").click()
    found += faults(page)
    page.locator("#id_name").fill("Cart 99")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Cart 99 is saved.").wait_for()
    page.get_by_role("link", name="+ Grant license to device(s)").click()
    page.get_by_role("heading", name="Grant licenses to Cart 99").wait_for()
    found += faults(page)
    page.go_back()
    page.get_by_text("More", exact=True).click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("heading", name="Delete Cart 99?").wait_for()
    found += faults(page)
    page.get_by_role("button", name="Delete").click()
    page.get_by_text("Cart 99 deleted.").wait_for()

    assert not Device.objects.filter(name="Cart 99").exists()
    assert found == []
    assert complaints == []
