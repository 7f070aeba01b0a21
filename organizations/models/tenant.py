"""Organizations and their networks (sites)."""

from __future__ import annotations

import zoneinfo
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

if TYPE_CHECKING:
    from organizations.models.people import Membership

# Of rows that name their organization: those that work is done for.
OF_OPEN = Q(organization__suspended_at=None, organization__deletion_asked_at=None)


class OrganizationQuerySet(models.QuerySet["Organization"]):
    def open(self) -> OrganizationQuerySet:
        """Those that work is done for."""
        return self.filter(suspended_at=None, deletion_asked_at=None)


class Organization(models.Model):
    """A tenant: a school district, a company. Nothing of it is visible to another one."""

    name = models.CharField(max_length=200)
    time_zone = models.CharField(
        max_length=64, default="UTC", help_text="For example Europe/Vienna"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    # The installation's operator has closed it: nobody works in it, nothing runs for it.
    suspended_at = models.DateTimeField(null=True, blank=True)
    suspended_reason = models.CharField(max_length=500, blank=True)
    # An admin has deleted it: closed as well, and gone for good at `deletes_at`.
    deletion_asked_at = models.DateTimeField(null=True, blank=True)
    deletion_asked_by = models.CharField(max_length=254, blank=True)
    deletes_at = models.DateTimeField(null=True, blank=True)
    # Asked for with the deletion, until a worker has begun all of it.
    takes_licenses_back = models.BooleanField(default=False)

    requires_second_factor = models.BooleanField(default=False)
    requires_single_sign_on = models.BooleanField(default=False)
    # Null: the audit log is kept for as long as the organization.
    audit_kept_months = models.PositiveSmallIntegerField(null=True, blank=True)

    objects = OrganizationQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        return self.suspended_at is None and self.deletion_asked_at is None

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
        # No join: a network that is theirs by itself and by a tag would come twice.
        return ours.filter(pk__in=membership.network_accesses.values("network"))

    def writable_by(self, membership: Membership) -> NetworkQuerySet:
        ours = self.filter(organization=membership.organization_id)
        return ours if membership.can_write else ours.filter(pk__in=membership.written_networks)


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
