"""Whether the way to devices works: asked by a worker, on demand and every few hours."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from apps_catalog.channels.choosing import channel_of
from apps_catalog.models import ChannelKind, ChannelSettings
from organizations.models import OF_OPEN

EVERY = timedelta(hours=6)
WARNING = timedelta(days=30)  # before the push certificate ends


def check(organization_id: int) -> None:
    chosen = ChannelSettings.objects.filter(organization=organization_id)
    channel = channel_of(organization_id)
    if channel is None:
        chosen.update(checked_at=timezone.now(), problem="", version="", push_expires_at=None)
        return
    try:
        health = channel.health()
    finally:
        channel.close()
    chosen.update(
        checked_at=timezone.now(),
        problem=health.problem[:500],
        version=health.version[:100],
        push_expires_at=health.push_expires_at,
    )


def due() -> QuerySet[ChannelSettings]:
    """Of all organizations: those who asked and got no answer, and servers not asked for long."""
    asked = Q(check_asked_at__isnull=False) & (
        Q(checked_at=None) | Q(check_asked_at__gt=F("checked_at"))
    )
    kinds = [ChannelKind.NANOMDM.value]
    if settings.DEVICE_CHANNEL == ChannelKind.NANOMDM:
        kinds.append("")
    old = Q(kind__in=kinds) & (Q(checked_at=None) | Q(checked_at__lt=timezone.now() - EVERY))
    return ChannelSettings.objects.using("system").filter(OF_OPEN).filter(asked | old)


def is_under_way(chosen: ChannelSettings) -> bool:
    asked, answered = chosen.check_asked_at, chosen.checked_at
    return bool(asked and (answered is None or answered < asked))


def is_ending(chosen: ChannelSettings) -> bool:
    ends = chosen.push_expires_at
    return ends is not None and ends <= timezone.now() + WARNING
