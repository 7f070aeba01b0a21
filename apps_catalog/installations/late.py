"""News that come when nobody waits for them any more, and still mean something."""

from __future__ import annotations

from apps_catalog.channels import outbox, plists
from apps_catalog.channels.results import AppReport
from apps_catalog.installations import commands, installing
from apps_catalog.installations.transitions import Transition, move
from apps_catalog.installations.verdicts import SENT
from apps_catalog.installations.work import BY, UNDER_WAY, WANTED_ELSEWHERE
from apps_catalog.models import ChannelCommand, Installation, InstallationState, ManagedApp

S = InstallationState


def note_install(command: ChannelCommand, row: Installation | None) -> None:
    """A device took an install. Where it is not waited for, what follows has to know."""
    if row is None:
        _undo(command)
    elif row.state not in SENT:
        Installation.objects.filter(pk=row.pk).update(is_managed=True)
        if row.state == S.REMOVED and not row.is_wanted:
            cause = "The device installed it after all"
            ours = Installation.objects.filter(pk=row.pk).exclude(WANTED_ELSEWHERE)
            ids = list(ours.values_list("pk", flat=True))
            move(ids, Transition(S.RECLAIMED, cause, BY), only_from=[S.REMOVED])


def _undo(command: ChannelCommand) -> None:
    """Nobody remembers the installation: no server can call back a command that it has."""
    managed_apps = ManagedApp.objects.select_related("app")
    managed_app = managed_apps.filter(pk=command.managed_app_id or 0).first()
    if managed_app is None or _is_wanted(managed_app.adam_id, command.device_id):
        return
    if managed_app.removes_out_of_scope and managed_app.app.bundle_id:
        outbox.queue(
            command.organization_id,
            [outbox.Address(command.device_id, command.channel_id)],
            *plists.remove(managed_app.app.bundle_id),
            managed_app_id=managed_app.pk,
        )


def _is_wanted(adam_id: str, device_id: int) -> bool:
    """Another network's app is the same on this device, which has moved there."""
    rows = Installation.objects.filter(device=device_id, managed_app__adam_id=adam_id)
    return rows.filter(is_wanted=True).exists()


def note_update(row: Installation, report: AppReport) -> None:
    """A newer version is there: sent again, the install updates."""
    managed_app = row.managed_app
    is_automatic = managed_app.keeps_up_to_date and managed_app.paused_at is None
    wanted = row.is_wanted and is_automatic and row.state == S.INSTALLED
    if not wanted or not report.has_update:
        return
    free = Installation.objects.select_related(*commands.WITH_TARGET).exclude(UNDER_WAY)
    installing.queue_installs(row.organization_id, list(free.filter(pk=row.pk)))
