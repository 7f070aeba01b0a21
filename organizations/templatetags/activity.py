"""Audit events in words."""

from __future__ import annotations

import re
from typing import Any

from django import template

from organizations.models import AuditEvent

register = template.Library()

Change = tuple[str, str, str]


@register.filter
def action_words(event: AuditEvent) -> str:
    """`vpp_account.state_changed` → “VPP account: state changed”."""
    subject, _, verb = event.action.partition(".")
    return f"{spaced(subject)}: {spaced(verb).lower()}" if verb else spaced(subject)


@register.filter
def changes(event: AuditEvent) -> list[Change]:
    """What changed, as (what, before, after) in words; "" where there was or is nothing."""
    before, after = event.before or {}, event.after or {}
    names = [*before, *(name for name in after if name not in before)]
    rows = [(spaced(name), in_words(before.get(name)), in_words(after.get(name))) for name in names]
    return [row for row in rows if row[1] != row[2]]


def spaced(name: str) -> str:
    """`timeZone` and `time_zone` → “Time zone”."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").lower()
    return (words[:1].upper() + words[1:]).replace("Vpp", "VPP").replace(" mdm", " MDM")


def in_words(value: Any) -> str:
    match value:
        case None | "" | []:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(in_words(item) for item in value)
        case str() if re.fullmatch(r"[a-z]+(_[a-z]+)+", value):  # a word of ours, such as in_sync
            return value.replace("_", " ")
        case dict():
            return ", ".join(f"{spaced(str(k))} {in_words(v)}" for k, v in value.items())
    return str(value)
