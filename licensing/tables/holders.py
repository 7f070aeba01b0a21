"""The lists of those who hold a title: devices and users."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict

from licensing.filters import DeviceHolderFilter, UserHolderFilter
from licensing.holders import (
    DEVICE,
    USER,
    DeviceHolder,
    UserHolder,
    dressed_devices,
    dressed_users,
    holders_of,
)
from licensing.models import Assignment, LicensedApp
from organizations.lists import Column, Listing, Total
from organizations.models import Membership

SINCE = "When this product first saw the license; Apple keeps no times."


class DeviceHolderList(Listing[DeviceHolder]):
    template = "licensing/_licensed_app_devices.html"
    columns = (
        Column("serial_number", "Serial number", sort=("holder",)),
        Column("device", "Device"),
        Column("network", "Network", wide_only=True),
        Column("owner", "Owner", wide_only=True),
        Column("state", "License state", wide_only=True),
        Column("since", "Since", hint=SINCE, wide_only=True),
        Column("origin", "Given by", wide_only=True),
    )
    export = {
        "Serial number": lambda row: row.serial_number,
        "Device": lambda row: row.name,
        "Network": lambda row: row.network,
        "Owner": lambda row: row.owner,
        "License state": lambda row: "Licensed",
        "Since": lambda row: row.since,
        "Given by": lambda row: row.origin,
        "In the inventory": lambda row: row.device is not None,
    }
    filterset = DeviceHolderFilter
    default_sort = "serial_number"
    unique = ("holder",)
    counted_column = "holder"
    noun = ("device", "devices")

    def __init__(
        self, params: QueryDict, title: LicensedApp, number: Total, membership: Membership
    ) -> None:
        super().__init__(params, holders_of(title, DEVICE), known_total=number)
        self.membership = membership

    def dress(self, rows: list[Assignment]) -> list[DeviceHolder]:
        return dressed_devices(rows, self.membership)

    def filter_arguments(self) -> dict[str, Any]:
        return {"membership": self.membership}


class UserHolderList(Listing[UserHolder]):
    template = "licensing/_licensed_app_users.html"
    columns = (
        Column("user", "User", sort=("holder",), hint="Sorted by Apple's client user ID."),
        Column("owner", "Owner", wide_only=True),
        Column("status", "Status at Apple"),
        Column("state", "License state", wide_only=True),
        Column("since", "Since", hint=SINCE, wide_only=True),
        Column("origin", "Given by", wide_only=True),
    )
    export = {
        "Client user ID": lambda row: row.client_user_id,
        "Email": lambda row: row.email,
        "Owner": lambda row: row.owner,
        "Status at Apple": lambda row: row.status,
        "License state": lambda row: "Licensed",
        "Since": lambda row: row.since,
        "Given by": lambda row: row.origin,
        "In the inventory": lambda row: row.user is not None,
    }
    filterset = UserHolderFilter
    default_sort = "user"
    unique = ("holder",)
    counted_column = "holder"
    noun = ("user", "users")

    def __init__(self, params: QueryDict, title: LicensedApp, number: Total) -> None:
        super().__init__(params, holders_of(title, USER), known_total=number)
        self.title = title

    def dress(self, rows: list[Assignment]) -> list[UserHolder]:
        return dressed_users(rows, self.title)

    def filter_arguments(self) -> dict[str, Any]:
        return {"title": self.title}
