# ruff: noqa: N815  # the names are those on the wire
"""What the endpoints of people take and give."""

from __future__ import annotations

from rest_framework import serializers

from organizations.api.serializers import WireSerializer
from users.states import PersonStatus

NOT_SEEN = "Null: not yet, or before this dashboard looked."
STATUSES = [status.value for status in PersonStatus]


class UpdateVppUserSerializer(WireSerializer):
    """Fields that are not sent stay as they are."""

    fixed = frozenset({"id", "clientUserId", "ownerId"})

    email = serializers.CharField(required=False, max_length=254)
    name = serializers.CharField(required=False, max_length=200)
    username = serializers.CharField(required=False, allow_blank=True, max_length=200)
    managedAppleAccount = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=254,
        help_text="Apple accepts it at once, so that no invitation is needed.",
    )


class CreateVppUserSerializer(UpdateVppUserSerializer):
    """The owner with this e-mail address, or a new one, becomes a user of the account."""

    email = serializers.CharField(
        required=False, max_length=254, help_text="Needed unless ownerId has one."
    )
    ownerId = serializers.RegexField(
        r"\A[0-9]{1,18}\Z",
        required=False,
        error_messages={"invalid": "must be an id: digits only."},
        help_text="The owner who becomes a user; otherwise the e-mail address decides.",
    )
    tags = serializers.ListField(
        child=serializers.CharField(max_length=100),
        max_length=500,
        required=False,
        help_text="They come to those that the owner has.",
    )
    invite = serializers.BooleanField(
        default=False, help_text="An invitation follows as soon as Apple knows the user."
    )


class VppUserSerializer(WireSerializer):
    id = serializers.CharField()
    email = serializers.CharField(allow_blank=True)
    name = serializers.CharField(allow_blank=True)
    username = serializers.CharField(allow_blank=True)
    managedAppleAccount = serializers.CharField(allow_blank=True)
    clientUserId = serializers.CharField(help_text="The id that Apple knows the user by.")
    status = serializers.ChoiceField(STATUSES)
    appleStatus = serializers.CharField(
        allow_blank=True, help_text="Apple's own word; empty until Apple knows the user."
    )
    ownerId = serializers.CharField(allow_null=True, help_text="Null: found at Apple only.")
    failure = serializers.CharField(
        allow_blank=True,
        help_text="What went wrong last: Apple refused to register or to change the user, or the mail"
        " server their address.",
    )
    registeredAt = serializers.DateTimeField(
        allow_null=True, help_text=f"Apple has known the user since. {NOT_SEEN}"
    )
    invitedAt = serializers.DateTimeField(
        allow_null=True, help_text="When the last invitation was sent."
    )
    associatedAt = serializers.DateTimeField(
        allow_null=True, help_text=f"The user has accepted. {NOT_SEEN}"
    )
    retiredAt = serializers.DateTimeField(allow_null=True, help_text=NOT_SEEN)
