# ruff: noqa: N815  # the names are those on the wire
"""What the endpoints of one device take and give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rest_framework import serializers

from apps_catalog.models import InstallationState
from licensing.api.device_serializers import ROW_ID
from licensing.holders import LicenseState
from organizations.api.serializers import WireSerializer
from organizations.devices.editing import LONGEST_NOTES
from organizations.models import Device, DeviceSource, Platform


class DeviceOwnerSerializer(WireSerializer):
    id = serializers.CharField()
    name = serializers.CharField()
    email = serializers.CharField(allow_blank=True)
    username = serializers.CharField(allow_blank=True)


class FieldSourceSerializer(WireSerializer):
    field = serializers.CharField()
    source = serializers.ChoiceField(  # type: ignore[assignment]  # DRF takes fields off the class
        DeviceSource.values, help_text="Who said it."
    )
    since = serializers.DateTimeField(
        allow_null=True, help_text="When an admin last changed it here, where one did."
    )


class DeviceLicenseSerializer(WireSerializer):
    vppAccountId = serializers.CharField()
    adamId = serializers.CharField()
    pricingParam = serializers.CharField()
    name = serializers.CharField()
    holder = serializers.ChoiceField(["device", "owner"])
    clientUserId = serializers.CharField(allow_null=True, help_text="Null: the device holds it.")
    state = serializers.ChoiceField(LicenseState.values)
    since = serializers.DateTimeField(allow_null=True)
    by = serializers.CharField(allow_blank=True)
    batchId = serializers.CharField(allow_null=True)
    message = serializers.CharField(
        allow_blank=True, help_text="Why giving or taking it failed lately."
    )


class DeviceSerializer(WireSerializer):
    id = serializers.CharField()
    networkId = serializers.CharField()
    serialNumber = serializers.CharField(
        allow_null=True, help_text="Null under User Enrollment, where Apple hides it."
    )
    name = serializers.CharField(allow_blank=True)
    model = serializers.CharField(allow_blank=True)
    platform = serializers.ChoiceField(Platform.values)
    osVersion = serializers.CharField(allow_blank=True)
    supervised = serializers.BooleanField()
    enrollment = serializers.ChoiceField(Device.Enrollment.values)
    udid = serializers.CharField(allow_blank=True)
    notes = serializers.CharField(allow_blank=True)
    owner = DeviceOwnerSerializer(allow_null=True)
    tags = serializers.ListField(child=serializers.CharField(), help_text="Its own.")
    ownerTags = serializers.ListField(
        child=serializers.CharField(), help_text="Those that come with its owner."
    )
    automaticTags = serializers.ListField(
        child=serializers.CharField(), help_text="Those that it has by itself."
    )
    sources = FieldSourceSerializer(
        many=True, help_text="Fields that are not named came with the device."
    )
    licenses = DeviceLicenseSerializer(many=True, help_text="Held, on their way or waited for.")
    missingAppsCount = serializers.IntegerField(
        help_text="Apps that are wanted there and not installed yet."
    )
    lastConnectedAt = serializers.DateTimeField(allow_null=True)
    createdAt = serializers.DateTimeField()
    missingSince = serializers.DateTimeField(
        allow_null=True, help_text="When the last whole list of its source left it out."
    )
    missingFrom = serializers.ChoiceField(DeviceSource.values, allow_null=True)
    unenrolledAt = serializers.DateTimeField(allow_null=True)
    wipedAt = serializers.DateTimeField(allow_null=True)
    url = serializers.URLField(help_text="Its page.")


class UpdateDeviceSerializer(WireSerializer):
    """Fields that are not sent stay as they are."""

    fixed = frozenset({"id", "networkId", "serialNumber", "udid"})
    follows: ClassVar[Mapping[str, str]] = {"owner": "ownerId"}

    name = serializers.CharField(required=False, allow_blank=True, max_length=200)
    model = serializers.CharField(required=False, allow_blank=True, max_length=100)
    platform = serializers.ChoiceField(Platform.values, required=False)
    osVersion = serializers.CharField(required=False, allow_blank=True, max_length=20)
    supervised = serializers.BooleanField(required=False)
    enrollment = serializers.ChoiceField(Device.Enrollment.values, required=False)
    notes = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_NOTES)
    tags = serializers.ListField(
        child=serializers.CharField(max_length=100), max_length=500, required=False
    )
    ownerId = serializers.RegexField(
        ROW_ID,
        required=False,
        allow_null=True,
        error_messages={"invalid": "must be the id of an owner."},
        help_text="Null takes the owner away.",
    )


class HappeningSerializer(WireSerializer):
    at = serializers.DateTimeField()
    action = serializers.CharField(
        help_text="As in auditEvents; installation.moved is a step of an app."
    )
    what = serializers.CharField()
    change = serializers.CharField(allow_blank=True)
    by = serializers.CharField(allow_blank=True)
    auditEventId = serializers.CharField(allow_null=True)


class SoftwareSerializer(WireSerializer):
    """As Meraki has it; what is not known is null, or empty where the type is a text."""

    id = serializers.CharField()
    deviceId = serializers.CharField()
    appId = serializers.CharField(help_text="Of …/sm/apps.")
    itunesId = serializers.CharField(help_text="The Adam ID.")
    identifier = serializers.CharField(allow_blank=True, help_text="The bundle ID.")
    name = serializers.CharField()
    vendor = serializers.CharField(allow_blank=True)
    version = serializers.CharField(allow_blank=True, help_text="As the device last said.")
    shortVersion = serializers.CharField(allow_blank=True)
    status = serializers.ChoiceField(InstallationState.choices)
    isManaged = serializers.BooleanField(
        allow_null=True, help_text="As the device last said; null while it has said nothing."
    )
    toInstall = serializers.BooleanField(help_text="It is wanted there and not installed yet.")
    toUninstall = serializers.BooleanField(help_text="It is being removed.")
    installedAt = serializers.DateTimeField(allow_null=True)
    uninstalledAt = serializers.DateTimeField(allow_null=True)
    createdAt = serializers.DateTimeField(allow_null=True)
    updatedAt = serializers.DateTimeField()
    bundleSize = serializers.IntegerField(allow_null=True)
    dynamicSize = serializers.IntegerField(allow_null=True)
    path = serializers.CharField(allow_blank=True)
    licenseKey = serializers.CharField(allow_blank=True)
    redemptionCode = serializers.IntegerField(allow_null=True)
    iosRedemptionCode = serializers.BooleanField(help_text="It is paid by redemption codes.")


class CommandLogSerializer(WireSerializer):
    action = serializers.CharField(help_text="Apple's request type: InstallApplication, …")
    name = serializers.CharField(allow_blank=True, help_text="The app that it is about.")
    details = serializers.CharField(help_text="How far it is, and what the device said.")
    dashboardUser = serializers.CharField(allow_blank=True, help_text="Not kept: always empty.")
    ts = serializers.DateTimeField()
