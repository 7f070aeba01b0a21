"""What somebody who looks at devices or apps should know of the way to them."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from apps_catalog.channels import checking
from apps_catalog.channels.choosing import effective
from apps_catalog.models import ChannelKind, ChannelSettings


@dataclass(frozen=True, slots=True)
class Worry:
    text: str
    is_trouble: bool


SIMULATED = Worry(
    "Channel: simulated. Devices answer in this installation only, and no app reaches a real one.",
    is_trouble=False,
)


def worries(organization_id: int) -> list[Worry]:
    """In one query."""
    found = ChannelSettings.objects.filter(organization=organization_id).first()
    chosen = found or ChannelSettings()
    kind = effective(chosen.kind)
    if kind == ChannelKind.SIMULATED:
        return [SIMULATED]
    if kind != ChannelKind.NANOMDM:
        return []
    texts = (_problem(chosen), _push(chosen))
    return [Worry(text, is_trouble=True) for text in texts if text]


def _problem(chosen: ChannelSettings) -> str:
    return f"The MDM server does not work: {chosen.problem}" if chosen.problem else ""


def _push(chosen: ChannelSettings) -> str:
    ends = chosen.push_expires_at
    if ends is None or not checking.is_ending(chosen):
        return ""
    day = f"{timezone.localtime(ends):%-d %B %Y}"
    if ends <= timezone.now():
        return f"The MDM push certificate ended on {day}: no device is reached. Renew it."
    return (
        f"The MDM push certificate ends on {day}. Renew it with the same Apple Account before, or"
        " all devices have to enroll anew."
    )
