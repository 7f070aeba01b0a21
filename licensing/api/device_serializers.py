# ruff: noqa: N815  # the names are those on the wire
"""What the endpoints of devices take and give (adding many: organizations/api)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from licensing.api.device_rows import UNKNOWN
from licensing.models import DepartureChoice
from organizations.api.scoping import ScopeField
from organizations.api.serializers import WireSerializer
from organizations.devices.changing import MOST_DAYS
from organizations.models import Device, Platform

MOST_DEVICES = 50_000  # at once: what is done to them is done while the program waits
ROW_ID = r"\A[0-9]{1,18}\Z"
TEXT = {"type": "string", "maxLength": 100}
ASKED_FOR = "With fields[] only. "
EPOCH = f"{ASKED_FOR}Seconds since 1970."


class DeviceRowSerializer(WireSerializer):
    """Without fields[] the first nine."""

    id = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    tags = serializers.ListField(child=serializers.CharField(), help_text="Its own.")
    ssid = serializers.CharField(allow_blank=True, help_text="Not known here: always empty.")
    wifiMac = serializers.CharField(allow_blank=True, help_text="Not known here: always empty.")
    osName = serializers.CharField(help_text="For example iPadOS 17.4.")
    systemModel = serializers.CharField(allow_blank=True)
    uuid = serializers.CharField(allow_blank=True, help_text="The UDID.")
    serialNumber = serializers.CharField(
        allow_blank=True, help_text="Empty under User Enrollment, where Apple hides it."
    )
    serial = serializers.CharField(required=False, allow_blank=True, help_text=ASKED_FOR)
    ip = serializers.CharField(
        required=False, allow_blank=True, help_text=f"{ASKED_FOR}Not known here: always empty."
    )
    notes = serializers.CharField(required=False, allow_blank=True, help_text=ASKED_FOR)
    systemType = serializers.ChoiceField(Platform.values, required=False, help_text=ASKED_FOR)
    lastConnected = serializers.IntegerField(required=False, allow_null=True, help_text=EPOCH)
    createdAt = serializers.IntegerField(required=False, help_text=EPOCH)
    missingAppsCount = serializers.IntegerField(
        required=False, help_text=f"{ASKED_FOR}Apps that are wanted there and not installed yet."
    )
    ownerEmail = serializers.CharField(required=False, allow_null=True, help_text=ASKED_FOR)
    ownerUsername = serializers.CharField(required=False, allow_null=True, help_text=ASKED_FOR)
    isManaged = serializers.BooleanField(required=False, help_text=f"{ASKED_FOR}It is enrolled.")
    hasMdm = serializers.BooleanField(required=False, help_text=f"{ASKED_FOR}As isManaged.")
    hadMdm = serializers.BooleanField(
        required=False, help_text=f"{ASKED_FOR}It was enrolled and left."
    )
    isSupervised = serializers.BooleanField(required=False, help_text=ASKED_FOR)
    autoTags = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text=f"{ASKED_FOR}Tags of its owner, and those that it has by itself.",
    )
    url = serializers.URLField(required=False, help_text=f"{ASKED_FOR}Its page.")
    networkId = serializers.CharField(required=False, help_text=ASKED_FOR)
    enrollment = serializers.ChoiceField(
        Device.Enrollment.values, required=False, help_text=ASKED_FOR
    )
    osVersion = serializers.CharField(required=False, allow_blank=True, help_text=ASKED_FOR)
    ownerId = serializers.CharField(required=False, allow_null=True, help_text=ASKED_FOR)
    ownerName = serializers.CharField(required=False, allow_null=True, help_text=ASKED_FOR)
    ownerTags = serializers.ListField(
        child=serializers.CharField(), required=False, help_text=ASKED_FOR
    )
    missingSince = serializers.DateTimeField(
        required=False,
        allow_null=True,
        help_text=f"{ASKED_FOR}When the last whole list of its source left it out.",
    )

    def get_fields(self) -> dict[str, Any]:
        unknown = {
            name: serializers.CharField(
                required=False, allow_null=True, help_text=f"{ASKED_FOR}Not known: always null."
            )
            for name in UNKNOWN
        }
        return {**super().get_fields(), **unknown}


class OrganizationDeviceRowSerializer(DeviceRowSerializer):
    networkId = serializers.CharField()


# --- Choosing devices -----------------------------------------------------------------------------


@extend_schema_field({"type": "array", "items": TEXT, "maxItems": MOST_DEVICES})
class TextsField(serializers.Field[list[str], Any, list[str], Any]):
    """DRF's own list takes a second for fifty thousand of them."""

    def to_internal_value(self, data: Any) -> list[str]:
        if not isinstance(data, list) or not all(isinstance(text, str) for text in data):
            raise serializers.ValidationError("must be a list of texts.")
        if len(data) > MOST_DEVICES:
            raise serializers.ValidationError(
                f"takes at most {MOST_DEVICES:,} at once; these are {len(data):,}. Send them in parts."
            )
        return data


class DeviceSelectionSerializer(WireSerializer):
    """Exactly one of ids, serials, wifiMacs and scope."""

    ids = TextsField(required=False)
    serials = TextsField(required=False)
    wifiMacs = TextsField(
        required=False, help_text="No source tells these addresses: they choose no device."
    )
    scope = ScopeField(
        required=False, help_text="“withAny,tag1,tag2”, or the same as a list of texts."
    )


class DeviceIdsSerializer(WireSerializer):
    ids = serializers.ListField(child=serializers.CharField())


class ModifyTagsSerializer(DeviceSelectionSerializer):
    tags = serializers.ListField(child=serializers.CharField(max_length=100), max_length=500)
    updateAction = serializers.ChoiceField(
        ["add", "delete", "update"], help_text="update: just these, and no others."
    )


class TaggedDeviceSerializer(WireSerializer):
    id = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField(), help_text="As they are now.")
    wifiMac = serializers.CharField(allow_blank=True)
    serial = serializers.CharField(allow_blank=True)


class DeviceFieldsSerializer(WireSerializer):
    name = serializers.CharField(required=False, allow_blank=True)
    notes = serializers.CharField(required=False, allow_blank=True)


class UpdateFieldsSerializer(WireSerializer):
    """Exactly one of id, serial and wifiMac."""

    id = serializers.CharField(required=False)
    serial = serializers.CharField(required=False)
    wifiMac = serializers.CharField(required=False)
    deviceFields = DeviceFieldsSerializer()


class UpdatedFieldsSerializer(WireSerializer):
    id = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    wifiMac = serializers.CharField(allow_blank=True)
    serial = serializers.CharField(allow_blank=True)
    notes = serializers.CharField(allow_blank=True)


class AssignOwnerSerializer(DeviceSelectionSerializer):
    ownerId = serializers.RegexField(
        ROW_ID,
        allow_null=True,
        error_messages={"invalid": "must be the id of an owner."},
        help_text="Null takes the owner away.",
    )


# --- Devices that leave ---------------------------------------------------------------------------


class DeviceDepartureSerializer(WireSerializer):
    licenses = serializers.ChoiceField(
        DepartureChoice.values,
        required=False,
        help_text="What becomes of their licenses; without it, as the organization has it.",
    )
    days = serializers.IntegerField(
        required=False, min_value=1, max_value=MOST_DAYS, help_text="Of later."
    )
    dryRun = serializers.BooleanField(
        default=False, help_text="Answer what would come of it, and change nothing."
    )


class LeavingDevicesSerializer(DeviceDepartureSerializer, DeviceSelectionSerializer):
    """Exactly one of ids, serials, wifiMacs and scope."""


class MoveDevicesSerializer(LeavingDevicesSerializer):
    """Exactly one of ids, serials, wifiMacs and scope."""

    newNetwork = serializers.CharField(help_text="The id of a network of this organization.")


class AccountReturnsSerializer(WireSerializer):
    name = serializers.CharField(help_text="Of the VPP account.")
    licenses = serializers.IntegerField()


class DepartureDefaultSerializer(WireSerializer):
    licenses = serializers.ChoiceField(DepartureChoice.values)
    days = serializers.IntegerField()


class DeparturePreviewSerializer(WireSerializer):
    devices = serializers.IntegerField()
    holders = serializers.IntegerField(help_text="Devices that hold licenses.")
    returning = AccountReturnsSerializer(many=True, help_text="Licenses that can go back.")
    permanent = serializers.IntegerField(help_text="Licenses that cannot be taken back.")
    protected = serializers.IntegerField(help_text="Licenses that stay, since they are protected.")
    notByRule = serializers.IntegerField(
        help_text="Of those that can go back: no rule granted them; a move takes them with now only."
    )
    otherAccounts = serializers.BooleanField(
        help_text="They hold licenses of accounts that this key does not manage; those stay."
    )
    missingApps = serializers.IntegerField(
        help_text="Apps that are wanted there and not installed yet."
    )
    default = DepartureDefaultSerializer(help_text="Where `licenses` is not sent.")
    consequences = serializers.ListField(
        child=serializers.CharField(), help_text="The same in sentences."
    )


class LeftDevicesSerializer(DeviceIdsSerializer):
    """With dryRun: those that would be changed, and what would come of it."""

    preview = DeparturePreviewSerializer(required=False, help_text="With dryRun only.")


class MovedDevicesSerializer(LeftDevicesSerializer):
    newNetwork = serializers.CharField()


class UnenrolledDeviceSerializer(WireSerializer):
    success = serializers.BooleanField(help_text="false with dryRun.")
    preview = DeparturePreviewSerializer(required=False, help_text="With dryRun only.")


# --- Apps on several devices ----------------------------------------------------------------------


class InstallManySerializer(DeviceSelectionSerializer):
    """Exactly one of ids, serials, wifiMacs and scope."""

    appIds = serializers.ListField(
        child=serializers.RegexField(ROW_ID),
        min_length=1,
        max_length=200,
        help_text="Ids of apps of the network.",
    )
    force = serializers.BooleanField(
        default=False, help_text="Also where the app is installed already."
    )
    dryRun = serializers.BooleanField(
        default=False, help_text="Answer what would come of it, and ask for nothing."
    )


class LeftOutDevicesSerializer(WireSerializer):
    reason = serializers.CharField()
    message = serializers.CharField()
    devices = serializers.IntegerField()


class AskedAppSerializer(WireSerializer):
    appId = serializers.CharField()
    asked = serializers.IntegerField(help_text="Devices on which it is asked for.")
    already = serializers.IntegerField(help_text="Devices that have it, or are getting it.")
    leftOut = LeftOutDevicesSerializer(many=True)


class AskedAppsSerializer(WireSerializer):
    dryRun = serializers.BooleanField()
    devices = serializers.IntegerField()
    apps = AskedAppSerializer(many=True)
