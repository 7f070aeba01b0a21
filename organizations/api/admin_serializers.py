# ruff: noqa: N815  # the names are those on the wire
"""What the endpoints of administrators take and give: Meraki's names and words."""

from __future__ import annotations

from rest_framework import serializers

from organizations.api.serializers import WireSerializer

ACCESS = ["full", "read-only", "none"]
EMAIL = "Email"
SINGLE_SIGN_ON = "Single sign-on"
NETWORK_ACCESS = ["full", "read-only"]


class AdminTagSerializer(WireSerializer):
    tag = serializers.CharField(max_length=100)
    access = serializers.ChoiceField(NETWORK_ACCESS)


class AdminNetworkSerializer(WireSerializer):
    id = serializers.RegexField(
        r"^\d{1,18}$", error_messages={"invalid": "must be an id: digits only."}
    )
    access = serializers.ChoiceField(NETWORK_ACCESS)


class AdminSerializer(WireSerializer):
    id = serializers.CharField(help_text="Of the admin in this organization.")
    name = serializers.CharField(
        allow_blank=True, help_text="While they are only invited, as the invitation called them."
    )
    email = serializers.EmailField()
    orgAccess = serializers.ChoiceField(ACCESS)
    accountStatus = serializers.ChoiceField(
        ["ok", "pending", "unverified", "locked"],
        help_text="pending: invited. unverified: the invitation was not accepted in time. locked: has"
        " to wait after wrong passwords, or is switched off.",
    )
    twoFactorAuthEnabled = serializers.BooleanField(help_text="false while they are only invited.")
    hasApiKey = serializers.BooleanField(
        help_text="Whether a usable key of theirs opens this organization."
    )
    lastActive = serializers.CharField(
        allow_blank=True, help_text="In this organization; empty before the first time."
    )
    tags = AdminTagSerializer(many=True)
    networks = AdminNetworkSerializer(many=True, help_text="Those given by themselves.")
    authenticationMethod = serializers.ChoiceField([EMAIL, SINGLE_SIGN_ON])


class UpdateAdminSerializer(WireSerializer):
    """Fields that are not sent stay as they are; a list that is sent replaces the one before."""

    name = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=200,
        help_text="Only of somebody invited; later the name is theirs.",
    )
    orgAccess = serializers.ChoiceField(ACCESS, required=False)
    tags = AdminTagSerializer(many=True, required=False)
    networks = AdminNetworkSerializer(many=True, required=False)


class CreateAdminSerializer(UpdateAdminSerializer):
    """An invitation goes to the address; nothing shows whether it is known here."""

    email = serializers.CharField(max_length=300)
    orgAccess = serializers.ChoiceField(ACCESS)
    authenticationMethod = serializers.ChoiceField([EMAIL], required=False)
