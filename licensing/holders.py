"""Who holds a title: assignments, dressed with what the inventory knows of their holders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from licensing.models import Assignment, LicensedApp
from licensing.models.assignments import AssignmentQuerySet
from organizations.models import Device, Membership
from users.models import VppUser

DEVICE = Assignment.HolderKind.DEVICE
USER = Assignment.HolderKind.USER

LAST_CHARACTER = chr(0x10FFFF)


@dataclass(frozen=True, slots=True)
class DeviceHolder:
    """A serial number with a license; `device` is None where the inventory does not know it."""

    serial_number: str
    device: Device | None
    since: datetime
    origin: str

    @property
    def name(self) -> str:
        return self.device.name if self.device else ""

    @property
    def network(self) -> str:
        return self.device.network.name if self.device else ""

    @property
    def owner(self) -> str:
        return self.device.owner.name if self.device and self.device.owner else ""


@dataclass(frozen=True, slots=True)
class UserHolder:
    """A clientUserId with a license; `user` is None where Apple's list of users lacks it."""

    client_user_id: str
    user: VppUser | None
    since: datetime
    origin: str

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
        return self.user.apple_status if self.user else ""


def holders_of(title: LicensedApp, kind: Assignment.HolderKind) -> AssignmentQuerySet:
    """A range of the primary key: a million rows are entered at any holder at once."""
    return Assignment.objects.filter(
        organization=title.organization_id,
        account=title.account_id,
        licensed_app=title.pk,
        holder_kind=kind,
    )


def dressed_devices(rows: list[Assignment], membership: Membership) -> list[DeviceHolder]:
    devices = Device.objects.visible_to(membership).filter(
        serial_number__in=[row.holder for row in rows]
    )
    shown = ("serial_number", "name", "network__name", "owner__name")
    known = {d.serial_number: d for d in devices.select_related("network", "owner").only(*shown)}
    return [
        DeviceHolder(row.holder, known.get(row.holder), row.since, row.get_origin_display())
        for row in rows
    ]


def dressed_users(rows: list[Assignment], title: LicensedApp) -> list[UserHolder]:
    users = VppUser.objects.filter(
        account=title.account_id, client_user_id__in=[row.holder for row in rows]
    )
    shown = ("client_user_id", "email", "apple_status", "owner__name", "owner__email")
    known = {u.client_user_id: u for u in users.select_related("owner").only(*shown)}
    return [
        UserHolder(row.holder, known.get(row.holder), row.since, row.get_origin_display())
        for row in rows
    ]


def devices_matching(text: str, membership: Membership) -> Q:
    """By the beginning of the serial number, or by anything in the device's or owner's name."""
    named = Device.objects.visible_to(membership).filter(
        Q(name__icontains=text) | Q(owner__name__icontains=text) | Q(owner__email__icontains=text),
        serial_number__isnull=False,
    )
    return begins_with(text.upper()) | Q(holder__in=named.values("serial_number"))


def users_matching(text: str, title: LicensedApp) -> Q:
    named = VppUser.objects.filter(
        Q(email__icontains=text) | Q(owner__name__icontains=text) | Q(owner__email__icontains=text),
        account=title.account_id,
    )
    return begins_with(text) | Q(holder__in=named.values("client_user_id"))


def begins_with(text: str) -> Q:
    # A range and not LIKE: it uses the key's index also under row-level security.
    return Q(holder__gte=text, holder__lt=text + LAST_CHARACTER)


def elsewhere(title: LicensedApp, membership: Membership) -> QuerySet[LicensedApp, Any]:
    """The same Adam ID in the organization's other accounts, or in its other edition."""
    ours = LicensedApp.objects.visible_to(membership).present().filter(adam_id=title.adam_id)
    return (
        ours.exclude(pk=title.pk).select_related("account", "app").order_by("account__name", "pk")
    )
