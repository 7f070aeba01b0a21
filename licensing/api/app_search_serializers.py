# ruff: noqa: N815  # the names are those on the wire
"""What the endpoints of searches in the store take and give."""

from __future__ import annotations

from rest_framework import serializers

from apps_catalog.models import ManagedPlatform
from apps_catalog.store import LONGEST_TERM
from organizations.api.serializers import WireSerializer


class AppSearchRequestSerializer(WireSerializer):
    term = serializers.CharField(
        max_length=LONGEST_TERM,
        help_text="A name, a bundle ID, an Adam ID, or a link to the App Store.",
    )
    country = serializers.RegexField(
        r"\A[A-Za-z]{2}\Z",
        required=False,
        error_messages={"invalid": "must be a code of two letters, for example US."},
        help_text="Of the store; by default where your VPP accounts buy.",
    )
    platform = serializers.ChoiceField(ManagedPlatform.values, default=ManagedPlatform.IOS.value)


class FoundLicensesSerializer(WireSerializer):
    vppAccountId = serializers.CharField()
    pricingParam = serializers.CharField()
    available = serializers.IntegerField(
        allow_null=True, help_text="Not assigned, and not planned for anybody; null: without end."
    )
    asOf = serializers.DateTimeField()


class FoundAppSerializer(WireSerializer):
    adamId = serializers.CharField()
    name = serializers.CharField()
    bundleId = serializers.CharField(allow_null=True)
    seller = serializers.CharField(allow_null=True)
    genre = serializers.CharField(allow_null=True)
    version = serializers.CharField(allow_null=True)
    minimumOs = serializers.CharField(allow_null=True)
    price = serializers.CharField(allow_null=True, help_text="A number, for example 3.99.")
    priceText = serializers.CharField(allow_null=True, help_text="As the store writes it.")
    platforms = serializers.ListField(
        child=serializers.CharField(), help_text="That the answer names; there may be more."
    )
    iconUrl = serializers.CharField(allow_null=True)
    storeUrl = serializers.CharField(allow_null=True)
    licenses = FoundLicensesSerializer(
        many=True, help_text="In the VPP accounts that are open to you."
    )
    networkIds = serializers.ListField(
        child=serializers.CharField(), help_text="Networks that deploy it, as far as you see them."
    )


class AppSearchSerializer(WireSerializer):
    id = serializers.CharField()
    term = serializers.CharField()
    country = serializers.CharField()
    platform = serializers.ChoiceField(ManagedPlatform.values)
    state = serializers.ChoiceField(["asking", "answered", "failed"])
    message = serializers.CharField(allow_null=True, help_text="Why it failed, and what to do.")
    askedAt = serializers.DateTimeField()
    answeredAt = serializers.DateTimeField(allow_null=True)
    results = FoundAppSerializer(many=True)
