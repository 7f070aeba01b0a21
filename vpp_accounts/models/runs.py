"""One run of the sync, with its lease and its progress."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from organizations.models import Admin, Membership, Organization
from vpp_accounts.models.accounts import VppAccount

LEASE = timedelta(seconds=30)


class SyncRunQuerySet(models.QuerySet["SyncRun"]):
    def visible_to(self, membership: Membership) -> SyncRunQuerySet:
        accounts = VppAccount.objects.visible_to(membership)
        return self.filter(organization=membership.organization_id, account__in=accounts)

    def open(self) -> SyncRunQuerySet:
        return self.filter(finished_at=None)

    def unattended(self) -> SyncRunQuerySet:
        """Open runs that nobody works on: never claimed, or their worker died."""
        return self.open().filter(Q(lease_until=None) | Q(lease_until__lt=timezone.now()))

    def overdue(self) -> SyncRunQuerySet:
        """Unattended for so long that their bell cannot have been heard."""
        return self.unattended().filter(created_at__lt=timezone.now() - LEASE)

    def claim(self, run_id: int) -> SyncRun | None:
        """The run, if it was free; None when someone else has it. One conditional statement."""
        now = timezone.now()
        claimed = (
            self.unattended()
            .filter(pk=run_id)
            .update(
                lease_until=now + LEASE,
                lease_token=F("lease_token") + 1,
                attempts=F("attempts") + 1,
                started_at=models.functions.Coalesce("started_at", now),
                phase=SyncRun.Phase.CONFIG,
                done=0,
                total=0,
            )
        )
        return self.select_related("account").get(pk=run_id) if claimed else None


class SyncRun(models.Model):
    """Copies Apple's state of one account to us. At most one is open per account."""

    class Trigger(models.TextChoices):
        ADDED = "added", "Account added"
        RENEWED = "renewed", "Token renewed"
        MANUAL = "manual", "Sync now"
        SCHEDULE = "schedule", "Schedule"
        COMMAND = "command", "Command line"
        API = "api", "API"
        NEWS = "news", "News from Apple"
        POLL = "poll", "Polling"

    class Phase(models.TextChoices):
        QUEUED = "queued", "Waiting for a worker"
        CONFIG = "config", "Asking Apple about the account"
        ASSETS = "assets", "Reading titles"
        USERS = "users", "Reading users"
        ASSIGNMENTS = "assignments", "Reading assignments"
        SAVING = "saving", "Saving changes"
        CONFIRMING = "confirming", "Confirming removals"
        DONE = "done", "Done"

    class Outcome(models.TextChoices):
        OPEN = "", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    account = models.ForeignKey(VppAccount, models.CASCADE, related_name="sync_runs")
    trigger = models.CharField(max_length=10, choices=Trigger.choices)
    requested_by = models.ForeignKey(Admin, models.SET_NULL, null=True, related_name="+")
    # A whole traversal even where Apple's versionId says that nothing changed.
    is_full = models.BooleanField(default=False)

    phase = models.CharField(max_length=12, choices=Phase.choices, default=Phase.QUEUED)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)  # what changed: {"titlesAdded": 3, …}
    outcome = models.CharField(
        max_length=10, choices=Outcome.choices, default=Outcome.OPEN, blank=True
    )
    error_number = models.IntegerField(null=True)
    message = models.CharField(max_length=500, blank=True)

    lease_until = models.DateTimeField(null=True)
    lease_token = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = SyncRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(finished_at=None),
                name="one_open_sync_run_per_account",
            )
        ]
        indexes = [models.Index(fields=["account", "-id"], name="sync_runs_newest_first")]

    def __str__(self) -> str:
        return f"Sync {self.pk} of {self.account_id}: {self.phase}"

    @property
    def is_open(self) -> bool:
        return self.finished_at is None

    @property
    def progress_text(self) -> str:
        """How far the phase is, as a person reads it; empty while nothing can be counted."""
        if not self.total:
            return ""
        reading = (self.Phase.ASSETS, self.Phase.USERS, self.Phase.ASSIGNMENTS)
        unit = "page " if self.phase in reading else ""
        return f"{unit}{self.done:,} of {self.total:,}"

    @property
    def percent(self) -> int:
        return min(100, self.done * 100 // self.total) if self.total else 0
