"""The way out: the license is back, the app goes as well, where it is ours to remove."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from apps_catalog.channels import outbox, plists
from apps_catalog.installations import commands
from apps_catalog.installations.transitions import Transition, move
from apps_catalog.installations.work import (
    AT_A_TIME,
    BY,
    UNDER_WAY,
    WANTED_ELSEWHERE,
    Work,
    set_commands,
)
from apps_catalog.models import (
    ChannelCommand,
    CommandState,
    Installation,
    InstallationState,
    ManagedApp,
)

S = InstallationState
INSTALL, REMOVE = "InstallApplication", "RemoveApplication"
NO_LONGER_WANTED = "It is not in scope any more."
WANTED_AGAIN = "It is wanted again."
ELSEWHERE = "The app stays: another network wants it on the device."
KEPT = "The app stays: it is not removed when it leaves the scope."
NOT_OURS = "The app stays: it is the user's own."
NEVER_SENT = "It was never sent to the device."
OUT_OF_REACH = "The device is not enrolled."
NAMELESS = "The app stays: without its bundle ID it cannot be removed."
# Of which no server has heard, so that it can still be taken back.
UNSENT_INSTALL = Exists(
    ChannelCommand.objects.filter(
        device=OuterRef("device"),
        managed_app_id=OuterRef("managed_app"),
        state=CommandState.WAITING,
        attempts=0,
        request_type=INSTALL,
    )
)


def send_removals(work: Work) -> None:
    after = 0
    while chunk := _leaving(work, after):
        after = chunk[-1].pk
        with work.hold.transaction():
            _take_back_unsent(chunk)
            busy = _those(UNDER_WAY, chunk)
            _decide(work, [row for row in chunk if row.pk not in busy])


def _leaving(work: Work, after: int) -> list[Installation]:
    """Not those that wait for a device's answer, of which there may be many for long."""
    now = timezone.now()
    leaving = Installation.objects.filter(
        Q(next_at=None) | Q(next_at__lte=now),
        ~UNDER_WAY | UNSENT_INSTALL,
        organization=work.organization_id,
        state=S.RECLAIMED,
        pk__gt=after,
    )
    rows = leaving.select_related(*commands.WITH_TARGET).order_by("pk")
    return list(rows[:AT_A_TIME])


def _take_back_unsent(chunk: Sequence[Installation]) -> None:
    """Installs that no server has yet. Those that one has are answered first."""
    waiting = ChannelCommand.objects.filter(
        device__in=[row.device_id for row in chunk],
        managed_app_id__in=[row.managed_app_id for row in chunk],
        state=CommandState.WAITING,
        attempts=0,
        request_type=INSTALL,
    )
    places = {(row.managed_app_id, row.device_id) for row in chunk}
    unsent = [each.pk for each in waiting if (each.managed_app_id, each.device_id) in places]
    outbox.void(unsent, NO_LONGER_WANTED)


def _those(condition: Exists, chunk: Sequence[Installation]) -> set[int]:
    rows = Installation.objects.filter(condition, pk__in=[row.pk for row in chunk])
    return set(rows.values_list("pk", flat=True))


def _decide(work: Work, chunk: Sequence[Installation]) -> None:
    sent, elsewhere = _ever_sent(chunk), _those(WANTED_ELSEWHERE, chunk)
    left: defaultdict[str, list[int]] = defaultdict(list)
    for row in chunk:
        why = _why_it_stays(work, row, was_sent=row.pk in sent)
        left[ELSEWHERE if row.pk in elsewhere else why].append(row.pk)
    to_remove = left.pop("", [])
    for cause, ids in left.items():
        move(ids, Transition(S.REMOVED, cause, BY), only_from=[S.RECLAIMED])
    removal = Transition(S.RECLAIMED, "Removal sent", BY)
    going = set(move(to_remove, removal, only_from=[S.RECLAIMED]))
    queue_removals(work.organization_id, [row for row in chunk if row.pk in going])


def _why_it_stays(work: Work, row: Installation, *, was_sent: bool) -> str:
    """Empty: it is removed."""
    if not was_sent and not row.is_managed:
        return NEVER_SENT
    if not row.managed_app.removes_out_of_scope:
        return KEPT
    if row.is_managed is False:
        return NOT_OURS
    if not reaches(work, row):
        return OUT_OF_REACH
    return "" if row.managed_app.app.bundle_id else NAMELESS


def reaches(work: Work, row: Installation) -> bool:
    enrollment = getattr(row.device, "enrollment_record", None)
    if enrollment is None or work.channel is None:
        return False
    return bool(enrollment.is_enrolled and enrollment.channel == work.channel.kind)


def _ever_sent(chunk: Sequence[Installation]) -> set[int]:
    """Of which a server, and perhaps the device, has heard."""
    heard = ChannelCommand.objects.filter(
        device__in=[row.device_id for row in chunk],
        managed_app_id__in=[row.managed_app_id for row in chunk],
        request_type=INSTALL,
        attempts__gt=0,
    )
    places = set(heard.values_list("managed_app_id", "device_id"))
    return {row.pk for row in chunk if (row.managed_app_id, row.device_id) in places}


def queue_removals(organization_id: int, rows: Sequence[Installation]) -> None:
    """With `commands.WITH_TARGET`, of apps whose bundle ID is known."""
    groups: defaultdict[int, list[Installation]] = defaultdict(list)
    for row in rows:
        groups[row.managed_app_id].append(row)
    for managed_app_id, group in groups.items():
        request_type, body = plists.remove(group[0].managed_app.app.bundle_id)
        queued = outbox.queue(
            organization_id,
            [commands.address_of(row) for row in group],
            request_type,
            body,
            managed_app_id=managed_app_id,
        )
        set_commands(queued)


def recall(waiting: Sequence[ChannelCommand]) -> set[int]:
    """Removals of which no server has heard, of apps that are wanted again: with the app the
    device's user would lose what is in it."""
    removals = [each for each in waiting if each.request_type == REMOVE and not each.attempts]
    if not removals:
        return set()
    adam_ids = _adam_ids(removals)
    rows = Installation.objects.filter(
        device__in={each.device_id for each in removals},
        managed_app__adam_id__in=set(adam_ids.values()),
        is_wanted=True,
    )
    found = rows.values_list("managed_app__adam_id", "device", "managed_app", "state")
    wanted = {(adam_id, device): tuple(stands) for adam_id, device, *stands in found}
    again = set()
    for each in removals:
        stands = wanted.get((adam_ids.get(each.managed_app_id or 0, ""), each.device_id))
        # Installed and in scope, it goes because somebody asked for that.
        if stands and stands != (each.managed_app_id, S.INSTALLED):
            again.add(each.pk)
    outbox.void(again, WANTED_AGAIN)
    return again


def _adam_ids(commands: Sequence[ChannelCommand]) -> dict[int, str]:
    apps = ManagedApp.objects.filter(pk__in={each.managed_app_id for each in commands})
    return dict(apps.values_list("pk", "adam_id"))
