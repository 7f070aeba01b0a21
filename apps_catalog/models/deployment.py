"""An organization's deployment: at which one worker is at a time."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from organizations.models import Organization


class DeploymentQuerySet(models.QuerySet["Deployment"]):
    def due(self) -> DeploymentQuerySet:
        """Those with something to do that nobody is doing."""
        now = timezone.now()
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        left_behind = Q(lease_until__lt=now)  # its worker died
        return self.filter(free & (Q(due_at__lte=now) | left_behind))


class Deployment(models.Model):
    """What apps_catalog/installations works on, with the lease of its worker."""

    organization = models.OneToOneField(Organization, models.CASCADE, related_name="+")
    due_at = models.DateTimeField(null=True, db_index=True)
    lease_until = models.DateTimeField(null=True)
    lease_token = models.PositiveIntegerField(default=0)
    counted_at = models.DateTimeField(null=True)  # what moved until then is counted

    objects = DeploymentQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Deployment of {self.organization_id}"
