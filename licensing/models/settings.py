"""What an organization decides about its licenses."""

from __future__ import annotations

from django.db import models

from organizations.models import Organization


class LicensingSettings(models.Model):
    """What an organization decides about its licenses."""

    organization = models.OneToOneField(Organization, models.CASCADE, related_name="licensing")
    # Fewer licenses left than this raise a notice; null: no notice unless a title has its own.
    low_threshold = models.PositiveIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return "VPP settings"
