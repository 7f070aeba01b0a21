# ruff: noqa: N815  # the names are those on the wire
"""What the endpoints of webhooks take and give."""

from __future__ import annotations

from rest_framework import serializers

from organizations.api.serializers import WireSerializer
from organizations.models import EventKind, Webhook, WebhookDelivery

EVENTS = "Of which kinds of events it is told."
URL = "Where events are sent: https, and a public address unless the operator allows others."
ENABLED = "Nothing is sent to a disabled webhook, nor kept for it."


class WebhookAttemptSerializer(WireSerializer):
    at = serializers.DateTimeField()
    statusCode = serializers.IntegerField(
        allow_null=True, help_text="HTTP's; null where there was no answer."
    )
    error = serializers.CharField(allow_blank=True, help_text="Empty where it was delivered.")


class WebhookSerializer(WireSerializer):
    id = serializers.CharField()
    name = serializers.CharField()
    url = serializers.CharField(
        help_text="Of admins without full access the host alone: the rest may open something."
    )
    events = serializers.ListField(
        child=serializers.ChoiceField(EventKind.values), help_text=EVENTS
    )
    enabled = serializers.BooleanField()
    disabledReason = serializers.ChoiceField(
        Webhook.Stopped.values,
        allow_null=True,
        help_text="disabled: by an admin; gone: its receiver answered with HTTP 410; failing: nothing"
        " could be delivered for five days. Null while it is enabled.",
    )
    disabledAt = serializers.DateTimeField(allow_null=True)
    failingSince = serializers.DateTimeField(
        allow_null=True, help_text="Since when no attempt has succeeded; null where the last did."
    )
    lastAttempt = WebhookAttemptSerializer(allow_null=True)
    previousSecretUntil = serializers.DateTimeField(
        allow_null=True, help_text="Until then the secret from before the rotation signs as well."
    )
    createdAt = serializers.DateTimeField()
    createdBy = serializers.CharField()


class WebhookWithSecretSerializer(WebhookSerializer):
    secret = serializers.CharField(
        allow_null=True,
        help_text="Signs what is sent: in this answer only, and null where the answer is a repeated"
        " one.",
    )


class CreateWebhookSerializer(WireSerializer):
    name = serializers.CharField(max_length=1000, help_text="Who receives it.")
    url = serializers.CharField(max_length=2000, help_text=URL)
    events = serializers.ListField(
        child=serializers.CharField(max_length=100),
        max_length=100,
        help_text=f"{EVENTS} {', '.join(EventKind.values)}.",
    )
    enabled = serializers.BooleanField(default=True, help_text=ENABLED)


class UpdateWebhookSerializer(WireSerializer):
    """Fields that are not sent stay as they are."""

    fixed = frozenset({"id"})

    name = serializers.CharField(max_length=1000, required=False, help_text="Who receives it.")
    url = serializers.CharField(max_length=2000, required=False, help_text=URL)
    events = serializers.ListField(
        child=serializers.CharField(max_length=100),
        max_length=100,
        required=False,
        help_text=f"{EVENTS} {', '.join(EventKind.values)}.",
    )
    enabled = serializers.BooleanField(required=False, help_text=ENABLED)


class DeliverySerializer(WireSerializer):
    id = serializers.CharField()
    webhookId = serializers.CharField()
    eventId = serializers.CharField(
        help_text="The header webhook-id: the same in every attempt and redelivery."
    )
    type = serializers.CharField(help_text="The kind of event; webhook.test for a test.")
    state = serializers.ChoiceField(
        WebhookDelivery.State.values,
        help_text="waiting: for its first or next attempt; failed: nothing more is tried.",
    )
    attempts = serializers.IntegerField()
    createdAt = serializers.DateTimeField()
    nextAttemptAt = serializers.DateTimeField(
        allow_null=True, help_text="Null where nothing more is tried."
    )
    lastAttemptAt = serializers.DateTimeField(allow_null=True)
    statusCode = serializers.IntegerField(
        allow_null=True, help_text="HTTP's, of the last attempt; null where there was no answer."
    )
    error = serializers.CharField(
        allow_blank=True, help_text="Why the last attempt failed; empty where it did not."
    )
    durationMs = serializers.IntegerField(
        allow_null=True, help_text="How long the last attempt took."
    )
    redeliveryOf = serializers.CharField(
        allow_null=True, help_text="The id of the delivery that this one repeats."
    )


class LoggedAttemptSerializer(WebhookAttemptSerializer):
    durationMs = serializers.IntegerField(allow_null=True)


class DeliveryDetailSerializer(DeliverySerializer):
    payload = serializers.DictField(
        allow_null=True,
        help_text="The body that is sent. It may name people and devices, so that it is null for"
        " admins without full access.",
    )
    answer = serializers.CharField(
        allow_null=True,
        allow_blank=True,
        help_text="How the last answer of the receiver begins; null for admins without full access.",
    )
    attemptLog = LoggedAttemptSerializer(many=True)
