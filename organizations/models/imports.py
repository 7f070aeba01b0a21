"""What all imports of files have in common: the upload, and its rows with a verdict each."""

from __future__ import annotations

import uuid

from django.db import models

from organizations.models.audit import AuditEvent
from organizations.models.tenant import Organization


class FileImport(models.Model):
    """One uploaded file.

    checking -> checked -> applying -> finished
        |          `-> cancelled
        `-> failed     the file cannot be read; `problem` says why

    Nothing that it is about is written before `applying`, and then all of it in one transaction.
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
    file_name = models.CharField(max_length=200)
    file = models.BinaryField(null=True)  # until its rows are read
    is_complete = models.BooleanField(default=False)  # what is not in it is missing

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

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.file_name


class FileImportRow(models.Model):
    """One row of a file as it was read, with its verdict. Its number is that of the spreadsheet.

    Keys without database constraints: a hundred thousand rows would pay for them one by one.
    """

    class Verdict(models.TextChoices):
        NEW = "new", "New"
        UPDATE = "update", "Update"
        UNCHANGED = "unchanged", "Unchanged"
        ERROR = "error", "Error"

    organization = models.ForeignKey(
        Organization, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    number = models.PositiveIntegerField()
    verdict = models.CharField(max_length=9, choices=Verdict.choices, blank=True)
    message = models.CharField(max_length=300, blank=True)  # what changes, or what is wrong

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"Row {self.number}: {self.verdict}"
