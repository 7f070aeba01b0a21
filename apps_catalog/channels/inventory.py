"""Every enrolled device is asked once a day what it is: more often would cost their batteries."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from apps_catalog.channels import enrollments, outbox
from apps_catalog.models import ChannelCommand, Enrollment
from organizations.models import OF_OPEN

EVERY = timedelta(days=1)
# A sweep asks this part of them at most, so that a fleet that enrolled in an hour spreads over the day.
PART = 20
ALWAYS = 50


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
    open_questions = ChannelCommand.objects.filter(
        device=OuterRef("device"), request_type="DeviceInformation", state__in=outbox.OPEN
    )
    old = Q(inventory_at=None) | Q(inventory_at__lt=before)
    return enrolled.filter(old, ~Exists(open_questions))
