"""What has to be looked at again, and calling a worker to it. The rows are what counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.dispatch import Signal
from django.utils import timezone

from licensing.models import Automation, AutomationChange

# `automation_waits(organization_id, seconds)`: sent after the commit; the worker's door listens.
automation_waits = Signal()

MOST_DEVICES = 10_000  # named one by one; of more, all are looked at
SOON = timedelta(seconds=3)  # news of licenses comes in crowds

# Causes that change nobody's scope. Only where licenses came or went by themselves, also what is
# installed is looked at.
LICENSES, SUPPLY, ASKED = "licenses", "supply", "asked"
OF_LICENSES = (LICENSES, SUPPLY, ASKED)
SWEEP = "sweep"  # of looking at everything, which is done every hour


def request(
    organization_id: int,
    *,
    device_ids: Iterable[int] | None = None,
    managed_app_ids: Iterable[int] | None = None,
    cause: str,
) -> None:
    """Look at these devices, or these apps, or (neither is given) at everything.

    Call it in the transaction of the change; a worker is called after the commit.
    """
    devices, apps = _each(device_ids), _each(managed_app_ids)
    if not devices or not apps:
        return
    if len(devices) > MOST_DEVICES:
        devices = EVERY
    AutomationChange.objects.bulk_create(
        [
            AutomationChange(
                organization_id=organization_id,
                device_id=device_id,
                managed_app_id=app_id,
                cause=cause[:100],
            )
            for device_id in devices
            for app_id in apps
        ],
        batch_size=2000,
    )
    call(organization_id)


EVERY: list[int | None] = [None]


def _each(ids: Iterable[int] | None) -> list[int | None]:
    return EVERY if ids is None else list(dict.fromkeys(ids))


def call(organization_id: int, *, within: timedelta = timedelta()) -> None:
    """There is something to do; after the commit, since whoever works holds this row."""
    transaction.on_commit(lambda: _call(organization_id, within), robust=True)


def call_each(organization_ids: Collection[int], *, within: timedelta = SOON) -> None:
    """Whose licenses have moved. Costs nothing where somebody has been called already, or where
    nothing is automatic."""
    at = timezone.now() + within
    for pk in organization_ids:
        _bring_forward(pk, at, within)


def _call(organization_id: int, within: timedelta) -> None:
    at = timezone.now() + within
    if _bring_forward(organization_id, at, within):
        return
    _, is_new = Automation.objects.get_or_create(
        organization_id=organization_id, defaults={"due_at": at}
    )
    if is_new:
        ring(organization_id, seconds=within.total_seconds())


def _bring_forward(organization_id: int, at: datetime, within: timedelta) -> bool:
    later = Q(due_at=None) | Q(due_at__gt=at)
    rows = Automation.objects.filter(later, organization=organization_id)
    called = rows.update(due_at=at) > 0
    if called:
        ring(organization_id, seconds=within.total_seconds())
    return called


def ring(organization_id: int, *, seconds: float = 0) -> None:
    automation_waits.send(Automation, organization_id=organization_id, seconds=seconds)
