"""The licenses of a device, and of its owner, in the accounts that are open to the reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from licensing.holders import DEVICE, USER
from licensing.holders.licenses import License, LicenseState, licenses_in
from licensing.models import Assignment, LicensedApp
from licensing.titles import name_of
from organizations.models import Device, Membership
from users.models import VppUser
from vpp_accounts.models import VppAccount


@dataclass(frozen=True, slots=True)
class DeviceLicense:
    """One title that somebody holds, gets, loses or waits for."""

    title: LicensedApp
    license: License
    holder_kind: Assignment.HolderKind
    holder: str

    @property
    def name(self) -> str:
        return name_of(self.title)

    @property
    def is_owners(self) -> bool:
        return self.holder_kind == USER

    @property
    def url(self) -> str:
        """The page of the holder in that account."""
        account = self.title.account
        place = [account.organization_id, account.pk, self.holder_kind.value, self.holder]
        return reverse("licensing:holder_detail", args=place)


def licenses_of(device: Device, membership: Membership) -> list[DeviceLicense]:
    """By name; those of the device first. In at most twelve statements, however many."""
    accounts = list(VppAccount.objects.open_to(membership))
    serial = device.serial_number
    own = _of(accounts, DEVICE, [serial]) if serial else []
    people = VppUser.objects.filter(account__in=accounts, owner=device.owner_id or 0)
    users = list(people.values_list("client_user_id", flat=True))
    return [*own, *(_of(accounts, USER, users) if users else [])]


def _of(
    accounts: Sequence[VppAccount], kind: Assignment.HolderKind, holders: Sequence[str]
) -> list[DeviceLicense]:
    found = {
        key: license
        for key, license in licenses_in(accounts, kind, holders).items()
        if license.state != LicenseState.NOT_LICENSED
    }
    titles = LicensedApp.objects.filter(pk__in={title for title, _ in found})
    known = {title.pk: title for title in titles.select_related("app", "account")}
    rows = [
        DeviceLicense(known[title], license, kind, holder)
        for (title, holder), license in found.items()
        if title in known
    ]
    return sorted(rows, key=lambda row: (row.name.casefold(), row.title.pk))
