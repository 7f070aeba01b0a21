"""What a person or a program says of one device: what a better source has said is left to that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Literal

from django.db import transaction

from organizations import audit, hooks
from organizations.audit import Actor
from organizations.devices import changing
from organizations.devices.records import DeviceRecord, may_say
from organizations.devices.refusals import (
    NoDevices,
    OwnerElsewhere,
    SaidBetter,
    SerialTaken,
    ValueWrong,
)
from organizations.devices.saving import VERDICTS, save_devices
from organizations.models import Device, DeviceSource, Network, Owner, Platform, Tag
from organizations.tags import device_tags

LABELS = {
    "name": "The name",
    "model": "The model",
    "platform": "The platform",
    "os_version": "The OS version",
    "supervised": "Whether it is supervised",
    "enrollment": "The kind of enrollment",
}
OF_SCOPES = {"platform", "os_version", "supervised", "enrollment", "owner", "tags"}
OF_RECORDS = {*LABELS, "tags"}  # what a source says; the rest only people do
LONGEST_NOTES = 5000
NOT_ENROLLED = Device.Enrollment.NONE.value
UNENROLL = (
    "A device leaves management with “Mark unenrolled”, which asks what becomes of its licenses. Use"
    " that button on its page."
)
CHOICES = {"platform": Platform.values, "enrollment": Device.Enrollment.values}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDetails:
    """None says nothing; `owner` False: nobody. `tags` replace those that it had."""

    name: str | None = None
    model: str | None = None
    platform: str | None = None
    os_version: str | None = None
    supervised: bool | None = None
    enrollment: str | None = None
    notes: str | None = None
    owner: Owner | Literal[False] | None = None
    tags: tuple[str, ...] | None = None

    @property
    def said(self) -> dict[str, Any]:
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in told.items() if value is not None}


@transaction.atomic
def add_device(
    *, by: Actor, network: Network, serial_number: str, details: DeviceDetails
) -> Device:
    """One by hand; the same rules as for many."""
    said = {name: value for name, value in details.said.items() if name in OF_RECORDS}
    (saved,) = save_devices(
        by=by,
        organization=network.organization,
        records=[DeviceRecord(serial_number=serial_number, **said)],
        source=DeviceSource.PAGE,
        network=network,
    )
    if saved.device_id is None:
        raise ValueWrong("serial_number", saved.message)
    # Known as it is kept, however it was typed, and also by somebody else just now: not for adding.
    if saved.verdict != VERDICTS["new"]:
        raise SerialTaken(saved.serial_number)
    device = Device.objects.get(pk=saved.device_id)
    return edit_device(
        by=by, device=device, details=DeviceDetails(owner=details.owner, notes=details.notes)
    )


@transaction.atomic
def edit_device(*, by: Actor, device: Device, details: DeviceDetails) -> Device:
    said = details.said
    owner, names = said.pop("owner", None), said.pop("tags", None)
    # Before the device, as whoever changes many does, so that two of them cannot deadlock.
    if owner and not changing.is_held(Owner, owner.pk, device.organization):
        raise OwnerElsewhere
    tags = names and device_tags(by=by, organization=device.organization, names=names)
    found, source = _locked(device), changing.source_of(by)
    before = facts(found)
    for name, value in said.items():
        _say(found, name, value, source)
    if owner is not None:
        _give_to(found, owner or None, source)
    if names is not None:
        _tag(found, tags or (), source)
    found.save(update_fields=[*said, "owner", "tag_ids", "sources"])
    _record_changes(by, found, before)
    return found


def _locked(device: Device) -> Device:
    rows = Device.objects.filter(pk=device.pk).select_related("organization", "owner")
    found = rows.select_for_update(of=("self",), no_key=True).first()
    if found is None:
        raise NoDevices
    return found


def is_editable(device: Device, field: str, source: DeviceSource = DeviceSource.PAGE) -> bool:
    """Whether no better source has said it."""
    is_empty = getattr(device, field) in ("", None)
    return is_empty or may_say(field, device.sources, source)


def facts(device: Device) -> dict[str, Any]:
    """As the audit log tells them."""
    return {
        "name": device.name,
        "model": device.model,
        "platform": device.platform,
        "osVersion": device.os_version,
        "supervised": device.supervised,
        "enrollment": device.enrollment,
        "notes": device.notes,
        "owner": str(device.owner or ""),
        "tags": tag_names(device),
    }


def tag_names(device: Device) -> list[str]:
    """Its own, in the order in which they were given."""
    tags = Tag.objects.filter(organization=device.organization_id).in_bulk(device.tag_ids)
    return [tags[pk].name for pk in device.tag_ids if pk in tags]


def _say(device: Device, name: str, value: Any, source: DeviceSource) -> None:
    value = _checked(name, value)
    if value == getattr(device, name):
        return
    if value == NOT_ENROLLED and name == "enrollment":
        raise ValueWrong(name, UNENROLL)
    if name != "notes":
        if not is_editable(device, name, source):
            better = DeviceSource(device.sources[name]).label
            raise SaidBetter(name, LABELS[name], str(better))
        device.sources[name] = source.value
    setattr(device, name, value)


def _checked(name: str, value: Any) -> Any:
    if name in CHOICES and value not in CHOICES[name]:
        raise ValueWrong(name, f"{LABELS[name]} is one of {', '.join(CHOICES[name])}.")
    if not isinstance(value, str) or name in CHOICES:
        return value
    text = value.strip() if name == "notes" else " ".join(value.split())
    longest = getattr(Device._meta.get_field(name), "max_length", None) or LONGEST_NOTES
    if len(text) > longest:
        raise ValueWrong(name, f"This has {len(text):,} characters; at most {longest:,} are kept.")
    return text


def _give_to(device: Device, owner: Owner | None, source: DeviceSource) -> None:
    if owner != device.owner:
        device.owner, device.sources["owner"] = owner, source.value


def _tag(device: Device, tags: Iterable[Tag], source: DeviceSource) -> None:
    ids = list(dict.fromkeys(tag.pk for tag in tags))
    if ids != device.tag_ids:
        device.tag_ids, device.sources["tags"] = ids, source.value


def _record_changes(by: Actor, device: Device, before: dict[str, Any]) -> None:
    """Only what differs; nothing where nothing does."""
    after = facts(device)
    names = [name for name in after if after[name] != before[name]]
    if not names:
        return
    audit.record(
        "device.edited",
        by=by,
        organization=device.organization,
        target=device,
        before={name: before[name] for name in names},
        after={name: after[name] for name in names},
    )
    if OF_SCOPES & {"os_version" if name == "osVersion" else name for name in names}:
        hooks.devices_changed.send(
            sender=Device,
            organization=device.organization,
            device_ids=[device.pk],
            cause="device edited",
        )
