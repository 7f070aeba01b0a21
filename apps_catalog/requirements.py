"""What an app asks of a device before a license is spent on it: pure, on plain values.

What is not known is no hindrance: a version that nobody told, or a minimum that the store did not say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from apps_catalog.models import App, ManagedPlatform, PurchaseMethod
from apps_catalog.reasons import Reason
from organizations.models import Platform

Version = tuple[int, ...]

# Apple's assets know no iPadOS; an Apple Vision runs what is made for iOS.
DEVICES_OF: Mapping[str, tuple[str, ...]] = {
    ManagedPlatform.IOS: (Platform.IOS, Platform.IPADOS, Platform.VISIONOS),
    ManagedPlatform.MACOS: (Platform.MACOS,),
    ManagedPlatform.TVOS: (Platform.TVOS,),
}

# The first version with assignment to devices, and to people (specification, "Requirements").
DEVICE_LICENSES_FROM: Mapping[str, Version] = {
    Platform.IOS: (9,),
    Platform.MACOS: (10, 11),
    Platform.TVOS: (9,),
}
USER_LICENSES_FROM: Mapping[str, Version] = {Platform.IOS: (7,), Platform.MACOS: (10, 9)}

ASKS_THE_USER = "Devices that are not supervised ask their user before they install it."


@dataclass(frozen=True, slots=True)
class AppFacts:
    """`device_assignable` None: nobody has bought it yet, so Apple has not said."""

    platform: str
    minimum_os: str = ""
    device_assignable: bool | None = None
    is_gone: bool = False  # Apple sells and lists it no more

    @classmethod
    def of(cls, platform: str, app: App | None) -> Self:
        """Of a title that is made for iOS, too, the store tells the minimum of iOS alone."""
        is_told = app and (platform == ManagedPlatform.IOS or "iOS" not in app.platforms)
        return cls(platform, app.minimum_os if app and is_told else "")


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    platform: str
    os_version: str = ""
    has_serial: bool = True
    supervised: bool = False


def why_not(app: AppFacts, device: DeviceFacts, method: str) -> Reason | None:
    """Why this device can have neither the license nor the app; None where nothing is in the way."""
    if device.platform not in DEVICES_OF[app.platform]:
        return Reason.PLATFORM
    if app.is_gone:
        return Reason.STORE_GONE
    if reason := _why_no_license(app, device, method):
        return reason
    # What the store asks of an iPhone says nothing of an Apple Vision.
    is_told = device.platform != Platform.VISIONOS
    return Reason.OS_TOO_OLD if is_told and is_older(device.os_version, app.minimum_os) else None


def _why_no_license(app: AppFacts, device: DeviceFacts, method: str) -> Reason | None:
    if method == PurchaseMethod.DEVICE:
        if not device.has_serial:
            return Reason.NO_SERIAL
        if app.device_assignable is False:
            return Reason.NOT_FOR_DEVICES
        too_old = _is_before(device, DEVICE_LICENSES_FROM)
        return Reason.OS_WITHOUT_DEVICE_LICENSES if too_old else None
    too_old = method == PurchaseMethod.USER and _is_before(device, USER_LICENSES_FROM)
    return Reason.OS_WITHOUT_USER_LICENSES if too_old else None


def _is_before(device: DeviceFacts, first: Mapping[str, Version]) -> bool:
    version = version_of(device.os_version)
    return bool(version) and version < first.get(device.platform, ())


def is_silent(device: DeviceFacts) -> bool:
    """Whether it installs without asking anybody."""
    return device.supervised or device.platform == Platform.MACOS


def is_older(version: str, minimum: str) -> bool:
    """“9.3.5” is older than “26.1”, and “15” is not older than “15.0”."""
    ours, theirs = version_of(version), version_of(minimum)
    return bool(ours and theirs) and ours < theirs


def version_of(text: str) -> Version:
    """Its numbers without zeros at the end; empty where there is none to be found."""
    found = re.match(r"\s*(\d{1,6}(?:\.\d{1,6})*)", text, re.ASCII)
    numbers = [int(part) for part in found.group(1).split(".")] if found else []
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
