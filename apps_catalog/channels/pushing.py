"""Pushing again: nobody keeps a push for a device that is off, so it is repeated until it answers.

After 2 minutes, 10 minutes, an hour, then daily for 14 days. What a device should have answered long
ago, since it was seen after, was lost: it is sent anew (device-channel reference 1.4, number 10).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta

from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone

from apps_catalog.channels import outbox
from apps_catalog.channels.base import DeviceChannel
from apps_catalog.channels.sending import wake
from apps_catalog.models import ChannelCommand, Enrollment

AT_A_TIME = 2_000
PAUSES = (timedelta(minutes=10), timedelta(hours=1), timedelta(days=1))
GIVEN_UP_AFTER = timedelta(days=14)
TIME_TO_ANSWER = timedelta(hours=1)
LOST = "The device was seen since and did not answer; sent anew."

Transaction = Callable[[], AbstractContextManager[None]]
Replaced = Callable[[Sequence[tuple[ChannelCommand, ChannelCommand]]], None]


def push_due(
    organization_id: int,
    channel: DeviceChannel,
    *,
    transaction: Transaction,
    replaced: Replaced,
) -> None:
    """One round. Chosen at random, so that those that are always off do not starve the others."""
    with transaction():
        due = _due(organization_id)
        lost = [command for command in due if _is_lost(command)]
        replaced([(command, anew(command)) for command in lost])
        waiting = [command for command in due if not _is_lost(command)]
        _plan_next(waiting)
    wake(channel, (command.channel_id for command in waiting))


def anew(command: ChannelCommand) -> ChannelCommand:
    """The same command under another UUID; an answer to the old one is still understood."""
    outbox.void([command.pk], LOST)
    address = outbox.Address(command.device_id, command.channel_id)
    (fresh,) = outbox.queue(
        command.organization_id,
        [address],
        command.request_type,
        command.body,
        managed_app_id=command.managed_app_id,
    )
    return fresh


def _due(organization_id: int) -> list[ChannelCommand]:
    """Also what nobody pushes any more, of devices that came back and did not answer it."""
    seen = Enrollment.objects.filter(device=OuterRef("device")).values("seen_at")[:1]
    commands = ChannelCommand.objects.filter(
        organization=organization_id, state__in=outbox.WITH_THE_SERVER
    ).annotate(seen_at=Subquery(seen))
    now = timezone.now()
    is_lost = Q(deadline__lte=now, seen_at__gt=F("sent_at") + TIME_TO_ANSWER)
    due = commands.filter(Q(next_at__lte=now) | Q(is_lost, next_at=None))
    return list(due.order_by("?")[:AT_A_TIME])


def _is_lost(command: ChannelCommand) -> bool:
    seen, sent = getattr(command, "seen_at", None), command.sent_at
    if command.deadline is None or seen is None or sent is None:
        return False
    return command.deadline <= timezone.now() and seen > sent + TIME_TO_ANSWER


def _plan_next(commands: Iterable[ChannelCommand]) -> None:
    now = timezone.now()
    by_pause: defaultdict[timedelta | None, list[int]] = defaultdict(list)
    for command in commands:
        is_old = command.created_at < now - GIVEN_UP_AFTER
        pause = None if is_old else PAUSES[min(command.wakes, len(PAUSES) - 1)]
        by_pause[pause].append(command.pk)
    for pause, ids in by_pause.items():
        ChannelCommand.objects.filter(pk__in=ids).update(
            wakes=F("wakes") + 1,
            next_at=now + pause if pause else None,
        )
