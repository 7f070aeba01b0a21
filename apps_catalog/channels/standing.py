"""How an organization's way to its devices stands, for people and programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps_catalog.channels import checking, configuring
from apps_catalog.channels.choosing import effective
from apps_catalog.models import ChannelEvent, ChannelKind, ChannelSettings, Enrollment

TROUBLES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Standing:
    """`troubles`: the newest events that were not understood."""

    chosen: ChannelSettings
    kind: ChannelKind
    enrolled: int
    webhook_url: str
    is_being_checked: bool
    push_is_ending: bool
    troubles: Sequence[ChannelEvent]


def standing_of(chosen: ChannelSettings) -> Standing:
    told = ChannelEvent.objects.filter(organization=chosen.organization_id).exclude(error="")
    enrolled = Enrollment.objects.filter(organization=chosen.organization_id, is_enrolled=True)
    return Standing(
        chosen=chosen,
        kind=effective(chosen.kind),
        enrolled=enrolled.count(),
        webhook_url=configuring.webhook_url(chosen) if chosen.pk else "",
        is_being_checked=checking.is_under_way(chosen),
        push_is_ending=checking.is_ending(chosen),
        troubles=list(told.order_by("-pk")[:TROUBLES_SHOWN]),
    )
