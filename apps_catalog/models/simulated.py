"""The simulated fleet: devices that exist here alone, moved by a clock (apps_catalog/channels)."""

from __future__ import annotations

from django.db import models

from organizations.models import Device, Organization


class SimulatedFleet(models.Model):
    """An organization's fleet: how it behaves. `faults`: switch -> its arguments."""

    organization = models.OneToOneField(Organization, models.CASCADE, related_name="+")
    seed = models.BigIntegerField(default=1)
    ticked_at = models.DateTimeField(null=True)
    faults = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"Simulated fleet of {self.organization_id}"


class SimulatedDevice(models.Model):
    """What one device has inside: its queue of commands and its apps, by Adam ID."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    device = models.OneToOneField(Device, models.CASCADE, related_name="simulated")
    queue = models.JSONField(default=list)
    apps = models.JSONField(default=dict)
    is_awake = models.BooleanField(default=False)  # it was pushed, and connects at the next tick
    is_offline = models.BooleanField(default=False)
    next_at = models.DateTimeField(null=True, db_index=True)  # when it has something to do

    def __str__(self) -> str:
        return f"Simulated {self.device_id}"
