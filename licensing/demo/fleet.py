"""The district's simulated fleet: enrolled, and most apps installed long ago.

What is left over is carried out by the worker as soon as the demo runs.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from apps_catalog.channels import simulated
from apps_catalog.channels.choosing import kind_of
from apps_catalog.installations.transitions import Transition, move
from apps_catalog.models import (
    ChannelKind,
    Enrollment,
    Installation,
    InstallationState,
    InstallationStep,
    PurchaseMethod,
    SimulatedDevice,
)
from apps_catalog.reasons import Reason
from licensing.automation import engine
from licensing.automation.counting import recount
from licensing.demo.tenant import DEMO
from organizations.models import Device, Organization

S = InstallationState
SCHOOL_BEGAN = timedelta(days=80)
IN_A_DRAWER = timedelta(days=20)
DECIDES = timedelta(days=30)  # for as long the users of a few devices are asked

INSTALLED = Transition(S.INSTALLED, "The device has it", DEMO)
ASKED = Transition(S.WAITING_USER, "The device asks its user", DEMO)
FAILED = Transition(
    S.FAILED,
    "The device refused it: The license could not be found",
    DEMO,
    reason=Reason.LICENSE_NOT_FOUND,
    detail="The license could not be found (MCMDMErrorDomain 12064)",
)
ON_THE_WAY = (
    Transition(S.INSTALL_QUEUED, "Install sent", DEMO),
    Transition(S.ACKNOWLEDGED, "The device acknowledged it", DEMO),
)
TRIES = 4


def bring_to_life(organization: Organization) -> None:
    """Rules say who gets what, and of most it is said that it happened already."""
    if Installation.objects.filter(organization=organization).exists():
        return
    is_simulated = kind_of(organization.pk) == ChannelKind.SIMULATED
    if is_simulated:
        _enroll(organization)
    engine.run(organization.pk)
    if is_simulated:
        _invent_installs(organization)


# --- The fleet --------------------------------------------------------------------------------------


@transaction.atomic
def _enroll(organization: Organization) -> None:
    """At the beginning of the school year; when each was last seen stays as it was told."""
    devices = Device.objects.filter(organization=organization)
    seen = list(devices.only("pk", "last_connected_at"))
    simulated.enroll(organization.pk, by=DEMO)
    Device.objects.bulk_update(seen, ["last_connected_at"])
    Enrollment.objects.filter(organization=organization).update(
        enrolled_at=timezone.now() - SCHOOL_BEGAN
    )
    fleet = SimulatedDevice.objects.filter(organization=organization)
    long_ago = timezone.now() - IN_A_DRAWER
    fleet.filter(device__last_connected_at__lt=long_ago).update(is_offline=True)


# --- What it has ------------------------------------------------------------------------------------


@transaction.atomic
def _invent_installs(organization: Organization) -> None:
    rows = _licensed(organization)
    ends: dict[str, list[Installation]] = {"installed": [], "asked": [], "failed": []}
    for row in rows:
        ends.get(_end_of(row), []).append(row)
    _install(ends["installed"])
    _ask_users(ends["asked"])
    _fail(ends["failed"])
    _put_on_devices(ends["installed"], until=timezone.now() - SCHOOL_BEGAN)
    _put_on_devices(ends["asked"], until=timezone.now() + DECIDES)
    _date_steps(rows)
    recount({row.managed_app_id for row in rows})


def _licensed(organization: Organization) -> Sequence[Installation]:
    licensed = Installation.objects.filter(
        organization=organization,
        state=S.LICENSED,
        reason="",
        managed_app__installs_automatically=True,
        device__simulated__is_offline=False,
    ).exclude(managed_app__purchase_method=PurchaseMethod.CODES)
    return list(licensed.select_related("device", "managed_app__app").order_by("pk"))


def _share(of: str) -> float:
    """The same story each time."""
    return random.Random(of).random()  # noqa: S311  no secret


def _end_of(row: Installation) -> str:
    """Supervised devices and Macs ask nobody."""
    share = _share(f"{row.device.name} {row.managed_app.adam_id}")
    if not (row.device.supervised or row.managed_app.platform == "macOS"):
        return "asked" if share < 0.4 else "installed"
    if share < 0.02:
        return "failed"
    return "installed" if share < 0.97 else "later"


def _install(rows: Collection[Installation]) -> None:
    _move(rows, *ON_THE_WAY, INSTALLED)
    for row in rows:
        row.is_managed, row.version = True, row.managed_app.app.version or "1.0"
    Installation.objects.bulk_update(rows, ["is_managed", "version"])


def _ask_users(rows: Collection[Installation]) -> None:
    _move(rows, *ON_THE_WAY, ASKED)


def _fail(rows: Collection[Installation]) -> None:
    """To the end: it is not tried again until somebody says so."""
    _move(rows, *ON_THE_WAY, FAILED)
    Installation.objects.filter(pk__in=[row.pk for row in rows]).update(attempts=TRIES)


def _move(rows: Collection[Installation], *transitions: Transition) -> None:
    for transition in transitions:
        move([row.pk for row in rows], transition)


def _put_on_devices(rows: Collection[Installation], *, until: datetime) -> None:
    """Inside the devices themselves, who are asked about it later."""
    fleet = SimulatedDevice.objects.in_bulk({row.device_id for row in rows}, field_name="device_id")
    for row in rows:
        app = row.managed_app.app
        fleet[row.device_id].apps[row.managed_app.adam_id] = {
            "bundleId": app.bundle_id or f"app.id{app.adam_id}",
            "version": app.version or "1.0",
            "managed": True,
            "asks_until": until.isoformat(),
            "until": until.isoformat(),
            "rejected": False,
        }
    SimulatedDevice.objects.bulk_update(fleet.values(), ["apps"])


def _date_steps(rows: Sequence[Installation]) -> None:
    """It did not all happen just now."""
    now = timezone.now()
    at = {row.device_id: now - SCHOOL_BEGAN * (0.2 + 0.7 * _share(str(row.device))) for row in rows}
    steps = list(InstallationStep.objects.filter(device_id__in=at).order_by("pk"))
    for number, step in enumerate(steps):
        step.at = at[step.device_id] + timedelta(seconds=number)
    InstallationStep.objects.bulk_update(steps, ["at"], batch_size=500)
    for row in rows:
        row.since = at[row.device_id] + timedelta(seconds=len(steps))
    Installation.objects.bulk_update(rows, ["since"], batch_size=500)
