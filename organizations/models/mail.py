"""Mail that waits for a worker, so that no page waits for a mail server and none is lost."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from organizations.models.tenant import Organization


class OutgoingMail(models.Model):
    """One mail to one address. `key` says what it is about: each key goes to an address once.

    The text is emptied once it is sent, since it may hold a link that opens something.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    to = models.EmailField(max_length=254)
    subject = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    headers = models.JSONField(default=dict, blank=True)  # List-Unsubscribe and the like
    from_name = models.CharField(max_length=200, blank=True)  # in the place of the installation's
    # One of very many: it lets pass whatever is about something urgent.
    is_bulk = models.BooleanField(default=False)
    with_logo = models.BooleanField(default=False)  # the organization's, as `cid:logo`
    created_at = models.DateTimeField(auto_now_add=True)
    # Null once nothing more will be tried: sent, or given up with `error`.
    next_attempt_at = models.DateTimeField(null=True, default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "key", "to"], name="one_mail_per_key_and_address"
            )
        ]
        indexes = [
            models.Index(
                fields=["is_bulk", "next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="mail_to_send",
            ),
            models.Index(
                fields=["sent_at"], condition=Q(sent_at__isnull=False), name="mail_sent_lately"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} to {self.to}"
