"""One app on one device: from its place in the scope to what the device says of it.

    planned -> license_pending -> licensed -> install_queued -> acknowledged -> installed
       |             |                            |   `-> deferred     |`-> waiting_user
       `-> blocked <-'                            `-> failed           `-> stalled
    out of scope, after the grace: revoke_pending -> reclaimed_pending_removal -> removed

The left half is moved by licensing/automation (scope and licenses), the right half by
apps_catalog/installations (what devices do). A device that is not in scope and has nothing of the
app has no row. `docs/deployment.md` has the whole table.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps_catalog.models.managed import ManagedApp
from organizations.models import AuditEvent, Device, Membership, Organization


class InstallationState(models.TextChoices):
    BLOCKED = "blocked", "Blocked"
    PLANNED = "planned", "Planned"
    LICENSE_PENDING = "license_pending", "License on its way"
    LICENSED = "licensed", "License granted"
    INSTALL_QUEUED = "install_queued", "Install sent"
    DEFERRED = "deferred", "Device is busy"
    ACKNOWLEDGED = "acknowledged", "Installing"
    WAITING_USER = "waiting_user", "Waiting for the user"
    STALLED = "stalled", "No answer for a day"
    INSTALLED = "installed", "Installed"
    REMOVED_BY_USER = "removed_by_user", "Removed by the user"
    FAILED = "failed", "Failed"
    REVOKE_PENDING = "revoke_pending", "License is being taken back"
    RECLAIMED = "reclaimed_pending_removal", "License taken back, app is being removed"
    REMOVED = "removed", "Removed"


S = InstallationState
# Moved by licensing/automation: nothing has been sent to the device yet.
BEFORE_INSTALL = (S.BLOCKED, S.PLANNED, S.LICENSE_PENDING)
# The device has, or may be getting, the app.
ON_ITS_WAY = (S.INSTALL_QUEUED, S.DEFERRED, S.ACKNOWLEDGED, S.WAITING_USER, S.STALLED)
AFTER_LICENSE = (S.LICENSED, *ON_ITS_WAY, S.INSTALLED, S.REMOVED_BY_USER, S.FAILED)
ENDING = (S.REVOKE_PENDING, S.RECLAIMED, S.REMOVED)


class InstallationQuerySet(models.QuerySet["Installation"]):
    def visible_to(self, membership: Membership) -> InstallationQuerySet:
        return self.filter(managed_app__in=ManagedApp.objects.visible_to(membership))


class Installation(models.Model):
    """One managed app on one device. Keys without database constraints: there may be millions.

    `is_wanted`: in scope. `left_at`: out of scope since then, until the grace is over.
    `reason` is a code of apps_catalog/reasons.py, `detail` what Apple or the device said.
    """

    organization = models.ForeignKey(
        Organization, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    managed_app = models.ForeignKey(
        ManagedApp,
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="installations",
    )
    device = models.ForeignKey(
        Device,
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="installations",
    )
    state = models.CharField(max_length=25, choices=InstallationState.choices)
    reason = models.CharField(max_length=40, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    is_wanted = models.BooleanField(default=True)
    left_at = models.DateTimeField(null=True)
    # Asked for by somebody, where the app does not install or take licenses by itself.
    asked_at = models.DateTimeField(null=True)
    asked_by = models.CharField(max_length=254, blank=True)
    # The license that it is for, at the serial number or at the owner's clientUserId.
    account_id = models.BigIntegerField(null=True)
    licensed_app_id = models.BigIntegerField(null=True)
    # Of the device's half.
    attempts = models.PositiveSmallIntegerField(default=0)
    command_id = models.BigIntegerField(null=True)  # the ChannelCommand under way
    next_at = models.DateTimeField(null=True)  # when the sweep looks at it again
    stalls_at = models.DateTimeField(null=True)
    is_managed = models.BooleanField(null=True)  # as the device last said; None: it said nothing
    version = models.CharField(max_length=50, blank=True)
    error_chain = models.JSONField(null=True)
    since = models.DateTimeField(default=timezone.now)  # in this state

    objects = InstallationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["managed_app", "device"], name="app_once_per_device")
        ]
        indexes = [
            models.Index(fields=["organization", "device"], name="installations_of_a_device"),
            models.Index(fields=["managed_app", "state", "id"], name="installations_by_state"),
            models.Index(
                fields=["organization", "next_at"],
                condition=Q(next_at__isnull=False),
                name="installations_due",
            ),
            models.Index(
                fields=["organization", "id"],
                condition=Q(state__in=["licensed", "reclaimed_pending_removal"]),
                name="installations_for_devices",
            ),
            models.Index(
                fields=["managed_app", "left_at"],
                condition=Q(is_wanted=False),
                name="installations_leaving",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.managed_app_id} on {self.device_id}: {self.state}"


class InstallationStep(models.Model):
    """One transition of an installation: who or what caused it. The history of a device's page.

    `event_key` names what was heard (a command's answer, a batch's item); the same is heard once.
    """

    organization = models.ForeignKey(
        Organization, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    managed_app_id = models.BigIntegerField()
    device_id = models.BigIntegerField()
    at = models.DateTimeField(default=timezone.now)
    old = models.CharField(max_length=25, blank=True)
    new = models.CharField(max_length=25, blank=True)
    cause = models.CharField(max_length=300)
    actor_kind = models.CharField(max_length=10, choices=AuditEvent.ActorKind.choices)
    actor_name = models.CharField(max_length=254)
    event_key = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "device_id", "managed_app_id", "event_key"],
                condition=~Q(event_key=""),
                name="an_event_is_heard_once",
            )
        ]
        indexes = [
            models.Index(fields=["organization", "device_id", "-id"], name="steps_of_a_device"),
            models.Index(fields=["organization", "at"], name="steps_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.old} to {self.new}"
