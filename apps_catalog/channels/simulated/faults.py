"""What can go wrong in the simulated fleet, switched on and off by a full admin.

A switch holds for a share of the devices, always the same ones. Some happen once, at the next tick.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from apps_catalog.channels.choosing import kind_of
from apps_catalog.channels.simulated.refusals import FaultUnknown, NotSimulated, ShareUnknown
from apps_catalog.models import ChannelKind, SimulatedDevice, SimulatedFleet
from organizations import audit
from organizations.audit import Actor
from organizations.models import Organization


class Fault(models.TextChoices):
    OFFLINE = "offline", "Devices are off"
    NOT_NOW = "not_now", "Devices are busy, and answer NotNow"
    SLOW = "slow", "Installs take a hundred times as long"
    LICENSE_NOT_FOUND = "license_not_found", "Devices find no license, whatever Apple has"
    USER_REJECTS = "user_rejects", "Users refuse apps (devices that are not supervised)"
    LOST_ANSWER = "lost_answer", "Answers never arrive"
    DUPLICATE_ANSWER = "duplicate_answer", "Answers arrive twice"
    REORDERED = "reordered", "Answers arrive in the wrong order"
    UNINSTALL = "uninstall", "Users remove all managed apps"
    CHECK_OUT = "check_out", "Devices leave management"
    WIPE = "wipe", "Devices are wiped, and enroll anew"


ONCE = (Fault.UNINSTALL, Fault.CHECK_OUT, Fault.WIPE)


def fleet_of(organization_id: int) -> SimulatedFleet:
    fleet, _ = SimulatedFleet.objects.get_or_create(organization_id=organization_id)
    return fleet


def refuse_others(organization_id: int) -> None:
    if kind_of(organization_id) != ChannelKind.SIMULATED:
        raise NotSimulated


def named(name: str) -> Fault:
    if name not in Fault.values:
        raise FaultUnknown
    return Fault(name)


def hits(fleet: SimulatedFleet, fault: str, device_id: int) -> bool:
    arguments: Mapping[str, Any] | None = fleet.faults.get(fault)
    if arguments is None:
        return False
    share: float = arguments.get("share", 100) / 100
    return Random(f"{fleet.seed} {fault} {device_id}").random() < share  # noqa: S311  an invention


@transaction.atomic
def switch(
    *, by: Actor, organization: Organization, fault: Fault, on: bool, percent: int = 100
) -> None:
    refuse_others(organization.pk)
    if not 1 <= percent <= 100:
        raise ShareUnknown
    fleet = SimulatedFleet.objects.select_for_update().get(pk=fleet_of(organization.pk).pk)
    before = dict(fleet.faults)
    fleet.faults.pop(fault, None)
    if on:
        fleet.faults[fault.value] = {"share": percent}
    fleet.save(update_fields=["faults"])
    if fault is Fault.OFFLINE:
        _switch_off_devices(fleet)
    if before != fleet.faults:
        audit.record(
            "simulated_fleet.fault_switched",
            by=by,
            organization=organization,
            target=fleet,
            before=before,
            after=fleet.faults,
        )


def _switch_off_devices(fleet: SimulatedFleet) -> None:
    devices = SimulatedDevice.objects.filter(organization=fleet.organization_id)
    ids = list(devices.values_list("device", flat=True))
    off = [pk for pk in ids if hits(fleet, Fault.OFFLINE, pk)]
    devices.filter(device__in=off).update(is_offline=True, is_awake=False, next_at=None)
    # A device that is switched on connects by itself.
    back = devices.filter(is_offline=True).exclude(device__in=off)
    back.update(is_offline=False, is_awake=True, next_at=timezone.now())


def card_of(organization_id: int) -> dict[str, Any]:
    """What the page of the device channel shows."""
    fleet = SimulatedFleet.objects.filter(organization=organization_id).first()
    switched = fleet.faults if fleet else {}
    return {
        "devices": SimulatedDevice.objects.filter(organization=organization_id).count(),
        "ticked_at": fleet and fleet.ticked_at,
        "switches": [
            {
                "fault": fault.value,
                "label": fault.label,
                "percent": switched.get(fault, {}).get("share"),
            }
            for fault in Fault
        ],
    }
