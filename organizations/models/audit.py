"""The append-only record of who did what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KT

from organizations.models.tenant import Organization

if TYPE_CHECKING:
    from organizations.models.people import Membership

# What others did at Apple, found there by us; and what our batches did, a row for each license.
FOUND_AT_APPLE = ("assignment.found", "assignment.gone")
OF_BATCHES = ("assignment.granted", "assignment.revoked")
DEVICE_DELETED = "device.deleted"
PERSON = "vppuser"  # whose own events are read among all others
DEVICE = "device"  # likewise


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def visible_to(self, membership: Membership) -> AuditEventQuerySet:
        """Network admins see no organization-level information."""
        if not membership.sees_organization:
            return self.none()
        return self.filter(organization=membership.organization_id)


class AuditEvent(models.Model):
    """One thing that happened or was refused. The application's role can only insert."""

    class ActorKind(models.TextChoices):
        ADMIN = "admin", "Admin"
        API_KEY = "api_key", "API key"
        APPLE = "apple", "Found at Apple"
        RULE = "rule", "Rule"
        SYSTEM = "system", "System"

    organization = models.ForeignKey(
        Organization, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    at = models.DateTimeField(auto_now_add=True)
    actor_kind = models.CharField(max_length=10, choices=ActorKind.choices)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=254)
    action = models.CharField(max_length=64)
    target_kind = models.CharField(max_length=32)
    target_id = models.BigIntegerField(null=True)
    target_name = models.CharField(max_length=254)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    refused = models.BooleanField(default=False)
    request_id = models.CharField(max_length=64, blank=True)
    address = models.GenericIPAddressField(null=True)  # of whoever asked

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        # The id grows with time: one index serves "newest first" within an organization.
        indexes = [
            models.Index(fields=["organization", "-id"], name="audit_newest_first"),
            # Days asked for, and what has been kept long enough (organizations/audit_log).
            models.Index(fields=["organization", "at"], name="audit_by_time"),
            # A grant to 100,000 devices must not stand between the reader and everything else.
            models.Index(
                fields=["organization", "-id"],
                condition=~Q(action__in=OF_BATCHES),
                name="audit_without_each_license",
            ),
            models.Index(
                fields=["organization", "-id"], condition=Q(refused=True), name="audit_refused"
            ),
            models.Index(
                fields=["organization", "-at"],
                condition=Q(action__in=FOUND_AT_APPLE),
                name="audit_found_at_apple",
            ),
            models.Index(
                "organization",
                KT("before__serialNumber"),
                condition=Q(action=DEVICE_DELETED),
                name="audit_deleted_devices",
            ),
            models.Index(
                fields=["organization", "target_id", "-id"],
                condition=Q(target_kind=PERSON),
                name="audit_of_people",
            ),
            models.Index(
                fields=["organization", "target_id", "-id"],
                condition=Q(target_kind=DEVICE),
                name="audit_of_devices",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target_kind} {self.target_name}"
