"""What Apple tells us of its own accord."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from organizations.models import Organization
from vpp_accounts.models.accounts import VppAccount

MOST_ATTEMPTS = 10  # then a person decides whether it is worth another


class NotificationQuerySet(models.QuerySet["Notification"]):
    def waiting(self) -> NotificationQuerySet:
        """Not handled yet; a worker should look at those whose time has come."""
        return self.filter(handled_at=None)

    def due(self) -> NotificationQuerySet:
        return self.waiting().filter(
            next_attempt_at__lte=timezone.now(), attempts__lt=MOST_ATTEMPTS
        )

    def failed(self) -> NotificationQuerySet:
        return self.waiting().exclude(error="")


class Notification(models.Model):
    """One notification of Apple's, stored before it is understood.

    Apple sends some twice, in any order, and loses others: `notification_id` is opaque text and
    stands once; what a notification says is a hint that a read confirms.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    account = models.ForeignKey(VppAccount, models.CASCADE, related_name="notifications")
    notification_id = models.CharField(max_length=200)
    kind = models.CharField(max_length=60)  # Apple's notificationType, known to us or not
    payload = models.JSONField()  # the inner `notification` object as Apple sent it
    received_at = models.DateTimeField(auto_now_add=True)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    handled_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "notification_id"], name="notification_once_per_account"
            )
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(handled_at__isnull=True),
                name="notifications_to_handle",
            ),
            models.Index(fields=["account", "-id"], name="notifications_newest_first"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.notification_id}"

    @property
    def is_given_up(self) -> bool:
        return self.handled_at is None and self.attempts >= MOST_ATTEMPTS
