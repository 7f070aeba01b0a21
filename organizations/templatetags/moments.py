"""Times as a person of the organization reads them, with the exact moment beneath."""

from __future__ import annotations

import zoneinfo
from datetime import datetime, tzinfo

from django import template
from django.template import Context
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag(takes_context=True)
def moment(context: Context, value: datetime | None, never: str = "never") -> SafeString | str:
    """“today 14:02”, “yesterday 08:10”, “12 Nov 2026 14:02”."""
    if value is None:
        return never
    local = value.astimezone(zone_of(context))
    return time_tag(local, f"{day_in_words(local)} {local:%H:%M}")


@register.simple_tag(takes_context=True)
def as_of(context: Context, value: datetime | None, never: str = "never read") -> SafeString | str:
    """“as of 14:02”, and with its day when that was not today."""
    if value is None:
        return never
    local = value.astimezone(zone_of(context))
    day = "" if days_ago(local) == 0 else f"{day_in_words(local)} "
    return time_tag(local, f"as of {day}{local:%H:%M}")


@register.simple_tag(takes_context=True)
def day(context: Context, value: datetime | None, never: str = "never") -> SafeString | str:
    """“12 Nov 2026”."""
    if value is None:
        return never
    local = value.astimezone(zone_of(context))
    return time_tag(local, formats.date_format(local, "j M Y"))


def zone_of(context: Context) -> tzinfo:
    membership = getattr(context.get("request"), "membership", None)
    zone: zoneinfo.ZoneInfo | tzinfo = (
        membership.organization.zone if membership else timezone.get_current_timezone()
    )
    return zone


def days_ago(local: datetime) -> int:
    return (timezone.now().astimezone(local.tzinfo).date() - local.date()).days


def day_in_words(local: datetime) -> str:
    words = {0: "today", 1: "yesterday", -1: "tomorrow"}
    return words.get(days_ago(local)) or formats.date_format(local, "j M Y")


def time_tag(local: datetime, text: str) -> SafeString:
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        f"{formats.date_format(local, 'l, j F Y')}, {local:%H:%M:%S} {local.tzname()}",
        text,
    )
