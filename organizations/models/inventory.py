"""Devices, their owners, and the tags on both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Upper

from organizations.models.tenant import Network, Organization

if TYPE_CHECKING:
    from organizations.models.people import Membership


class Tag(models.Model):
    """A word that scopes point at. No spaces: a space separates tags wherever they are typed."""

    class Kind(models.TextChoices):
        DEVICE = "device", "Device tag"
        OWNER = "owner", "Owner tag"
        AUTOMATIC = "automatic", "Automatic tag"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="tags")
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "organization", Lower("name"), name="tag_name_once_per_organization"
            ),
            models.CheckConstraint(
                condition=~Q(name__regex=r"\s") & ~Q(name=""), name="tag_name_has_no_spaces"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class OwnerQuerySet(models.QuerySet["Owner"]):
    def visible_to(self, membership: Membership) -> OwnerQuerySet:
        """People belong to no network: they are the whole organization's, and its admins'."""
        if not membership.sees_organization:
            return self.none()
        return self.filter(organization=membership.organization_id)


class Owner(models.Model):
    """A person of the organization who has devices or receives licenses.

    An import flags whom it misses (`missing_since`), it never deletes.
    """

    class Source(models.TextChoices):
        PAGE = "page", "Added here"
        CSV = "csv", "CSV import"
        API = "api", "REST API"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="owners")
    name = models.CharField(max_length=200)
    email = models.EmailField(blank=True)
    username = models.CharField(max_length=200, blank=True)
    managed_apple_account = models.EmailField(blank=True)
    tag_ids = ArrayField(models.BigIntegerField(), default=list, blank=True)
    # In which we write to them; empty: the organization's own.
    language = models.CharField(max_length=10, blank=True)
    source = models.CharField(max_length=4, choices=Source.choices, default=Source.PAGE)
    # Came with a file once, and was not in the last one that was said to be the whole list.
    missing_since = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "organization",
                Lower("email"),
                condition=~Q(email=""),
                name="owner_email_once_per_organization",
            )
        ]
        indexes = [
            GinIndex(fields=["tag_ids"], name="owner_tags"),
            models.Index(fields=["organization", "name", "id"], name="owners_by_name"),
            models.Index(
                fields=["organization"],
                condition=Q(missing_since__isnull=False),
                name="owners_missing",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Platform(models.TextChoices):
    """The platforms of devices; Apple's assets know no separate iPadOS."""

    IOS = "iOS", "iOS"
    IPADOS = "iPadOS", "iPadOS"
    MACOS = "macOS", "macOS"
    TVOS = "tvOS", "tvOS"
    WATCHOS = "watchOS", "watchOS"
    VISIONOS = "visionOS", "visionOS"


class DeviceSource(models.TextChoices):
    """Who said it. The later ones are believed before the earlier ones (organizations/devices)."""

    PAGE = "page", "Entered here"
    CSV = "csv", "CSV import"
    API = "api", "REST API"
    CHANNEL = "channel", "The device itself"


class DeviceQuerySet(models.QuerySet["Device"]):
    def visible_to(self, membership: Membership) -> DeviceQuerySet:
        ours = self.filter(organization=membership.organization_id)
        if membership.sees_organization:
            return ours
        return ours.filter(network__in=membership.network_accesses.values("network"))

    def writable_by(self, membership: Membership) -> DeviceQuerySet:
        ours = self.filter(organization=membership.organization_id)
        return (
            ours if membership.can_write else ours.filter(network__in=membership.written_networks)
        )


class Device(models.Model):
    """A managed Apple device. An import flags what it misses, it never deletes."""

    class Enrollment(models.TextChoices):
        DEVICE = "device", "Device enrollment"
        AUTOMATED = "automated", "Automated Device Enrollment"
        USER = "user", "User Enrollment"
        NONE = "none", "Not enrolled"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="devices")
    network = models.ForeignKey(Network, models.PROTECT, related_name="devices")
    owner = models.ForeignKey(Owner, models.SET_NULL, null=True, blank=True, related_name="devices")
    # Null under User Enrollment, where Apple hides it: such a device can hold no device license.
    # Collated as the holders of licenses are: only then the database joins them by index.
    serial_number = models.CharField(  # noqa: DJ001
        max_length=32, null=True, blank=True, db_collation="C"
    )
    name = models.CharField(max_length=200, blank=True)
    model = models.CharField(max_length=100, blank=True)
    platform = models.CharField(max_length=10, choices=Platform.choices)
    os_version = models.CharField(max_length=20, blank=True)
    supervised = models.BooleanField(default=False)
    enrollment = models.CharField(
        max_length=10, choices=Enrollment.choices, default=Enrollment.DEVICE
    )
    tag_ids = ArrayField(models.BigIntegerField(), default=list, blank=True)
    udid = models.CharField(max_length=64, blank=True)
    notes = models.TextField(blank=True)
    # field -> where its value came from (DeviceSource); what is not named came with the device.
    sources = models.JSONField(default=dict, blank=True)
    # Came from `missing_from` once, and was not in its last list that was said to be whole.
    missing_since = models.DateTimeField(null=True, blank=True)
    missing_from = models.CharField(max_length=10, choices=DeviceSource.choices, blank=True)
    unenrolled_at = models.DateTimeField(null=True, blank=True)
    wiped_at = models.DateTimeField(null=True, blank=True)
    last_connected_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "serial_number"], name="serial_once_per_organization"
            ),
            models.CheckConstraint(
                condition=Q(serial_number=None) | Q(serial_number=Upper("serial_number")),
                name="serial_in_upper_case",
            ),
        ]
        indexes = [
            GinIndex(fields=["tag_ids"], name="device_tags"),
            models.Index(fields=["organization", "name", "id"], name="devices_by_name"),
            # Pages of the API, in the order of their ids, also before the database has statistics.
            models.Index(fields=["organization", "id"], name="devices_of_organization"),
            models.Index(fields=["network", "id"], name="devices_of_network"),
            models.Index(
                fields=["organization", "udid"], condition=~Q(udid=""), name="devices_by_udid"
            ),
            models.Index(
                fields=["organization"],
                condition=Q(missing_since__isnull=False),
                name="devices_missing",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.serial_number or "Device without a serial number"
