"""The clock of the simulated fleet: who was woken connects, and what is said goes to the inbox.

It is the same inbox as the webhook's of a real server. Apple is asked before the transaction begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from apps_catalog.channels import inbox
from apps_catalog.channels.base import RawEvent
from apps_catalog.channels.plists import BY_ASSIGNMENT
from apps_catalog.channels.simulated import faults
from apps_catalog.channels.simulated.apple import Holders
from apps_catalog.channels.simulated.behaviour import Machine, StoreApp
from apps_catalog.channels.simulated.faults import ONCE, Fault
from apps_catalog.channels.simulated.telling import Teller
from apps_catalog.installations import licenses
from apps_catalog.models import App, ChannelKind, SimulatedDevice, SimulatedFleet
from organizations import audit
from organizations.audit import Actor
from organizations.models import OF_OPEN, Organization

AT_A_TIME = 1_000
APPLE_IS_SILENT = timedelta(seconds=30)


def tick(organization_id: int, now: datetime | None = None) -> int:
    """How many devices did something."""
    now = now or timezone.now()
    fleet = faults.fleet_of(organization_id)
    happened = _happen(fleet, now)
    holders = Holders(organization_id, _wanted_at_apple(due(organization_id, now)))
    connected = _connect(fleet, holders, now)
    SimulatedFleet.objects.filter(pk=fleet.pk).update(ticked_at=now)
    return happened + connected


def due(organization_id: int, now: datetime) -> QuerySet[SimulatedDevice]:
    found = SimulatedDevice.objects.filter(organization=organization_id, is_offline=False)
    return found.filter(next_at__lte=now).order_by("next_at", "pk")


@transaction.atomic
def wake_all(*, by: Actor, organization: Organization) -> int:
    """All that are on connect at the next tick; how many those are."""
    faults.refuse_others(organization.pk)
    on = SimulatedDevice.objects.filter(organization=organization, is_offline=False)
    woken = on.update(is_awake=True, next_at=timezone.now())
    audit.record(
        "simulated_fleet.woken",
        by=by,
        organization=organization,
        target=faults.fleet_of(organization.pk),
        after={"devices": woken},
    )
    return woken


def waiting() -> list[int]:
    """Organizations whose fleet has something to do; the system role's question."""
    devices = SimulatedDevice.objects.using("system").filter(OF_OPEN, is_offline=False)
    woken = devices.filter(next_at__lte=timezone.now()).values_list("organization", flat=True)
    fleets = SimulatedFleet.objects.using("system").filter(OF_OPEN)
    struck = fleets.filter(faults__has_any_keys=list(ONCE)).values_list("organization", flat=True)
    return sorted({*woken.distinct(), *struck})


def _wanted_at_apple(devices: QuerySet[SimulatedDevice]) -> set[str]:
    queues = devices.values_list("queue", flat=True)[:AT_A_TIME]
    installs = (item for queue in queues for item in queue if _needs_license(item))
    return {str(item["body"]["iTunesStoreID"]) for item in installs}


def _needs_license(item: Mapping[str, Any]) -> bool:
    method = item["body"].get("Options", {}).get("PurchaseMethod")
    return item["type"] == "InstallApplication" and bool(method == BY_ASSIGNMENT)


# --- Devices that connect -------------------------------------------------------------------------


@transaction.atomic
def _connect(fleet: SimulatedFleet, holders: Holders, now: datetime) -> int:
    rows = due(fleet.organization_id, now).select_related("device__enrollment_record")
    devices = list(rows.select_for_update(of=("self",), skip_locked=True)[:AT_A_TIME])
    machines = machines_of(fleet, devices)
    _ask_about_licenses(machines, holders)
    teller, told = Teller(now), []
    for row in devices:
        machine = machines[row.device_id]
        told += _answers(machine, row, teller, now)
        row.queue, row.apps = machine.queue, machine.apps
        is_held_up = any(_is_unsure(item, machine) for item in machine.queue)
        row.is_awake, row.next_at = False, now + APPLE_IS_SILENT if is_held_up else None
    SimulatedDevice.objects.bulk_update(devices, ["queue", "apps", "is_awake", "next_at"], 500)
    _tell(fleet, told)
    return len(devices)


def _answers(
    machine: Machine, row: SimulatedDevice, teller: Teller, now: datetime
) -> list[RawEvent]:
    enrollment = getattr(row.device, "enrollment_record", None)
    if enrollment is None or not enrollment.is_enrolled:
        machine.queue = []  # it has left, and takes no more commands
        return []
    said = [
        teller.answered(machine, _speaker(item, enrollment), item, answer)
        for item, answer in machine.connect(now)
    ]
    if Fault.LOST_ANSWER in machine.faults:
        return []
    if Fault.DUPLICATE_ANSWER in machine.faults:
        said += [replace(each, event_id=f"{each.event_id}-again") for each in said]
    return said[::-1] if Fault.REORDERED in machine.faults else said


def _speaker(item: Mapping[str, Any], enrollment: Any) -> str:
    to_user = item.get("to") == enrollment.user_channel_id and enrollment.user_channel_id
    return str(to_user or enrollment.channel_id)


def _is_unsure(item: Mapping[str, Any], machine: Machine) -> bool:
    return _needs_license(item) and str(item["body"]["iTunesStoreID"]) not in machine.licensed


def _tell(fleet: SimulatedFleet, told: Sequence[RawEvent]) -> None:
    if told:
        inbox.store(fleet.organization_id, ChannelKind.SIMULATED.value, told)


def machines_of(fleet: SimulatedFleet, devices: Iterable[SimulatedDevice]) -> dict[int, Machine]:
    devices = list(devices)
    store = _store_of(devices)
    return {row.device_id: _machine(fleet, row, store) for row in devices}


def _machine(fleet: SimulatedFleet, row: SimulatedDevice, store: Mapping[str, StoreApp]) -> Machine:
    device = row.device
    enrollment = getattr(device, "enrollment_record", None)
    return Machine(
        device_id=device.pk,
        seed=fleet.seed,
        serial_number=device.serial_number or "",
        udid=enrollment.channel_id if enrollment else device.udid,
        name=device.name,
        model=device.model,
        platform=device.platform,
        os_version=device.os_version,
        supervised=device.supervised,
        queue=row.queue,
        apps=row.apps,
        faults={fault for fault in Fault if faults.hits(fleet, fault, device.pk)},
        store=store,
    )


class Store(dict[str, StoreApp]):
    """What the store has of apps; of one that it describes nowhere, what a device would find."""

    def __missing__(self, adam_id: str) -> StoreApp:
        return StoreApp(f"app.id{adam_id}", "1.0")


def _store_of(devices: Iterable[SimulatedDevice]) -> Store:
    ids: set[str] = set()
    for row in devices:
        ids |= set(row.apps)
        ids |= {str(item["body"].get("iTunesStoreID", "")) for item in row.queue}
    apps = App.objects.filter(adam_id__in=ids).exclude(bundle_id="")
    return Store({app.adam_id: StoreApp(app.bundle_id, app.version or "1.0") for app in apps})


def _ask_about_licenses(machines: Mapping[int, Machine], holders: Holders) -> None:
    people = licenses.ask().client_user_ids(list(machines))
    for device_id, machine in machines.items():
        names = {machine.serial_number, *people.get(device_id, ())} - {""}
        wanted = {
            str(item["body"]["iTunesStoreID"]) for item in machine.queue if _needs_license(item)
        }
        found = {adam_id: holders.has(adam_id, names) for adam_id in wanted}
        machine.licensed = {adam_id: has for adam_id, has in found.items() if has is not None}


# --- What happens to devices ----------------------------------------------------------------------


@transaction.atomic
def _happen(fleet: SimulatedFleet, now: datetime) -> int:
    """Switches that act once."""
    switched = [fault for fault in ONCE if fault in fleet.faults]
    if not switched:
        return 0
    ours = SimulatedDevice.objects.filter(organization=fleet.organization_id)
    enrolled = ours.filter(device__enrollment_record__is_enrolled=True)
    rows = list(enrolled.select_related("device__enrollment_record").order_by("pk"))
    teller, told = Teller(now), []
    for row, machine in zip(rows, machines_of(fleet, rows).values(), strict=True):
        told += _struck(machine, teller)
        row.queue, row.apps = machine.queue, machine.apps
    SimulatedDevice.objects.bulk_update(rows, ["queue", "apps"], 500)
    _tell(fleet, told)
    for fault in switched:
        del fleet.faults[fault]
    fleet.save(update_fields=["faults"])
    return len(rows)


def _struck(machine: Machine, teller: Teller) -> list[RawEvent]:
    if Fault.UNINSTALL in machine.faults:
        machine.uninstall_all()
    if Fault.WIPE in machine.faults:
        machine.queue, machine.apps = [], {}
        return [teller.introduced(machine), teller.enrolled(machine)]
    if Fault.CHECK_OUT in machine.faults:
        machine.queue, machine.apps = [], {}
        return [teller.checked_out(machine)]
    return []
