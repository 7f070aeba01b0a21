"""Organizations and their networks (sites)."""

from __future__ import annotations

import zoneinfo
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower

if TYPE_CHECKING:
    from organizations.models.people import Membership


class Organization(models.Model):
    """A tenant: a school district, a company. Nothing of it is visible to another one."""

    name = models.CharField(max_length=200)
    time_zone = models.CharField(
        max_length=64, default="UTC", help_text="For example Europe/Vienna"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)


class Logo(models.Model):
    """An organization's logo, made anew from what was uploaded: a small PNG and nothing else."""

    organization = models.OneToOneField(Organization, models.CASCADE, related_name="logo")
    png = models.BinaryField()
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.width} x {self.height}"


class NetworkQuerySet(models.QuerySet["Network"]):
    def visible_to(self, membership: Membership) -> NetworkQuerySet:
        """All of them for organization admins; network admins see the ones they were given."""
        ours = self.filter(organization=membership.organization_id)
        if membership.sees_organization:
            return ours
        return ours.filter(accesses__membership=membership)

    def writable_by(self, membership: Membership) -> NetworkQuerySet:
        ours = self.filter(organization=membership.organization_id)
        if membership.can_write:
            return ours
        return ours.filter(accesses__membership=membership, accesses__can_write=True)


class Network(models.Model):
    """A site inside an organization: a school, a branch. Devices belong to networks."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="networks")
    name = models.CharField(max_length=200)
    time_zone = models.CharField(max_length=64, default="UTC")
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    notes = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = NetworkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "organization", Lower("name"), name="network_name_once_per_organization"
            )
        ]

    def __str__(self) -> str:
        return self.name
