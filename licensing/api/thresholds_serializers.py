# ruff: noqa: N815  # the names are those on the wire
"""Below how many licenses somebody is told."""

from __future__ import annotations

from rest_framework import serializers

from licensing.low.settings import MOST
from organizations.api.serializers import WireSerializer


class VppSettingsSerializer(WireSerializer):
    lowThreshold = serializers.IntegerField(
        allow_null=True,
        help_text="Somebody is told when fewer licenses are left of a title that has no threshold of"
        " its own; null: nobody is.",
    )


class UpdateVppSettingsSerializer(WireSerializer):
    """Fields that are not sent stay as they are."""

    lowThreshold = serializers.IntegerField(
        required=False,
        allow_null=True,
        help_text=f"0 to {MOST:,}; null: no notice for titles without a threshold of their own.",
    )


class ThresholdSerializer(WireSerializer):
    threshold = serializers.IntegerField(
        allow_null=True, help_text="The title's own; null: the organization's lowThreshold counts."
    )
    effectiveThreshold = serializers.IntegerField(
        allow_null=True, help_text="What counts; null or 0: nobody is told."
    )


class UpdateThresholdSerializer(WireSerializer):
    threshold = serializers.IntegerField(
        allow_null=True,
        help_text=f"0 to {MOST:,}; 0: no notice for this title; null: as the organization's"
        " lowThreshold says.",
    )
