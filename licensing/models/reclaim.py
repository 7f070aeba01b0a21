"""Licenses that could serve somebody else: rules that find them, and each one on its way back."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from licensing.models.apps import LicensedApp
from licensing.models.assignments import Assignment
from licensing.models.batches import OfAccount
from organizations.models import Device, Membership, Organization
from organizations.models.inventory import DeviceQuerySet
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


class ReclaimQuerySet(OfAccount):
    def visible_to(self, membership: Membership) -> ReclaimQuerySet:
        """Of accounts open to them; admins of networks see their own devices only."""
        ours: ReclaimQuerySet = super().visible_to(membership)  # type: ignore[assignment]
        if membership.sees_organization:
            return ours
        return ours._of(Device.objects.visible_to(membership))

    def writable_by(self, membership: Membership) -> ReclaimQuerySet:
        """Those that this admin may take back, keep or protect."""
        ours = self.filter(account__in=VppAccount.objects.manageable_by(membership))
        if membership.can_write:
            return ours
        return ours._of(Device.objects.writable_by(membership))

    def open(self) -> ReclaimQuerySet:
        return self.filter(state__in=Reclaim.OPEN)

    def due(self) -> ReclaimQuerySet:
        """Whose time has come and that wait for nobody's decision."""
        return self.all_due().filter(Q(waits_since=None) | ~Q(allowed_by=""))

    def all_due(self) -> ReclaimQuerySet:
        return self.filter(state=Reclaim.State.PLANNED, due_at__lte=timezone.now())

    def waiting(self) -> ReclaimQuerySet:
        """For somebody who says that so much may go at once."""
        return self.filter(state=Reclaim.State.PLANNED, waits_since__isnull=False, allowed_by="")

    def _of(self, devices: DeviceQuerySet) -> ReclaimQuerySet:
        serials = devices.filter(serial_number__isnull=False).values("serial_number")
        return self.filter(holder_kind=Assignment.HolderKind.DEVICE, holder__in=serials)


class Reclaim(models.Model):
    """One license that could go back: found, waited for, asked for, or kept.

    found -> planned -> started -> done     found: its rule is off; started: a batch takes it back
      |         |          |-> planned      Apple refused; tried again a day later
      |         |          `-> failed       and refused it to the end
      `---------+-> undone                  a person keeps it
                `-> void                    the reason is gone, or nobody holds it any more
    """

    class State(models.TextChoices):
        FOUND = "found", "Could be freed"
        PLANNED = "planned", "Will be taken back"
        STARTED = "started", "Being taken back"
        DONE = "done", "Taken back"
        UNDONE = "undone", "Kept"
        VOID = "void", "No longer needed"
        FAILED = "failed", "Could not be taken back"

    OPEN = (State.FOUND, State.PLANNED, State.STARTED)

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    account = models.ForeignKey(VppAccount, models.CASCADE, related_name="+")
    licensed_app = models.ForeignKey(LicensedApp, models.CASCADE, related_name="+")
    holder_kind = models.CharField(max_length=6, choices=Assignment.HolderKind.choices)
    holder = models.CharField(max_length=255, db_collation="C")
    holder_name = models.CharField(max_length=200, blank=True)  # as it was: it may be deleted
    cause = models.CharField(max_length=16, choices=ReclaimCause.choices)
    since = models.DateTimeField(default=timezone.now)  # the cause
    state = models.CharField(max_length=8, choices=State.choices, default=State.PLANNED)
    note = models.CharField(max_length=300, blank=True)  # why it ended as it did
    found_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField(null=True)  # null: no rule takes it back
    by_name = models.CharField(max_length=254, blank=True)  # who chose it; empty: the rule
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.CharField(max_length=254, blank=True)
    batch_id = models.BigIntegerField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    # So much at once that a person has to say so first, and who did.
    waits_since = models.DateTimeField(null=True)
    allowed_by = models.CharField(max_length=254, blank=True)

    objects = ReclaimQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["licensed_app", "holder_kind", "holder"],
                condition=Q(state__in=["found", "planned", "started"]),
                name="one_open_reclaim_per_license",
            )
        ]
        indexes = [
            models.Index(
                fields=["due_at", "organization"],
                condition=Q(state__in=["planned", "started"]),
                name="reclaims_due",
            ),
            models.Index(fields=["organization", "state", "-id"], name="reclaims_by_state"),
            models.Index(fields=["organization", "holder"], name="reclaims_of_a_holder"),
        ]

    def __str__(self) -> str:
        return f"{self.licensed_app_id} from {self.holder}: {self.state}"

    @property
    def waits_for_decision(self) -> bool:
        is_held = self.waits_since is not None and not self.allowed_by
        return is_held and self.state == self.State.PLANNED


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
