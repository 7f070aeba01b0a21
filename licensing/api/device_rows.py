"""Devices as rows of a list: Meraki's nine fields always, of the others those that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import prefetch_related_objects
from rest_framework.request import Request

from licensing.tables.devices import missing_of
from organizations import automatic_tags
from organizations.api.organizations import organization_url
from organizations.api.paging import Shape
from organizations.api.parameters import BadParameter
from organizations.automatic_tags import AutomaticTag, Traits
from organizations.models import Device, Membership, Owner, Tag


@dataclass(frozen=True, slots=True)
class Known:
    """What the rows of one page need beside themselves."""

    tags: Mapping[int, str]
    automatic: Sequence[AutomaticTag]
    missing: Mapping[int, int]

    def named(self, ids: Iterable[int]) -> list[str]:
        return [self.tags[pk] for pk in ids if pk in self.tags]


Value = Callable[[Device, Known], Any]
OFF = Device.Enrollment.NONE


def enrolled(device: Device, known: Known) -> bool:
    return device.enrollment != OFF


def owner_tags(device: Device, known: Known) -> list[str]:
    return known.named(device.owner.tag_ids) if device.owner else []


def auto_tags(device: Device, known: Known) -> list[str]:
    """Whatever it has without being given it: its owner's tags, and automatic ones."""
    traits = Traits(
        device.platform, device.supervised, device.enrollment, device.owner_id is not None
    )
    by_itself = sorted(tag.name for tag in known.automatic if tag.fits(traits))
    return [*owner_tags(device, known), *by_itself]


def seconds(moment: datetime | None) -> int | None:
    return int(moment.timestamp()) if moment else None


def of_owner(name: str) -> Value:
    return lambda device, known: getattr(device.owner, name) if device.owner else None


def unknown(device: Device, known: Known) -> None:
    """What no source of ours tells."""


# Meraki's. Where its type is a text, what nobody knows is empty.
ALWAYS: Mapping[str, Value] = {
    "id": lambda device, known: str(device.pk),
    "name": lambda device, known: device.name,
    "tags": lambda device, known: known.named(device.tag_ids),
    "ssid": lambda device, known: "",
    "wifiMac": lambda device, known: "",
    "osName": lambda device, known: f"{device.platform} {device.os_version}".rstrip(),
    "systemModel": lambda device, known: device.model,
    "uuid": lambda device, known: device.udid,
    "serialNumber": lambda device, known: device.serial_number or "",
}
ON_REQUEST: Mapping[str, Value] = {
    "serial": ALWAYS["serialNumber"],
    "ip": lambda device, known: "",
    "notes": lambda device, known: device.notes,
    "systemType": lambda device, known: device.platform,
    "lastConnected": lambda device, known: seconds(device.last_connected_at),
    "createdAt": lambda device, known: seconds(device.created_at),
    "missingAppsCount": lambda device, known: known.missing.get(device.pk, 0),
    "ownerEmail": of_owner("email"),
    "ownerUsername": of_owner("username"),
    "isManaged": enrolled,
    "hasMdm": enrolled,
    "hadMdm": lambda device, known: device.unenrolled_at is not None,
    "isSupervised": lambda device, known: device.supervised,
    "autoTags": auto_tags,
    "url": lambda device, known: device_url(device),
}
# Meraki's as well.
UNKNOWN = (
    *("availableDeviceCapacity", "kioskAppName", "biosVersion", "userSuppliedAddress", "location"),
    *("lastUser", "osBuild", "publicIp", "phoneNumber", "diskInfoJson", "deviceCapacity", "meid"),
    *("imei", "iccid", "simCarrierNetwork", "cellularDataUsed", "isHotspotEnabled", "cellular"),
    *("batteryEstCharge", "quarantined", "avName", "avRunning", "asName", "fwName", "isRooted"),
    *("loginRequired", "screenLockEnabled", "screenLockDelay", "autoLoginDisabled"),
    *("hasDesktopAgent", "diskEncryptionEnabled", "hardwareEncryptionCaps", "passCodeLock"),
    *("usesHardwareKeystore", "androidSecurityPatchVersion"),
)
OURS: Mapping[str, Value] = {
    "networkId": lambda device, known: str(device.network_id),
    "enrollment": lambda device, known: device.enrollment,
    "osVersion": lambda device, known: device.os_version,
    "ownerId": lambda device, known: str(device.owner_id) if device.owner_id else None,
    "ownerName": of_owner("name"),
    "ownerTags": owner_tags,
    "missingSince": lambda device, known: device.missing_since,
}
VALUES: Mapping[str, Value] = {
    **ALWAYS,
    **ON_REQUEST,
    **OURS,
    **dict.fromkeys(UNKNOWN, unknown),
}
MORE = [name for name in VALUES if name not in ALWAYS]


def fields_asked_for(request: Request) -> list[str]:
    """Those of `fields[]`, each once; also several in one text with commas between them."""
    sent = request.query_params
    texts = sent.getlist("fields[]") + sent.getlist("fields")
    names = [name.strip() for text in texts for name in text.split(",") if name.strip()]
    if strange := [name for name in names if name not in VALUES]:
        problem = f"has no field “{strange[0][:50]}”; there are {', '.join(sorted(VALUES))}"
        raise BadParameter("fields[]", problem)
    return list(dict.fromkeys(names))


def rows_with(fields: Collection[str], membership: Membership) -> Shape:
    values = {name: VALUES[name] for name in (*ALWAYS, *fields)}

    def shape(devices: list[Device]) -> Iterator[dict[str, Any]]:
        known = known_of(devices, fields, membership)
        for device in devices:
            yield {name: value(device, known) for name, value in values.items()}

    return shape


def known_of(devices: list[Device], fields: Collection[str], membership: Membership) -> Known:
    """Read for the whole page; only what these fields speak of."""
    ids = {pk for device in devices for pk in device.tag_ids}
    owners = any(name.startswith("owner") or name == "autoTags" for name in fields)
    if owners:
        prefetch_related_objects(devices, "owner")
        ids |= {pk for device in devices if device.owner for pk in device.owner.tag_ids}
    organization_id = membership.organization_id
    named = Tag.objects.filter(organization=organization_id, pk__in=ids)
    automatic = automatic_tags.ids_of(organization_id) if "autoTags" in fields else {}
    return Known(
        dict(named.values_list("pk", "name")),
        tuple(automatic.values()),
        missing_of(devices, membership) if "missingAppsCount" in fields else {},
    )


def device_url(device: Device) -> str:
    """Of its page."""
    return organization_url(device.organization_id, f"monitor/devices/{device.pk}/")


def owner_json(owner: Owner | None) -> dict[str, Any] | None:
    if owner is None:
        return None
    return {
        "id": str(owner.pk),
        "name": owner.name,
        "email": owner.email,
        "username": owner.username,
    }
