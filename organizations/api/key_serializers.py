# ruff: noqa: N815  # the names are those on the wire
"""What the endpoints of API keys take and give."""

from __future__ import annotations

from rest_framework import serializers

from organizations.api.serializers import WireSerializer
from organizations.models import ApiKey


class ApiKeySerializer(WireSerializer):
    id = serializers.CharField()
    name = serializers.CharField()
    prefix = serializers.CharField(help_text="How the key begins; all that is kept of its text.")
    organizationId = serializers.CharField(
        allow_null=True, help_text="The only organization that it opens; null opens all of yours."
    )
    readOnly = serializers.BooleanField()
    state = serializers.ChoiceField(ApiKey.State.values)
    createdAt = serializers.DateTimeField()
    expiresAt = serializers.DateTimeField(allow_null=True)
    lastUsedAt = serializers.DateTimeField(allow_null=True)
    lastUsedAddress = serializers.CharField(allow_null=True)
    revokedAt = serializers.DateTimeField(allow_null=True)


class GeneratedApiKeySerializer(ApiKeySerializer):
    key = serializers.CharField(
        allow_null=True,
        help_text="The key's text: in this answer only, and null where the answer is a repeated one.",
    )


class GenerateApiKeySerializer(WireSerializer):
    name = serializers.CharField(max_length=100, help_text="What the key is for.")
    readOnly = serializers.BooleanField(default=False)
    expiresAt = serializers.DateTimeField(
        required=False, help_text="At most two years from now; without it, in one year."
    )
    organizationId = serializers.RegexField(
        r"^[0-9]{1,18}$",
        required=False,
        allow_null=True,
        help_text="The only organization that it opens; without it, those that this key opens.",
    )
