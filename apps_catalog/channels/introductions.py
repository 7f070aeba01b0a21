"""Devices that speak and are not known here: they are asked who they are.

They enrolled before this dashboard listened, or their introduction was lost: a server tells every
event once, and offers no list of its devices (device-channel reference 1.1 and 1.4).
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID, uuid5

from django.utils import timezone

from apps_catalog.channels import plists
from apps_catalog.channels.base import DeviceCommand
from apps_catalog.channels.choosing import channel_of

NAMES = UUID("6f8c1a52-0f5b-4a43-9a0e-6f3b2f2f9a10")
MOST_AT_ONCE = 50


def ask(organization_id: int, channel_ids: Iterable[str]) -> None:
    """At most once a day each: the day is in the UUID, and a server takes each UUID once.

    No row is kept of it: there is no device yet that it could belong to.
    """
    asked = sorted(channel_ids)[:MOST_AT_ONCE]
    channel = channel_of(organization_id) if asked else None
    if channel is None:
        return
    question = plists.device_information()
    today = timezone.now().date()
    try:
        for channel_id in asked:
            uuid = uuid5(NAMES, f"{organization_id} {channel_id} {today}")
            channel.send(DeviceCommand(uuid, *question), [channel_id])
    finally:
        channel.close()
