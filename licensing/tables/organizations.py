"""All organizations of an admin, with what needs somebody in each of them."""

from __future__ import annotations

from functools import cached_property

import django_filters as filters

from licensing.overview_all import OrganizationRow
from organizations.lists import Column, RowListing, search_field

NEEDS = {
    "trouble": ("An account in trouble", lambda row: row.in_trouble > 0),
    "tokens": ("A token that expires", lambda row: row.expired + row.expiring > 0),
    "shortages": ("Too few licenses", lambda row: row.shortages > 0),
    "running": ("Running work", lambda row: row.running > 0),
}
SHORTAGES = (
    "Titles that are low on licenses or that somebody waits for, of accounts that are open to you."
)
SYNCED = "Of the account that was synced longest ago: the numbers are as old as that at most."


class OrganizationFilter(filters.FilterSet):
    q = search_field("Name")
    needs = filters.ChoiceFilter(
        label="With",
        empty_label="Anything",
        choices=[(name, label) for name, (label, _) in NEEDS.items()],
    )


class OrganizationList(RowListing[OrganizationRow]):
    template = "licensing/_organization_list.html"
    columns = (
        Column("name", "Organization", sort=("folded_name",)),
        Column("accounts", "VPP accounts", sort=("number",), numeric=True),
        Column("trouble", "Needs somebody", sort=("worst", "in_trouble", "expired", "shortages")),
        Column("tokens", "Tokens", sort=("expires",)),
        Column("shortages", "Shortages", sort=("shortages",), numeric=True, hint=SHORTAGES),
        Column("running", "Running", sort=("running",), numeric=True, wide_only=True),
        Column("synced", "Last synced", sort=("synced",), hint=SYNCED, wide_only=True),
    )
    export = {
        "ID": lambda row: row.pk,
        "Organization": lambda row: row.name,
        "Your access": lambda row: row.access,
        "VPP accounts": lambda row: row.number if row.is_shown else "",
        "In trouble": lambda row: row.in_trouble if row.is_shown else "",
        "States": lambda row: ", ".join(f"{label}: {n}" for label, _, n in row.states),
        "Tokens expired": lambda row: row.expired if row.is_shown else "",
        "Tokens expiring": lambda row: row.expiring if row.is_shown else "",
        "First token expires": lambda row: row.first_to_expire or "",
        "Shortages": lambda row: row.shortages if row.is_shown else "",
        "Running batches": lambda row: row.batches if row.is_shown else "",
        "Running syncs": lambda row: row.syncs if row.is_shown else "",
        "Last synced": lambda row: row.last_synced_at or "",
    }
    filterset = OrganizationFilter
    default_sort = "-trouble"
    unique = ("folded_name", "pk")
    noun = ("organization", "organizations")

    @cached_property
    def filtered(self) -> list[OrganizationRow]:
        form = self.filters.form
        form.is_valid()  # what cannot be used is left out, and said above the list
        text = form.cleaned_data.get("q", "").casefold()
        needs = NEEDS.get(form.cleaned_data.get("needs", ""))
        return [
            row
            for row in self.unfiltered
            if text in row.folded_name and (needs is None or needs[1](row))
        ]
