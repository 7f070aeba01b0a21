"""Files with devices: what was uploaded, and what each of its rows would do (as files with people)."""

from __future__ import annotations

import uuid

from django.db import models

from organizations.models.audit import AuditEvent
from organizations.models.people import Membership
from organizations.models.tenant import Network, Organization


class DeviceImportQuerySet(models.QuerySet["DeviceImport"]):
    def visible_to(self, membership: Membership) -> DeviceImportQuerySet:
        """A file may name devices of any network, so it is for those who see the organization."""
        if not membership.sees_organization:
            return self.none()
        return self.filter(organization=membership.organization_id)


class DeviceImport(models.Model):
    """One uploaded file.

    checking -> checked -> applying -> finished
        |          `-> cancelled
        `-> failed     the file cannot be read; `problem` says why

    Nothing of any device is written before `applying`, and then all of it in one transaction.
    """

    class State(models.TextChoices):
        CHECKING = "checking", "Checking"
        CHECKED = "checked", "Checked"
        APPLYING = "applying", "Importing"
        FINISHED = "finished", "Finished"
        FAILED = "failed", "Not readable"
        CANCELLED = "cancelled", "Cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    # Of rows that name none: where new devices go.
    network = models.ForeignKey(Network, models.CASCADE, null=True, related_name="+")
    file_name = models.CharField(max_length=200)
    file = models.BinaryField(null=True)  # until its rows are read
    is_complete = models.BooleanField(default=False)  # a device that is not in it is missing

    state = models.CharField(max_length=9, choices=State.choices, default=State.CHECKING)
    problem = models.CharField(max_length=500, blank=True)
    # Rows by verdict: {"new": 3, "update": 1, "unchanged": 40, "error": 2}, and "missing": those
    # that a complete list would flag.
    counts = models.JSONField(default=dict)

    actor_kind = models.CharField(max_length=10, choices=AuditEvent.ActorKind.choices)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=254)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    checked_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = DeviceImportQuerySet.as_manager()

    def __str__(self) -> str:
        return self.file_name


class DeviceImportRow(models.Model):
    """One row of a file as it was read, with its verdict. Its number is that of the spreadsheet.

    Keys without database constraints: two hundred thousand rows would pay for them one by one.
    """

    class Verdict(models.TextChoices):
        NEW = "new", "New"
        UPDATE = "update", "Update"
        UNCHANGED = "unchanged", "Unchanged"
        ERROR = "error", "Error"

    organization = models.ForeignKey(
        Organization, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    device_import = models.ForeignKey(
        DeviceImport, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="rows"
    )
    number = models.PositiveIntegerField()
    serial_number = models.CharField(max_length=32, blank=True, db_collation="C")
    name = models.CharField(max_length=200, blank=True)
    model = models.CharField(max_length=100, blank=True)
    platform = models.CharField(max_length=20, blank=True)
    os_version = models.CharField(max_length=20, blank=True)
    supervised = models.CharField(max_length=5, blank=True)  # "true", "false", or nothing said
    owner_email = models.CharField(max_length=254, blank=True)
    tags = models.CharField(max_length=2000, blank=True)  # separated by spaces
    network = models.CharField(max_length=200, blank=True)
    verdict = models.CharField(max_length=9, choices=Verdict.choices, blank=True)
    message = models.CharField(max_length=300, blank=True)  # what changes, or what is wrong
    device_id = models.BigIntegerField(null=True)  # which one it is about, where it is known

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["device_import", "number"], name="one_verdict_per_row_of_devices"
            )
        ]
        indexes = [
            models.Index(
                fields=["device_import", "verdict", "number"], name="device_rows_by_verdict"
            )
        ]

    def __str__(self) -> str:
        return f"Row {self.number}: {self.verdict}"
