"""Devices of the district that have left, and what could be taken back from them."""

from __future__ import annotations

from datetime import timedelta

from django.db import connections
from django.utils import timezone

from apps_catalog.models import Enrollment, Installation, InstallationStep, ManagedApp
from licensing import reclaim
from licensing.automation.counting import recount
from licensing.demo.deploying import first_admin
from licensing.models import Assignment, Reclaim, ReclaimCause
from licensing.reclaim.rules import Departure, Rule, save_rules
from organizations.audit import Actor
from organizations.devices import changing
from organizations.models import Device, DeviceSource, Organization
from organizations.models.inventory import DeviceQuerySet

FILLED = (Assignment, Device, Enrollment, Installation, InstallationStep, ManagedApp)
LEFT, MISSED = timedelta(days=2), timedelta(days=41)
GRACE_DAYS = 7


def let_some_leave(organization: Organization) -> None:
    """One iPad has left management, another is in no list any more; rules have looked at both."""
    if Reclaim.objects.filter(organization=organization).exists():
        return
    membership = first_admin(organization)
    save_rules(
        by=Actor.of_admin(membership.admin),
        membership=membership,
        organization=organization,
        rules=[Rule(ReclaimCause.UNENROLLED, is_enabled=True, grace_days=GRACE_DAYS)],
        departure=Departure("later", GRACE_DAYS),
    )
    left, missed = _holders(organization, "RES Cart A", 1), _holders(organization, "RES Cart B", 1)
    _unenroll(organization, left)
    missed.update(missing_since=timezone.now() - MISSED, missing_from=DeviceSource.CSV)
    _count_rows()
    reclaim.look(organization.pk)
    # What was on the iPad that left is no longer known to be there.
    apps = ManagedApp.objects.filter(organization=organization)
    recount(list(apps.values_list("pk", flat=True)))


def _count_rows() -> None:
    """Tables that were empty a moment ago are joined as if they still were: that takes minutes."""
    tables = [model._meta.db_table for model in FILLED]
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(tables)}")


def _holders(organization: Organization, name: str, number: int) -> DeviceQuerySet:
    """The last of these devices that hold licenses."""
    held = Assignment.objects.filter(organization=organization, holder_kind="device")
    devices = Device.objects.filter(organization=organization, name__startswith=name)
    found = devices.filter(serial_number__in=held.values("holder")).order_by("-name")[:number]
    return Device.objects.filter(pk__in=list(found.values_list("pk", flat=True)))


def _unenroll(organization: Organization, devices: DeviceQuerySet) -> None:
    at = timezone.now() - LEFT
    Enrollment.objects.filter(device__in=devices).update(is_enrolled=False, ended_at=at, as_of=at)
    changing.mark_unenrolled(
        by=Actor.of_admin(first_admin(organization).admin),
        organization=organization,
        devices=devices,
        at=at,
    )
