"""Candidates as the lists show them: what the inventory knows of each, and the state of the license."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef

from licensing.batches.boundaries import Boundaries
from licensing.batches.reasons import Reason, sentence_of
from licensing.holders.licenses import License, licenses_of_title
from licensing.holders.sets import DEVICE, USER, holders_of
from licensing.models import LicensedApp
from organizations.models import Device, Membership
from users.models import VppUser
from users.states import status_of

NONE = License()
STRANGER = "~"  # begins the ids of holders that no inventory knows; no serial number has it


@dataclass(frozen=True, slots=True)
class DeviceHolder:
    """A device that could hold a title; `device` is None where the inventory lacks the serial number.

    `twin` is the owner's record at Apple, where it holds a license of the same title.
    """

    serial_number: str
    device: Device | None
    license: License
    twin: VppUser | None = None
    barrier: Reason | None = None  # why this admin cannot give it a license of this account

    @property
    def id(self) -> str:
        return str(self.device.pk) if self.device else STRANGER + self.serial_number

    @property
    def label(self) -> str:
        return self.name or self.serial_number

    @property
    def choice(self) -> str:
        """How a plan names them."""
        return self.serial_number

    @property
    def why_not(self) -> str:
        """Why it cannot be chosen: what it holds can be taken back outside of assignable networks."""
        can_revoke = self.license.is_held and self.barrier != Reason.NOT_YOUR_NETWORK
        return "" if can_revoke else sentence_of(self.barrier)

    @property
    def needless(self) -> VppUser | None:
        """The person whose license the device's own makes needless."""
        return self.twin

    @property
    def name(self) -> str:
        return str(self.device) if self.device else ""

    @property
    def network(self) -> str:
        return self.device.network.name if self.device else ""

    @property
    def owner(self) -> str:
        return self.device.owner.name if self.device and self.device.owner else ""


@dataclass(frozen=True, slots=True)
class UserHolder:
    """A person who could hold a title; `user` is None where Apple's list of users lacks the id.

    `twin` is a device of the same owner that holds a license of the same title.
    """

    client_user_id: str
    user: VppUser | None
    license: License
    twin: Device | None = None

    @property
    def id(self) -> str:
        """Empty where nobody can be chosen: a batch reaches people by their records only."""
        return str(self.user.pk) if self.user else ""

    @property
    def label(self) -> str:
        return self.owner or self.email or self.client_user_id

    @property
    def choice(self) -> str:
        return self.id

    @property
    def needless(self) -> VppUser | None:
        return self.user if self.twin else None

    @property
    def email(self) -> str:
        if self.user is None:
            return ""
        return self.user.email or (self.user.owner.email if self.user.owner else "")

    @property
    def owner(self) -> str:
        return self.user.owner.name if self.user and self.user.owner else ""

    @property
    def status(self) -> str:
        return str(status_of(self.user)) if self.user else ""


def dressed_devices(
    rows: Sequence[dict[str, Any]], title: LicensedApp, membership: Membership
) -> list[DeviceHolder]:
    devices = Device.objects.visible_to(membership).select_related("network", "owner")
    shown = ("serial_number", "name", "platform", "network__name", "owner__name", "owner__email")
    known = devices.only(*shown).in_bulk([row["row"] for row in rows if row["row"]])
    serials = [row["holder"] for row in rows if row["holder"]]
    licenses = licenses_of_title(title, DEVICE, serials)
    held = [d for d in known.values() if licenses.get(d.serial_number or "", NONE).is_held]
    twins = _people_who_hold(title, {device.owner_id for device in held if device.owner_id})
    owners = {device.pk: device.owner_id for device in held}
    networks = {device.pk: device.network_id for device in known.values()}
    boundaries = Boundaries.of(title.account, membership)
    return [
        DeviceHolder(
            row["holder"],
            known.get(row["row"]),
            licenses.get(row["holder"], NONE),
            twins.get(owners.get(row["row"])),
            boundaries.barrier(networks.get(row["row"])),
        )
        for row in rows
    ]


def dressed_users(
    rows: Sequence[dict[str, Any]], title: LicensedApp, membership: Membership
) -> list[UserHolder]:
    users = VppUser.objects.filter(account=title.account_id).select_related("owner")
    shown = ("client_user_id", "email", "apple_status", "failure", "owner__name", "owner__email")
    known = users.only(*shown).in_bulk([row["row"] for row in rows if row["row"]])
    licenses = licenses_of_title(title, USER, [row["holder"] for row in rows])
    held = [u for u in known.values() if licenses.get(u.client_user_id, NONE).is_held]
    owners = {user.pk: user.owner_id for user in held}
    twins = _devices_that_hold(title, {user.owner_id for user in held if user.owner_id}, membership)
    return [
        UserHolder(
            row["holder"],
            known.get(row["row"]),
            licenses.get(row["holder"], NONE),
            twins.get(owners.get(row["row"])),
        )
        for row in rows
    ]


def _people_who_hold(title: LicensedApp, owners: set[int]) -> dict[int | None, VppUser]:
    if not owners:
        return {}
    holds = Exists(holders_of(title, USER).filter(holder=OuterRef("client_user_id")))
    users = VppUser.objects.filter(holds, account=title.account_id, owner__in=owners)
    return {user.owner_id: user for user in users}


def _devices_that_hold(
    title: LicensedApp, owners: set[int], membership: Membership
) -> dict[int | None, Device]:
    if not owners:
        return {}
    holds = Exists(holders_of(title, DEVICE).filter(holder=OuterRef("serial_number")))
    devices = Device.objects.visible_to(membership).filter(holds, owner__in=owners)
    return {device.owner_id: device for device in devices}
