"""Devices of the inventory become devices of the simulated fleet."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from apps_catalog.channels import inbox
from apps_catalog.channels.simulated import faults, fleet
from apps_catalog.channels.simulated.telling import Teller
from apps_catalog.installations import turns
from apps_catalog.models import ChannelKind, Enrollment, SimulatedDevice
from organizations import audit, hooks
from organizations.audit import Actor
from organizations.models import Device, Organization, Platform

NAMES = UUID("b1f7a0d2-6a0d-4c0e-9a37-0c1de6a4b0f1")
KIND = ChannelKind.SIMULATED
BY = Actor.system("Simulated fleet")


@transaction.atomic
def enroll(organization_id: int, *, by: Actor = BY) -> int:
    """All devices that are not enrolled; how many there were."""
    faults.refuse_others(organization_id)
    organization = Organization.objects.get(pk=organization_id)
    devices = Device.objects.filter(organization=organization)
    new = list(devices.filter(enrollment_record=None).order_by("pk"))
    _add(organization, new)
    gone = _gone(organization_id)
    _introduce(organization_id, gone)
    if new or gone:
        _announce(by, organization, new, len(gone))
    return len(new) + len(gone)


def _add(organization: Organization, devices: Sequence[Device]) -> None:
    now = timezone.now()
    Enrollment.objects.bulk_create(
        [
            Enrollment(
                organization=organization,
                device=device,
                channel=KIND,
                channel_id=_channel_id(device),
                user_channel_id=_user_channel_id(device),
                is_enrolled=True,
                enrolled_at=now,
                as_of=now,
                seen_at=now,
            )
            for device in devices
        ],
        batch_size=1000,
    )
    SimulatedDevice.objects.bulk_create(
        [SimulatedDevice(organization=organization, device=device) for device in devices],
        batch_size=1000,
    )
    ids = [device.pk for device in devices]
    none = Device.objects.filter(pk__in=ids, enrollment=Device.Enrollment.NONE)
    none.update(enrollment=Device.Enrollment.DEVICE)
    Device.objects.filter(pk__in=ids).update(
        unenrolled_at=None, wiped_at=None, last_connected_at=now
    )


def _channel_id(device: Device) -> str:
    return device.udid or str(uuid5(NAMES, f"device {device.pk}")).upper()


def _user_channel_id(device: Device) -> str:
    if device.platform != Platform.MACOS or device.owner_id is None:
        return ""
    return f"{_channel_id(device)}:{str(uuid5(NAMES, f'owner {device.owner_id}')).upper()}"


def _gone(organization_id: int) -> QuerySet[SimulatedDevice]:
    """They left, or were enrolled by another channel: they enroll as real ones do."""
    left = Q(device__enrollment_record__is_enrolled=False)
    rows = SimulatedDevice.objects.filter(left, organization=organization_id)
    return rows.select_related("device__enrollment_record").order_by("pk")


def _introduce(organization_id: int, gone: QuerySet[SimulatedDevice]) -> None:
    teller = Teller(timezone.now())
    machines = fleet.machines_of(faults.fleet_of(organization_id), gone).values()
    told = [
        event
        for machine in machines
        for event in (teller.introduced(machine), teller.enrolled(machine))
    ]
    if told:
        inbox.store(organization_id, KIND.value, told)


def _announce(by: Actor, organization: Organization, new: Sequence[Device], again: int) -> None:
    audit.record(
        "simulated_fleet.enrolled",
        by=by,
        organization=organization,
        target=faults.fleet_of(organization.pk),
        after={"devices": len(new) + again},
    )
    hooks.devices_changed.send(
        sender=Device,
        organization=organization,
        device_ids=[device.pk for device in new],
        cause="enrolled",
    )
    turns.ring(organization.pk)
