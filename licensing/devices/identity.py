"""Who a device is: each field with who said it, and its tags with where each comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from organizations import automatic_tags
from organizations.automatic_tags import Traits
from organizations.models import AuditEvent, Device, DeviceSource, Tag

# Field, what it is called, and the name under which the audit log tells it.
FIELDS = (
    ("serial_number", "Serial number", ""),
    ("name", "Name", "name"),
    ("model", "Model", "model"),
    ("platform", "Platform", "platform"),
    ("os_version", "OS version", "osVersion"),
    ("supervised", "Supervised", "supervised"),
    ("enrollment", "Enrollment", "enrollment"),
    ("udid", "UDID", ""),
    ("network", "Network", "network"),
    ("owner", "Owner", "owner"),
)


OWN, INHERITED, AUTOMATIC = "own", "owner", "automatic"


@dataclass(frozen=True, slots=True)
class Fact:
    """`said_by`: of DeviceSource; empty: nobody is named. `since`: when a person said it here."""

    field: str
    label: str
    value: str
    said_by: str
    since: datetime | None

    @property
    def source(self) -> str:
        """“CSV import”."""
        return str(DeviceSource(self.said_by).label) if self.said_by else ""


@dataclass(frozen=True, slots=True)
class TagOrigin:
    name: str
    kind: str
    origin: str  # the same in words


def facts_of(device: Device, events: Iterable[AuditEvent]) -> list[Fact]:
    """`events`: those of the device, newest first."""
    changed = _changes(events)
    return [
        Fact(
            field,
            label,
            _told(device, field),
            source := _source(device, field),
            changed.get(said) if source == DeviceSource.PAGE else None,
        )
        for field, label, said in FIELDS
    ]


def _source(device: Device, field: str) -> str:
    named: str = device.sources.get(field, "")
    return named if named in DeviceSource.values else ""


def _changes(events: Iterable[AuditEvent]) -> dict[str, datetime]:
    """When each field was last changed by hand, as far as these events tell."""
    found: dict[str, datetime] = {}
    for event in events:
        for name in event.after or {}:
            found.setdefault(name, event.at)
    return found


def _told(device: Device, field: str) -> str:
    value: Any = getattr(device, field)
    if isinstance(value, bool):
        return "Yes" if value else "No"
    display = getattr(device, f"get_{field}_display", None)
    return str(display() if display else value or "")


def tags_of(device: Device) -> list[TagOrigin]:
    """Its own, its owner's, automatic ones; in two statements."""
    owner = device.owner
    rows = Tag.objects.filter(organization=device.organization_id)
    names = dict(rows.exclude(kind=Tag.Kind.AUTOMATIC).values_list("pk", "name"))
    inherited = owner.tag_ids if owner else []
    return [
        *_origins(device.tag_ids, names, OWN, "its own"),
        *_origins(inherited, names, INHERITED, f"from its owner {owner}"),
        *(TagOrigin(name, AUTOMATIC, "automatic") for name in sorted(automatic_names(device))),
    ]


def automatic_names(device: Device) -> list[str]:
    traits = Traits(
        device.platform, device.supervised, device.enrollment, device.owner_id is not None
    )
    known = automatic_tags.ids_of(device.organization_id)
    return [tag.name for tag in known.values() if tag.fits(traits)]


def _origins(
    ids: Iterable[int], names: Mapping[int, str], kind: str, origin: str
) -> list[TagOrigin]:
    return [TagOrigin(names[pk], kind, origin) for pk in ids if pk in names]
