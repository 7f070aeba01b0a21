# ruff: noqa: N815  # the names are those on the wire
"""What the endpoints of devices take and give."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from organizations.api.serializers import WireSerializer
from organizations.devices.saving import VERDICTS
from organizations.models import Platform

MOST_DEVICES = 10_000
DEVICE = {
    "type": "object",
    "required": ["serialNumber"],
    "properties": {
        "serialNumber": {"type": "string", "maxLength": 32, "examples": ["DMQX7RA1PLK3"]},
        "name": {"type": "string", "maxLength": 200, "examples": ["Cart 1, iPad 7"]},
        "model": {"type": "string", "maxLength": 100, "examples": ["iPad Air"]},
        "platform": {
            "type": "string",
            "description": f"{', '.join(Platform.values)}; a new device may leave it to its model.",
            "examples": ["iPadOS"],
        },
        "osVersion": {"type": "string", "maxLength": 20, "examples": ["18.2"]},
        "supervised": {"type": "boolean"},
        "ownerEmail": {"type": "string", "examples": ["ann.lee@example.org"]},
        "tags": {"type": "array", "items": {"type": "string"}, "examples": [["cart-1", "grade-4"]]},
    },
}


@extend_schema_field({"type": "array", "items": DEVICE, "maxItems": MOST_DEVICES})
class DevicesField(serializers.Field[list[Any], Any, list[Any], Any]):
    """What is wrong with one of them is told by its verdict."""

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            raise serializers.ValidationError("must be a list of devices.")
        if len(data) > MOST_DEVICES:
            raise serializers.ValidationError(
                f"takes at most {MOST_DEVICES:,} at once; these are {len(data):,}. Send them in parts."
            )
        return data


class SaveDevicesSerializer(WireSerializer):
    devices = DevicesField()


class SavedDeviceSerializer(WireSerializer):
    serialNumber = serializers.CharField(allow_blank=True)
    id = serializers.CharField(allow_null=True, help_text="Null where there is an error.")
    verdict = serializers.ChoiceField(list(VERDICTS.values()))
    message = serializers.CharField(
        allow_blank=True, help_text="What has changed, what was not believed, or what is wrong."
    )


class SavedDevicesSerializer(WireSerializer):
    """In the order of what was sent."""

    devices = SavedDeviceSerializer(many=True)
