"""Devices that enroll with the stub, and answer what it has for them."""

from __future__ import annotations

import base64
import plistlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.nanomdm_stub.queues import Command, Enrollment

if TYPE_CHECKING:
    from tests.nanomdm_stub.server import NanoMdmStub

Answer = dict[str, Any]
TOPIC = "com.apple.mgmt.External.test"


class Refused(Exception):
    """The server answered the device with 500 (11)."""


@dataclass
class FakeDevice:
    """`answers`: by RequestType, what it says; without one it acknowledges."""

    server: NanoMdmStub
    udid: str = "00008030-000A1B2C3D4E5F60"
    serial: str | None = "DMQX00000001"
    product: str = "iPad11,3"
    name: str = "Room 12"
    os_version: str = "17.5"
    topic: str = TOPIC
    supervised: bool = True
    is_user_enrollment: bool = False
    query: dict[str, str] = field(default_factory=dict)  # of the profile's ServerURL
    certificate: str = "certificate-1"
    is_offline: bool = False
    awake: bool = False
    answers: dict[str, Callable[[Command], Answer]] = field(default_factory=dict)
    repeats: bool = False  # every answer twice (8)
    seen: list[str] = field(default_factory=list)  # RequestTypes, as they were delivered

    # --- Checking in -----------------------------------------------------------------------------

    def enroll(self, *, awaits: bool = False) -> FakeDevice:
        self.authenticate()
        self.token_update(awaits=awaits)
        return self

    def authenticate(self) -> None:
        self.server.storage.enrollments[self.udid] = Enrollment(self.certificate, query=self.query)
        self.server.storage.clear(self.udid)
        self.server.devices[self.udid] = self
        self._tell("mdm.Authenticate", self._introduction())

    def token_update(self, *, awaits: bool = False) -> None:
        enrollment = self.server.storage.enrollments[self.udid]
        enrollment.tally, enrollment.push_token = enrollment.tally + 1, "token"
        told = {"MessageType": "TokenUpdate", "Topic": self.topic, **self._ids()}
        told |= {"Token": b"token", "PushMagic": "magic", "AwaitingConfiguration": awaits}
        self._tell("mdm.TokenUpdate", told, token_update_tally=enrollment.tally)

    def user_token_update(self, user: str, kind: str = "User") -> str:
        """Of whoever signed in on it; answers the id of that channel."""
        pk = f"{self.udid}:{user}"
        self.server.storage.enrollments[pk] = Enrollment(self.certificate, "token", 1)
        ids = {"id": pk, "type": kind, "parent_id": self.udid}
        told = {"MessageType": "TokenUpdate", "Topic": self.topic, "UserID": user, **self._ids()}
        self._tell("mdm.TokenUpdate", told, ids=ids, token_update_tally=1)
        return pk

    def check_out(self) -> None:
        told = {"MessageType": "CheckOut", "Topic": self.topic, **self._ids()}
        self._tell("mdm.CheckOut", told)

    # --- Asking for commands ----------------------------------------------------------------------

    def connect(self) -> None:
        """Until nothing is left that it takes now (9)."""
        self._check_certificate()
        self.awake = False
        self._answer({"Status": "Idle", **self._ids()})
        command = self.server.storage.next(self.udid, skip_not_now=False)
        while command:
            self.seen.append(command.request_type)
            status = self._say(command)
            command = self.server.storage.next(self.udid, skip_not_now=status == "NotNow")

    def _say(self, command: Command) -> str:
        answer = self.answers.get(command.request_type, self._by_default)(command)
        told = {"Status": "Acknowledged", "CommandUUID": command.uuid, **self._ids(), **answer}
        for _ in range(2 if self.repeats else 1):
            self._answer(told)
        self.server.storage.answered(self.udid, command.uuid, told["Status"])
        return str(told["Status"])

    def _by_default(self, command: Command) -> Answer:
        if command.request_type == "DeviceInformation":
            return {"QueryResponses": self.information()}
        return {}

    def information(self) -> dict[str, Any]:
        told = self._introduction() | {"IsSupervised": self.supervised}
        told |= {"iTunesStoreAccountHash": "hash", "AwaitingConfiguration": False}
        return told

    # --- What it says -----------------------------------------------------------------------------

    def _introduction(self) -> dict[str, Any]:
        told = {
            "MessageType": "Authenticate",
            "Topic": self.topic,
            "DeviceName": self.name,
            "ProductName": self.product,
            "ModelName": "iPad Air",
            "OSVersion": self.os_version,
            **self._ids(),
        }
        return told | ({"SerialNumber": self.serial} if self.serial else {})

    def _ids(self) -> dict[str, str]:
        return {"EnrollmentID" if self.is_user_enrollment else "UDID": self.udid}

    def _check_certificate(self) -> None:
        known = self.server.storage.enrollments.get(self.udid)
        if known is None or known.certificate != self.certificate:
            raise Refused

    def _tell(self, topic: str, plist: dict[str, Any], **more: Any) -> None:
        self.server.webhook.tell(topic, self._event(plist, **more), is_answer=False)

    def _answer(self, plist: dict[str, Any]) -> None:
        more = {"status": plist["Status"]}
        if "CommandUUID" in plist:
            more["command_uuid"] = plist["CommandUUID"]
        self.server.webhook.tell("mdm.Connect", self._event(plist, **more), is_answer=True)

    def _event(self, plist: dict[str, Any], **more: Any) -> dict[str, Any]:
        kind = "User Enrollment (Device)" if self.is_user_enrollment else "Device"
        event: dict[str, Any] = {
            "ids": {"id": self.udid, "type": kind},
            ("enrollment_id" if self.is_user_enrollment else "udid"): self.udid,
            "raw_payload": base64.b64encode(plistlib.dumps(plist)).decode(),
        }
        if self.query:
            event["url_params"] = self.query
        return event | more
