"""One write at Apple."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from organizations.models import Organization
from vpp_accounts.models import VppAccount


class AppleOperation(models.Model):
    """One write at Apple. Its items are the batch items that point at it.

    It is stored before it is sent: one that is found `sending` without a worker is one whose
    answer nobody heard.
    """

    class State(models.TextChoices):
        SENDING = "sending", "Being sent"
        PENDING = "pending", "Accepted by Apple"
        LOST = "lost", "Answer lost"
        DONE = "done", "Done"
        REFUSED = "refused", "Refused"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    account = models.ForeignKey(VppAccount, models.CASCADE, related_name="apple_operations")
    path = models.CharField(max_length=40)  # Apple's: "assets/associate"
    assets = models.PositiveIntegerField(default=0)
    holders = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=8, choices=State.choices, default=State.SENDING)
    event_id = models.CharField(max_length=100, blank=True)
    requested = models.PositiveIntegerField(default=0)
    completed = models.PositiveIntegerField(default=0)
    failures = models.JSONField(default=list)  # Apple's, as numbers, texts and targets
    error_number = models.IntegerField(null=True)
    message = models.CharField(max_length=500, blank=True)
    readings = models.PositiveSmallIntegerField(default=0)  # of Apple's lists, for what is true
    next_poll_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["account", "next_poll_at"],
                condition=Q(settled_at=None),
                name="operations_to_settle",
            ),
            models.Index(fields=["account", "event_id"], name="operations_by_event"),
        ]

    def __str__(self) -> str:
        return f"{self.path} {self.event_id or self.pk}"

    @property
    def is_about_people(self) -> bool:
        return self.path.startswith("users/")
