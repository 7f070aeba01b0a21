"""The lists of those who could hold a title: devices and users."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.http import QueryDict

from licensing.filters import DeviceHolderFilter, UserHolderFilter
from licensing.holders import (
    DEVICE,
    USER,
    DeviceHolder,
    UserHolder,
    device_candidates,
    dressed_devices,
    dressed_users,
    user_candidates,
)
from licensing.holders.people import STRANGER
from licensing.models import Assignment, LicensedApp
from organizations.lists import Column, Listing, Segments
from organizations.models import Membership, Network

SINCE = (
    "When this product first saw the license, for Apple keeps no times; of what is under way or"
    " failed, when that was."
)
LICENSE_COLUMNS = (
    Column("state", "License state"),
    Column("since", "Since", hint=SINCE, wide_only=True),
    Column("by", "Given by", wide_only=True),
)
LICENSE_EXPORT = {
    "License state": lambda row: row.license.label,
    "Since": lambda row: row.license.since,
    "Given by": lambda row: row.license.by,
    "Batch": lambda row: row.license.batch_id,
    "Reason": lambda row: row.license.message,
}


def selection_key(title_id: int, holder_kind: str) -> str:
    return f"{holder_kind}s-of-{title_id}"


class CandidateList(Listing[Any]):
    """Everybody who could hold a title; who no inventory knows comes last."""

    holder_kind: Assignment.HolderKind
    export = LICENSE_EXPORT
    grouped_by = ("segment",)
    unique = ("holder", "row")
    counted_column = "row"

    def __init__(self, params: QueryDict, title: LicensedApp, membership: Membership) -> None:
        self.title, self.membership = title, membership
        super().__init__(params, self.candidates())

    def candidates(self) -> Segments:
        raise NotImplementedError

    def filter_arguments(self) -> dict[str, Any]:
        return {"title": self.title, "membership": self.membership}

    @property
    def selection_key(self) -> str:
        """What the browser remembers the choice under, from page to page."""
        return selection_key(self.title.pk, self.holder_kind.value)

    @property
    def matching_key(self) -> str:
        """The same on all pages of the same rows, whatever their order."""
        return self.address(sort="", size="", chosen="")

    def picked(self, ids: Iterable[str]) -> Segments:
        """Those of the candidates whose check boxes have these values, whatever else was sent."""
        chosen = set(ids)
        rows = [int(id_) for id_ in chosen if id_.isascii() and id_.isdigit() and len(id_) < 19]
        strangers = [id_.removeprefix(STRANGER) for id_ in chosen if id_.startswith(STRANGER)]
        known: Segments = self.unfiltered.filter(
            Q(row__in=rows, row__gt=0) | Q(row=0, holder__in=strangers)
        )
        return known


class DeviceHolderList(CandidateList):
    holder_kind = DEVICE
    template = "licensing/_licensed_app_devices.html"
    columns = (
        Column("name", "Device", sort=("name",)),
        Column("serial_number", "Serial number", sort=("holder",), wide_only=True),
        Column("network", "Network", wide_only=True),
        Column("owner", "Owner", wide_only=True),
        *LICENSE_COLUMNS,
    )
    export = {
        "Serial number": lambda row: row.serial_number,
        "Device": lambda row: row.name,
        "Network": lambda row: row.network,
        "Owner": lambda row: row.owner,
        **LICENSE_EXPORT,
        "In the inventory": lambda row: row.device is not None,
        "Its owner holds one too": lambda row: row.twin is not None,
    }
    filterset = DeviceHolderFilter
    default_sort = "serial_number"
    noun = ("device", "devices")

    def __init__(
        self,
        params: QueryDict,
        title: LicensedApp,
        membership: Membership,
        network: Network | None = None,
    ) -> None:
        """`network`: only the devices in it; who no inventory knows lies in none."""
        self.network = network
        super().__init__(params, title, membership)

    def candidates(self) -> Segments:
        found = device_candidates(self.title, self.membership)
        return found.filter(network=self.network.pk) if self.network else found

    def dress(self, rows: list[dict[str, Any]]) -> list[DeviceHolder]:
        return dressed_devices(rows, self.title, self.membership)


class UserHolderList(CandidateList):
    holder_kind = USER
    template = "licensing/_licensed_app_users.html"
    columns = (
        Column("email", "User", sort=("email",)),
        Column("owner", "Owner", wide_only=True),
        Column("status", "User status", wide_only=True),
        *LICENSE_COLUMNS,
    )
    export = {
        "Client user ID": lambda row: row.client_user_id,
        "Email": lambda row: row.email,
        "Owner": lambda row: row.owner,
        "User status": lambda row: row.status,
        **LICENSE_EXPORT,
        "In the inventory": lambda row: row.user is not None,
        "Holds one on a device too": lambda row: row.twin is not None,
    }
    filterset = UserHolderFilter
    default_sort = "email"
    noun = ("user", "users")

    def candidates(self) -> Segments:
        return user_candidates(self.title)

    def dress(self, rows: list[dict[str, Any]]) -> list[UserHolder]:
        return dressed_users(rows, self.title, self.membership)
