# ruff: noqa: N815  # the names are those on the wire
"""What the endpoints of VPP accounts take and give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.files.uploadedfile import UploadedFile
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from licensing.models import Assignment
from organizations.api.serializers import WireSerializer
from vpp_accounts.models import (
    AccountState,
    AllowedAdmins,
    AssignableNetworks,
    Notifications,
    SyncRun,
)

NOT_TOLD = "Null for those who are not among the account's allowed admins."


@extend_schema_field({"type": "string"})
class WordField(serializers.Field[str, Any, str, Any]):
    """A choice, by its own word or by the words that pages and answers use."""

    def __init__(self, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        self.allowed = ", ".join(value for value, _ in choices)
        super().__init__(help_text=f"One of {self.allowed}.", **kwargs)
        self.words = {word.lower(): value for value, label in choices for word in (value, label)}

    def to_internal_value(self, data: Any) -> str:
        value = self.words.get(data.strip().lower()) if isinstance(data, str) else None
        if value is None:
            raise serializers.ValidationError(f"must be one of {self.allowed}.")
        return value


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class IdsField(serializers.ListField):
    """Ids as a list of digit strings, or as one string with commas between them."""

    child = serializers.RegexField(
        r"\A[0-9]{1,18}\Z", error_messages={"invalid": "must be an id: digits only."}
    )

    def to_internal_value(self, data: Any) -> list[int]:
        if isinstance(data, str):
            data = [part.strip() for part in data.split(",") if part.strip()]
        return sorted({int(text) for text in super().to_internal_value(data)})


class TokenField(serializers.Field[str | bytes, Any, str, Any]):
    """A token's text, or the file as it was downloaded; its name never matters."""

    def to_internal_value(self, data: Any) -> str | bytes:
        if isinstance(data, UploadedFile):
            return bytes(data.read())
        if not isinstance(data, str):
            raise serializers.ValidationError("must be a text or a file.")
        return data


@extend_schema_field({"type": "string", "writeOnly": True})
class TokenTextField(TokenField):
    pass


@extend_schema_field({"type": "string", "format": "binary", "writeOnly": True})
class TokenFileField(TokenField):
    pass


class UpdateAccountSerializer(WireSerializer):
    """Fields that are not sent stay as they are."""

    fixed = frozenset({"id", "vppAccountId", "vppLocationId", "uId", "country"})
    follows: ClassVar[Mapping[str, str]] = {"networkIdAdmins": "allowedNetworkIds"}

    name = serializers.CharField(max_length=200, required=False)
    email = serializers.EmailField(max_length=254, required=False)
    allowedAdmins = WordField(AllowedAdmins.choices, required=False)
    allowedAdminIds = IdsField(
        required=False, help_text="With allowedAdmins “named”: ids as in the list of admins."
    )
    allowedNetworkIds = IdsField(required=False, help_text="With allowedAdmins “networks”.")
    assignableNetworks = WordField(AssignableNetworks.choices, required=False)
    assignableNetworkIds = IdsField(required=False, help_text="With assignableNetworks “some”.")
    contentToken = TokenTextField(
        required=False, help_text="Leave empty; renewing has its own call."
    )


class TokenSerializer(WireSerializer):
    """A newer token of the same location."""

    contentToken = TokenTextField(required=False, help_text="The text of the .vpptoken file.")
    takeOver = serializers.BooleanField(
        default=False, help_text="Displace another MDM that manages this location."
    )


class TokenUploadSerializer(TokenSerializer):
    file = TokenFileField(required=False, help_text="The .vpptoken file itself.")


class TakeOverSerializer(WireSerializer):
    mdmId = serializers.CharField(
        default="",
        allow_blank=True,
        help_text="The MDM to displace; any other one keeps the location. Not needed once it has left.",
    )


class CreateAccountSerializer(UpdateAccountSerializer):
    """Allowed admins and assignable networks default to all."""

    name = serializers.CharField(max_length=200)
    email = serializers.EmailField(max_length=254)
    contentToken = TokenTextField(required=False, help_text="The text of the .vpptoken file.")
    takeOver = serializers.BooleanField(
        default=False, help_text="Displace another MDM that manages this location."
    )


class CreateAccountUploadSerializer(CreateAccountSerializer):
    """The token as a file, or as text."""

    file = TokenFileField(required=False, help_text="The .vpptoken file itself.")


class SyncRequestSerializer(WireSerializer):
    full = serializers.BooleanField(
        default=False, help_text="Read everything, even where Apple says that nothing changed."
    )


class ParsedTokenSerializer(WireSerializer):
    orgName = serializers.CharField(allow_blank=True)
    hashedToken = serializers.CharField()
    expiresAt = serializers.DateTimeField()


class VppAccountSerializer(WireSerializer):
    """Meraki's fields, then ours. Both token fields are always empty."""

    id = serializers.CharField()
    vppAccountId = serializers.CharField()
    name = serializers.CharField()
    email = serializers.EmailField()
    allowedAdmins = serializers.ChoiceField(AllowedAdmins.labels)
    networkIdAdmins = serializers.CharField(
        allow_blank=True, help_text="allowedNetworkIds with commas between them."
    )
    assignableNetworks = serializers.ChoiceField(AssignableNetworks.labels)
    assignableNetworkIds = serializers.ListField(child=serializers.CharField())
    vppLocationId = serializers.CharField(allow_blank=True)
    vppLocationName = serializers.CharField(allow_blank=True)
    lastSyncedAt = serializers.CharField(allow_blank=True)
    lastForceSyncedAt = serializers.CharField(allow_blank=True)
    contentToken = serializers.CharField(allow_blank=True, help_text="Always empty.")
    vppServiceToken = serializers.CharField(allow_blank=True, help_text="Always empty.")
    parsedToken = ParsedTokenSerializer()
    state = serializers.ChoiceField(AccountState.values)
    stateReason = serializers.CharField(allow_blank=True)
    stateSince = serializers.DateTimeField()
    notificationsMode = serializers.ChoiceField(
        Notifications.values,
        allow_blank=True,
        help_text="“on”: Apple notifies this installation; “polling”: it does not; empty: not known yet.",
    )
    notificationsReason = serializers.CharField(allow_blank=True, help_text="Why it does not.")
    daysLeft = serializers.IntegerField(help_text="Until the token expires; negative afterwards.")
    uId = serializers.CharField(allow_null=True, help_text="Apple's; null until it has answered.")
    country = serializers.CharField(allow_blank=True)
    allowedAdminIds = serializers.ListField(child=serializers.CharField())
    allowedNetworkIds = serializers.ListField(child=serializers.CharField())


class SyncStartedSerializer(WireSerializer):
    syncRunId = serializers.CharField()


class SyncRunSerializer(WireSerializer):
    id = serializers.CharField()
    trigger = serializers.ChoiceField(SyncRun.Trigger.values)
    phase = serializers.ChoiceField(SyncRun.Phase.values)
    done = serializers.IntegerField(allow_null=True, help_text=NOT_TOLD)
    total = serializers.IntegerField(allow_null=True, help_text=NOT_TOLD)
    outcome = serializers.ChoiceField(
        [value for value in SyncRun.Outcome.values if value],
        allow_null=True,
        help_text="Null while it runs.",
    )
    message = serializers.CharField(allow_blank=True)
    errorNumber = serializers.IntegerField(allow_null=True, help_text="Apple's.")
    counts = serializers.DictField(
        child=serializers.IntegerField(), allow_null=True, help_text=NOT_TOLD
    )
    createdAt = serializers.DateTimeField()
    startedAt = serializers.DateTimeField(allow_null=True)
    finishedAt = serializers.DateTimeField(allow_null=True)


class AssetCountsSerializer(WireSerializer):
    total = serializers.IntegerField(allow_null=True, help_text="Null when unlimited.")
    assigned = serializers.IntegerField()
    available = serializers.IntegerField(allow_null=True, help_text="Null when unlimited.")
    retired = serializers.IntegerField()


class AssetSerializer(WireSerializer):
    adamId = serializers.CharField()
    pricingParam = serializers.CharField()
    productType = serializers.CharField(help_text="App or Book.")
    name = serializers.CharField(allow_null=True, help_text="Null where the store knows no name.")
    bundleId = serializers.CharField(allow_null=True)
    iconUrl = serializers.CharField(allow_null=True)
    platforms = serializers.ListField(child=serializers.CharField())
    deviceAssignable = serializers.BooleanField()
    revocable = serializers.BooleanField()
    unlimited = serializers.BooleanField()
    counts = AssetCountsSerializer()
    countsAsOf = serializers.DateTimeField()


class AssignmentSerializer(WireSerializer):
    """Exactly one of serialNumber and clientUserId is not null."""

    adamId = serializers.CharField()
    pricingParam = serializers.CharField()
    serialNumber = serializers.CharField(allow_null=True)
    clientUserId = serializers.CharField(allow_null=True)
    origin = serializers.ChoiceField(Assignment.Origin.values)
    batchId = serializers.CharField(allow_null=True, help_text="The batch that granted it, if any.")
    since = serializers.DateTimeField(help_text="When it was first seen; Apple keeps no times.")
