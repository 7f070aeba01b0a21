"""What a simulated device says, as a NanoMDM server would tell it (device-channel reference 1.3)."""

from __future__ import annotations

import base64
import hashlib
import json
import plistlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from apps_catalog.channels import events
from apps_catalog.channels.base import RawEvent
from apps_catalog.channels.simulated.behaviour import PRODUCTS, Answer, Machine

TOPIC = "com.apple.mgmt.External.simulated"


@dataclass(frozen=True, slots=True)
class Teller:
    """Of one tick. No two things are told at the same moment: what is older is not believed."""

    now: datetime
    _numbers: Iterator[int] = field(default_factory=count)

    def answered(
        self, machine: Machine, channel_id: str, item: Mapping[str, Any], answer: Answer
    ) -> RawEvent:
        said = {"UDID": machine.udid, "Status": answer.status, "CommandUUID": item["uuid"]}
        event = self._who(machine, channel_id) | {
            "status": answer.status,
            "command_uuid": item["uuid"],
            "raw_payload": _packed(said | answer.content),
        }
        return self._event(events.CONNECT, "acknowledge_event", event)

    def introduced(self, machine: Machine) -> RawEvent:
        said = {
            "MessageType": "Authenticate",
            "UDID": machine.udid,
            "SerialNumber": machine.serial_number,
            "DeviceName": machine.name,
            "OSVersion": machine.os_version,
            "ProductName": PRODUCTS.get(machine.platform, ""),
            "ModelName": machine.model,
            "Topic": TOPIC,
        }
        return self._checked_in(events.AUTHENTICATE, machine, said)

    def enrolled(self, machine: Machine) -> RawEvent:
        said = {"MessageType": "TokenUpdate", "UDID": machine.udid, "Topic": TOPIC}
        return self._checked_in(events.TOKEN_UPDATE, machine, said, token_update_tally=1)

    def checked_out(self, machine: Machine) -> RawEvent:
        said = {"MessageType": "CheckOut", "UDID": machine.udid, "Topic": TOPIC}
        return self._checked_in(events.CHECK_OUT, machine, said)

    def _checked_in(
        self, topic: str, machine: Machine, said: Mapping[str, Any], **more: Any
    ) -> RawEvent:
        event = self._who(machine, machine.udid) | more | {"raw_payload": _packed(said)}
        return self._event(topic, "checkin_event", event)

    def _who(self, machine: Machine, channel_id: str) -> dict[str, Any]:
        ids = {"id": machine.udid, "type": "Device"}
        if channel_id != machine.udid:
            ids = {"id": channel_id, "type": "User", "parent_id": machine.udid}
        return {"udid": machine.udid, "ids": ids}

    def _event(self, topic: str, key: str, event: Mapping[str, Any]) -> RawEvent:
        number = next(self._numbers)
        told_at = self.now + timedelta(microseconds=number)
        content = {"topic": topic, "created_at": told_at.isoformat(), key: event}
        digest = hashlib.blake2b(json.dumps(content).encode(), digest_size=8).hexdigest()
        return RawEvent(digest, topic, told_at, json.dumps({"event_id": digest} | content))


def _packed(said: Mapping[str, Any]) -> str:
    return base64.b64encode(plistlib.dumps(dict(said))).decode()
