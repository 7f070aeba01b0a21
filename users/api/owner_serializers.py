# ruff: noqa: N815  # the names are those on the wire
"""What the endpoints of owners take and give."""

from __future__ import annotations

from django.conf import settings
from rest_framework import serializers

from organizations.api.serializers import WireSerializer
from organizations.models import Owner
from users.states import PersonStatus

STATUSES = [status.value for status in PersonStatus]
LANGUAGES = ", ".join(code for code, _ in settings.PEOPLE_LANGUAGES)


class UpdateOwnerSerializer(WireSerializer):
    """Fields that are not sent stay as they are."""

    fixed = frozenset({"id", "addedBy"})

    name = serializers.CharField(required=False, allow_blank=True, max_length=200)
    email = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=254,
        help_text="Invitations go to this address; no two owners have the same.",
    )
    username = serializers.CharField(required=False, allow_blank=True, max_length=200)
    managedAppleAccount = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=254,
        help_text="Apple accepts it at once, so that no invitation is needed.",
    )
    tags = serializers.ListField(
        child=serializers.CharField(max_length=100),
        max_length=500,
        required=False,
        help_text="In the place of those that the owner has; tags that nobody used before are made.",
    )
    language = serializers.CharField(
        required=False,
        allow_null=True,
        max_length=20,
        help_text=f"In which invitations are written: {LANGUAGES}, or null for the organization's.",
    )


class CreateOwnerSerializer(UpdateOwnerSerializer):
    """One of name, email, username and managedAppleAccount is needed."""

    completeExisting = serializers.BooleanField(
        default=False,
        help_text="Where an owner has the e-mail address or Managed Apple Account already: add what is"
        " missing there in the place of refusing it.",
    )


class OwnerVppUserSerializer(WireSerializer):
    """The owner as a user of a VPP account that is open to this key."""

    vppAccountId = serializers.CharField()
    userId = serializers.CharField()
    clientUserId = serializers.CharField(help_text="The id that Apple knows the user by.")
    status = serializers.ChoiceField(STATUSES)


class OwnerSerializer(WireSerializer):
    id = serializers.CharField()
    name = serializers.CharField()
    email = serializers.CharField(allow_blank=True)
    username = serializers.CharField(allow_blank=True)
    managedAppleAccount = serializers.CharField(allow_blank=True)
    tags = serializers.ListField(child=serializers.CharField())
    language = serializers.CharField(allow_null=True, help_text="Null: the organization's.")
    addedBy = serializers.ChoiceField(Owner.Source.values, help_text="How the owner came here.")
    missingSince = serializers.DateTimeField(
        allow_null=True,
        help_text="Since when imported whole lists lack the owner; null: they do not.",
    )
    createdAt = serializers.DateTimeField()
    deviceCount = serializers.IntegerField()
    vppUsers = OwnerVppUserSerializer(many=True)


class ObstacleSerializer(WireSerializer):
    obstacle = serializers.CharField(
        allow_null=True, help_text="Why it would be refused now; null where it would not."
    )
    obstacleCode = serializers.CharField(
        allow_null=True, help_text="The code that the refusal would carry."
    )


class OwnerDeletionSerializer(ObstacleSerializer):
    """What deleting an owner leads to."""

    devices = serializers.IntegerField(help_text="Devices that lose their owner.")
    vppAccounts = serializers.ListField(
        child=serializers.CharField(),
        help_text="Names of the VPP accounts in which the owner is a user and has to be retired first.",
    )


class MergeOwnerSerializer(WireSerializer):
    fromOwnerId = serializers.RegexField(
        r"\A[0-9]{1,18}\Z",
        error_messages={"invalid": "must be an id: digits only."},
        help_text="Who becomes one with the owner of the address, and is deleted.",
    )
    dryRun = serializers.BooleanField(default=False, help_text="Only say what would come of it.")


class MergedOwnerSerializer(ObstacleSerializer):
    """The owner who results. With dryRun nothing has changed yet."""

    owner = OwnerSerializer()
