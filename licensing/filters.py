"""Filters of the VPP pages. Each narrows a set of rows by what stands in the address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import django_filters as filters
from django import forms
from django.db.models import Q, QuerySet

from licensing.holders import (
    BY,
    DEVICE,
    USER,
    CandidateState,
    devices_matching,
    given_by,
    in_state,
    users_matching,
)
from licensing.managing.deployed import deployed_ids
from licensing.models import Assignment, LicensedApp
from organizations.lists import Segments, search_field
from organizations.models import Membership, Network
from organizations.models.inventory import Platform
from users.models import VppUser
from users.states import PersonStatus, with_status

PLATFORMS = [
    ("iOS", "iOS, iPadOS"),
    ("macOS", "macOS"),
    ("tvOS", "tvOS"),
    ("watchOS", "watchOS"),
    ("visionOS", "visionOS"),
]
KINDS = {
    "app": Q(book=False, app__is_custom=False),
    "custom": Q(book=False, app__is_custom=True),
    "book": Q(book=True),
}
LICENSES = {
    "none-left": Q(available__lte=0, total__gt=0),
    "low": Q(low=True),
    "unused": Q(assigned=0, total__gt=0),
}

MANY_HOLDERS = 10_000  # from here on, those without a license may be few

Rows = QuerySet[Any, Any]
Choices = Sequence[tuple[str, str]]


def day_input() -> forms.DateInput:
    box = forms.DateInput()
    box.input_type = "date"
    return box


class LicensedAppFilter(filters.FilterSet):
    """Over `titles.grouped`: conditions on counts apply to the sums over the accounts."""

    q = search_field("Name, Adam ID, bundle ID", method="matching")
    kind = filters.ChoiceFilter(
        label="Kind",
        empty_label="All",
        choices=[("app", "App"), ("custom", "Custom app"), ("book", "Book")],
        method="of_kind",
    )
    platform = filters.ChoiceFilter(
        label="Platform", empty_label="All", choices=PLATFORMS, method="on_platform"
    )
    device_assignable = filters.ChoiceFilter(
        label="Device-assignable",
        empty_label="Y and N",
        choices=[("Y", "Y"), ("N", "N")],
        method="assignable_to_devices",
    )
    licenses = filters.ChoiceFilter(
        label="Licenses",
        empty_label="Any",
        choices=[
            ("none-left", "None left"),
            ("low", "Low on licenses"),
            ("unused", "Unused"),
            ("not-deployed", "Not deployed as app"),
        ],
        method="with_licenses",
    )

    def __init__(self, *arguments: Any, membership: Membership, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.membership = membership

    def matching(self, rows: Rows, name: str, value: str) -> Rows:
        return rows.filter(title_matches(value))

    def of_kind(self, rows: Rows, name: str, value: str) -> Rows:
        return rows.filter(KINDS[value])

    def on_platform(self, rows: Rows, name: str, value: str) -> Rows:
        return rows.filter(platforms__contains=[value])

    def assignable_to_devices(self, rows: Rows, name: str, value: str) -> Rows:
        return rows.filter(device_assignable=value == "Y")

    def with_licenses(self, rows: Rows, name: str, value: str) -> Rows:
        if value == "not-deployed":
            apps = rows.filter(product_type="App")
            return apps.exclude(adam_id__in=deployed_ids(self.membership))
        return rows.filter(LICENSES[value])


def title_matches(text: str) -> Q:
    return (
        Q(app__name__icontains=text)
        | Q(adam_id__startswith=text)
        | Q(app__bundle_id__icontains=text)
    )


class CandidateFilter(filters.FilterSet):
    """Over the candidates for one title, which come out of several tables."""

    holder_kind: Assignment.HolderKind
    searched: str  # what the search box looks at

    q = search_field("", method="matching")
    state = filters.ChoiceFilter(
        label="License state",
        empty_label="All",
        choices=CandidateState.choices,
        method="in_state",
    )
    by = filters.ChoiceFilter(
        label="Given by", empty_label="Anyone", choices=list(BY.items()), method="given_by"
    )

    def __init__(
        self, *arguments: Any, title: LicensedApp, membership: Membership, **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self.title, self.membership = title, membership
        self.filters["q"].extra["widget"].attrs["placeholder"] = self.searched

    def filter_queryset(self, rows: Segments) -> Segments:
        # django-filter's own insists on one queryset.
        for name, value in self.form.cleaned_data.items():
            rows = self.filters[name].filter(rows, value)
        return rows

    def in_state(self, rows: Segments, name: str, value: str) -> Segments:
        found = rows.filter(in_state(self.title, self.holder_kind, value))
        is_rare = value == CandidateState.NOT_LICENSED and self.title.assigned_count > MANY_HOLDERS
        return found.rare() if is_rare else found

    def given_by(self, rows: Segments, name: str, value: str) -> Segments:
        return rows.filter(given_by(self.title, self.holder_kind, value))


class DeviceHolderFilter(CandidateFilter):
    holder_kind = DEVICE
    searched = "Serial number, device or owner"

    network = filters.ChoiceFilter(label="Network", empty_label="All networks", method="in_network")
    platform = filters.ChoiceFilter(
        label="Platform", empty_label="All", choices=Platform.choices, method="on_platform"
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        networks = Network.objects.visible_to(self.membership).order_by("name", "pk")
        choices = [(str(pk), name) for pk, name in networks.values_list("pk", "name")]
        self.filters["network"].extra["choices"] = choices

    def matching(self, rows: Segments, name: str, value: str) -> Segments:
        return rows.filter(devices_matching(value, self.membership))

    def in_network(self, rows: Segments, name: str, value: str) -> Segments:
        return rows.filter(network=int(value))

    def on_platform(self, rows: Segments, name: str, value: str) -> Segments:
        return rows.filter(platform=value)


class UserHolderFilter(CandidateFilter):
    holder_kind = USER
    searched = "Email, owner or client user ID"

    status = filters.ChoiceFilter(
        label="User status",
        empty_label="All",
        choices=[(status.value, status.value) for status in PersonStatus],
        method="of_status",
    )

    def matching(self, rows: Segments, name: str, value: str) -> Segments:
        return rows.filter(users_matching(value, self.membership))

    def of_status(self, rows: Segments, name: str, value: str) -> Segments:
        users = VppUser.objects.filter(account=self.title.account_id)
        return rows.filter(row__in=with_status(users, PersonStatus(value)).values("pk"))
