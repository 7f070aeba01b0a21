"""Automatic licensing: what has to be looked at, who looks at it, and what waits for a person."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps_catalog.models import ManagedApp
from organizations.models import Membership, Organization


class AutomationQuerySet(models.QuerySet["Automation"]):
    def due(self) -> AutomationQuerySet:
        """Those with something to look at that nobody is looking at."""
        now = timezone.now()
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        left_behind = Q(lease_until__lt=now)  # its worker died
        return self.filter(free & (Q(due_at__lte=now) | left_behind))


class Automation(models.Model):
    """An organization's automatic licensing, at which one worker is at a time."""

    organization = models.OneToOneField(Organization, models.CASCADE, related_name="automation")
    due_at = models.DateTimeField(null=True, db_index=True)
    lease_until = models.DateTimeField(null=True)
    lease_token = models.PositiveIntegerField(default=0)
    swept_at = models.DateTimeField(null=True)  # everything, last
    sweep_seconds = models.FloatField(null=True)
    paused_at = models.DateTimeField(null=True)
    paused_by = models.CharField(max_length=254, blank=True)

    objects = AutomationQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Automation of {self.organization_id}"


class AutomationChange(models.Model):
    """Something changed that scopes depend on. Null: all devices, or all apps."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    device_id = models.BigIntegerField(null=True)
    managed_app_id = models.BigIntegerField(null=True)
    cause = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["organization", "id"], name="changes_to_look_at")]

    def __str__(self) -> str:
        return f"Device {self.device_id}, app {self.managed_app_id}"


class AutomationHoldQuerySet(models.QuerySet["AutomationHold"]):
    def visible_to(self, membership: Membership) -> AutomationHoldQuerySet:
        return self.filter(managed_app__in=ManagedApp.objects.visible_to(membership))

    def waiting(self) -> AutomationHoldQuerySet:
        return self.filter(decided_at=None)


class AutomationHold(models.Model):
    """A rule would take back so many licenses that a person decides; meanwhile it takes none."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    managed_app = models.ForeignKey(ManagedApp, models.CASCADE, related_name="holds")
    revokes = models.PositiveIntegerField()
    assigned = models.PositiveIntegerField()  # of the title, of which those are a part
    named = models.JSONField(default=list)  # the first holders
    created_at = models.DateTimeField(auto_now_add=True)
    as_of = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=254, blank=True)
    allowed = models.BooleanField(null=True)
    # Allowed for so many at most: more than were shown is asked again.
    allowed_up_to = models.PositiveIntegerField(null=True)

    objects = AutomationHoldQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["managed_app"], condition=Q(decided_at=None), name="one_open_hold_per_app"
            )
        ]

    def __str__(self) -> str:
        return f"{self.revokes:,} of {self.assigned:,}"
