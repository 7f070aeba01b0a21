# ruff: noqa: N815  # the names are those on the wire
"""What the endpoints of administrators take and give: Meraki's names and words."""

from __future__ import annotations

from rest_framework import serializers

from organizations.api.serializers import WireSerializer

ACCESS = ["full", "read-only", "none"]
EMAIL = "Email"
SINGLE_SIGN_ON = "Cisco SecureX Sign-On"  # Meraki's only word beside Email
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
    authenticationMethod = serializers.ChoiceField(
        [EMAIL, SINGLE_SIGN_ON],
        help_text=f"“{SINGLE_SIGN_ON}” is Meraki's word for any single sign-on: here the"
        " organization's own.",
    )


class UpdateAdminSerializer(WireSerializer):
    """Fields that are not sent stay as they are; a list that is sent replaces the one before."""

    fixed = frozenset({"id", "email", "authenticationMethod"})

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


class AdminKeySerializer(WireSerializer):
    id = serializers.CharField()
    name = serializers.CharField()
    prefix = serializers.CharField(help_text="How the key begins.")
    organizationId = serializers.CharField(
        allow_null=True,
        help_text="This organization where it opens no other; null: all of the admin's.",
    )
    readOnly = serializers.BooleanField()
    expiresAt = serializers.DateTimeField(allow_null=True)
    lastUsedAt = serializers.DateTimeField(
        allow_null=True, help_text="null for a key that opens other organizations as well."
    )


class RemovalSerializer(WireSerializer):
    consequences = serializers.ListField(
        child=serializers.CharField(), help_text="What ends with the admin, each in a sentence."
    )


class LeaveSerializer(WireSerializer):
    """Nothing is done without `confirm`."""

    confirm = serializers.CharField(
        default="", allow_blank=True, max_length=300, help_text="Your own e-mail address."
    )
    dryRun = serializers.BooleanField(default=False)
