"""Which way an organization reaches its devices."""

from __future__ import annotations

from django.conf import settings

from apps_catalog.channels.base import DeviceChannel
from apps_catalog.channels.nanomdm import NanoMdmChannel, Server
from apps_catalog.models import ChannelKind, ChannelSettings


def kind_of(organization_id: int) -> ChannelKind:
    """What it chose, else what the installation has for everybody."""
    chosen = ChannelSettings.objects.filter(organization=organization_id)
    return effective(chosen.values_list("kind", flat=True).first() or "")


def effective(chosen: str) -> ChannelKind:
    return ChannelKind(chosen or settings.DEVICE_CHANNEL)


def channel_of(organization_id: int) -> DeviceChannel | None:
    """None: another MDM installs. Whoever asks for it closes it."""
    kind = kind_of(organization_id)
    if kind == ChannelKind.NONE:
        return None
    if kind == ChannelKind.SIMULATED:
        # What it says comes in as what a server says, and understanding that leads back to here.
        from apps_catalog.channels.simulated import SimulatedChannel  # noqa: PLC0415

        return SimulatedChannel(organization_id)
    chosen = ChannelSettings.objects.filter(organization=organization_id).first()
    return NanoMdmChannel(Server.of(chosen or ChannelSettings()))
