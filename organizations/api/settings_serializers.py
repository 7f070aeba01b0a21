# ruff: noqa: N815  # the names are those on the wire
"""What the endpoints of an organization's settings take and give."""

from __future__ import annotations

from rest_framework import serializers

from organizations.api.serializers import WireSerializer

ZONE = "In which times are shown and told in mails, for example Europe/Vienna; new networks begin with it."
MONTHS = "3, 6, 12, 24, 36, 60, 84 or 120; null keeps events as long as the organization."


class OrganizationSettingsSerializer(WireSerializer):
    name = serializers.CharField()
    timeZone = serializers.CharField(help_text=ZONE)


class UpdateOrganizationSettingsSerializer(WireSerializer):
    """Fields that are not sent stay as they are."""

    name = serializers.CharField(required=False, allow_blank=True, max_length=1000)
    timeZone = serializers.CharField(required=False, max_length=100, help_text=ZONE)


class AlarmsSerializer(WireSerializer):
    wantsAlarms = serializers.BooleanField(
        help_text="Whether the admin as whom this key acts gets a mail when a VPP account of this"
        " organization needs attention."
    )


class UpdateAlarmsSerializer(WireSerializer):
    """Fields that are not sent stay as they are."""

    wantsAlarms = serializers.BooleanField(required=False)


class RetentionSerializer(WireSerializer):
    keptMonths = serializers.IntegerField(allow_null=True, help_text=MONTHS)
    keptSince = serializers.DateTimeField(
        allow_null=True, help_text="What is older is removed, once a day; null: nothing is."
    )
    removes = serializers.IntegerField(help_text="How many events are older than that.")


class UpdateRetentionSerializer(WireSerializer):
    """`keptMonths` has to be sent: null means for good."""

    keptMonths = serializers.IntegerField(allow_null=True, help_text=MONTHS)
    confirm = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=1000,
        help_text="The name of the organization, where events would be removed.",
    )
