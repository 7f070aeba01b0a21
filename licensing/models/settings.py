"""What an organization decides about its licenses."""

from __future__ import annotations

from django.db import models

from organizations.models import Organization


class DepartureChoice(models.TextChoices):
    """What becomes of a device's licenses when it is deleted, wiped, unenrolled or moved."""

    NOW = "now", "Take them back now"
    LATER = "later", "Take them back after some days"
    KEEP = "keep", "Keep them"


class LicensingSettings(models.Model):
    """What an organization decides about its licenses."""

    organization = models.OneToOneField(Organization, models.CASCADE, related_name="licensing")
    # Fewer licenses left than this raise a notice; null: no notice unless a title has its own.
    low_threshold = models.PositiveIntegerField(null=True, blank=True)
    # What is proposed when a device leaves, and done where nobody is asked.
    departure_choice = models.CharField(
        max_length=5, choices=DepartureChoice.choices, default=DepartureChoice.NOW
    )
    departure_days = models.PositiveSmallIntegerField(default=7)
    # When it was last looked for licenses that could be freed (licensing/reclaim).
    reclaims_as_of = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return "VPP settings"
