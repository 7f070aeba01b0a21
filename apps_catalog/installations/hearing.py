"""What devices answer: each answer counts once, whenever it comes and however often.

Called for each answer that a channel told, in the transaction that handles it (channels/inbox.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps_catalog.channels import outbox
from apps_catalog.channels.plists import CommandResult, read_result
from apps_catalog.channels.results import NOT_NOW
from apps_catalog.installations import late, turns, verdicts
from apps_catalog.installations.transitions import Transition, move
from apps_catalog.installations.verdicts import SENT, WATCHED, Verdict
from apps_catalog.installations.work import BY, about
from apps_catalog.models import ChannelCommand, CommandState, Installation, InstallationState
from apps_catalog.reasons import Reason

S = InstallationState
FINAL = ("Acknowledged", "Error", "CommandFormatError")
HEARD = (CommandState.DONE, CommandState.FAILED)
STALLS_AFTER = timedelta(days=1)
ANSWER_EXPECTED = timedelta(days=1)


@transaction.atomic
def hear_result(
    organization_id: int,
    channel_id: str,
    command_uuid: str | UUID,
    status: str,
    told_at: datetime,
    plist: Mapping[str, Any],
) -> None:
    """An answer to nothing of ours, or one that was heard, changes nothing."""
    commands = ChannelCommand.objects.select_for_update().filter(
        organization=organization_id, uuid=command_uuid, channel_id=channel_id
    )
    command = commands.first()
    if command is None or command.state in HEARD:
        return
    if status == NOT_NOW:
        _hear_not_now(command, told_at)
    elif status in FINAL:
        _hear_answer(command, read_result(command.request_type, {**plist, "Status": status}))
        turns.ring(organization_id)


def _hear_not_now(command: ChannelCommand, told_at: datetime) -> None:
    """The server offers it again by itself. Older than the sending it cannot be."""
    if command.state not in outbox.OPEN:
        return
    command.state = CommandState.DEFERRED
    command.deadline = told_at + ANSWER_EXPECTED
    command.save(update_fields=["state", "deadline"])
    if row := _row_of(command):
        busy = Transition(
            S.DEFERRED,
            "The device is busy",
            BY,
            reason=Reason.BUSY,
            event_key=f"{command.uuid}:{NOT_NOW}",
        )
        move([row.pk], busy, only_from=[S.INSTALL_QUEUED])


def _hear_answer(command: ChannelCommand, result: CommandResult) -> None:
    was_void = command.state == CommandState.VOID
    command.state = CommandState.FAILED if result.has_failed else CommandState.DONE
    command.problem = result.words[:500]
    command.answered_at, command.next_at = timezone.now(), None
    command.answer = {"status": result.status, "errors": result.error_chain}
    command.save(update_fields=["state", "problem", "answered_at", "next_at", "answer"])
    if command.request_type in LISTS:
        _hear_list(command, result)
    elif command.request_type == "InstallApplication":
        _hear_install(command, result, was_void=was_void)
    elif command.request_type == "RemoveApplication":
        _hear_removal(command, result)


# --- Installs -------------------------------------------------------------------------------------


def _hear_install(command: ChannelCommand, result: CommandResult, *, was_void: bool) -> None:
    row = _row_of(command)
    if not result.has_failed:
        late.note_install(command, row)
    if row is None:
        return
    if row.state in SENT and not was_void:
        has_name = bool(row.managed_app.app.bundle_id)
        verdict = verdicts.of_install(result, attempts=row.attempts, can_verify=has_name)
        _apply(row, verdict, command, result, only_from=SENT)
    elif row.state == S.INSTALLED and not result.has_failed:
        # It was an update; which version it is now is asked soon.
        soon = about(verdicts.FIRST_LOOK)
        Installation.objects.filter(pk=row.pk, state=S.INSTALLED).update(next_at=soon)


def _hear_removal(command: ChannelCommand, result: CommandResult) -> None:
    row = _row_of(command)
    if row is None:
        return
    if row.state == S.RECLAIMED:
        verdict = verdicts.of_removal(result, attempts=row.attempts)
        _apply(row, verdict, command, result, only_from=[S.RECLAIMED])
    elif row.state == S.INSTALLED:
        _apply(row, verdicts.of_asked_removal(result), command, result, only_from=[S.INSTALLED])
    if not result.has_failed:
        Installation.objects.filter(pk=row.pk).update(is_managed=None, version="")


# --- Lists ----------------------------------------------------------------------------------------

LISTS = ("ManagedApplicationList", "InstalledApplicationList")
LOOKED_AT = (*SENT, *WATCHED, S.INSTALLED, S.FAILED, S.REMOVED_BY_USER)


def _hear_list(command: ChannelCommand, result: CommandResult) -> None:
    if result.has_failed:
        return
    asked = command.body.get("Identifiers", [])
    rows = Installation.objects.filter(
        device=command.device_id, managed_app__app__bundle_id__in=asked, state__in=LOOKED_AT
    )
    for row in rows.select_related("managed_app__app").order_by("pk"):
        verdict = _of_list(row, result)
        if verdict:
            _apply(row, verdict, command, result, only_from=[S(row.state)])


def _of_list(row: Installation, result: CommandResult) -> Verdict | None:
    report = result.apps.get(row.managed_app.app.bundle_id)
    if report is None:
        return verdicts.of_missing(state=row.state, is_managed=row.is_managed)
    late.note_update(row, report)
    # A late success counts in any state; that nothing was told yet, in none.
    if row.state in (*SENT, S.FAILED, S.REMOVED_BY_USER) and report.state != S.INSTALLED:
        return None
    return verdicts.of_listed(report, state=row.state, attempts=row.attempts)


# --- What follows ---------------------------------------------------------------------------------


def _apply(
    row: Installation,
    verdict: Verdict,
    command: ChannelCommand,
    result: CommandResult,
    *,
    only_from: tuple[S, ...] | list[S],
) -> None:
    stalls = row.stalls_at if row.state == S.ACKNOWLEDGED else timezone.now() + STALLS_AFTER
    transition = Transition(
        verdict.to,
        verdict.cause,
        BY,
        reason=verdict.reason,
        detail=result.words,
        # Where nothing but the time changes it is no step.
        event_key="" if verdict.to == row.state else f"{command.uuid}:{result.status}",
        next_at=about(verdict.after) if verdict.after else None,
        stalls_at=stalls if verdict.to == S.ACKNOWLEDGED else None,
    )
    if move([row.pk], transition, only_from=only_from):
        _note_facts(row, verdict, result)


def _note_facts(row: Installation, verdict: Verdict, result: CommandResult) -> None:
    facts: dict[str, Any] = {}
    if row.error_chain or result.error_chain:
        facts["error_chain"] = result.error_chain or None
    if verdict.counts_as_failure:
        facts["attempts"] = row.attempts + 1
    elif verdict.to == S.INSTALLED:
        facts["attempts"] = 0
    if verdict.report and verdict.report.is_managed is not None:
        facts["is_managed"] = verdict.report.is_managed
    if verdict.report and verdict.report.version:
        facts["version"] = verdict.report.version
    if facts:
        Installation.objects.filter(pk=row.pk).update(**facts)


def _row_of(command: ChannelCommand) -> Installation | None:
    rows = Installation.objects.filter(managed_app=command.managed_app_id, device=command.device_id)
    return rows.select_related("managed_app__app").first()
