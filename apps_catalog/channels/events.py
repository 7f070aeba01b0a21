"""What a NanoMDM server tells by its webhook, read (device-channel reference 1.3). No I/O.

The simulated fleet tells the same in the same words.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from apps_catalog.channels.base import RawEvent
from apps_catalog.channels.results import Unreadable, read_plist

AUTHENTICATE, TOKEN_UPDATE = "mdm.Authenticate", "mdm.TokenUpdate"
CHECK_OUT, CONNECT = "mdm.CheckOut", "mdm.Connect"
# Of `ids.type`: who uses a device, beside the device itself.
USERS = ("User", "User Enrollment", "Shared iPad")
USER_ENROLLMENT = "User Enrollment (Device)"
LONGEST_EVENT_ID = 100
LONGEST_ID = 200
FIRST_YEAR = 2000


class Unclear(Exception):
    """This is not what NanoMDM tells; it never gets better."""


@dataclass(frozen=True, slots=True)
class Told:
    """`device_id` and `user_id` are the channel's own: the second where a user of a device speaks."""

    topic: str
    device_id: str
    user_id: str = ""
    kind: str = "Device"
    params: dict[str, Any] = field(default_factory=dict)  # of the enrollment profile's address
    status: str = ""
    command_uuid: str = ""
    tally: int = 0
    plist: dict[str, Any] = field(default_factory=dict)

    @property
    def speaker_id(self) -> str:
        return self.user_id or self.device_id


def read_head(body: bytes) -> RawEvent:
    """Enough to store it. Told in the future, it was told now: clocks differ."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Unclear("it is not UTF-8") from None
    content = _object(text)
    topic, event_id = _text(content, "topic"), _text(content, "event_id")
    if not topic or not event_id:
        raise Unclear("it has no topic or no event_id")
    told_at = min(_moment(_text(content, "created_at")), timezone.now())
    return RawEvent(event_id[:LONGEST_EVENT_ID], topic[:60], told_at, text)


def read(payload: str) -> Told:
    content = _object(payload)
    event = content.get("acknowledge_event") or content.get("checkin_event")
    if not isinstance(event, dict):
        raise Unclear("it tells of no event")
    device_id, user_id, kind = _who(event)
    tally = event.get("token_update_tally")
    params = event.get("url_params")
    return Told(
        topic=_text(content, "topic"),
        device_id=device_id,
        user_id=user_id,
        kind=kind,
        params=params if isinstance(params, dict) else {},
        status=_text(event, "status"),
        command_uuid=_text(event, "command_uuid"),
        tally=tally if isinstance(tally, int) else 0,
        plist=_plist(event),
    )


def _who(event: dict[str, Any]) -> tuple[str, str, str]:
    """Device, user and kind. Older servers tell no `ids` but the fields that they were made of."""
    ids = event.get("ids")
    ids = ids if isinstance(ids, dict) else {}
    own = _text(ids, "id") or _text(event, "udid") or _text(event, "enrollment_id")
    kind = _text(ids, "type") or "Device"
    parent = _text(ids, "parent_id")
    if not own or max(len(own), len(parent)) > LONGEST_ID:
        raise Unclear("it does not say which device it is about")
    if kind in USERS:
        return parent or own.partition(":")[0], own, kind
    return own, "", kind


def _plist(event: dict[str, Any]) -> dict[str, Any]:
    raw = _text(event, "raw_payload")
    try:
        return read_plist(base64.b64decode(raw, validate=True)) if raw else {}
    except (Unreadable, binascii.Error) as error:
        raise Unclear(f"what the device said cannot be read: {error}") from None


def _object(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise Unclear("it is no JSON") from None
    if not isinstance(content, dict):
        raise Unclear("it is no JSON object")
    return content


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return timezone.now()
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    # Such a clock is not set; and the database knows years that Python does not.
    return moment if moment.year >= FIRST_YEAR else timezone.now()


def _text(content: dict[str, Any], key: str) -> str:
    value = content.get(key)
    if not isinstance(value, str):
        return ""
    # Halves of characters, which JSON may name, no database takes.
    return value.replace("\0", "").encode(errors="replace").decode()
