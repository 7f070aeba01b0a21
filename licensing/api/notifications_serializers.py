# ruff: noqa: N815  # the names are those on the wire
"""What is told of Apple's notifications. Their contents are licenses, and not among it."""

from __future__ import annotations

from rest_framework import serializers

from licensing.tables.notifications import STATES
from organizations.api.serializers import WireSerializer


class NotificationSerializer(WireSerializer):
    id = serializers.CharField()
    notificationId = serializers.CharField(help_text="Apple's.")
    notificationType = serializers.CharField(help_text="Apple's, for example ASSET_MANAGEMENT.")
    eventType = serializers.CharField(
        allow_null=True, help_text="What happened, in Apple's word, for example ASSOCIATE."
    )
    failedAtApple = serializers.BooleanField(help_text="Apple tells of something that it refused.")
    state = serializers.ChoiceField(
        list(STATES), help_text="waiting: for a worker; failed: it is tried again, or was given up."
    )
    attempts = serializers.IntegerField()
    message = serializers.CharField(allow_null=True, help_text="Why it could not be handled.")
    receivedAt = serializers.DateTimeField()
    handledAt = serializers.DateTimeField(allow_null=True)


class RetriedSerializer(WireSerializer):
    retried = serializers.IntegerField(help_text="So many are taken up again.")
