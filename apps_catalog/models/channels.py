"""The way to devices: settings, enrollments, commands out, events in."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from organizations import crypto
from organizations.models import Device, Network, Organization


class ChannelKind(models.TextChoices):
    SIMULATED = "simulated", "Simulated fleet"
    NANOMDM = "nanomdm", "NanoMDM"
    NONE = "none", "None: another MDM installs apps"


class ChannelSettings(models.Model):
    """How an organization reaches its devices. `kind` empty: as the installation says."""

    organization = models.OneToOneField(
        Organization, models.CASCADE, related_name="channel_settings"
    )
    kind = models.CharField(max_length=10, choices=ChannelKind.choices, blank=True)
    base_url = models.CharField(max_length=500, blank=True)
    api_user = models.CharField(max_length=100, blank=True, default="nanomdm")
    api_key_ciphertext = models.TextField(blank=True)
    # Where the server posts its events, and the key that it signs them with.
    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    webhook_key_ciphertext = models.TextField(blank=True)
    topic = models.CharField(max_length=200, blank=True)  # of the push certificate
    # Devices that enroll without saying where they belong.
    network = models.ForeignKey(Network, models.SET_NULL, null=True, blank=True, related_name="+")
    check_asked_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)
    version = models.CharField(max_length=100, blank=True)
    push_expires_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=500, blank=True)
    last_event_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)  # an event with a wrong signature, or with none

    def __str__(self) -> str:
        return "Device channel"

    @property
    def crypto_context(self) -> str:
        return f"channel settings {self.uuid}"

    @property
    def api_key(self) -> str:
        return self._open(self.api_key_ciphertext)

    @api_key.setter
    def api_key(self, text: str) -> None:
        self.api_key_ciphertext = self._seal(text)

    @property
    def webhook_key(self) -> str:
        return self._open(self.webhook_key_ciphertext)

    @webhook_key.setter
    def webhook_key(self, text: str) -> None:
        self.webhook_key_ciphertext = self._seal(text)

    def _open(self, ciphertext: str) -> str:
        return crypto.decrypt(ciphertext, bound_to=self.crypto_context) if ciphertext else ""

    def _seal(self, text: str) -> str:
        return crypto.encrypt(text, bound_to=self.crypto_context) if text else ""


class Enrollment(models.Model):
    """A device as its channel knows it. `channel_id`: the UDID, or the enrollment's id."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    device = models.OneToOneField(Device, models.CASCADE, related_name="enrollment_record")
    channel = models.CharField(max_length=10, choices=ChannelKind.choices)
    channel_id = models.CharField(max_length=200)
    user_channel_id = models.CharField(max_length=300, blank=True)
    topic = models.CharField(max_length=200, blank=True)
    is_enrolled = models.BooleanField(default=False)  # false: enrolling, or gone
    enrolled_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # An enrollment's own moment, as its server tells it: what is older is not applied any more.
    as_of = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    inventory_at = models.DateTimeField(null=True)  # last told all about itself
    store_account_hash = models.CharField(max_length=100, blank=True)  # iTunesStoreAccountHash
    awaits_configuration = models.BooleanField(default=False)  # in Setup Assistant

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "channel", "channel_id"], name="enrollment_once"
            )
        ]
        indexes = [
            models.Index(fields=["organization", "user_channel_id"], name="enrollments_of_users")
        ]

    def __str__(self) -> str:
        return self.channel_id


class CommandState(models.TextChoices):
    WAITING = "waiting", "To be sent"
    QUEUED = "queued", "With the MDM server"
    DEFERRED = "deferred", "Device is busy"
    DONE = "done", "Acknowledged"
    FAILED = "failed", "Failed"
    VOID = "void", "No longer wanted"


class ChannelCommand(models.Model):
    """One command to one device: the outbox.

    `uuid` is ours and stored before it is sent, so that sending again is no second command. Several
    devices share it where they are sent the same at once.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    device = models.ForeignKey(Device, models.CASCADE, related_name="commands")
    channel_id = models.CharField(max_length=300)
    uuid = models.UUIDField(default=uuid.uuid4)
    request_type = models.CharField(max_length=60)  # Apple's: InstallApplication, …
    body = models.JSONField(default=dict)  # the rest of the Command dictionary
    # Null: it is not about one app (DeviceInformation, ManagedApplicationList).
    managed_app_id = models.BigIntegerField(null=True)
    state = models.CharField(
        max_length=8, choices=CommandState.choices, default=CommandState.WAITING
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    wakes = models.PositiveSmallIntegerField(default=0)  # pushes since it was queued
    next_at = models.DateTimeField(default=timezone.now, null=True)  # to send, or to push again
    deadline = models.DateTimeField(null=True)  # then it is sent anew, with another UUID
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=500, blank=True)
    answer = models.JSONField(null=True)  # what the device said, without secrets

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["uuid", "device"], name="command_once_per_device")
        ]
        indexes = [
            models.Index(
                fields=["organization", "next_at"],
                condition=Q(state__in=["waiting", "queued", "deferred"]),
                name="commands_due",
            ),
            models.Index(fields=["device", "-id"], name="commands_of_a_device"),
            models.Index(fields=["organization", "uuid", "channel_id"], name="commands_by_uuid"),
        ]

    def __str__(self) -> str:
        return f"{self.request_type} {self.uuid}"


class ChannelEvent(models.Model):
    """What a channel told, stored before it is understood; heard once, however often it is sent.

    The payload holds a device's push token, so it is sealed, and forgotten once it is handled.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    channel = models.CharField(max_length=10, choices=ChannelKind.choices)
    event_id = models.CharField(max_length=100)
    topic = models.CharField(max_length=60)  # mdm.Authenticate, mdm.Connect, …
    told_at = models.DateTimeField()  # as the server says: events overtake one another
    payload_ciphertext = models.TextField(blank=True)
    received_at = models.DateTimeField(auto_now_add=True)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    handled_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "channel", "event_id"], name="channel_event_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(handled_at__isnull=True),
                name="channel_events_to_handle",
            ),
            models.Index(fields=["organization", "-id"], name="channel_events_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.event_id}"

    @property
    def crypto_context(self) -> str:
        return f"channel event {self.organization_id} {self.event_id}"

    @property
    def payload(self) -> str:
        return crypto.decrypt(self.payload_ciphertext, bound_to=self.crypto_context)

    @payload.setter
    def payload(self, text: str) -> None:
        self.payload_ciphertext = crypto.encrypt(text, bound_to=self.crypto_context)
