"""Licenses that could serve somebody else: rules that find them, and each one on its way back."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from licensing.models.apps import LicensedApp
from licensing.models.assignments import Assignment
from licensing.models.batches import OfAccount
from organizations.models import Membership, Organization
from vpp_accounts.models import VppAccount


class ReclaimCause(models.TextChoices):
    UNENROLLED = "unenrolled", "Device unenrolled"
    WIPED = "wiped", "Device wiped"
    DELETED = "deleted", "Device deleted"
    MOVED = "moved", "Device moved to another network"
    MISSING = "missing", "Device missing from its source"
    NEVER_INSTALLED = "never_installed", "App never installed"
    RETIRED_OWNER = "retired_owner", "Owner retired"


class ReclaimRule(models.Model):
    """What an organization takes back by itself. `days`: how long it has to be so (missing, never
    installed); `grace_days`: how long after it was found."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="reclaim_rules")
    cause = models.CharField(max_length=16, choices=ReclaimCause.choices)
    is_enabled = models.BooleanField(default=False)
    days = models.PositiveSmallIntegerField(default=30)
    grace_days = models.PositiveSmallIntegerField(default=7)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "cause"], name="one_rule_per_cause")
        ]

    def __str__(self) -> str:
        return self.get_cause_display()


class Reclaim(models.Model):
    """One license that is to go back: found, waited for, asked for, or undone.

    planned -> started -> done        started: a batch takes it back
       |-> undone                     by a person, within the grace
       `-> void                       the reason is gone, or nobody holds it any more
    """

    class State(models.TextChoices):
        PLANNED = "planned", "Will be taken back"
        STARTED = "started", "Being taken back"
        DONE = "done", "Taken back"
        UNDONE = "undone", "Kept"
        VOID = "void", "No longer needed"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    account = models.ForeignKey(VppAccount, models.CASCADE, related_name="+")
    licensed_app = models.ForeignKey(LicensedApp, models.CASCADE, related_name="+")
    holder_kind = models.CharField(max_length=6, choices=Assignment.HolderKind.choices)
    holder = models.CharField(max_length=255, db_collation="C")
    holder_name = models.CharField(max_length=200, blank=True)  # as it was: it may be deleted
    cause = models.CharField(max_length=16, choices=ReclaimCause.choices)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PLANNED)
    found_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField()
    by_name = models.CharField(max_length=254, blank=True)  # who chose it; empty: the rule
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.CharField(max_length=254, blank=True)
    batch_id = models.BigIntegerField(null=True)

    objects = OfAccount.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["licensed_app", "holder_kind", "holder"],
                condition=Q(state__in=["planned", "started"]),
                name="one_open_reclaim_per_license",
            )
        ]
        indexes = [
            models.Index(
                fields=["organization", "due_at"],
                condition=Q(state="planned"),
                name="reclaims_due",
            ),
            models.Index(fields=["organization", "state", "-id"], name="reclaims_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.licensed_app_id} from {self.holder}: {self.state}"


class ProtectedHolderQuerySet(models.QuerySet["ProtectedHolder"]):
    def visible_to(self, membership: Membership) -> ProtectedHolderQuerySet:
        if not membership.sees_organization:
            return self.none()
        return self.filter(organization=membership.organization_id)


class ProtectedHolder(models.Model):
    """Nothing is taken from this holder by any rule; of one title, or (null) of all."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    holder_kind = models.CharField(max_length=6, choices=Assignment.HolderKind.choices)
    holder = models.CharField(max_length=255, db_collation="C")
    name = models.CharField(max_length=200, blank=True)
    adam_id = models.CharField(max_length=20, blank=True)  # empty: all titles
    reason = models.CharField(max_length=300, blank=True)
    by_name = models.CharField(max_length=254)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProtectedHolderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "holder_kind", "holder", "adam_id"],
                name="protected_once",
            )
        ]

    def __str__(self) -> str:
        return self.name or self.holder
