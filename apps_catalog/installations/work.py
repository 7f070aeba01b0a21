"""What one turn of the engine works with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from apps_catalog.channels.base import DeviceChannel
from apps_catalog.channels.outbox import OPEN
from apps_catalog.models import ChannelCommand, Installation
from organizations.audit import Actor
from organizations.bulk import execute
from vpp_accounts.leases import Hold

BY = Actor.system("Deployment")
AT_A_TIME = 1_000
_random = Random()  # noqa: S311  spreads load, guards nothing

# A command about this app is on its way to this device: what else is wanted waits until it ended.
UNDER_WAY = Exists(
    ChannelCommand.objects.filter(
        device=OuterRef("device"), managed_app_id=OuterRef("managed_app"), state__in=OPEN
    )
)
# The same app is wanted on this device because of another network, where it may have moved to.
WANTED_ELSEWHERE = Exists(
    Installation.objects.filter(
        device=OuterRef("device"),
        managed_app__adam_id=OuterRef("managed_app__adam_id"),
        is_wanted=True,
    ).exclude(managed_app=OuterRef("managed_app"))
)


@dataclass(frozen=True, slots=True)
class Work:
    """`channel` None: another MDM installs apps."""

    organization_id: int
    hold: Hold
    channel: DeviceChannel | None

    @property
    def reached(self) -> Q:
        """Of installations: the channel reaches the device."""
        kind = self.channel.kind if self.channel else ""
        return Q(device__enrollment_record__is_enrolled=True) & Q(
            device__enrollment_record__channel=kind
        )


def set_commands(commands: Iterable[ChannelCommand]) -> None:
    """Which command each installation waits for."""
    execute(_SET_COMMANDS, {"ids": [command.pk for command in commands]})


def about(pause: timedelta) -> datetime:
    """In about so long: what was done at once for many is not looked at again at once."""
    return timezone.now() + pause * _random.uniform(0.9, 1.1)


_SET_COMMANDS = f"""
    UPDATE {Installation._meta.db_table} AS installation SET command_id = command.id
    FROM {ChannelCommand._meta.db_table} AS command
    WHERE command.id = ANY(%(ids)s) AND installation.device_id = command.device_id
      AND installation.managed_app_id = command.managed_app_id
"""  # noqa: S608  table names are the models'
