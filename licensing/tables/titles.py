"""The list of titles: Licensed applications."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.http import QueryDict

from licensing import titles
from licensing.filters import LicensedAppFilter
from licensing.titles import Title, Totals
from organizations.lists import Column, Listing, Total
from organizations.models import Membership
from vpp_accounts.models import VppAccount

UNLIMITED = "unlimited"


def number_or_unlimited(number: int | None) -> int | str:
    return UNLIMITED if number is None else number


class LicensedAppList(Listing[Title]):
    """Apps first, then books, each in the chosen order."""

    template = "licensing/_licensed_app_list.html"
    columns = (
        Column("name", "Name", sort=("name",)),
        Column("kind", "Kind", wide_only=True),
        Column("platform", "Platform", wide_only=True),
        Column("price", "Price class", hint=titles.PRICE_CLASS, wide_only=True),
        Column("total", "Total", sort=("total",), numeric=True),
        Column("assigned", "Assigned", sort=("assigned",), numeric=True),
        Column("available", "Available", sort=("available",), numeric=True),
        Column(
            "device_assignable",
            "Device-assignable",
            hint=" ".join(f"{'Y' if y else 'N'}: {t}" for y, t in titles.DEVICE_ASSIGNABLE.items()),
            wide_only=True,
        ),
        Column("irrevocable", "Irrevocable", hint=titles.IRREVOCABLE, wide_only=True),
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
        self.accounts, self.membership = accounts, membership
        self.licensed_apps = titles.titles_in(membership, accounts)
        super().__init__(params, titles.grouped(self.licensed_apps))

    def filter_arguments(self) -> dict[str, Any]:
        return {"membership": self.membership}

    def dress(self, rows: list[dict[str, Any]]) -> list[Title]:
        return titles.load(self.licensed_apps, rows, self.accounts)

    @cached_property
    def totals(self) -> Totals:
        return titles.totals_of(self.filtered)

    @cached_property
    def total(self) -> Total:
        return Total(self.totals.titles)
