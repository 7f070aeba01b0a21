"""Scope decides, licenses and installs follow: the three journeys of a deployment, as a person sees them.

The browser clicks; the worker's turns, Apple's time and the fleet's clock are played between the clicks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from django.conf import LazySettings
from django.test import TestCase
from django.utils import timezone
from playwright.sync_api import Page, expect

from apps_catalog.channels import inbox, simulated
from apps_catalog.installations import engine as deployment
from apps_catalog.installations import turns
from apps_catalog.models import Installation, ManagedApp
from licensing.automation import engine as automation
from licensing.automation.changes import request
from licensing.models import Assignment, Batch
from organizations import automatic_tags, tenancy
from organizations.models import Admin, Device, Network, Organization, Tag
from tests import factories
from tests.browser.conftest import Complaints, OpenPage
from tests.draining import drain
from tests.test_sync import run_sync
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

MATH = "1187400216"  # Tidepool Math
BEAT = timedelta(minutes=2)


@dataclass
class School:
    apple: FakeApple
    account: VppAccount
    network: Network
    cart: Tag
    now: datetime = field(default_factory=timezone.now)

    @property
    def organization(self) -> Organization:
        return self.account.organization

    @property
    def apps(self) -> str:
        return f"/organizations/{self.organization.pk}/manage/apps/"

    def device(self, number: int) -> Device:
        return factories.DeviceFactory(
            organization=self.organization,
            network=self.network,
            name=f"Cart iPad {number:02d}",
            serial_number=f"DMQ{number:02d}",
            supervised=True,
            tag_ids=[self.cart.pk],
        )

    def deployed(self, **more: object) -> ManagedApp:
        app = self.account.licensed_apps.get(adam_id=MATH).app
        facts: dict = {
            "network": self.network,
            "app": app,
            "scope_operator": "withAny",
            "scope_tag_ids": [self.cart.pk],
            "grants_automatically": True,
            "revokes_automatically": True,
            "grace_days": 7,
        }
        managed_app = factories.ManagedAppFactory(**(facts | more))
        factories.ManagedAppAccountFactory(managed_app=managed_app, account=self.account)
        return managed_app

    # --- Time -------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Rules, batches and devices take turns until they rest."""
        with TestCase.captureOnCommitCallbacks(execute=True):
            request(self.organization.pk, cause="test")
        for _ in range(3):
            with tenancy.inside(self.organization.pk):
                automation.run(self.organization.pk)
            drain(self.account, self.apple)
            for _ in range(3):
                self._beat()
        with tenancy.inside(self.organization.pk):
            automation.run(self.organization.pk)

    def _beat(self) -> None:
        """Two minutes for the fleet; who would be looked at by then is looked at now."""
        self.now += BEAT
        organization_id = self.organization.pk
        Installation.objects.filter(next_at__isnull=False).update(next_at=timezone.now())
        turns.note(organization_id)
        with tenancy.inside(organization_id):
            deployment.run(organization_id)
            simulated.tick(organization_id, self.now)
            inbox.handle_waiting(organization_id)
            deployment.run(organization_id)

    def states(self) -> dict[str, str]:
        rows = Installation.objects.filter(organization=self.organization).order_by("device")
        return dict(rows.values_list("device__name", "state"))

    def holders(self) -> list[str]:
        held = Assignment.objects.filter(account=self.account).order_by("holder")
        return list(held.values_list("holder", flat=True))

    def holders_at_apple(self) -> list[str]:
        assets = self.apple.location(self.account.uid or "").assets.values()
        return sorted(name for asset in assets for name in asset.holders("serial"))


@pytest.fixture
def school(apple: FakeApple, administrator: Admin, settings: LazySettings) -> School:
    """Three iPads on a cart, enrolled, and two licenses of Tidepool Math."""
    settings.DEVICE_CHANNEL = "simulated"
    location = apple.create_location(name="North", org_name="Example Schools")
    apple.purchase(location.uid, MATH, quantity=2)
    membership = administrator.memberships.get()
    network = Network.objects.get(organization=membership.organization_id)
    account = factories.VppAccountFactory(
        organization=membership.organization,
        name="North",
        uid=location.uid,
        token=location.issue_token(),
    )
    run_sync(account, full=True)
    described = {"name": "Tidepool Math", "bundle_id": "com.tidepoollearning.math"}
    more = {"version": "6.2.1", "price": "4.99", "platforms": ["iOS"]}
    title = account.licensed_apps.get()
    type(title.app).objects.filter(pk=title.app_id).update(**described, **more)
    automatic_tags.ensure(membership.organization)
    cart = factories.TagFactory(organization=membership.organization, name="cart")
    return School(apple, account, network, cart)


def enroll(school: School, *numbers: int) -> None:
    for number in numbers:
        school.device(number)
    simulated.enroll(school.organization.pk)


def client(page: Page, name: str):
    return page.get_by_role("region", name="List of clients").get_by_role("row", name=name)


def test_an_app_is_added_gets_a_scope_and_is_installed(
    open_page: OpenPage, complaints: Complaints, administrator: Admin, school: School
) -> None:
    enroll(school, 1, 2)
    page = open_page(administrator)
    page.goto(school.apps)

    page.get_by_text("Add new").first.click()
    page.get_by_role("link", name="iOS App Store app").first.click()
    page.get_by_role("link", name="Choose Tidepool Math").click()
    page.get_by_label("Lakeside").check()
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("No device is in scope.")).to_be_visible()
    page.get_by_label("Devices with any of these tags").check()
    page.get_by_label("cart", exact=True).check()
    page.get_by_label("Grant to devices in scope").check()
    expect(page.get_by_text("In scope 2: 2 will get one")).to_be_visible()
    expect(page.get_by_text("2 licenses are granted.")).to_be_visible()
    assert Batch.objects.count() == 0  # a preview gives nothing
    page.get_by_role("button", name="Save Changes").click()
    expect(page.get_by_text("Tidepool Math is saved.")).to_be_visible()
    school.settle()
    page.reload()

    expect(client(page, "Cart iPad 01")).to_contain_text("Installed")
    expect(client(page, "Cart iPad 02")).to_contain_text("Installed")
    assert school.states() == {"Cart iPad 01": "installed", "Cart iPad 02": "installed"}
    assert school.holders_at_apple() == school.holders() == ["DMQ01", "DMQ02"]
    assert set(Assignment.objects.values_list("origin", "rule_id")) == {
        ("rule", ManagedApp.objects.get().pk)
    }
    assert complaints == []


def test_a_tag_is_taken_and_after_the_grace_the_license_and_the_app(
    open_page: OpenPage, complaints: Complaints, administrator: Admin, school: School
) -> None:
    enroll(school, 1, 2)
    managed_app = school.deployed()
    school.settle()
    leaving = Device.objects.get(name="Cart iPad 02")
    page = open_page(administrator)

    page.goto(f"/organizations/{school.organization.pk}/monitor/devices/{leaving.pk}/")
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Tags").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("is saved")).to_be_visible()
    school.settle()
    in_grace = (school.states(), school.holders_at_apple())
    week = timedelta(days=7, minutes=1)
    wish = Installation.objects.get(managed_app=managed_app, device=leaving)
    assert wish.left_at is not None
    Installation.objects.filter(pk=wish.pk).update(left_at=wish.left_at - week)
    Assignment.objects.filter(unwanted_at__isnull=False).update(unwanted_at=wish.left_at - week)
    school.settle()
    page.goto(f"{school.apps}{managed_app.pk}/")

    assert in_grace == (
        {"Cart iPad 01": "installed", "Cart iPad 02": "installed"},
        ["DMQ01", "DMQ02"],
    )
    expect(client(page, "Cart iPad 01")).to_contain_text("Installed")
    expect(client(page, "Cart iPad 02")).to_be_hidden()
    assert school.states() == {"Cart iPad 01": "installed"}
    assert school.holders_at_apple() == school.holders() == ["DMQ01"]
    assert apps_on(leaving) == []
    assert complaints == []


def apps_on(device: Device) -> list[str]:
    """What the device itself has."""
    device.simulated.refresh_from_db()
    return list(device.simulated.apps)


def test_who_waits_is_served_as_soon_as_licenses_are_bought(
    open_page: OpenPage,
    complaints: Complaints,
    administrator: Admin,
    school: School,
    settings: LazySettings,
) -> None:
    enroll(school, 1, 2, 3)
    managed_app = school.deployed()
    school.settle()
    page = open_page(administrator)
    page.goto(f"{school.apps}{managed_app.pk}/")
    expect(page.get_by_text("Needs 3, has 2: 1 waits.")).to_be_visible()
    waiting = [name for name, state in school.states().items() if state == "blocked"]

    page.goto(f"{settings.APPLE_STORE_URL}/portal/locations/{school.account.uid}")
    purchase = page.locator("form", has=page.get_by_role("button", name="Buy", exact=True))
    purchase.get_by_label("Title").select_option(value=f"{MATH}/STDQ")
    purchase.get_by_label("Licenses").fill("5")
    purchase.get_by_role("button", name="Buy", exact=True).click()
    expect(page.get_by_text("Bought 5.")).to_be_visible()
    run_sync(school.account)
    school.settle()
    page.goto(f"{school.apps}{managed_app.pk}/")

    assert len(waiting) == 1
    expect(client(page, waiting[0])).to_contain_text("Installed")
    assert school.holders_at_apple() == school.holders() == ["DMQ01", "DMQ02", "DMQ03"]
    assert complaints == []
