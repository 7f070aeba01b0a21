"""One audit event with all that is known of it, before and after side by side."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from licensing.tables.words import in_words, label
from organizations.models import AuditEvent

NOTHING = ""


@dataclass(frozen=True, slots=True)
class Side:
    """One fact on both sides of the event."""

    what: str
    before: str
    after: str

    @property
    def differs(self) -> bool:
        return self.before != self.after


def sides(event: AuditEvent, zone: tzinfo) -> list[Side]:
    before, after = event.before or {}, event.after or {}
    names = dict.fromkeys([*before, *after])
    return [
        Side(label(name), _told(name, before, zone), _told(name, after, zone)) for name in names
    ]


def _told(name: str, facts: dict[str, Any], zone: tzinfo) -> str:
    value = facts.get(name)
    if isinstance(value, dict) or (isinstance(value, list) and any(map(_is_nested, value))):
        return json.dumps(value, ensure_ascii=False, indent=2)
    return in_words(name, value, zone) or NOTHING


def _is_nested(value: object) -> bool:
    return isinstance(value, dict | list)
