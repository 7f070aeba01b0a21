# ruff: noqa: N815  # the names are those on the wire
"""What the endpoints of the device channel take and give."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps_catalog.channels.configuring import LONGEST_KEY, TEXTS
from apps_catalog.channels.profile import problem_of_scep, problem_of_server
from apps_catalog.channels.simulated.faults import Fault
from apps_catalog.models import ChannelKind
from organizations.api.serializers import WireSerializer

NETWORK_ID = r"\A[0-9]{1,18}\Z"
NO_ID: dict[str, Any] = {"invalid": "must be the id of a network."}


class ChannelCheckSerializer(WireSerializer):
    isUnderWay = serializers.BooleanField(help_text="Ask again shortly.")
    askedAt = serializers.DateTimeField(allow_null=True)
    checkedAt = serializers.DateTimeField(allow_null=True)
    problem = serializers.CharField(
        allow_null=True, help_text="Why the server does not work; null where it does."
    )
    version = serializers.CharField(allow_null=True, help_text="As the server says.")
    pushExpiresAt = serializers.DateTimeField(
        allow_null=True, help_text="When the push certificate ends."
    )
    pushIsEnding = serializers.BooleanField(help_text="Within thirty days.")


class FleetFaultSerializer(WireSerializer):
    fault = serializers.ChoiceField(Fault.values)
    percent = serializers.IntegerField(
        allow_null=True, help_text="Of the devices; null while it is off."
    )


class FleetSerializer(WireSerializer):
    devices = serializers.IntegerField()
    tickedAt = serializers.DateTimeField(allow_null=True, help_text="When it last moved.")
    faults = FleetFaultSerializer(many=True)


class ChannelTroubleSerializer(WireSerializer):
    topic = serializers.CharField(help_text="For example mdm.Connect.")
    toldAt = serializers.DateTimeField()
    message = serializers.CharField()


class DeviceChannelSerializer(WireSerializer):
    """How apps reach devices. Keys are never given."""

    kind = serializers.ChoiceField(
        ChannelKind.values, allow_null=True, help_text="Null: as this installation has it."
    )
    effectiveKind = serializers.ChoiceField(ChannelKind.values)
    baseUrl = serializers.CharField(allow_null=True)
    apiUser = serializers.CharField(allow_null=True)
    hasApiKey = serializers.BooleanField()
    topic = serializers.CharField(allow_null=True, help_text="Of the push certificate.")
    networkId = serializers.CharField(
        allow_null=True, help_text="For new devices whose profile names no network."
    )
    webhookUrl = serializers.CharField(
        allow_null=True, help_text="Where the server posts its events; null until it is saved once."
    )
    hasWebhookKey = serializers.BooleanField()
    enrolledDevices = serializers.IntegerField()
    lastEventAt = serializers.DateTimeField(allow_null=True)
    refusedEventAt = serializers.DateTimeField(
        allow_null=True, help_text="When an event last came without the right signature."
    )
    check = ChannelCheckSerializer()
    troubles = ChannelTroubleSerializer(many=True, help_text="Events that were not understood.")
    fleet = FleetSerializer(allow_null=True, help_text="Null where the fleet is not simulated.")


class UpdateDeviceChannelSerializer(WireSerializer):
    """Fields that are not sent stay as they are."""

    fixed = frozenset({"webhookUrl"})

    kind = serializers.ChoiceField(
        ChannelKind.values,
        required=False,
        allow_null=True,
        help_text="Null: as this installation has it.",
    )
    baseUrl = serializers.CharField(
        required=False,
        allow_blank=True,
        allow_null=True,
        max_length=TEXTS["base_url"],
        help_text="For example https://mdm.example.org.",
    )
    apiUser = serializers.CharField(
        required=False,
        allow_blank=True,
        allow_null=True,
        max_length=TEXTS["api_user"],
        help_text="Mostly nanomdm.",
    )
    apiKey = serializers.CharField(
        required=False,
        max_length=LONGEST_KEY,
        write_only=True,
        help_text="Taken and never given. Needed again where the server is another one.",
    )
    topic = serializers.CharField(
        required=False,
        allow_blank=True,
        allow_null=True,
        max_length=TEXTS["topic"],
        help_text="Of the push certificate.",
    )
    networkId = serializers.RegexField(
        NETWORK_ID,
        error_messages=NO_ID,
        required=False,
        allow_null=True,
        help_text="For new devices whose profile names no network; null for none.",
    )


class WebhookKeySerializer(WireSerializer):
    webhookUrl = serializers.CharField()
    webhookKey = serializers.CharField(
        allow_null=True, help_text="In the first answer alone; null where a request is repeated."
    )


class ProposedProfileSerializer(WireSerializer):
    """What a profile begins with, as far as it is known."""

    networkId = serializers.CharField(allow_null=True)
    serverUrl = serializers.CharField(allow_null=True)
    topic = serializers.CharField(allow_null=True)


class CreateProfileSerializer(WireSerializer):
    networkId = serializers.RegexField(
        NETWORK_ID,
        error_messages=NO_ID,
        help_text="Devices that enroll with it belong there, unless they are listed.",
    )
    serverUrl = serializers.CharField(
        max_length=500, help_text="Where devices find the MDM server, from outside; https only."
    )
    topic = serializers.CharField(max_length=200, help_text="Of the server's push certificate.")
    scepUrl = serializers.CharField(max_length=500, help_text="Address of the SCEP server.")
    scepName = serializers.CharField(
        required=False, allow_blank=True, max_length=200, help_text="Name of the CA."
    )
    scepChallenge = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=500,
        help_text="It stands in the profile, readable to whoever has it, and is stored nowhere.",
    )

    def validate_serverUrl(self, url: str) -> str:  # noqa: N802
        return _fit(url, problem_of_server(url))

    def validate_scepUrl(self, url: str) -> str:  # noqa: N802
        return _fit(url, problem_of_scep(url))


def _fit(url: str, problem: str) -> str:
    if problem:
        raise serializers.ValidationError(problem)
    return url


class EnrollmentProfileSerializer(WireSerializer):
    fileName = serializers.CharField()
    contentType = serializers.CharField()
    profile = serializers.CharField(
        allow_null=True,
        help_text="The property list as a text, not signed; null where a request is repeated.",
    )


class FleetDevicesSerializer(WireSerializer):
    devices = serializers.IntegerField(help_text="How many devices.")


class SwitchFaultSerializer(WireSerializer):
    fault = serializers.ChoiceField(Fault.values)
    on = serializers.BooleanField()
    percent = serializers.IntegerField(
        default=100, min_value=1, max_value=100, help_text="Of the devices, always the same ones."
    )
