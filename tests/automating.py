"""A small world for automatic licensing: one network, some devices, an app with its account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.test import TestCase

from apps_catalog.models import App, Installation, ManagedApp
from licensing.automation import engine
from licensing.automation.changes import request
from licensing.models import Assignment, LicensedApp
from organizations import tenancy
from organizations.models import Device, Network, Organization, Tag
from tests import factories
from tests.draining import drain, synced
from users.models import VppUser
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

KEYNOTE = "361285480"


@dataclass
class World:
    fake: FakeApple
    organization: Organization
    network: Network
    account: VppAccount

    def buy(
        self, quantity: int, *, adam_id: str = KEYNOTE, account: VppAccount | None = None
    ) -> LicensedApp:
        account = account or self.account
        self.fake.purchase(account.uid or "", adam_id, quantity=quantity)
        return synced(account)[adam_id]

    def another_account(self, name: str) -> VppAccount:
        location = self.fake.create_location(name=name)
        return factories.VppAccountFactory(
            organization=self.organization,
            name=name,
            uid=location.uid,
            token=location.issue_token(),
        )

    def tag(self, name: str = "cart") -> Tag:
        return factories.TagFactory(organization=self.organization, name=name)

    def device(self, serial: str | None, *tags: Tag, **more: Any) -> Device:
        facts = {"organization": self.organization, "network": self.network} | more
        return factories.DeviceFactory(
            serial_number=serial, tag_ids=[tag.pk for tag in tags], **facts
        )

    def app(self, *accounts: VppAccount, tag: Tag | None = None, **more: Any) -> ManagedApp:
        """Grants and revokes by itself, at once; without a tag it is for all devices."""
        App.objects.get_or_create(adam_id=KEYNOTE, country="US")
        App.objects.filter(adam_id=KEYNOTE).update(name="Keynote")
        app = App.objects.get(adam_id=KEYNOTE)
        facts: dict[str, Any] = {
            "network": self.network,
            "app": app,
            "grants_automatically": True,
            "revokes_automatically": True,
            "grace_days": 0,
            "removes_out_of_scope": False,
        }
        if tag:
            facts |= {"scope_operator": "withAny", "scope_tag_ids": [tag.pk]}
        managed = factories.ManagedAppFactory(**(facts | more))
        for place, account in enumerate(accounts or [self.account]):
            factories.ManagedAppAccountFactory(managed_app=managed, account=account, place=place)
        return managed

    def person(self, status: str) -> VppUser:
        """An owner whom Apple knows in the account."""
        owner = factories.OwnerFactory(organization=self.organization)
        user = factories.VppUserFactory(account=self.account, owner=owner, apple_status=status)
        self.fake.add_users(
            self.account.uid or "", [{"clientUserId": user.client_user_id, "email": user.email}]
        )
        return user

    def settle(self, *accounts: VppAccount, rounds: int = 2) -> None:
        """Rules and batches take turns until nothing changes any more."""
        for _ in range(rounds):
            self.run()
            for account in accounts or [self.account]:
                drain(account, self.fake)
        self.run()

    def run(self) -> None:
        """Everything is looked at, as in a sweep."""
        with TestCase.captureOnCommitCallbacks(execute=True):
            request(self.organization.pk, cause="test")
        self.turn()

    def turn(self) -> None:
        """What is to be looked at is."""
        with tenancy.inside(self.organization.pk):
            engine.run(self.organization.pk)


def retag(device: Device, *tags: Tag) -> None:
    """Its tags are others now; nobody has been told."""
    Device.objects.filter(pk=device.pk).update(tag_ids=[tag.pk for tag in tags])


def licenses(**more: Any) -> dict[str, tuple[str, int | None]]:
    """Holder -> (origin, rule)."""
    rows = Assignment.objects.filter(**more).order_by("holder")
    return {
        holder: (origin, rule)
        for holder, origin, rule in rows.values_list("holder", "origin", "rule_id")
    }


def states(managed_app: ManagedApp) -> dict[str | None, tuple[str, str]]:
    """Serial number -> (state, reason)."""
    rows = Installation.objects.filter(managed_app=managed_app).order_by("device")
    return {
        serial: (state, reason)
        for serial, state, reason in rows.values_list("device__serial_number", "state", "reason")
    }
