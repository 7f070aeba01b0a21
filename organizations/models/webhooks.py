"""What is told to programs of the organization over HTTP: to whom, what happened, and what came of it."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from organizations import crypto
from organizations.models.tenant import Organization


class EventKind(models.TextChoices):
    """The value is what is written on the wire, and never changes."""

    SYNC_FINISHED = "sync.finished", "Sync finished"
    BATCH_FINISHED = "batch.finished", "Batch finished"
    ACCOUNT_STATE_CHANGED = "account.state_changed", "State of a VPP account changed"
    LICENSE_SHORTAGE = "license.shortage", "Licenses are waited for"
    LICENSE_LOW = "license.low", "Licenses run low"
    USER_ASSOCIATED = "user.associated", "Person accepted the invitation"
    DEVICE_RECLAIMED = "device.reclaimed", "Licenses taken back from devices"


TEST = "webhook.test"  # is sent on request only; nobody subscribes to it


class Webhook(models.Model):
    """An address that is told of some kinds of events. Its secret signs what is sent."""

    class Stopped(models.TextChoices):
        BY_ADMIN = "disabled", "Disabled"
        GONE = "gone", "Ended by its receiver"
        FAILING = "failing", "Failing for days"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="webhooks")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=100)
    url = models.CharField(max_length=500)
    events = ArrayField(models.CharField(max_length=40))
    # Empty while it is enabled.
    stopped = models.CharField(max_length=10, choices=Stopped.choices, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)

    secret_ciphertext = models.TextField(blank=True)
    previous_ciphertext = models.TextField(blank=True)  # also signs, for a while after a rotation
    previous_until = models.DateTimeField(null=True, blank=True)

    # While it fails, one delivery at a time finds out whether it answers again.
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    last_attempt_at = models.DateTimeField(null=True, blank=True)
    last_status = models.PositiveSmallIntegerField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)

    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=254)

    class Meta:
        ordering = ["name", "pk"]
        indexes = [
            models.Index(fields=["organization"], condition=Q(stopped=""), name="webhooks_on")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_enabled(self) -> bool:
        return not self.stopped

    @property
    def place(self) -> str:
        """Of its address what opens nothing: the rest may be as good as a password."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}/…"

    @property
    def crypto_context(self) -> str:
        return f"webhook:{self.uuid}"

    @property
    def previous_context(self) -> str:
        return f"webhook:{self.uuid}:previous"

    @property
    def secret(self) -> str:
        return crypto.decrypt(self.secret_ciphertext, bound_to=self.crypto_context)

    @secret.setter
    def secret(self, text: str) -> None:
        self.secret_ciphertext = crypto.encrypt(text, bound_to=self.crypto_context)

    @property
    def previous_secret(self) -> str:
        return crypto.decrypt(self.previous_ciphertext, bound_to=self.previous_context)

    @previous_secret.setter
    def previous_secret(self, text: str) -> None:
        self.previous_ciphertext = crypto.encrypt(text, bound_to=self.previous_context)

    @property
    def previous_is_valid(self) -> bool:
        return self.previous_until is not None and self.previous_until > timezone.now()


class WebhookEvent(models.Model):
    """Something that happened and that somebody wanted to be told of. `payload` is its `data`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=40)
    payload = models.JSONField()
    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def wire_id(self) -> str:
        return f"evt_{self.pk.hex}"


class WebhookDelivery(models.Model):
    """One event on its way to one address.

    Under way it is `sending`, and due again when the lease ends: `next_attempt_at`. `log` has an entry
    for each attempt.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENDING = "sending", "Being sent"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(WebhookEvent, models.CASCADE, related_name="deliveries")
    again_of = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    # Null once nothing more will be tried.
    next_attempt_at = models.DateTimeField(null=True, default=timezone.now)
    last_attempt_at = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True)  # HTTP's, of the last attempt
    error = models.CharField(max_length=300, blank=True)
    duration_ms = models.PositiveIntegerField(null=True)
    answer = models.TextField(blank=True)  # how what was answered begins
    log = models.JSONField(default=list)

    class Meta:
        indexes = [
            models.Index(fields=["webhook", "-id"], name="deliveries_newest_first"),
            models.Index(
                fields=["webhook", "next_attempt_at", "id"],
                condition=Q(next_attempt_at__isnull=False),
                name="deliveries_to_send",
            ),
            models.Index(
                fields=["created_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="deliveries_to_give_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} to {self.webhook_id}: {self.state}"
