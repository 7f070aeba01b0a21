"""Files with people: what was uploaded, and what each of its rows would do.

    checking -> checked -> applying -> finished
        |          `-> cancelled
        `-> failed     the file cannot be read; `problem` says why

Nothing of anybody is written before `applying`, and then all of it in one transaction.
"""

from __future__ import annotations

import uuid

from django.db import models

from organizations.models import AuditEvent, Membership, Organization
from vpp_accounts.models import VppAccount


class PeopleImportQuerySet(models.QuerySet["PeopleImport"]):
    def visible_to(self, membership: Membership) -> PeopleImportQuerySet:
        """Owners are the organization's; who also become people of an account are for its admins."""
        if not membership.sees_organization:
            return self.none()
        accounts = VppAccount.objects.open_to(membership)
        ours = self.filter(organization=membership.organization_id)
        return ours.filter(models.Q(account=None) | models.Q(account__in=accounts))


class PeopleImport(models.Model):
    """One uploaded file. With an account its people are registered there as well."""

    class State(models.TextChoices):
        CHECKING = "checking", "Checking"
        CHECKED = "checked", "Checked"
        APPLYING = "applying", "Importing"
        FINISHED = "finished", "Finished"
        FAILED = "failed", "Not readable"
        CANCELLED = "cancelled", "Cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    account = models.ForeignKey(VppAccount, models.CASCADE, null=True, related_name="+")
    file_name = models.CharField(max_length=200)
    file = models.BinaryField(null=True)  # until its rows are read
    invites = models.BooleanField(default=False)  # send invitations to those who are new
    is_complete = models.BooleanField(default=False)  # whoever is not in it has left
    source = models.CharField(max_length=4)  # Owner.Source of those who are new

    state = models.CharField(max_length=9, choices=State.choices, default=State.CHECKING)
    problem = models.CharField(max_length=500, blank=True)
    # Rows by verdict: {"new": 3, "update": 1, "unchanged": 40, "error": 2}, and "missing": those
    # whom a complete list would flag.
    counts = models.JSONField(default=dict)
    register_batch_id = models.BigIntegerField(null=True)
    invite_batch_id = models.BigIntegerField(null=True)

    actor_kind = models.CharField(max_length=10, choices=AuditEvent.ActorKind.choices)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=254)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    checked_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = PeopleImportQuerySet.as_manager()

    def __str__(self) -> str:
        return self.file_name


class ImportRow(models.Model):
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
    people_import = models.ForeignKey(
        PeopleImport, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="rows"
    )
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=254, blank=True)
    username = models.CharField(max_length=200, blank=True)
    tags = models.CharField(max_length=2000, blank=True)  # separated by spaces
    managed_apple_account = models.CharField(max_length=254, blank=True)
    verdict = models.CharField(max_length=9, choices=Verdict.choices, blank=True)
    message = models.CharField(max_length=300, blank=True)  # what changes, or what is wrong
    owner_id = models.BigIntegerField(null=True)  # whom it is about, where they are known

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["people_import", "number"], name="one_verdict_per_row")
        ]
        indexes = [
            models.Index(fields=["people_import", "verdict", "number"], name="rows_by_verdict")
        ]

    def __str__(self) -> str:
        return f"Row {self.number}: {self.verdict}"
