"""Files with devices: what was uploaded, and what each of its rows would do (as files with people)."""

from __future__ import annotations

from django.db import models

from organizations.models.imports import FileImport, FileImportRow
from organizations.models.people import Membership
from organizations.models.tenant import Network


class DeviceImportQuerySet(models.QuerySet["DeviceImport"]):
    def visible_to(self, membership: Membership) -> DeviceImportQuerySet:
        """A file may name devices of any network, so it is for those who see the organization."""
        if not membership.sees_organization:
            return self.none()
        return self.filter(organization=membership.organization_id)


class DeviceImport(FileImport):
    # Of rows that name none: where new devices go.
    network = models.ForeignKey(Network, models.CASCADE, null=True, related_name="+")

    objects = DeviceImportQuerySet.as_manager()


class DeviceImportRow(FileImportRow):
    device_import = models.ForeignKey(
        DeviceImport, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="rows"
    )
    serial_number = models.CharField(max_length=32, blank=True, db_collation="C")
    name = models.CharField(max_length=200, blank=True)
    model = models.CharField(max_length=100, blank=True)
    platform = models.CharField(max_length=20, blank=True)
    os_version = models.CharField(max_length=20, blank=True)
    supervised = models.CharField(max_length=5, blank=True)  # "true", "false", or nothing said
    owner_email = models.CharField(max_length=254, blank=True)
    tags = models.CharField(max_length=2000, blank=True)  # separated by spaces
    network = models.CharField(max_length=200, blank=True)
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
