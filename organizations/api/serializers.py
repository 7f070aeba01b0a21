# ruff: noqa: N815  # the names are those on the wire
"""What the organization's endpoints take and give. Answers are built as plain dicts beside the
endpoints; these classes describe them, and check what comes in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request

from organizations.api.csv_answers import ANSWERS
from organizations.api.wire import body_of

SYSTEMS_MANAGER = "systemsManager"


class WireSerializer(serializers.Serializer[Any]):
    # Fields of Meraki's operation that mean nothing here: scripts that send them go on working.
    passed_over: ClassVar[frozenset[str]] = frozenset()
    # Fields of a PUT's answer that it cannot change: to be sent as they were read, or not at all.
    fixed: ClassVar[frozenset[str]] = frozenset()
    # The same for what another field says in other words, unless that one is sent as well.
    follows: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def checked(cls, request: Request) -> dict[str, Any]:
        """The body's fields as Python values; raises DRF's ValidationError."""
        body = body_of(request)
        given = cls(data=body)
        if unknown := set(body) - {*given.fields, *cls.passed_over, *_read_before(request)}:
            raise serializers.ValidationError([_no_field(name, given.fields) for name in unknown])
        given.is_valid(raise_exception=True)
        if request.method == "PUT" and (sent := cls._cannot_change(body)):
            _refuse_other_values(request, sent)
        return dict(given.validated_data)

    @classmethod
    def _cannot_change(cls, body: Mapping[str, Any]) -> dict[str, Any]:
        following = {name for name, source in cls.follows.items() if source not in body}
        return {name: body[name] for name in body if name in cls.fixed | following}

    def to_internal_value(self, data: Any) -> Any:
        """Inside of a body nothing is passed over."""
        inside = self.parent is not None and isinstance(data, dict)
        if inside and (unknown := data.keys() - self.fields.keys()):
            problems = [_no_field(name, self.fields) for name in sorted(unknown)]
            raise serializers.ValidationError({"non_field_errors": problems})
        return super().to_internal_value(data)


def _read_before(request: Request) -> Iterable[str]:
    """What was read can be sent back with a few changes: a PUT passes over the rest of its answer."""
    if request.method != "PUT":
        return ()
    handler = request.parser_context["view"].put
    answer = getattr(handler, ANSWERS, {}).get(200)
    return answer().fields if isinstance(answer, type) else ()


def _refuse_other_values(request: Request, sent: dict[str, Any]) -> None:
    """Who sends another value wants it changed, and must not be told that all is well."""
    current = request.parser_context["view"].as_it_is()
    if wrong := [name for name, value in sent.items() if value != current[name]]:
        raise serializers.ValidationError(
            [
                f"“{name}” cannot be changed here. Leave it out, or send it as it was read."
                for name in wrong
            ]
        )


def _no_field(name: str, fields: Iterable[str]) -> str:
    """A typing error must not be taken for “as it was”."""
    near = get_close_matches(name, fields, n=1)
    hint = f" Did you mean “{near[0]}”?" if near else ""
    return f"“{name[:100]}” is no field of this request.{hint}"


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
    privacy = serializers.DictField(help_text="Always empty.")


class UpdateOrganizationSerializer(WireSerializer):
    """Fields that are not sent stay as they are."""

    passed_over = frozenset({"api", "management"})
    fixed = frozenset({"id"})

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

    passed_over = frozenset({"copyFromNetworkId", "enrollmentString", "productTypes"})
    fixed = frozenset({"id", "organizationId"})

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
