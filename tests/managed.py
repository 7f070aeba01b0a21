"""A school with devices, tags, and an account that has licenses: what apps are deployed with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apps_catalog.models import ManagedApp
from licensing.models import LicensedApp
from organizations import automatic_tags
from organizations.models import Network, Organization, Tag
from tests import factories
from tests.draining import synced
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

MATH = "1187400216"  # Tidepool Math, for iOS, $4.99
CAMERA = "1092235680"  # Classroom Camera, for iOS, free


@dataclass
class School:
    fake: FakeApple
    account: VppAccount
    title: LicensedApp
    network: Network
    cart: Tag
    app: ManagedApp

    @property
    def organization(self) -> Organization:
        return self.account.organization

    def below(self, path: str = "") -> str:
        return f"/organizations/{self.organization.pk}/manage/apps/{path}"

    @property
    def page(self) -> str:
        return self.below(f"{self.app.pk}/")

    def device(self, **fields: Any):
        defaults = {"organization": self.organization, "network": self.network}
        return factories.DeviceFactory(**{**defaults, "tag_ids": [self.cart.pk], **fields})


def school(fake: FakeApple, account: VppAccount, *, licenses: int = 3) -> School:
    """Tidepool Math in Oakmont, bought `licenses` times; nobody is in its scope yet."""
    fake.purchase(account.uid, MATH, quantity=licenses)
    title = synced(account)[MATH]
    title.app.name, title.app.price, title.app.price_text = "Tidepool Math", "4.99", "$4.99"
    title.app.platforms, title.app.minimum_os = ["iOS"], "16.0"
    title.app.save()
    network = factories.NetworkFactory(organization=account.organization, name="Oakmont")
    app = factories.ManagedAppFactory(network=network, app=title.app, scope_operator="none")
    factories.ManagedAppAccountFactory(managed_app=app, account=account)
    automatic_tags.ensure(account.organization)
    cart = factories.TagFactory(organization=account.organization, name="cart")
    return School(fake, account, title, network, cart, app)
