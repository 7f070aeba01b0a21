# ruff: noqa: N815  # the names are those on the wire
"""Why an app is, or is not, on a device; and how far it is on each."""

from __future__ import annotations

from rest_framework import serializers

from apps_catalog.models import InstallationState, ManagedPlatform
from apps_catalog.reasons import Stage
from organizations.api.serializers import WireSerializer

STAGES = [stage.value for stage in Stage]
VERDICTS = ["ok", "waits", "wrong", "unknown", "notReached"]
LICENSES = ["device", "user", "none"]


class WhySerializer(WireSerializer):
    stage = serializers.ChoiceField(STAGES, help_text="Where it is held up; nothing: nowhere.")
    verdict = serializers.ChoiceField(VERDICTS, help_text="waits: goes on by itself.")
    reason = serializers.CharField(
        allow_null=True, help_text="A stable word such as noLicenseLeft; null: the state says it."
    )
    message = serializers.CharField()
    fix = serializers.CharField(allow_null=True, help_text="What to do about it.")
    fixUrl = serializers.CharField(allow_null=True, help_text="The page on which to do it.")
    asOf = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField(
        allow_null=True, help_text="When it goes on by itself, where that is known."
    )


class InstallationSerializer(WireSerializer):
    """One app on one device."""

    id = serializers.CharField()
    appId = serializers.CharField()
    networkId = serializers.CharField(help_text="Of the app.")
    adamId = serializers.CharField()
    appName = serializers.CharField(allow_null=True)
    platform = serializers.ChoiceField(ManagedPlatform.values)
    deviceId = serializers.CharField()
    deviceName = serializers.CharField(allow_blank=True)
    serialNumber = serializers.CharField(allow_null=True)
    isWanted = serializers.BooleanField(help_text="Whether the device is in the app's scope.")
    state = serializers.ChoiceField(InstallationState.choices)
    since = serializers.DateTimeField(help_text="In this state.")
    leftScopeAt = serializers.DateTimeField(allow_null=True)
    license = serializers.ChoiceField(
        LICENSES, allow_null=True, help_text="Who holds it; none: needs none; null: not there yet."
    )
    vppAccountId = serializers.CharField(
        allow_null=True, help_text="Of the license, where the account is open to you."
    )
    isManaged = serializers.BooleanField(allow_null=True, help_text="As the device last said.")
    version = serializers.CharField(allow_null=True, help_text="On the device.")
    detail = serializers.CharField(allow_null=True, help_text="What Apple or the device said.")
    askedAt = serializers.DateTimeField(allow_null=True, help_text="When somebody asked for it.")
    askedBy = serializers.CharField(allow_null=True)
    nextAt = serializers.DateTimeField(allow_null=True, help_text="When it is looked at again.")
    possible = serializers.ChoiceField(
        ["install", "retry", "remove"], allow_null=True, help_text="What can be asked for now."
    )
    why = WhySerializer()


class AskedInstallationSerializer(WireSerializer):
    verdict = serializers.ChoiceField(
        ["asked", "already", "refused"], help_text="already: it is so already, or under way."
    )
    reason = serializers.CharField(allow_null=True, help_text="Why it is refused.")
    message = serializers.CharField(allow_null=True)
    fix = serializers.CharField(allow_null=True)
    installation = InstallationSerializer()


class StepFixSerializer(WireSerializer):
    text = serializers.CharField()
    url = serializers.CharField(allow_null=True)


class StepDetailSerializer(WireSerializer):
    text = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)
    url = serializers.CharField(allow_null=True)


class WhyStepSerializer(WireSerializer):
    stage = serializers.ChoiceField(STAGES)
    verdict = serializers.ChoiceField(
        VERDICTS, help_text="notReached: looked at as soon as the step before is in order."
    )
    message = serializers.CharField()
    asOf = serializers.DateTimeField(allow_null=True)
    fix = StepFixSerializer(allow_null=True)
    details = StepDetailSerializer(many=True, help_text="What it was decided by.")


class WalkSerializer(WireSerializer):
    appId = serializers.CharField()
    deviceId = serializers.CharField()
    heldUpAt = serializers.ChoiceField(
        STAGES, allow_null=True, help_text="The first step that is not in order; null: none."
    )
    steps = WhyStepSerializer(
        many=True, help_text="Scope, license, Apple, the way to the device, the device."
    )
