"""One simulated device: what it answers to a command, and what has become of its apps by now. No I/O.

An app on it is a dictionary by Adam ID: `asks_until` while its user is asked, `until` while it is
installed, then it is there; `rejected` says that the user will say no, `removed` that they removed it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from apps_catalog.channels.plists import BY_ASSIGNMENT
from apps_catalog.channels.simulated.faults import Fault

Item = Mapping[str, Any]
ASKS_FOR = timedelta(seconds=30)
QUICKEST, SLOWEST = 5, 40  # seconds of an install
SLOWED_DOWN = 100
# Apple's: these are answered whenever a device connects.
NEVER_BUSY = ("DeviceInformation", "InstalledApplicationList")
PRODUCTS = {
    "iOS": "iPhone15,2",
    "iPadOS": "iPad13,18",
    "macOS": "Mac14,2",
    "tvOS": "AppleTV14,1",
    "watchOS": "Watch7,1",
    "visionOS": "RealityDevice14,1",
}


class Answer(NamedTuple):
    status: str
    content: dict[str, Any]


class StoreApp(NamedTuple):
    """What the store has of an app now."""

    bundle_id: str
    version: str


@dataclass
class Machine:
    """`licensed`: of each app that was asked for, whether Apple has a license for this device or its
    user; an app that is missing there could not be asked about."""

    device_id: int
    seed: int
    serial_number: str
    udid: str
    name: str
    model: str
    platform: str
    os_version: str
    supervised: bool
    queue: list[dict[str, Any]]
    apps: dict[str, dict[str, Any]]
    faults: Collection[Fault]
    licensed: Mapping[str, bool] = field(default_factory=dict)
    store: Mapping[str, StoreApp] = field(default_factory=dict)

    @property
    def is_mac(self) -> bool:
        return self.platform == "macOS"

    def connect(self, now: datetime) -> list[tuple[dict[str, Any], Answer]]:
        """Work through the queue; what is not done now stays in it, in its order."""
        said, left = [], []
        for item in self.queue:
            answer = self.answer(item, now)
            if answer is None or answer.status == "NotNow":
                left.append(item)
            if answer is not None:
                said.append((item, answer))
        self.queue = left
        return said

    def answer(self, item: Item, now: datetime) -> Answer | None:
        """None: it cannot say yet, since Apple cannot be asked."""
        if Fault.NOT_NOW in self.faults and item["type"] not in NEVER_BUSY:
            return Answer("NotNow", {})
        does = DOES.get(str(item["type"]))
        return does(self, item["body"], now) if does else Answer("CommandFormatError", {})

    # --- Commands -----------------------------------------------------------------------------

    def install(self, body: Mapping[str, Any], now: datetime) -> Answer | None:
        adam_id = str(body["iTunesStoreID"])
        app = self.apps.get(adam_id)
        if app and not app.get("managed", True):
            return self._take_over(app, body)
        if app and state_of(app, now) in ("Prompting", "Installing"):
            return Answer("Error", {"RejectionReason": "AppAlreadyQueued"})
        if body.get("Options", {}).get("PurchaseMethod") == BY_ASSIGNMENT:
            if Fault.LICENSE_NOT_FOUND in self.faults:
                return _no_license()
            if adam_id not in self.licensed:
                return None
            if not self.licensed[adam_id]:
                return _no_license()
        self.apps[adam_id] = self._begun(adam_id, app, now)
        return self._acknowledged(self.apps[adam_id], now)

    def _begun(self, adam_id: str, old: Mapping[str, Any] | None, now: datetime) -> dict[str, Any]:
        random = Random(f"{self.seed} {self.device_id} {adam_id}")  # noqa: S311  an invention
        seconds = random.randint(QUICKEST, SLOWEST)
        if Fault.SLOW in self.faults:
            seconds *= SLOWED_DOWN
        is_update = old is not None and state_of(old, now) == "Managed"
        asks = not (self.supervised or self.is_mac or is_update)
        begins = now + ASKS_FOR if asks else now
        return {
            "bundleId": self.store[adam_id].bundle_id,
            "version": self.store[adam_id].version,
            "managed": True,
            "asks_until": begins.isoformat(),
            "until": (now if is_update else begins + timedelta(seconds=seconds)).isoformat(),
            "rejected": asks and Fault.USER_REJECTS in self.faults,
        }

    def _acknowledged(self, app: Mapping[str, Any], now: datetime) -> Answer:
        """A Mac says yes before it downloads, and tells nothing of how that ends."""
        if self.is_mac:
            return Answer("Acknowledged", {})
        state = state_of(app, now)
        return Answer("Acknowledged", {"Identifier": app["bundleId"], "State": state})

    def _take_over(self, app: dict[str, Any], body: Mapping[str, Any]) -> Answer:
        if body.get("ChangeManagementState") != "Managed":
            return Answer("Error", {"RejectionReason": "AppAlreadyInstalled"})
        app["managed"] = True
        return Answer("Acknowledged", {"Identifier": app["bundleId"], "State": "Managed"})

    def remove(self, body: Mapping[str, Any], now: datetime) -> Answer:
        for adam_id, app in self.apps.items():
            if app["bundleId"] == body["Identifier"] and app.get("managed", True):
                del self.apps[adam_id]
                return Answer("Acknowledged", {})
        return Answer("Error", _chain(12029, "The app is not managed"))

    def list_managed(self, body: Mapping[str, Any], now: datetime) -> Answer:
        listed = {}
        for adam_id, app in list(self.apps.items()):
            state = state_of(app, now)
            if app["bundleId"] not in body["Identifiers"] or state == "UserInstalledApp":
                continue
            listed[app["bundleId"]] = {"Status": state}
            if state == "UserRejected":
                del self.apps[adam_id]  # told once, then forgotten
        return Answer("Acknowledged", {"ManagedApplicationList": listed})

    def list_installed(self, body: Mapping[str, Any], now: datetime) -> Answer:
        found = [
            self._installed(adam_id, app, state_of(app, now))
            for adam_id, app in self.apps.items()
            if app["bundleId"] in body["Identifiers"]
            and state_of(app, now) in ("Installing", "Managed", "UserInstalledApp")
        ]
        return Answer("Acknowledged", {"InstalledApplicationList": found})

    def _installed(self, adam_id: str, app: Mapping[str, Any], state: str) -> dict[str, Any]:
        newest = self.store[adam_id].version
        return {
            "Identifier": app["bundleId"],
            "ShortVersion": app["version"],
            "Installing": state == "Installing",
            "HasUpdateAvailable": bool(newest) and newest != app["version"],
        }

    def describe(self, body: Mapping[str, Any], now: datetime) -> Answer:
        told = {
            "UDID": self.udid,
            "SerialNumber": self.serial_number,
            "DeviceName": self.name,
            "OSVersion": self.os_version,
            "ProductName": PRODUCTS.get(self.platform, ""),
            "ModelName": self.model,
            "IsSupervised": self.supervised,
            "IsMultiUser": False,
            "AwaitingConfiguration": False,
        }
        asked = body.get("Queries", [])
        known = {key: value for key, value in told.items() if key in asked and value != ""}
        return Answer("Acknowledged", {"QueryResponses": known})

    def invite(self, body: Mapping[str, Any], now: datetime) -> Answer:
        return Answer("Acknowledged", {"InvitationResult": "Acknowledged"})

    # --- What its user does -------------------------------------------------------------------

    def uninstall_all(self) -> None:
        for app in self.apps.values():
            app["removed"] = True


DOES: dict[str, Callable[[Machine, Mapping[str, Any], datetime], Answer | None]] = {
    "InstallApplication": Machine.install,
    "RemoveApplication": Machine.remove,
    "ManagedApplicationList": Machine.list_managed,
    "InstalledApplicationList": Machine.list_installed,
    "DeviceInformation": Machine.describe,
    "InviteToProgram": Machine.invite,
}


def state_of(app: Mapping[str, Any], now: datetime) -> str:
    """Apple's word for what an app is now."""
    if not app.get("managed", True):
        return "UserInstalledApp"
    if app.get("removed"):
        return "ManagedButUninstalled"
    if now < datetime.fromisoformat(app["asks_until"]):
        return "Prompting"
    if app["rejected"]:
        return "UserRejected"
    return "Installing" if now < datetime.fromisoformat(app["until"]) else "Managed"


def _no_license() -> Answer:
    return Answer("Error", _chain(12064, "The license could not be found"))


def _chain(code: int, words: str) -> dict[str, Any]:
    error = {
        "ErrorDomain": "MCMDMErrorDomain",
        "ErrorCode": code,
        "LocalizedDescription": words,
        "USEnglishDescription": words,
    }
    return {"ErrorChain": [error]}
