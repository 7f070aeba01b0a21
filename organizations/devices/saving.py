"""Saving what a source says of devices, thousands at once: a verdict for each record, in its order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from organizations import audit, bulk
from organizations.audit import Actor
from organizations.devices import verdicts, writing
from organizations.devices.records import DeviceRecord, checked
from organizations.devices.verdicts import Context
from organizations.devices.writing import Written
from organizations.models import Device, DeviceSource, Network, Organization
from organizations.refusals import Refusal

LONGEST_SERIAL = 32
NAMED = 10  # in an event about several
VERDICTS = {"new": "created", "update": "updated", "unchanged": "unchanged", "error": "error"}


@dataclass(frozen=True, slots=True)
class Saved:
    serial_number: str
    verdict: str  # created, updated, unchanged, error
    message: str  # what has changed, what was not believed, or what is wrong
    device_id: int | None


@transaction.atomic
def save_devices(
    *,
    by: Actor,
    organization: Organization,
    records: Sequence[DeviceRecord],
    source: str,
    network: Network | None = None,
    networks_writable: Iterable[int] | None = None,
    knows_owners: bool = True,
) -> list[Saved]:
    """Devices are known by their serial number. New ones go into `network`, where they name none.

    `networks_writable`: the ids of those in which this admin may write; None: all. `knows_owners`:
    whether they may say whose a device is.
    """
    if not records:
        return []
    context = Context(
        organization=organization,
        source=source,
        network_id=network.pk if network else None,
        networks_writable=None if networks_writable is None else list(networks_writable),
        knows_owners=knows_owners,
        tells_network=network is not None and source != DeviceSource.CHANNEL,
    )
    # Whoever saves devices of one organization does it one after another.
    Organization.objects.select_for_update(no_key=True).only("pk").get(pk=organization.pk)
    verdicts.stage(_lines(records, source))
    verdicts.lock(context)
    verdicts.judge(context)
    written = writing.write(context, by=by, cause="devices saved")
    _record(context, written, by=by)
    return [
        Saved(serial, VERDICTS[verdict], message, device_id if verdict != "error" else None)
        for serial, verdict, message, device_id in bulk.returned(_SAVED, [])
    ]


def save_from_channel(
    *, by: Actor, organization: Organization, record: DeviceRecord, network: Network | None = None
) -> Saved:
    """What one device says of itself; where it hides its serial number, it is known by its UDID."""
    [saved] = save_devices(
        by=by,
        organization=organization,
        records=[record],
        source=DeviceSource.CHANNEL,
        network=network,
    )
    return saved


def _lines(records: Iterable[DeviceRecord], source: str) -> Iterator[list[str | None]]:
    for number, record in enumerate(records, 1):
        try:
            yield _line(number, checked(record, source=source), "")
        except Refusal as refusal:
            yield _line(number, DeviceRecord(serial_number=_readable(record)), str(refusal))


def _readable(record: DeviceRecord) -> str:
    """As it was sent, to be told apart from others."""
    letters = (letter for letter in record.serial_number or "" if letter.isprintable())
    return "".join(letters)[:LONGEST_SERIAL]


def _line(number: int, record: DeviceRecord, problem: str) -> list[str | None]:
    return [
        str(number),
        record.serial_number,
        record.name,
        record.model,
        record.platform,
        record.os_version,
        None if record.supervised is None else str(record.supervised).lower(),
        record.enrollment,
        record.udid,
        record.owner_email,
        None if record.tags is None else " ".join(record.tags),
        None if record.network_id is None else str(record.network_id),
        None,
        problem,
    ]


def _record(context: Context, written: Written, *, by: Actor) -> None:
    """One event for all devices, of the device itself where it is one; owners are told one by one."""
    audit.record_each(
        action="owner.added", by=by, organization=context.organization, targets=written.owners
    )
    if not written.created + written.updated:
        return
    rows = bulk.returned(_CHANGED, [NAMED + 1])
    target: Device | Organization = context.organization
    after: dict[str, Any] = {"source": DeviceSource(context.source).label}
    if len(rows) == 1:
        [(device_id, changes, _)] = rows
        target = Device.objects.get(pk=device_id)
        after |= {"changed": changes} if written.updated else {"added": True}
    else:
        after |= {"created": written.created, "updated": written.updated}
        after |= {"devices": [str(name) for *_, name in rows]} if len(rows) <= NAMED else {}
    audit.record(
        "devices.saved", by=by, organization=context.organization, target=target, after=after
    )


_SAVED = """
    SELECT coalesce(serial_number, ''), verdict, message, device_id
    FROM device_verdict ORDER BY number
"""
_CHANGED = """
    SELECT device_id, changes, coalesce(serial_number, udid) FROM device_verdict
    WHERE verdict IN ('new', 'update') ORDER BY number LIMIT %s
"""
