"""Filters of Monitor > Devices."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import django_filters as filters
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db.models import Exists, F, Func, IntegerField, OuterRef, Q

from apps_catalog.models import Installation, InstallationState
from apps_catalog.models.installations import InstallationQuerySet
from licensing.filters import day_input
from organizations.lists import search_field
from organizations.models import Device, Membership, Network, Owner, Platform, Tag
from organizations.models.inventory import DeviceQuerySet
from organizations.scopes import Operator, Scope, devices_in

YES_NO = [("yes", "Yes"), ("no", "No")]
A_VERSION = RegexValidator(
    r"\A\d{1,6}(\.\d{1,6})*\Z", "Write a version as numbers, for example 17.4."
)
FEW = 1000


class Version(Func):
    """The numbers of “17.4.1”; null where it is no version, which is below none."""

    template = (
        "CASE WHEN %(expressions)s ~ '^[0-9]{1,6}([.][0-9]{1,6})*$'"
        " THEN string_to_array(%(expressions)s, '.')::int[] END"
    )
    output_field = ArrayField(IntegerField())


class DeviceFilter(filters.FilterSet):
    """What the reader may see of devices; tags are their own, their owner's and automatic ones."""

    q = search_field("Name, serial number or owner", method="matching")
    network = filters.ChoiceFilter(label="Network", empty_label="All", method="in_network")
    platform = filters.ChoiceFilter(
        label="Platform", empty_label="All", choices=Platform.choices, method="on_platform"
    )
    tag = filters.ChoiceFilter(label="Tag", empty_label="All", method="with_tag")
    apps = filters.ChoiceFilter(
        label="Apps",
        empty_label="All",
        choices=[("missing", "Some are missing"), ("complete", "None is missing")],
        method="with_apps",
    )
    owned = filters.ChoiceFilter(
        label="Owner", empty_label="All", choices=YES_NO, method="with_owner"
    )
    supervised = filters.ChoiceFilter(
        label="Supervised", empty_label="All", choices=YES_NO, method="that_is_supervised"
    )
    enrollment = filters.ChoiceFilter(
        label="Enrollment", empty_label="All", choices=Device.Enrollment.choices
    )
    listed = filters.ChoiceFilter(
        label="In the source",
        empty_label="All",
        choices=[("no", "No longer"), ("yes", "Yes")],
        method="in_source",
    )
    missing_since = filters.DateFilter(
        label="Missing since before", widget=day_input(), method="missing_before"
    )
    seen_before = filters.DateFilter(
        label="Connected before", widget=day_input(), method="not_connected_since"
    )
    os_below = filters.CharFilter(
        label="OS version below", method="older_than", max_length=40, validators=[A_VERSION]
    )

    def __init__(
        self, *arguments: Any, membership: Membership, tags: Iterable[Tag], **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self.membership = membership
        networks = Network.objects.visible_to(membership).order_by("name", "pk")
        self.offer("network", networks.values_list("pk", "name"))
        named = sorted((tag.name.casefold(), tag.pk, tag.name) for tag in tags)
        self.offer("tag", ((pk, name) for _, pk, name in named))

    def offer(self, name: str, choices: Iterable[tuple[int, str]]) -> None:
        self.filters[name].extra["choices"] = [(str(pk), label) for pk, label in choices]

    def matching(self, devices: DeviceQuerySet, name: str, value: str) -> DeviceQuerySet:
        return devices.filter(device_matches(value, self.membership))

    def in_network(self, devices: DeviceQuerySet, name: str, value: str) -> DeviceQuerySet:
        return devices.filter(network=int(value))

    def on_platform(self, devices: DeviceQuerySet, name: str, value: str) -> DeviceQuerySet:
        return devices.filter(platform=value)

    def with_tag(self, devices: DeviceQuerySet, name: str, value: str) -> DeviceQuerySet:
        scope = Scope(Operator.WITH_ANY, (int(value),))
        return devices_in(devices, scope, self.membership.organization_id)

    def with_apps(self, devices: DeviceQuerySet, name: str, value: str) -> DeviceQuerySet:
        lacks = Exists(missing_apps(self.membership).filter(device=OuterRef("pk")))
        return devices.filter(lacks) if value == "missing" else devices.exclude(lacks)

    def with_owner(self, devices: DeviceQuerySet, name: str, value: str) -> DeviceQuerySet:
        return devices.filter(owner__isnull=value == "no")

    def that_is_supervised(self, devices: DeviceQuerySet, name: str, value: str) -> DeviceQuerySet:
        return devices.filter(supervised=value == "yes")

    def in_source(self, devices: DeviceQuerySet, name: str, value: str) -> DeviceQuerySet:
        return devices.filter(missing_since__isnull=value == "yes")

    def missing_before(self, devices: DeviceQuerySet, name: str, value: date) -> DeviceQuerySet:
        return devices.filter(missing_since__date__lt=value)

    def not_connected_since(
        self, devices: DeviceQuerySet, name: str, value: date
    ) -> DeviceQuerySet:
        """Who never connected has not, either."""
        return devices.filter(Q(last_connected_at=None) | Q(last_connected_at__date__lt=value))

    def older_than(self, devices: DeviceQuerySet, name: str, value: str) -> DeviceQuerySet:
        numbers = [int(part) for part in value.split(".")]
        while numbers and not numbers[-1]:
            numbers.pop()  # 17.0 is 17
        return devices.alias(os=Version(F("os_version"))).filter(os__lt=numbers)


def missing_apps(membership: Membership) -> InstallationQuerySet:
    """What is wanted on devices, and not there."""
    ours = Installation.objects.filter(organization=membership.organization_id, is_wanted=True)
    return ours.exclude(state=InstallationState.INSTALLED)


def device_matches(text: str, membership: Membership) -> Q:
    """By any part of the serial number, or of the device's or its owner's name."""
    found = Q(serial_number__contains=text.upper()) | Q(name__icontains=text)
    if not membership.sees_organization:
        return found
    owners = Owner.objects.filter(organization=membership.organization_id).order_by()
    named = owners.filter(Q(name__icontains=text) | Q(email__icontains=text))
    ids = list(named.values_list("pk", flat=True)[: FEW + 1])
    return found | Q(owner__in=ids if len(ids) <= FEW else named.values("pk"))
