"""Commands as devices take them: pure functions of plain values (device-channel reference 1.5).

Each answers Apple's RequestType and the rest of the Command dictionary, as JSON can hold it.
`results.py` reads what devices say to them.
"""

from __future__ import annotations

import plistlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from apps_catalog.channels.results import (
    AppReport,
    CommandResult,
    Reaction,
    read_plist,
    read_result,
)

__all__ = [
    "AppFacts",
    "AppReport",
    "Command",
    "CommandResult",
    "InstallOptions",
    "Reaction",
    "device_information",
    "install",
    "invite",
    "list_installed",
    "list_managed",
    "read_plist",
    "read_result",
    "remove",
    "wire",
]

# Of `ManagementFlags`.
REMOVE_WITH_PROFILE, NO_BACKUP = 1, 4
# Of `Options.PurchaseMethod`: by an assignment of ours, or free of charge.
BY_ASSIGNMENT, WITHOUT_LICENSE = 1, 0
INVITATION_PROGRAM = "com.apple.cloudvpp"
# Asked for by name: without a list, a device looks up everything that it knows.
ABOUT_THE_DEVICE = (
    *("UDID", "SerialNumber", "DeviceName", "OSVersion", "ProductName", "ModelName"),
    *("IsSupervised", "IsMultiUser", "AwaitingConfiguration"),
    *("iTunesStoreAccountIsActive", "iTunesStoreAccountHash"),
)
# Each key more costs battery.
ABOUT_AN_APP = (
    *("Identifier", "ShortVersion", "Installing", "HasUpdateAvailable"),
    *("DownloadFailed", "DeviceBasedVPP"),
)


class Command(NamedTuple):
    request_type: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AppFacts:
    """`platform` as ManagedApp has it; an iPhone or iPad app for a Mac is `is_macos` and iOS."""

    adam_id: str
    platform: str
    is_macos: bool = False  # the device is a Mac
    bundle_id: str = ""


@dataclass(frozen=True, slots=True)
class InstallOptions:
    """`is_licensed`: an assignment pays for it, a device's or its user's."""

    is_licensed: bool = True
    removes_with_mdm: bool = True
    prevents_backup: bool = False
    takes_over: bool = False  # what a user installed already becomes managed
    is_user_enrollment: bool = False  # where Apple forbids to take over
    is_removable: bool = True
    configuration: Mapping[str, Any] | None = None


def install(app: AppFacts, options: InstallOptions) -> Command:
    """Sent again for an app that is managed, it updates it."""
    method = BY_ASSIGNMENT if options.is_licensed or app.is_macos else WITHOUT_LICENSE
    body: dict[str, Any] = {
        "iTunesStoreID": int(app.adam_id),
        "Options": {"PurchaseMethod": method},
        "ManagementFlags": REMOVE_WITH_PROFILE * options.removes_with_mdm
        + NO_BACKUP * options.prevents_backup,
    }
    if options.takes_over and not options.is_user_enrollment:
        body["ChangeManagementState"] = "Managed"
    if app.is_macos:
        # Without it a Mac neither removes the app with the profile nor on command.
        body["InstallAsManaged"] = True
        if app.platform != "macOS":
            body["iOSApp"] = True
    elif not options.is_removable:
        body["Attributes"] = {"Removable": False}
    if options.configuration:
        body["Configuration"] = dict(options.configuration)
    return Command("InstallApplication", body)


def remove(bundle_id: str) -> Command:
    return Command("RemoveApplication", {"Identifier": bundle_id})


def list_managed(bundle_ids: Collection[str]) -> Command:
    return Command("ManagedApplicationList", {"Identifiers": sorted(bundle_ids)})


def list_installed(bundle_ids: Collection[str]) -> Command:
    """Tells versions and updates, which the list of managed apps does not."""
    return Command(
        "InstalledApplicationList",
        {"Identifiers": sorted(bundle_ids), "Items": list(ABOUT_AN_APP)},
    )


def device_information() -> Command:
    return Command("DeviceInformation", {"Queries": list(ABOUT_THE_DEVICE)})


def invite(url: str) -> Command:
    body = {"ProgramID": INVITATION_PROGRAM, "InvitationURL": url}
    return Command("InviteToProgram", body)


def wire(uuid: UUID, request_type: str, body: Mapping[str, Any]) -> bytes:
    """The document that a server queues."""
    command = {"RequestType": request_type, **body}
    return plistlib.dumps({"CommandUUID": str(uuid), "Command": command})
