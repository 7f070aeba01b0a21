"""An app on its way to devices: the engine's turns, the fleet's clock and the inbox, with time moved on.

What licensing does is played here by hand: `license` grants at Apple and moves the installation on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import time_machine
from django.utils import timezone

from apps_catalog.channels import inbox, simulated
from apps_catalog.installations import engine, turns
from apps_catalog.installations.transitions import Transition, move
from apps_catalog.models import ChannelCommand, Installation, ManagedApp
from licensing.models import Assignment, LicensedApp
from organizations.audit import Actor
from organizations.models import Device, Network, Organization
from tests import factories
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

KEYNOTE, BUNDLE_ID = "361285480", "com.apple.Keynote"
BY = Actor.system("Test")


@dataclass
class School:
    fake: FakeApple
    account: VppAccount
    network: Network
    managed_app: ManagedApp
    title: LicensedApp

    @property
    def organization(self) -> Organization:
        return self.account.organization

    def device(self, **values: Any) -> Device:
        values = {"supervised": True} | values
        return factories.DeviceFactory(
            organization=self.organization, network=self.network, **values
        )

    def wanted(self, device: Device, state: str = "planned", **values: Any) -> Installation:
        return factories.InstallationFactory(
            managed_app=self.managed_app,
            device=device,
            state=state,
            account_id=self.account.pk,
            licensed_app_id=self.title.pk,
            **values,
        )

    def license(self, installation: Installation) -> None:
        """What automation does: the license is at Apple and known here, then the state follows."""
        holder = installation.device.serial_number
        self.fake.assign(self.account.uid, self.managed_app.adam_id, serial_numbers=[holder])
        factories.AssignmentFactory(licensed_app=self.title, holder=holder)
        licensed = Transition("licensed", "License granted", BY)
        move([installation.pk], licensed, only_from=["planned"])

    def licensed(self, device: Device, **values: Any) -> Installation:
        installation = self.wanted(device, **values)
        self.license(installation)
        return installation

    def take_back(self, installation: Installation) -> None:
        holder = installation.device.serial_number
        self.fake.unassign(self.account.uid, self.managed_app.adam_id, serial_numbers=[holder])
        Assignment.objects.filter(licensed_app=self.title, holder=holder).delete()
        Installation.objects.filter(pk=installation.pk).update(is_wanted=False)
        move([installation.pk], Transition("reclaimed_pending_removal", "License revoked", BY))

    def enroll(self) -> None:
        simulated.enroll(self.organization.pk)

    # --- Time -------------------------------------------------------------------------------------

    def turn(self) -> None:
        """One turn of each: the engine, the fleet, the inbox."""
        turns.note(self.organization.pk)
        engine.run(self.organization.pk)
        simulated.tick(self.organization.pk)
        inbox.handle_waiting(self.organization.pk)

    def play(self, clock: time_machine.Traveller, *, minutes: float = 10) -> None:
        """Turn after turn, more and more time between them."""
        end = timezone.now() + timedelta(minutes=minutes)
        step = 5.0
        while timezone.now() < end:
            self.turn()
            clock.shift(step)
            step = min(step * 1.5, max(3600, minutes))
        self.turn()


def school(fake: FakeApple, account: VppAccount, **values: Any) -> School:
    organization = account.organization
    network = factories.NetworkFactory(organization=organization, name="Oakmont")
    app = factories.AppFactory(adam_id=KEYNOTE, name="Keynote", bundle_id=BUNDLE_ID, version="14.0")
    fake.purchase(account.uid, KEYNOTE, quantity=1000)
    title = factories.LicensedAppFactory(account=account, app=app)
    managed_app = factories.ManagedAppFactory(network=network, app=app, **values)
    return School(fake, account, network, managed_app, title)


def states(installations: Iterable[Installation]) -> list[tuple[str, str]]:
    ids = [each.pk for each in installations]
    rows = {row.pk: row for row in Installation.objects.filter(pk__in=ids)}
    return [(rows[pk].state, rows[pk].reason) for pk in ids]


def state(installation: Installation) -> tuple[str, str]:
    return states([installation])[0]


def commands(device: Device) -> list[tuple[str, str]]:
    """(Request type, state), oldest first, without questions about the device itself."""
    rows = ChannelCommand.objects.filter(device=device).exclude(request_type="DeviceInformation")
    return list(rows.order_by("pk").values_list("request_type", "state"))
