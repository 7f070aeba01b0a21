"""An audit event as programs get it: over REST, and a line of an export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from organizations.models import AuditEvent

FORMAT = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS | orjson.OPT_APPEND_NEWLINE


def event_json(event: AuditEvent) -> dict[str, Any]:
    return {
        "id": str(event.pk),
        "at": event.at,
        "actor": {
            "kind": event.actor_kind,
            "id": _id(event.actor_id),
            "name": event.actor_name,
        },
        "action": event.action,
        "target": {
            "kind": event.target_kind,
            "id": _id(event.target_id),
            "name": event.target_name,
        },
        "before": event.before,
        "after": event.after,
        "refused": event.refused,
        "requestId": event.request_id,
        "address": event.address,
    }


def json_lines(chunks: Iterable[Iterable[AuditEvent]]) -> Iterator[bytes]:
    for events in chunks:
        yield b"".join(orjson.dumps(event_json(event), option=FORMAT) for event in events)


def _id(number: int | None) -> str | None:
    return None if number is None else str(number)
