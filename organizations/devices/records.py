"""What a source says of a device, in the form that we keep; and which source is believed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from organizations.imports.reading import CONTROL
from organizations.models import Device, DeviceSource, Platform
from organizations.refusals import Refusal
from organizations.services import checked_tags

# Who knows better. What nobody is named for came with the device, and anybody may say it anew.
RANKS: Mapping[str, int] = {
    DeviceSource.PAGE: 0,
    DeviceSource.CSV: 0,
    DeviceSource.API: 1,
    DeviceSource.CHANNEL: 2,
}
NOBODY = -1
SERIAL = re.compile(r"[A-Z0-9]{1,32}")
LENGTHS = {"name": 200, "model": 100, "os_version": 20, "udid": 64}
LABELS = {"name": "name", "model": "model", "os_version": "OS version", "udid": "UDID"}
LONGEST_ADDRESS, LONGEST_TAGS = 254, 2000

# As they are typed, without capitals and spaces; the longer words first.
SYSTEMS = {platform.value.lower(): platform for platform in Platform} | {
    "macosx": Platform.MACOS,
    "osx": Platform.MACOS,
    "mac": Platform.MACOS,
    "appletvos": Platform.TVOS,
    "iphoneos": Platform.IOS,
}
# In the name of a model, in this order; the database reads them as well.
MODELS = {
    "ipad": Platform.IPADOS,
    "iphone": Platform.IOS,
    "ipod": Platform.IOS,
    "apple ?tv": Platform.TVOS,
    "apple ?watch": Platform.WATCHOS,
    "vision pro|realitydevice": Platform.VISIONOS,
    "mac": Platform.MACOS,
}
NAMED_VERSION = re.compile(r"([A-Za-z ]+?) ?(\d+(?:\.\d+)*(?: .*)?)")


class RecordWrong(Refusal):
    code = "device_wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRecord:
    """None says nothing; an empty text or no tags say that there is none.

    Only a device that speaks for itself may do so without a serial number, by its `udid`.
    """

    serial_number: str | None = None
    name: str | None = None
    model: str | None = None
    platform: str | None = None
    os_version: str | None = None
    supervised: bool | None = None
    enrollment: str | None = None
    udid: str | None = None
    owner_email: str | None = None
    tags: tuple[str, ...] | None = None
    network_id: int | None = None
    problem: str = ""  # what is wrong with it in any case


def may_say(field: str, sources: Mapping[str, str], source: str) -> bool:
    """Whether the source may change what is said there already; what is empty, anybody may fill."""
    return rank(sources.get(field, "")) <= rank(source)


def rank(source: str) -> int:
    return RANKS.get(source, NOBODY)


def better_than(source: str) -> list[str]:
    return [other for other in RANKS if rank(other) > rank(source)]


def worse_than(source: str) -> list[str]:
    """Also nobody."""
    return ["", *(other for other in RANKS if rank(other) < rank(source))]


def checked(record: DeviceRecord, *, source: str) -> DeviceRecord:
    """In the form that we keep, or refused."""
    if record.problem:
        raise RecordWrong(record.problem)
    if any(map(CONTROL.search, _texts(record))):
        raise RecordWrong("A control character is in this record. Type it anew.")
    serial = "".join((record.serial_number or "").split()).upper()
    by_udid = source == DeviceSource.CHANNEL and record.udid and not serial
    if not by_udid and not SERIAL.fullmatch(serial):
        raise RecordWrong(_serial_wrong(serial))
    platform, version = _system(record.platform or "", record.os_version)
    return replace(
        record,
        serial_number=serial or None,
        name=_text("name", record.name),
        model=_text("model", record.model),
        platform=_refined(platform, record.model or ""),
        os_version=_text("os_version", version),
        enrollment=_enrollment(record.enrollment),
        udid=_text("udid", record.udid),
        owner_email=_address(record.owner_email),
        tags=_tags(record.tags),
    )


def _texts(record: DeviceRecord) -> list[str]:
    values = [getattr(record, field.name) for field in fields(record)]
    return [value for value in (*values, *(record.tags or ())) if isinstance(value, str)]


def platform_of(text: str) -> Platform | None:
    """“iPadOS”, “Mac OS X” or the name of a model, “iPad Air”."""
    words = text.casefold()
    models = (platform for word, platform in MODELS.items() if re.search(word, words))
    return SYSTEMS.get("".join(words.split())) or next(models, None)


def _system(platform: str, version: str | None) -> tuple[Platform | None, str | None]:
    if apart := _divided(platform):
        platform, version = apart[0], version or apart[1]
    if version and (apart := _divided(version)):
        platform, version = platform or apart[0], apart[1]
    known = platform_of(platform) if platform.strip() else None
    if platform.strip() and not known:
        raise RecordWrong(
            f"“{platform.strip()[:40]}” is no platform. Give one of {', '.join(Platform.values)}."
        )
    return known, version


def _divided(text: str) -> tuple[str, str] | None:
    """Some write both together: “iPadOS 17.2”."""
    together = NAMED_VERSION.fullmatch(" ".join(text.split()))
    if together and "".join(together[1].casefold().split()) in SYSTEMS:
        return together[1], together[2]
    return None


def _refined(platform: Platform | None, model: str) -> str | None:
    """Many still call the system of an iPad iOS."""
    is_ipad = platform == Platform.IOS and "ipad" in model.casefold()
    return Platform.IPADOS.value if is_ipad else (platform.value if platform else None)


def _text(field: str, value: str | None) -> str | None:
    if value is None:
        return None
    text = " ".join(value.split())
    if len(text) > (most := LENGTHS[field]):
        raise RecordWrong(f"The {LABELS[field]} has more than {most} characters. Shorten it.")
    return text


def _enrollment(kind: str | None) -> str | None:
    if kind is not None and kind not in Device.Enrollment.values:
        raise RecordWrong(
            f"“{kind[:40]}” is no kind of enrollment. Give one of"
            f" {', '.join(Device.Enrollment.values)}."
        )
    return kind


def _address(email: str | None) -> str | None:
    if not email or _is_address(email.strip()):
        return email and email.strip()
    raise RecordWrong(
        f"“{email[:100]}” is no e-mail address of an owner. Give one like ann@example.org."
    )


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return len(text) <= LONGEST_ADDRESS


def _tags(tags: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if tags is None:
        return None
    checked = tuple(checked_tags(tags))
    if len(" ".join(checked)) > LONGEST_TAGS:
        raise RecordWrong(f"The tags have more than {LONGEST_TAGS:,} characters. Give fewer.")
    return checked


def _serial_wrong(serial: str) -> str:
    if not serial:
        return "The serial number is missing. Give it: it says which device this is."
    return (
        f"“{serial[:40]}” is no serial number: those have up to 32 letters and digits. Correct it."
    )
