"""The way to the device, and what the device itself says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone

from apps_catalog.models import ChannelCommand, ChannelKind, CommandState, Installation
from apps_catalog.models import InstallationState as S
from apps_catalog.reasons import Reason, Stage
from licensing.why.cases import Case
from licensing.why.facts import Facts
from licensing.why.lines import reason_of, why_of
from licensing.why.steps import Detail, Step, Verdict

A_DAY = timedelta(days=1)
NEXT = "The install command is sent next."
TO_BE_SENT = "The install command waits to be sent to the MDM server."
# What comes after the channel has done its part.
ON_THE_DEVICE = (
    S.ACKNOWLEDGED,
    S.WAITING_USER,
    S.STALLED,
    S.INSTALLED,
    S.REMOVED_BY_USER,
    S.FAILED,
)


def channel_step(case: Case) -> Step:
    row = case.installation
    if case.channel == ChannelKind.NONE:
        return _of_reason(case, Reason.OTHER_MDM, Verdict.UNKNOWN)
    if row is None:
        return Step(Stage.CHANNEL, Verdict.WAITS, NEXT)
    if row.state in ON_THE_DEVICE and _stage_of(row) != Stage.CHANNEL:
        return _reached(case)
    enrollment = case.enrollment
    if enrollment is None or not enrollment.is_enrolled:
        return _of_reason(case, Reason.NOT_ENROLLED, Verdict.WRONG)
    if not (case.app.installs_automatically or row.asked_at):
        return _of_reason(case, Reason.NOT_AUTOMATIC, Verdict.WRONG)
    return _of_command(case, row, case.command)


def _stage_of(row: Installation) -> Stage:
    reason = reason_of(row)
    return reason.stage if reason else Stage.DEVICE


def _reached(case: Case) -> Step:
    sentence = f"{case.device} was reached through {case.channel.label}."
    return Step(Stage.CHANNEL, Verdict.OK, sentence, _seen_at(case), details=_of_channel(case))


def _of_command(case: Case, row: Installation, command: ChannelCommand | None) -> Step:
    if command is None:
        return Step(Stage.CHANNEL, Verdict.WAITS, NEXT, row.since, details=_of_channel(case))
    match CommandState(command.state):
        case CommandState.WAITING if command.problem:
            return _of_reason(case, Reason.SERVER_UNREACHABLE, Verdict.WAITS)
        case CommandState.WAITING | CommandState.VOID:
            return Step(Stage.CHANNEL, Verdict.WAITS, TO_BE_SENT, details=_of_channel(case))
        case CommandState.QUEUED:
            return _queued(case, command)
        case CommandState.FAILED:
            reason = reason_of(row) or Reason.SERVER_REFUSED
            refused = Reason.SERVER_REFUSED if reason.stage != Stage.CHANNEL else reason
            return _of_reason(case, refused, Verdict.WRONG)
    return _reached(case)


def _queued(case: Case, command: ChannelCommand) -> Step:
    sent, seen = command.sent_at or command.created_at, _seen_at(case)
    if seen and seen > sent:
        return Step(
            *(Stage.CHANNEL, Verdict.WAITS),
            "The device has connected since the command was sent, and its answer is awaited.",
            as_of=seen,
            details=_of_channel(case),
        )
    late = timezone.now() - sent > A_DAY
    return _of_reason(case, Reason.NOT_SEEN, Verdict.WRONG if late else Verdict.WAITS)


def _of_reason(case: Case, reason: Reason, verdict: Verdict) -> Step:
    return Step(
        *(Stage.CHANNEL, verdict, case.told(reason), _seen_at(case)),
        fix=case.fix_of(reason),
        details=_of_channel(case),
    )


def _seen_at(case: Case) -> Any:
    seen = case.enrollment.seen_at if case.enrollment else None
    return seen or case.device.last_connected_at


def _of_channel(case: Case) -> tuple[Detail, ...]:
    told = [Detail(f"Channel: {case.channel.label}")]
    if case.enrollment and case.enrollment.enrolled_at:
        told.append(Detail("Enrolled", case.enrollment.enrolled_at))
    if seen := _seen_at(case):
        told.append(Detail("Last connected", seen))
    if command := case.command:
        told += _of_sending(command)
    return tuple(told)


def _of_sending(command: ChannelCommand) -> list[Detail]:
    told = [Detail(f"{command.request_type}: {command.get_state_display()}", command.sent_at)]
    if command.wakes:
        told.append(Detail(f"Woken {command.wakes:,} time{'' if command.wakes == 1 else 's'}"))
    if command.problem:
        told.append(Detail(f"The server said: {command.problem}"))
    return told


# --- The device -------------------------------------------------------------------------------------


def device_step(case: Case) -> Step:
    row = case.installation
    if row is None:  # cannot be: the step before would have stopped
        return Step(Stage.DEVICE, Verdict.UNKNOWN, "The device has said nothing yet.")
    why = why_of(row, {row.pk: Facts(case.where, case.names)})
    return Step(
        *(Stage.DEVICE, why.verdict, why.sentence),
        as_of=row.since,
        fix=case.fix_of(why.reason) if why.reason else None,
        details=tuple(_said(row)),
    )


def _said(row: Installation) -> list[Detail]:
    """The device's own words and numbers, which support asks for."""
    told = [Detail(f"Version {row.version}")] if row.version else []
    if row.is_managed is not None:
        told.append(Detail("Managed" if row.is_managed else "Not managed"))
    if row.detail:
        told.append(Detail(f"It said: {row.detail}"))
    return told + [Detail(_error(error)) for error in row.error_chain or ()]


def _error(error: Mapping[str, Any]) -> str:
    """“MCMDMErrorDomain 12064: Could not find the license.”"""
    code = f"{error.get('ErrorDomain', '')} {error.get('ErrorCode', '')}".strip()
    words = error.get("USEnglishDescription") or error.get("LocalizedDescription") or ""
    return ": ".join(filter(None, (code, str(words))))
