"""What happened to a device and on it: its audit events and the steps of its apps, newest first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from apps_catalog.models import (
    ChannelCommand,
    InstallationState,
    InstallationStep,
    ManagedApp,
)
from organizations.models import AuditEvent, Device, Membership
from organizations.models.audit import DEVICE

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Happening:
    """`event`: of the audit log; None: a step of an app."""

    at: datetime
    what: str
    change: str
    by: str
    event: AuditEvent | None = None


@dataclass(frozen=True, slots=True)
class CommandRow:
    command: ChannelCommand
    app: str


def events_of(device: Device, membership: Membership) -> list[AuditEvent]:
    ours = AuditEvent.objects.visible_to(membership)
    return list(ours.filter(target_kind=DEVICE, target_id=device.pk).order_by("-id")[:SHOWN])


def steps_of(device: Device, membership: Membership) -> list[Happening]:
    rows = InstallationStep.objects.filter(organization=device.organization_id, device_id=device.pk)
    steps = list(rows.order_by("-id")[:SHOWN])
    names = app_names({step.managed_app_id for step in steps}, membership)
    return [
        Happening(
            step.at,
            f"{names[step.managed_app_id]}: {state_label(step.new)}",
            step.cause,
            step.actor_name,
        )
        for step in steps
        if step.managed_app_id in names and step.new != step.old
    ]


def merged(*kinds: Iterable[Happening]) -> list[Happening]:
    every = [happening for kind in kinds for happening in kind]
    return sorted(every, key=attrgetter("at"), reverse=True)[:SHOWN]


def commands_of(device: Device, membership: Membership) -> list[CommandRow]:
    commands = list(ChannelCommand.objects.filter(device=device).order_by("-id")[:SHOWN])
    names = app_names({command.managed_app_id for command in commands} - {None}, membership)
    return [CommandRow(command, names.get(command.managed_app_id, "")) for command in commands]


def state_label(state: str) -> str:
    return str(dict(InstallationState.choices).get(state, state))


def app_names(ids: Iterable[int | None], membership: Membership) -> dict[int | None, str]:
    wanted = [pk for pk in ids if pk]
    apps = ManagedApp.objects.visible_to(membership).filter(pk__in=wanted).select_related("app")
    found: dict[int | None, str] = {app.pk: str(app) for app in apps}
    if membership.sees_organization:
        found |= {pk: "An app that is deleted" for pk in wanted if pk not in found}
    return found
