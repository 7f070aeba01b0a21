"""What people and programs ask of devices in the scope of an app: install, remove, try again.

Asking takes the license as well, where the app takes none by itself: `hooks.installs_asked` says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from apps_catalog import hooks
from apps_catalog.channels.choosing import kind_of
from apps_catalog.channels.outbox import OPEN
from apps_catalog.installations import commands, removing, turns
from apps_catalog.installations.transitions import Transition, move
from apps_catalog.models import (
    ChannelCommand,
    ChannelKind,
    Installation,
    InstallationState,
    ManagedApp,
)
from apps_catalog.models.installations import BEFORE_INSTALL, ENDING, ON_ITS_WAY
from apps_catalog.reasons import Reason
from organizations import audit
from organizations.audit import Actor
from organizations.models import Device

S = InstallationState
# What is blocked for another reason gets no license, whoever asks.
ASKING_HELPS = frozenset(
    {"", Reason.NOT_ASKED, Reason.NO_LICENSE, Reason.LICENSE_FAILED, Reason.PAUSED, Reason.HELD}
)
NAMED = 20  # devices in the audit log


@dataclass(frozen=True, slots=True)
class Asked:
    """How many devices: `already` have what is asked for, or are getting it."""

    asked: int = 0
    already: int = 0
    cannot: dict[Reason, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One device of those that were named; `state` empty where it is not in scope."""

    device_id: int
    pk: int = 0
    state: str = ""
    reason: str = ""
    is_managed: bool | None = None
    is_reached: bool = False  # enrolled with the channel, or there is none
    is_busy: bool = False  # a command about this app is under way


Answer = Reason | bool  # why not; False: it is so already; True: asked
Decide = Callable[[Candidate], Answer]


def ask_install(
    *, by: Actor, managed_app: ManagedApp, devices: QuerySet[Device], force: bool = False
) -> Asked:
    """What is installed already is left, unless by force: then it is sent again."""
    return _ask(by, managed_app, devices, lambda each: plan_install(each, force=force), _install)


def foresee_install(
    *, managed_app: ManagedApp, devices: QuerySet[Device], force: bool = False
) -> Asked:
    """What asking would lead to."""
    return _planned(managed_app, devices, lambda each: plan_install(each, force=force))[1]


def retry(*, by: Actor, managed_app: ManagedApp, devices: QuerySet[Device]) -> Asked:
    """What failed, is stalled, or was removed by the user."""
    return _ask(by, managed_app, devices, plan_retry, _install)


def ask_removal(*, by: Actor, managed_app: ManagedApp, devices: QuerySet[Device]) -> Asked:
    """Take the app off devices that stay in scope. They keep their license, until it is taken back."""
    has_channel = kind_of(managed_app.organization_id) != ChannelKind.NONE
    has_name = bool(managed_app.app.bundle_id)
    return _ask(
        by,
        managed_app,
        devices,
        lambda each: plan_removal(each, can_remove=has_channel and has_name),
        _remove,
    )


# --- Decisions ------------------------------------------------------------------------------------


def plan_install(each: Candidate, *, force: bool) -> Answer:
    if not each.state or each.state in ENDING:
        return Reason.OUT_OF_SCOPE
    if each.state in ON_ITS_WAY or (each.state == S.INSTALLED and not force):
        return False
    if not each.is_reached:
        return Reason.NOT_ENROLLED
    if each.state == S.BLOCKED and each.reason not in ASKING_HELPS:
        return Reason(each.reason)
    return True


def plan_retry(each: Candidate) -> Answer:
    if each.state in (S.FAILED, S.STALLED, S.REMOVED_BY_USER):
        return True if each.is_reached else Reason.NOT_ENROLLED
    return False if each.state else Reason.OUT_OF_SCOPE


def plan_removal(each: Candidate, *, can_remove: bool) -> Answer:
    if each.state != S.INSTALLED:
        return Reason.BUSY if each.state in ON_ITS_WAY else False
    if not can_remove:
        return Reason.OTHER_MDM
    if not each.is_reached:
        return Reason.NOT_ENROLLED
    if each.is_managed is False:
        return Reason.UNMANAGED_COPY
    return Reason.BUSY if each.is_busy else True


# --- Doing it -------------------------------------------------------------------------------------

Act = Callable[[Actor, ManagedApp, Sequence[Candidate]], None]


@transaction.atomic
def _ask(
    by: Actor, managed_app: ManagedApp, devices: QuerySet[Device], decide: Decide, act: Act
) -> Asked:
    chosen, asked = _planned(managed_app, devices, decide)
    if chosen:
        act(by, managed_app, chosen)
    return asked


def _planned(
    managed_app: ManagedApp, devices: QuerySet[Device], decide: Decide
) -> tuple[list[Candidate], Asked]:
    chosen: list[Candidate] = []
    already, cannot = 0, Counter[Reason]()
    for each in candidates(managed_app, devices):
        answer = decide(each)
        if answer is True:
            chosen.append(each)
        elif answer is False:
            already += 1
        else:
            cannot[answer] += 1
    return chosen, Asked(len(chosen), already, dict(cannot))


def candidates(managed_app: ManagedApp, devices: QuerySet[Device]) -> list[Candidate]:
    device_ids = list(devices.order_by("pk").values_list("pk", flat=True))
    rows = Installation.objects.filter(
        managed_app=managed_app, device__in=device_ids, is_wanted=True
    )
    kind = kind_of(managed_app.organization_id)
    busy = _busy(managed_app, device_ids)
    found = {
        row.device_id: Candidate(
            row.device_id,
            row.pk,
            row.state,
            row.reason,
            row.is_managed,
            kind == ChannelKind.NONE or _is_enrolled(row.device, kind),
            row.device_id in busy,
        )
        for row in rows.select_related("device__enrollment_record")
    }
    return [found.get(pk) or Candidate(pk) for pk in device_ids]


def _is_enrolled(device: Device, kind: ChannelKind) -> bool:
    enrollment = getattr(device, "enrollment_record", None)
    return bool(enrollment and enrollment.is_enrolled and enrollment.channel == kind)


def _busy(managed_app: ManagedApp, device_ids: Iterable[int]) -> set[int]:
    under_way = ChannelCommand.objects.filter(
        device__in=list(device_ids), managed_app_id=managed_app.pk, state__in=OPEN
    )
    return set(under_way.values_list("device", flat=True))


def _install(by: Actor, managed_app: ManagedApp, chosen: Sequence[Candidate]) -> None:
    ids = [each.pk for each in chosen]
    rows = Installation.objects.filter(pk__in=ids)
    rows.update(asked_at=timezone.now(), asked_by=by.name[:254], attempts=0)
    anew = [each.pk for each in chosen if each.state not in BEFORE_INSTALL]
    again = Transition(S.LICENSED, "Asked for", by)
    move(anew, again, only_from=[S.INSTALLED, S.FAILED, S.STALLED, S.REMOVED_BY_USER, S.LICENSED])
    if len(anew) < len(ids):
        hooks.installs_asked.send(
            ManagedApp,
            organization=managed_app.organization,
            managed_app_ids=[managed_app.pk],
            cause="install.asked",
        )
    audit.record(
        "installation.asked",
        by=by,
        organization=managed_app.organization,
        target=managed_app,
        after=_facts(chosen),
    )
    turns.ring(managed_app.organization_id)


def _remove(by: Actor, managed_app: ManagedApp, chosen: Sequence[Candidate]) -> None:
    rows = Installation.objects.filter(pk__in=[each.pk for each in chosen])
    rows.update(asked_at=None, asked_by="")
    loaded = list(rows.select_related(*commands.WITH_TARGET).order_by("pk"))
    removing.queue_removals(managed_app.organization_id, loaded)
    audit.record(
        "installation.removal_asked",
        by=by,
        organization=managed_app.organization,
        target=managed_app,
        after=_facts(chosen),
    )
    turns.ring(managed_app.organization_id)


def _facts(chosen: Sequence[Candidate]) -> dict[str, Any]:
    first = Device.objects.filter(pk__in=[each.device_id for each in chosen[:NAMED]])
    return {"devices": len(chosen), "named": [str(device) for device in first.order_by("pk")]}
