"""Commands on their way: stored first, sent with the same UUID until the server has them, then pushed
until the device answers (device-channel reference 1.4 and 1.6).

`queue` stores; the engine of apps_catalog/installations calls `sending` and `waking` in its turns.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple

from django.utils import timezone

from apps_catalog.models import ChannelCommand, CommandState
from organizations.models import Device

OPEN = (CommandState.WAITING, CommandState.QUEUED, CommandState.DEFERRED)
WITH_THE_SERVER = (CommandState.QUEUED, CommandState.DEFERRED)
FINISHED_ARE_KEPT = timedelta(days=30)
AT_A_TIME = 20_000


class Address(NamedTuple):
    """Of a device, or of the person who uses it."""

    device_id: int
    channel_id: str


def queue(
    organization_id: int,
    addresses: Iterable[Address],
    request_type: str,
    body: dict[str, Any],
    *,
    managed_app_id: int | None = None,
) -> list[ChannelCommand]:
    """The same command to each of these. Call it in a transaction, and ring (`turns.ring`) after."""
    commands = [
        ChannelCommand(
            organization_id=organization_id,
            device_id=address.device_id,
            channel_id=address.channel_id,
            request_type=request_type,
            body=body,
            managed_app_id=managed_app_id,
            next_at=timezone.now(),
        )
        for address in addresses
    ]
    return ChannelCommand.objects.bulk_create(commands)


def void(commands: Iterable[int], problem: str) -> int:
    """Those that are still under way are no longer wanted; what the server has, it may still send."""
    return ChannelCommand.objects.filter(pk__in=list(commands), state__in=OPEN).update(
        state=CommandState.VOID, problem=problem, next_at=None, answered_at=timezone.now()
    )


def void_all(device: Device | int, problem: str = "The device has left or enrolled anew.") -> int:
    """A device that checks out, or enrolls anew, has forgotten what was queued for it."""
    device_id = device if isinstance(device, int) else device.pk
    under_way = ChannelCommand.objects.filter(device=device_id, state__in=OPEN)
    return void(list(under_way.values_list("pk", flat=True)), problem)


def forget_old() -> int:
    """Of all organizations: the system role's work. The outbox has to stay small."""
    before = timezone.now() - FINISHED_ARE_KEPT
    finished = ChannelCommand.objects.using("system").exclude(state__in=OPEN)
    old = finished.filter(created_at__lt=before).order_by("pk").values_list("pk", flat=True)
    ids = list(old[:AT_A_TIME])
    ChannelCommand.objects.using("system").filter(pk__in=ids)._raw_delete(using="system")
    return len(ids)
