"""A device that leaves takes its apps with it: what was known of them is known no more.

Its licenses are not decided here (licensing/reclaim, licensing/automation).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from apps_catalog.channels import outbox
from apps_catalog.installations import turns
from apps_catalog.installations.transitions import Transition, move
from apps_catalog.installations.work import BY
from apps_catalog.models import (
    ChannelCommand,
    Enrollment,
    Installation,
    InstallationState,
    InstallationStep,
)
from apps_catalog.models.installations import AFTER_LICENSE
from apps_catalog.reasons import Reason
from organizations.models import Device, Organization

S = InstallationState
CAUSES = {"unenrolled": "The device was unenrolled", "wiped": "The device was wiped"}


def departing(
    sender: Any,
    *,
    organization: Organization,
    devices: QuerySet[Device],
    cause: str,
    **kwargs: Any,
) -> None:
    """The hook `devices_departing`. A device that moves keeps what it has."""
    ids = list(devices.order_by("pk").values_list("pk", flat=True))
    if cause in CAUSES:
        _forget(ids, CAUSES[cause])
    elif cause == "deleted":
        _delete(ids)
    turns.ring(organization.pk)


def _forget(device_ids: Collection[int], cause: str) -> None:
    _end_enrollments(device_ids)
    commands = ChannelCommand.objects.filter(device__in=device_ids, state__in=outbox.OPEN)
    outbox.void(list(commands.values_list("pk", flat=True)), f"{cause}.")
    rows = Installation.objects.filter(device__in=device_ids)
    ids = list(rows.values_list("pk", flat=True))
    again = Transition(S.LICENSED, cause, BY, reason=Reason.NOT_ENROLLED)
    move(ids, again, only_from=AFTER_LICENSE)
    move(ids, Transition(S.REMOVED, cause, BY), only_from=[S.RECLAIMED])
    rows.update(is_managed=None, version="", attempts=0, error_chain=None, command_id=None)


def _end_enrollments(device_ids: Collection[int]) -> None:
    """A person may say it before the device does, or in the place of one that is lost."""
    enrolled = Enrollment.objects.filter(device__in=device_ids, is_enrolled=True)
    enrolled.update(is_enrolled=False, ended_at=timezone.now())


def _delete(device_ids: Collection[int]) -> None:
    """They hang on the device without a constraint of the database."""
    Installation.objects.filter(device__in=device_ids)._raw_delete(using="default")
    InstallationStep.objects.filter(device_id__in=device_ids)._raw_delete(using="default")
