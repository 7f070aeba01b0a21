# ruff: noqa: N815  # the names are those on the wire
"""What the organization's endpoints take and give. Answers are built as plain dicts beside the
endpoints; these classes describe them, and check what comes in."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from organizations.api.wire import body_of

SYSTEMS_MANAGER = "systemsManager"


class WireSerializer(serializers.Serializer[Any]):
    @classmethod
    def checked(cls, request: Request) -> dict[str, Any]:
        """The body's fields as Python values; raises DRF's ValidationError."""
        given = cls(data=body_of(request))
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)


class EnabledSerializer(WireSerializer):
    enabled = serializers.BooleanField()


class LicensingSerializer(WireSerializer):
    model = serializers.ChoiceField(["co-term", "per-device", "subscription"])


class HostSerializer(WireSerializer):
    name = serializers.CharField()


class RegionSerializer(WireSerializer):
    name = serializers.CharField()
    host = HostSerializer()


class CloudSerializer(WireSerializer):
    region = RegionSerializer()


class ManagementDetailSerializer(WireSerializer):
    name = serializers.CharField()
    value = serializers.CharField()


class ManagementSerializer(WireSerializer):
    details = ManagementDetailSerializer(many=True)


class OrganizationSerializer(WireSerializer):
    id = serializers.CharField()
    name = serializers.CharField()
    url = serializers.URLField()
    api = EnabledSerializer()
    licensing = LicensingSerializer()
    cloud = CloudSerializer()
    management = ManagementSerializer()


class UpdateOrganizationSerializer(WireSerializer):
    """Fields that are not sent stay as they are."""

    name = serializers.CharField(max_length=200, required=False)


class NetworkSerializer(WireSerializer):
    id = serializers.CharField()
    organizationId = serializers.CharField()
    name = serializers.CharField()
    productTypes = serializers.ListField(child=serializers.CharField())
    timeZone = serializers.CharField(help_text="For example Europe/Vienna.")
    tags = serializers.ListField(child=serializers.CharField())
    enrollmentString = serializers.CharField(allow_blank=True)
    url = serializers.URLField()
    notes = serializers.CharField(allow_blank=True)
    isBoundToConfigTemplate = serializers.BooleanField()


class UpdateNetworkSerializer(WireSerializer):
    """Fields that are not sent stay as they are."""

    name = serializers.CharField(max_length=200, required=False)
    timeZone = serializers.CharField(required=False, help_text="For example Europe/Vienna.")
    tags = serializers.ListField(
        child=serializers.CharField(max_length=100), max_length=500, required=False
    )
    notes = serializers.CharField(required=False, allow_blank=True, max_length=10_000)


class CreateNetworkSerializer(UpdateNetworkSerializer):
    """The time zone defaults to the organization's."""

    name = serializers.CharField(max_length=200)
    productTypes = serializers.ListField(
        child=serializers.ChoiceField([SYSTEMS_MANAGER]),
        default=[SYSTEMS_MANAGER],
        allow_empty=False,
        help_text="The only product here is systemsManager.",
    )


class KeySerializer(WireSerializer):
    created = serializers.BooleanField()


class ApiSerializer(WireSerializer):
    key = KeySerializer()


class AuthenticationSerializer(WireSerializer):
    mode = serializers.ChoiceField(["email"])
    api = ApiSerializer()
    twoFactor = EnabledSerializer()
    saml = EnabledSerializer()


class IdentitySerializer(WireSerializer):
    name = serializers.CharField(allow_blank=True)
    email = serializers.EmailField()
    lastUsedDashboardAt = serializers.CharField(
        allow_blank=True, help_text="Empty for an admin who never signed in."
    )
    authentication = AuthenticationSerializer()


class AuditActorSerializer(WireSerializer):
    kind = serializers.ChoiceField(["admin", "api_key", "apple", "rule", "system"])
    id = serializers.CharField(allow_null=True)
    name = serializers.CharField()


class AuditTargetSerializer(WireSerializer):
    kind = serializers.CharField()
    id = serializers.CharField(allow_null=True)
    name = serializers.CharField()


class AuditEventSerializer(WireSerializer):
    id = serializers.CharField()
    at = serializers.DateTimeField()
    actor = AuditActorSerializer()
    action = serializers.CharField(help_text="For example vpp_account.renewed.")
    target = AuditTargetSerializer()
    before = serializers.DictField(allow_null=True)
    after = serializers.DictField(allow_null=True)
    refused = serializers.BooleanField()
    requestId = serializers.CharField(allow_blank=True)
    address = serializers.CharField(
        allow_null=True, help_text="From where it was asked for; null for what no request did."
    )
