"""Invitations: how a person learns that they may tie their Apple Account to an account of ours.

open -> accepted     by the person, at Apple
  |---> withdrawn    by an admin: its links lead nowhere any more
  |---> retired      the person was retired
  `---  expired      is open, and `expires_at` has passed; sending it again renews it
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from organizations.models import AuditEvent, Membership, Organization
from users.models.people import VppUser
from vpp_accounts.models import VppAccount


def end_of_validity() -> datetime:
    return timezone.now() + timedelta(days=settings.INVITATION_DAYS)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def visible_to(self, membership: Membership) -> InvitationQuerySet:
        accounts = VppAccount.objects.open_to(membership)
        return self.filter(organization=membership.organization_id, account__in=accounts)

    def open(self) -> InvitationQuerySet:
        """Neither accepted nor ended by us; perhaps expired."""
        return self.filter(ended_at=None)


class Invitation(models.Model):
    """One person asked into one account; one open invitation each, however often it is sent.

    The link is a signature over the id and the generation (users/invitations/links.py), so nothing
    that opens it is stored; another generation makes every earlier link void.
    """

    class Ending(models.TextChoices):
        OPEN = "", "Open"
        ACCEPTED = "accepted", "Accepted"
        WITHDRAWN = "withdrawn", "Withdrawn"
        RETIRED = "retired", "Retired"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    account = models.ForeignKey(VppAccount, models.CASCADE, related_name="invitations")
    user = models.ForeignKey(VppUser, models.CASCADE, related_name="invitations")
    generation = models.PositiveSmallIntegerField(default=1)

    actor_kind = models.CharField(max_length=10, choices=AuditEvent.ActorKind.choices)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=254)

    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(default=end_of_validity)
    # Mails: how many were written, when the server took the first and the last of them, and what it
    # said of an address that it does not take.
    mails = models.PositiveSmallIntegerField(default=0)
    reminders = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    last_sent_at = models.DateTimeField(null=True)
    bounced_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)  # the page behind the link, for the first time
    went_on_at = models.DateTimeField(null=True)  # on to Apple's page
    asked_again_at = models.DateTimeField(null=True)  # the person wants a new one
    ended_at = models.DateTimeField(null=True)
    ending = models.CharField(max_length=9, choices=Ending.choices, default=Ending.OPEN, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(ended_at=None), name="one_open_invitation_per_user"
            )
        ]
        indexes = [
            models.Index(
                fields=["account", "last_sent_at"],
                condition=Q(ended_at=None),
                name="invitations_open",
            ),
            models.Index(
                fields=["organization"],
                condition=Q(asked_again_at__isnull=False),
                name="invitations_asked_again",
            ),
        ]

    def __str__(self) -> str:
        return f"Invitation {self.pk} of {self.user_id}"

    @property
    def is_open(self) -> bool:
        return self.ended_at is None

    @property
    def is_expired(self) -> bool:
        return self.is_open and self.expires_at <= timezone.now()


class InvitationSettings(models.Model):
    """How an organization writes to its people."""

    organization = models.OneToOneField(
        Organization, models.CASCADE, related_name="invitation_settings"
    )
    language = models.CharField(max_length=10, default="en")
    wording = models.TextField(max_length=1000, blank=True)  # a paragraph of their own, plain text
    # Days after the last mail; null: no such reminder.
    first_reminder_days = models.PositiveSmallIntegerField(null=True)
    second_reminder_days = models.PositiveSmallIntegerField(null=True)

    def __str__(self) -> str:
        return f"Invitations of {self.organization_id}"

    @classmethod
    def of(cls, organization_id: int) -> InvitationSettings:
        """Those of the organization; unsaved ones where it never changed any."""
        found = cls.objects.filter(organization=organization_id).first()
        return found or cls(organization_id=organization_id)
