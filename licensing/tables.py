"""The lists of the VPP pages: their columns, their order, their CSV."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict

from licensing import titles
from licensing.filters import (
    DeviceHolderFilter,
    LicensedAppFilter,
    UserHolderFilter,
    VppActivityFilter,
)
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
from licensing.titles import Title, Totals
from organizations.lists import Column, Listing, Total
from organizations.models import AuditEvent, Membership
from organizations.templatetags.activity import action_words, changes
from vpp_accounts.models import VppAccount

UNLIMITED = "unlimited"


def number_or_unlimited(number: int | None) -> int | str:
    return UNLIMITED if number is None else number


class LicensedAppList(Listing[Title]):
    """Apps first, then books, each in the chosen order."""

    template = "licensing/_licensed_app_list.html"
    columns = (
        Column("name", "Name", sort=("name",)),
        Column("kind", "Kind"),
        Column("platform", "Platform"),
        Column("price", "Price class", hint="Free or paid; for books also the edition"),
        Column("total", "Total", sort=("total",), numeric=True),
        Column("assigned", "Assigned", sort=("assigned",), numeric=True),
        Column("available", "Available", sort=("available",), numeric=True),
        Column(
            "device_assignable",
            "Device-assignable",
            hint="Y: a license can be given to a serial number, without an Apple Account",
        ),
        Column("irrevocable", "Irrevocable", hint="A license that was given cannot be taken back"),
    )
    export = {
        "Name": lambda row: row.name if row.is_named else "",
        "Adam ID": lambda row: row.adam_id,
        "Bundle ID": lambda row: row.bundle_id,
        "Seller": lambda row: row.seller,
        "Kind": lambda row: row.kind,
        "Platform": lambda row: row.platforms,
        "Pricing param": lambda row: row.pricing_param,
        "Price class": lambda row: row.price_class,
        "Total": lambda row: number_or_unlimited(row.counts.total),
        "Assigned": lambda row: row.counts.assigned,
        "Available": lambda row: number_or_unlimited(row.counts.available),
        "Retired": lambda row: row.counts.retired,
        "Device-assignable": lambda row: row.device_assignable,
        "Irrevocable": lambda row: row.irrevocable,
        "VPP accounts": lambda row: ", ".join(h.account.name for h in row.holdings),
        "As of": lambda row: row.counts_as_of,
    }
    filterset = LicensedAppFilter
    default_sort = "name"
    grouped_by = ("book",)
    unique = ("adam_id", "pricing_param")
    drawn = ("account",)
    noun = ("title", "titles")

    def __init__(
        self, params: QueryDict, membership: Membership, accounts: Sequence[VppAccount]
    ) -> None:
        self.accounts = accounts
        self.licensed_apps = titles.titles_in(membership, accounts)
        super().__init__(params, titles.grouped(self.licensed_apps))

    def dress(self, rows: list[dict[str, Any]]) -> list[Title]:
        return titles.load(self.licensed_apps, rows, self.accounts)

    @cached_property
    def totals(self) -> Totals:
        return titles.totals_of(self.filtered)

    @cached_property
    def total(self) -> Total:
        return Total(self.totals.titles)


class DeviceHolderList(Listing[DeviceHolder]):
    template = "licensing/_licensed_app_devices.html"
    columns = (
        Column("serial_number", "Serial number", sort=("holder",)),
        Column("device", "Device"),
        Column("network", "Network"),
        Column("owner", "Owner"),
        Column("state", "License state"),
        Column(
            "since", "Since", hint="When this product first saw the license; Apple keeps no times"
        ),
        Column("origin", "Given by"),
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
        Column("user", "User", sort=("holder",), hint="Sorted by Apple's client user ID"),
        Column("owner", "Owner"),
        Column("status", "Status at Apple"),
        Column("state", "License state"),
        Column(
            "since", "Since", hint="When this product first saw the license; Apple keeps no times"
        ),
        Column("origin", "Given by"),
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


class VppActivityList(Listing[AuditEvent]):
    template = "licensing/_vpp_activity_list.html"
    columns = (
        Column("when", "When", sort=("id",)),
        Column("what", "What"),
        Column("target", "On"),
        Column("who", "By"),
        Column("change", "Change"),
    )
    export = {
        "When": lambda event: event.at,
        "Action": lambda event: event.action,
        "What": action_words,
        "Kind": lambda event: event.target_kind,
        "On": lambda event: event.target_name,
        "By": lambda event: event.actor_name,
        "Kind of actor": lambda event: event.get_actor_kind_display(),
        "Change": lambda event: "; ".join(" → ".join(filter(None, c)) for c in changes(event)),
        "Refused": lambda event: event.refused,
        "Request": lambda event: event.request_id,
    }
    filterset = VppActivityFilter
    default_sort = "-when"
    unique = ("id",)
    counted_column = "id"
    noun = ("event", "events")

    def __init__(
        self, params: QueryDict, events: QuerySet[AuditEvent], accounts: Sequence[VppAccount]
    ) -> None:
        super().__init__(params, events)
        self.accounts = accounts

    def filter_arguments(self) -> dict[str, Any]:
        return {"accounts": self.accounts}
