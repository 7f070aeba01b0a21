"""Files with people: what was uploaded, and what each of its rows would do."""

from __future__ import annotations

from django.db import models

from organizations.models import Membership
from organizations.models.imports import FileImport, FileImportRow
from vpp_accounts.models import VppAccount


class PeopleImportQuerySet(models.QuerySet["PeopleImport"]):
    def visible_to(self, membership: Membership) -> PeopleImportQuerySet:
        """Owners are the organization's; who also become people of an account are for its admins."""
        if not membership.sees_organization:
            return self.none()
        accounts = VppAccount.objects.open_to(membership)
        ours = self.filter(organization=membership.organization_id)
        return ours.filter(models.Q(account=None) | models.Q(account__in=accounts))


class PeopleImport(FileImport):
    """With an account its people are registered there as well."""

    account = models.ForeignKey(VppAccount, models.CASCADE, null=True, related_name="+")
    invites = models.BooleanField(default=False)  # send invitations to those who are new
    source = models.CharField(max_length=4)  # Owner.Source of those who are new
    register_batch_id = models.BigIntegerField(null=True)
    invite_batch_id = models.BigIntegerField(null=True)

    objects = PeopleImportQuerySet.as_manager()


class ImportRow(FileImportRow):
    people_import = models.ForeignKey(
        PeopleImport, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="rows"
    )
    name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=254, blank=True)
    username = models.CharField(max_length=200, blank=True)
    tags = models.CharField(max_length=2000, blank=True)  # separated by spaces
    managed_apple_account = models.CharField(max_length=254, blank=True)
    owner_id = models.BigIntegerField(null=True)  # whom it is about, where they are known

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["people_import", "number"], name="one_verdict_per_row")
        ]
        indexes = [
            models.Index(fields=["people_import", "verdict", "number"], name="rows_by_verdict")
        ]
