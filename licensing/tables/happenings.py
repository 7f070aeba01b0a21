"""What happened to a device, in words: events of the audit log between the steps of its apps."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo

from licensing.devices.history import Happening, merged, steps_of
from licensing.tables.words import action_words, details
from organizations.models import AuditEvent, Device, Membership


def history_of(
    device: Device, membership: Membership, events: Iterable[AuditEvent]
) -> list[Happening]:
    """`events`: those of the device. Newest first."""
    zone = device.organization.zone
    told = (happening_of(event, zone) for event in events)
    return merged(told, steps_of(device, membership))


def happening_of(event: AuditEvent, zone: tzinfo) -> Happening:
    change = "; ".join(map(str, details(event, zone)))
    return Happening(event.at, action_words(event), change, event.actor_name, event)
