"""Filters of the VPP pages. Each narrows a set of rows by what stands in the address."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any

import django_filters as filters
from django import forms
from django.db.models import Q, QuerySet

from licensing.holders import devices_matching, users_matching
from licensing.models import LicensedApp
from licensing.models.apps import LicensedAppQuerySet
from organizations.models import AuditEvent, Membership
from vpp_accounts.models import VppAccount

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
    "unused": Q(assigned=0, total__gt=0),
}

Rows = QuerySet[Any, Any]
Choices = Sequence[tuple[str, str]]


def search_field(placeholder: str, **arguments: Any) -> filters.CharFilter:
    """The search box that every list begins with."""
    box = forms.TextInput(attrs={"placeholder": placeholder})
    box.input_type = "search"
    return filters.CharFilter(label="Search", widget=box, max_length=200, **arguments)


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
        choices=[("none-left", "None left"), ("unused", "Unused")],
        method="with_licenses",
    )

    def matching(self, rows: Rows, name: str, value: str) -> Rows:
        return rows.filter(title_matches(value))

    def of_kind(self, rows: Rows, name: str, value: str) -> Rows:
        return rows.filter(KINDS[value])

    def on_platform(self, rows: Rows, name: str, value: str) -> Rows:
        return rows.filter(platforms__contains=[value])

    def assignable_to_devices(self, rows: Rows, name: str, value: str) -> Rows:
        return rows.filter(device_assignable=value == "Y")

    def with_licenses(self, rows: Rows, name: str, value: str) -> Rows:
        return rows.filter(LICENSES[value])


def title_matches(text: str) -> Q:
    return (
        Q(app__name__icontains=text)
        | Q(adam_id__startswith=text)
        | Q(app__bundle_id__icontains=text)
    )


class DeviceHolderFilter(filters.FilterSet):
    q = search_field("Serial number, device or owner", method="matching")

    def __init__(self, *arguments: Any, membership: Membership, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.membership = membership

    def matching(self, rows: Rows, name: str, value: str) -> Rows:
        return rows.filter(devices_matching(value, self.membership))


class UserHolderFilter(filters.FilterSet):
    q = search_field("Email, owner or client user ID", method="matching")

    def __init__(self, *arguments: Any, title: LicensedApp, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.title = title

    def matching(self, rows: Rows, name: str, value: str) -> Rows:
        return rows.filter(users_matching(value, self.title))


class EventFilter(filters.FilterSet):
    q = search_field("Title, account or person", method="matching")
    account = filters.ChoiceFilter(
        label="VPP account", empty_label="All accounts", method="of_account"
    )
    action = filters.ChoiceFilter(
        label="Area", empty_label="Everything", field_name="action", lookup_expr="startswith"
    )
    who = filters.ChoiceFilter(
        label="By",
        empty_label="Anyone",
        choices=AuditEvent.ActorKind.choices,
        field_name="actor_kind",
    )
    since = filters.DateFilter(label="From", method="from_day", widget=day_input())
    until = filters.DateFilter(label="To", method="up_to_day", widget=day_input())

    def __init__(
        self,
        *arguments: Any,
        membership: Membership,
        accounts: Iterable[VppAccount],
        areas: Choices,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self.membership = membership
        self.filters["account"].extra["choices"] = [(str(a.pk), a.name) for a in accounts]
        self.filters["action"].extra["choices"] = areas

    def matching(self, rows: Rows, name: str, value: str) -> Rows:
        """Titles also by the name that they got after the event."""
        named = self._titles.filter(app__name__icontains=value)
        return rows.filter(
            Q(target_name__icontains=value) | Q(actor_name__icontains=value) | about(named)
        )

    def of_account(self, rows: Rows, name: str, value: str) -> Rows:
        itself = Q(target_kind="vppaccount", target_id=int(value))
        return rows.filter(itself | about(self._titles.filter(account_id=int(value))))

    def from_day(self, rows: Rows, name: str, value: date) -> Rows:
        return rows.filter(at__gte=self._moment(value, time.min))

    def up_to_day(self, rows: Rows, name: str, value: date) -> Rows:
        return rows.filter(at__lte=self._moment(value, time.max))

    @property
    def _titles(self) -> LicensedAppQuerySet:
        return LicensedApp.objects.visible_to(self.membership)

    def _moment(self, day: date, of_day: time) -> datetime:
        """A day begins and ends at the organization's midnight."""
        return datetime.combine(day, of_day, tzinfo=self.membership.organization.zone)


def about(titles: LicensedAppQuerySet) -> Q:
    """Events of these titles and of their licenses."""
    return Q(target_kind="licensedapp", target_id__in=titles.values("pk"))
