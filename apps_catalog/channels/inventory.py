"""Every enrolled device is asked once a day what it is: more often would cost their batteries.

Between that it is asked whenever somebody wants to know now.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from apps_catalog.channels import enrollments, outbox
from apps_catalog.channels.choosing import kind_of
from apps_catalog.installations import turns
from apps_catalog.installations.verifying import VERIFYING
from apps_catalog.models import ChannelCommand, Enrollment, Installation, InstallationState
from organizations import audit
from organizations.audit import Actor
from organizations.models import OF_OPEN, Device, Organization
from organizations.models.inventory import DeviceQuerySet
from organizations.refusals import Conflict

EVERY = timedelta(days=1)
# A sweep asks this part of them at most, so that a fleet that enrolled in an hour spreads over the day.
PART = 20
ALWAYS = 50


class NotReached(Conflict):
    code = "device_not_reached"

    def __init__(self) -> None:
        super().__init__(
            "This device is not enrolled with the organization's device channel, so it cannot be"
            " asked. Enroll it, or ask the MDM server that manages it."
        )


def organizations() -> Iterable[int]:
    """All those with an enrolled device."""
    enrolled = Enrollment.objects.using("system").filter(OF_OPEN, is_enrolled=True)
    return enrolled.order_by("organization").values_list("organization", flat=True).distinct()


@transaction.atomic
def ask_due(organization_id: int) -> int:
    """Who was silent for longest first; whoever has not answered yet is not asked again."""
    enrolled = Enrollment.objects.filter(organization=organization_id, is_enrolled=True)
    most = max(ALWAYS, -(-enrolled.count() // PART))
    asked = list(due(enrolled).order_by("inventory_at", "pk")[:most])
    enrollments.ask_everything(asked)
    return len(asked)


def due(enrolled: QuerySet[Enrollment]) -> QuerySet[Enrollment]:
    before = timezone.now() - EVERY
    old = Q(inventory_at=None) | Q(inventory_at__lt=before)
    return enrolled.filter(old, ~asked_already())


def asked_already() -> Exists:
    open_questions = ChannelCommand.objects.filter(
        device=OuterRef("device"), request_type="DeviceInformation", state__in=outbox.OPEN
    )
    return Exists(open_questions)


@transaction.atomic
def ask_now(*, by: Actor, organization: Organization, devices: DeviceQuerySet) -> list[int]:
    """Answers whom their channel reaches; whoever has not answered yet is not asked again."""
    enrolled = Enrollment.objects.filter(
        organization=organization,
        device__in=devices.order_by(),
        is_enrolled=True,
        channel=kind_of(organization.pk),
    )
    reached = list(enrolled.select_related("device").order_by("device"))
    silent = set(enrolled.filter(asked_already()).values_list("pk", flat=True))
    asked = [each for each in reached if each.pk not in silent]
    enrollments.ask_everything(asked)
    _record(by, organization, [each.device for each in asked])
    return [each.device_id for each in reached]


@transaction.atomic
def refresh(*, by: Actor, device: Device) -> None:
    """What it is, and which of its apps it has."""
    theirs = Device.objects.filter(pk=device.pk)
    if not ask_now(by=by, organization=device.organization, devices=theirs):
        raise NotReached
    Installation.objects.filter(
        organization=device.organization_id,
        device=device,
        state__in=(*VERIFYING, InstallationState.INSTALLED),
    ).update(next_at=timezone.now())
    turns.ring(device.organization_id)


def _record(by: Actor, organization: Organization, asked: list[Device]) -> None:
    if not asked:
        return
    audit.record(
        "device.report_asked",
        by=by,
        organization=organization,
        target=asked[0] if len(asked) == 1 else organization,
        after={"devices": len(asked)},
    )
