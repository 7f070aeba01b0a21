"""Looking again, driven by the clock and never by what is heard: an answer may be lost.

A device's yes to an install means little. It is asked what became of it after 20 s, then after twice as
long each time; after a day without a verdict the installation is stalled, and still watched. What is
installed is looked at now and then; what failed is tried again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import timedelta

from django.utils import timezone

from apps_catalog import hooks
from apps_catalog.channels import outbox, plists
from apps_catalog.installations import commands, licenses
from apps_catalog.installations.removing import reaches
from apps_catalog.installations.transitions import Transition, move
from apps_catalog.installations.work import AT_A_TIME, BY, Work, about
from apps_catalog.models import ChannelCommand, Installation, InstallationState
from apps_catalog.reasons import Reason
from organizations.bulk import execute
from organizations.models import Organization

S = InstallationState
VERIFYING = (S.ACKNOWLEDGED, S.WAITING_USER, S.STALLED)
FAILING = (S.FAILED, S.WAITING_USER)
LISTS = ("ManagedApplicationList", "InstalledApplicationList")
FIRST_LOOK = timedelta(seconds=20)
STALLS_AFTER = timedelta(days=1)
UPDATES_EVERY, PRESENCE_EVERY = timedelta(days=1), timedelta(days=7)
IN_GRACE = timedelta(hours=1)

Rows = Sequence[Installation]


def look_again(work: Work) -> None:
    while chunk := _due(work):
        failed = [row for row in chunk if _has_failed(row)]
        licensed = _still_licensed(failed)
        with work.hold.transaction():
            _try_again(work.organization_id, failed, licensed)
            _stall(chunk)
            _ask_devices(work, [row for row in chunk if not _has_failed(row)])


def _has_failed(row: Installation) -> bool:
    """Also what was refused until the user has signed in."""
    return row.state == S.FAILED or (row.state == S.WAITING_USER and row.error_chain is not None)


def _due(work: Work) -> list[Installation]:
    due = Installation.objects.filter(
        organization=work.organization_id,
        next_at__lte=timezone.now(),
        state__in=(*VERIFYING, S.INSTALLED, S.FAILED),
    )
    return list(due.select_related(*commands.WITH_TARGET).order_by("next_at")[:AT_A_TIME])


def _still_licensed(failed: Rows) -> set[int]:
    """Where a device found no license, Apple says whether there is one; else we know."""
    doubted = [row.pk for row in failed if row.reason == Reason.LICENSE_NOT_FOUND]
    confirmed = licenses.confirmed([row.pk for row in failed])
    if not doubted:
        return confirmed
    return confirmed - set(doubted) | licenses.ask().licensed_at_apple(doubted)


def _try_again(organization_id: int, failed: Rows, licensed: set[int]) -> None:
    wanted = [row for row in failed if row.is_wanted]
    in_grace = [row.pk for row in failed if not row.is_wanted]
    Installation.objects.filter(pk__in=in_grace).update(next_at=about(IN_GRACE))
    again = [row.pk for row in wanted if row.pk in licensed]
    move(again, Transition(S.LICENSED, "Tried again", BY), only_from=FAILING)
    without = [row for row in wanted if row.pk not in licensed]
    _back_to_licensing(organization_id, without)


def _back_to_licensing(organization_id: int, rows: Rows) -> None:
    if not rows:
        return
    back = Transition(S.PLANNED, "Its license is gone", BY)
    move([row.pk for row in rows], back, only_from=FAILING)
    hooks.installs_asked.send(
        Installation,
        organization=Organization.objects.get(pk=organization_id),
        managed_app_ids=sorted({row.managed_app_id for row in rows}),
        cause="license.gone",
    )


def _stall(chunk: Rows) -> None:
    now = timezone.now()
    silent = [row.pk for row in chunk if row.stalls_at and row.stalls_at <= now]
    stalled = Transition(
        S.STALLED,
        "No verdict for a day",
        BY,
        reason=Reason.NO_VERDICT,
        next_at=about(STALLS_AFTER),
    )
    move(silent, stalled, only_from=[S.ACKNOWLEDGED])


def _ask_devices(work: Work, due: Rows) -> None:
    """One question a device, about all that is in doubt there."""
    _plan_next([row.pk for row in due])
    busy = _asked_already(due)
    reached = [row for row in due if reaches(work, row) and row.device_id not in busy]
    devices = {row.device_id: row for row in reached}
    updates = [row for row in reached if _looks_for_updates(row)]
    doubtful = [row for row in reached if row not in updates] + _also_in_doubt(devices, reached)
    _ask(work.organization_id, doubtful, plists.list_managed, devices)
    _ask(work.organization_id, updates, plists.list_installed, devices)


def _looks_for_updates(row: Installation) -> bool:
    """Only this list tells versions."""
    return row.state == S.INSTALLED and (row.managed_app.keeps_up_to_date or not row.version)


def _asked_already(due: Rows) -> set[int]:
    asked = ChannelCommand.objects.filter(
        device__in={row.device_id for row in due}, state__in=outbox.OPEN, request_type__in=LISTS
    )
    return set(asked.values_list("device", flat=True))


def _also_in_doubt(devices: Iterable[int], known: Rows) -> list[Installation]:
    """Asked along, though their time has not come."""
    others = Installation.objects.filter(device__in=list(devices), state__in=(*VERIFYING, S.FAILED))
    others = others.exclude(pk__in=[row.pk for row in known])
    rows = list(others.select_related("managed_app__app"))
    _plan_next([row.pk for row in rows])
    return rows


def _ask(
    organization_id: int,
    rows: Rows,
    question: Callable[[Collection[str]], plists.Command],
    devices: dict[int, Installation],
) -> None:
    names: defaultdict[int, set[str]] = defaultdict(set)
    for row in rows:
        if row.managed_app.app.bundle_id:
            names[row.device_id].add(row.managed_app.app.bundle_id)
    same: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for device_id, found in names.items():
        same[tuple(sorted(found))].append(device_id)
    for bundle_ids, device_ids in same.items():
        request_type, body = question(bundle_ids)
        addresses = [commands.address_of(devices[device_id]) for device_id in device_ids]
        outbox.queue(organization_id, addresses, request_type, body)


def _plan_next(ids: Iterable[int]) -> None:
    """Twice as long as it lasts already; stalled ones daily, installed ones as they need it."""
    execute(_PLAN_NEXT, {"ids": list(ids), "now": timezone.now(), **_INTERVALS})


_INTERVALS = {
    "first": FIRST_LOOK,
    "longest": STALLS_AFTER,
    "updates": UPDATES_EVERY,
    "presence": PRESENCE_EVERY,
}
_PLAN_NEXT = """
    UPDATE apps_catalog_installation AS installation
    SET next_at = least(installation.stalls_at, %(now)s + (0.9 + 0.2 * random()) * CASE
        WHEN installation.state = 'installed' AND app.keeps_up_to_date THEN %(updates)s
        WHEN installation.state = 'installed' THEN %(presence)s
        WHEN installation.state = 'stalled' THEN %(longest)s
        ELSE greatest(%(first)s, least(%(longest)s, %(now)s - installation.since)) END)
    FROM apps_catalog_managedapp AS app
    WHERE app.id = installation.managed_app_id AND installation.id = ANY(%(ids)s)
      AND installation.state <> 'failed'
"""
