"""One license in use."""

from __future__ import annotations

from django.db import models

from licensing.models.apps import LicensedApp
from organizations.models import Membership, Organization
from vpp_accounts.models import VppAccount


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def visible_to(self, membership: Membership) -> AssignmentQuerySet:
        accounts = VppAccount.objects.open_to(membership)
        return self.filter(organization=membership.organization_id, account__in=accounts)


class Assignment(models.Model):
    """One asset held by one serial number or one clientUserId, known to us or not.

    Apple gives assignments no id: their identity is the tuple, and so is our primary key. It
    starts with the account, so that "all of an account", "all of a title" and "this holder" are
    ranges of one index; a million rows cost one index less (docs/decisions.md).
    """

    class HolderKind(models.TextChoices):
        DEVICE = "device", "Device"
        USER = "user", "User"

    class Origin(models.TextChoices):
        MANUAL = "manual", "Granted by an admin"
        RULE = "rule", "Granted by a rule"
        APPLE = "apple", "Found at Apple"
        OTHER_MDM = "other_mdm", "Granted by another MDM"

    # Foreign keys without database constraints: five million rows would pay for them one by one.
    pk = models.CompositePrimaryKey("account_id", "licensed_app_id", "holder_kind", "holder")
    organization = models.ForeignKey(
        Organization, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    account = models.ForeignKey(
        VppAccount, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    licensed_app = models.ForeignKey(
        LicensedApp,
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="assignments",
    )
    holder_kind = models.CharField(max_length=6, choices=HolderKind.choices)
    holder = models.CharField(max_length=255, db_collation="C")
    origin = models.CharField(max_length=10, choices=Origin.choices, default=Origin.APPLE)
    # Ours, where one of our batches granted it: it knows who and why.
    batch_id = models.BigIntegerField(null=True)
    # The ManagedApp because of which it was granted: only that is taken back because of it.
    rule_id = models.BigIntegerField(null=True)
    # Since when no managed app wants it any more that a rule gave it for: the grace runs from here.
    unwanted_at = models.DateTimeField(null=True)
    since = models.DateTimeField()  # when we first saw it; Apple keeps no times

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["organization", "holder"], name="assignments_of_a_holder")]

    def __str__(self) -> str:
        return f"{self.licensed_app_id} to {self.holder_kind} {self.holder}"
