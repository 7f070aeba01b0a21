"""What channels told: stored as it comes, understood by a worker, once each.

A server tells every event once at most, and in any order (device-channel reference 1.4, 6 to 8). So
they are taken by the moment at which they were told, and what an enrollment knows better already is
left (enrollments.py). A push token stands in them: they are sealed, and emptied when handled.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from apps_catalog import hooks
from apps_catalog.channels import enrollments, events, introductions
from apps_catalog.channels.base import RawEvent
from apps_catalog.installations.hearing import hear_result
from apps_catalog.models import ChannelEvent, ChannelSettings
from organizations.crypto import CannotDecrypt
from organizations.models import OF_OPEN

log = structlog.get_logger(__name__)

EVENTS_ARE_KEPT = timedelta(days=7)
AT_A_TIME = 200
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)
MOST_ATTEMPTS = 12  # some eight hours
FORGOTTEN_AT_A_TIME = 20_000
MOST_RUNG_AT_ONCE = 100


@transaction.atomic
def store(organization_id: int, channel: str, told: Iterable[RawEvent]) -> None:
    """Each once, however often it is told."""
    rows = [_row(organization_id, channel, event) for event in told]
    ChannelEvent.objects.bulk_create(rows, ignore_conflicts=True)
    transaction.on_commit(
        lambda: hooks.channel_told.send(ChannelEvent, organization_id=organization_id),
        robust=True,
    )


def _row(organization_id: int, channel: str, event: RawEvent) -> ChannelEvent:
    row = ChannelEvent(
        organization_id=organization_id,
        channel=channel,
        event_id=event.event_id,
        topic=event.topic,
        told_at=event.told_at,
    )
    row.payload = event.payload
    return row


def handle_waiting(organization_id: int) -> None:
    """Everything whose time has come. Another worker's turn is left alone: it sees to the rest."""
    # The lock of this turn; an organization that chose no channel of its own has no row yet.
    ChannelSettings.objects.get_or_create(organization_id=organization_id)
    strangers: set[str] = set()
    while ids := list(due(organization_id).values_list("pk", flat=True)[:AT_A_TIME]):
        for pk in ids:
            if not _handle(organization_id, pk, strangers):
                return
        _note_last(organization_id)
    introductions.ask(organization_id, strangers)


def waiting() -> Iterable[int]:
    """Of all organizations: those with something to handle."""
    told = ChannelEvent.objects.using("system").filter(OF_OPEN, handled_at=None)
    told = told.filter(next_attempt_at__lte=timezone.now()).order_by("organization")
    return told.values_list("organization", flat=True).distinct()[:MOST_RUNG_AT_ONCE]


def due(organization_id: int) -> QuerySet[ChannelEvent]:
    waiting = ChannelEvent.objects.filter(organization=organization_id, handled_at=None)
    return waiting.filter(next_attempt_at__lte=timezone.now()).order_by("told_at", "pk")


@transaction.atomic
def _handle(organization_id: int, pk: int, strangers: set[str]) -> bool:
    """False: another worker is at it, and it would change the order."""
    turn = ChannelSettings.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
    if not turn.filter(organization=organization_id).exists():
        return False
    event = due(organization_id).select_related("organization").filter(pk=pk).first()
    if event:
        _understand(event, strangers)
    return True


def _understand(event: ChannelEvent, strangers: set[str]) -> None:
    try:
        with transaction.atomic():
            take_effect(event)
    except (events.Unclear, enrollments.NotOurs) as error:
        _close(event, str(error))
    except CannotDecrypt:
        _close(event, "No key of this installation opens it.")
    except enrollments.Later as later:
        if isinstance(later, enrollments.Stranger) and event.attempts == 0:
            strangers.add(later.channel_id)
        _later(event, str(later), most=later.most)
    except Exception as error:
        log.exception("channel_event.failed", channel_event=event.pk)
        _later(event, type(error).__name__, most=MOST_ATTEMPTS)
    else:
        _close(event, "")


def take_effect(event: ChannelEvent) -> None:
    told = events.read(event.payload)
    enrollments.take(event.organization, event.channel, told, event.told_at)
    if told.topic == events.CONNECT and (uuid := _uuid(told.command_uuid)):
        hear_result(
            event.organization_id, told.speaker_id, uuid, told.status, event.told_at, told.plist
        )


def _uuid(text: str) -> UUID | None:
    """Ours are UUIDs; whoever else queues commands at the server may call them anything."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _close(event: ChannelEvent, error: str) -> None:
    _set(event, handled_at=timezone.now(), payload_ciphertext="", error=error[:500])


def _later(event: ChannelEvent, error: str, *, most: int) -> None:
    attempts = event.attempts + 1
    if attempts >= most:
        _close(event, error)
        return
    pause = min(FIRST_PAUSE * (1 << event.attempts), LONGEST_PAUSE)
    _set(event, attempts=attempts, next_attempt_at=timezone.now() + pause, error=error[:500])


def _set(event: ChannelEvent, **fields: object) -> None:
    ChannelEvent.objects.filter(pk=event.pk).update(**fields)


def _note_last(organization_id: int) -> None:
    newest = ChannelEvent.objects.filter(organization=organization_id).order_by("-pk")
    received_at = newest.values_list("received_at", flat=True).first()
    ours = ChannelSettings.objects.filter(organization=organization_id)
    ours.exclude(last_event_at__gte=received_at or F("last_event_at")).update(
        last_event_at=received_at
    )


def forget_old() -> int:
    """Of all organizations: the system role's work. Also those that nobody could handle."""
    before = timezone.now() - EVENTS_ARE_KEPT
    old = ChannelEvent.objects.using("system").filter(received_at__lt=before).order_by("pk")
    ids = list(old.values_list("pk", flat=True)[:FORGOTTEN_AT_A_TIME])
    return ChannelEvent.objects.using("system").filter(pk__in=ids).delete()[0]
