"""What an answer means for one installation: pure functions of what was said and where it stood."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from apps_catalog.channels.results import AppReport, CommandResult, Reaction
from apps_catalog.models import InstallationState
from apps_catalog.reasons import Reason

S = InstallationState
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
REMOVAL_AT_LAST = timedelta(days=1)
FIRST_LOOK = timedelta(seconds=20)
LOOK_AT_INSTALLED = timedelta(days=1)
ASK_AGAIN = timedelta(hours=1)  # the device shows nothing any more: it is sent again
ASK_AT_MOST = timedelta(days=1)
# Then somebody has to look: an act that has no effect is not done for ever.
MOST_SIGN_INS, MOST_REMOVALS = 14, 30
# States in which the answer to an install is waited for.
SENT = (S.INSTALL_QUEUED, S.DEFERRED)
WATCHED = (S.ACKNOWLEDGED, S.WAITING_USER, S.STALLED)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where it goes. `after` None: nobody looks at it again by itself."""

    to: InstallationState
    cause: str
    reason: str = ""
    after: timedelta | None = None
    counts_as_failure: bool = False
    report: AppReport | None = None  # what the device said besides


def of_install(result: CommandResult, *, attempts: int, can_verify: bool) -> Verdict:
    """Of the answer to an install that is waited for."""
    if result.has_failed and result.reaction is not Reaction.VERIFY:
        return _of_error(result, attempts)
    if result.reason is Reason.UNMANAGED_COPY:
        there = AppReport(S.INSTALLED, Reason.UNMANAGED_COPY, is_managed=False)
        return _of_report(there, "It was installed already")
    report = result.app
    if report and report.state in (S.FAILED, S.REMOVED_BY_USER):
        return of_listed(report, state=S.ACKNOWLEDGED, attempts=attempts) or _watch()
    if report and report.state is S.WAITING_USER:
        return _of_report(report, "The device asks its user")
    if not can_verify:
        # Without a bundle ID the device cannot be asked; its word has to do.
        return Verdict(S.INSTALLED, "The device acknowledged it, and cannot be asked: no bundle ID")
    return _watch()


def _watch() -> Verdict:
    return Verdict(S.ACKNOWLEDGED, "The device acknowledged it", after=FIRST_LOOK)


def _of_error(result: CommandResult, attempts: int) -> Verdict:
    reason = str(result.reason or Reason.UNKNOWN_ERROR)
    cause = f"The device refused it: {result.words}" if result.words else "The device refused it"
    if result.reaction is Reaction.WAIT_FOR_USER:
        return _until_signed_in(cause, reason, attempts)
    again = result.reaction in (Reaction.RETRY, Reaction.CHECK_LICENSE)
    return Verdict(S.FAILED, cause, reason, pause_after(attempts) if again else None, again)


def _until_signed_in(cause: str, reason: str, attempts: int) -> Verdict:
    if attempts >= MOST_SIGN_INS:
        return Verdict(S.FAILED, cause, reason)
    after = min(ASK_AGAIN * 2**attempts, ASK_AT_MOST)
    return Verdict(S.WAITING_USER, cause, reason, after, counts_as_failure=True)


def pause_after(attempts: int) -> timedelta | None:
    """Before the next try; None when there were enough."""
    return PAUSES[attempts] if attempts < len(PAUSES) else None


def of_listed(report: AppReport, *, state: str, attempts: int) -> Verdict | None:
    """Of what a device lists about an app; None: no news."""
    is_on_its_way = report.state is S.ACKNOWLEDGED and state != S.WAITING_USER
    if report.state is None or is_on_its_way:
        return None
    if report.state is S.FAILED:
        return _of_failure(report, attempts)
    if report.state == state and state != S.INSTALLED:
        return None
    return _of_report(report, CAUSES[report.state])


CAUSES = {
    S.ACKNOWLEDGED: "The device is installing it",
    S.WAITING_USER: "The device asks its user",
    S.INSTALLED: "The device has it",
    S.REMOVED_BY_USER: "The device says that it was removed there",
}


def _of_failure(report: AppReport, attempts: int) -> Verdict:
    final = report.reason is Reason.USER_REFUSED
    return Verdict(
        S.FAILED,
        "The device says that it failed",
        str(report.reason or Reason.UNKNOWN_ERROR),
        None if final else pause_after(attempts),
        not final,
        report,
    )


def _of_report(report: AppReport, cause: str) -> Verdict:
    after = {
        S.ACKNOWLEDGED: FIRST_LOOK,
        S.WAITING_USER: FIRST_LOOK,
        S.INSTALLED: LOOK_AT_INSTALLED,
    }
    state = report.state or S.ACKNOWLEDGED
    return Verdict(state, cause, str(report.reason or ""), after.get(state), report=report)


def of_missing(*, state: str, is_managed: bool | None) -> Verdict | None:
    """Of an app that a device was asked about and does not list."""
    if state == S.INSTALLED and is_managed:
        return Verdict(
            S.REMOVED_BY_USER, "The device no longer has it", str(Reason.REMOVED_BY_USER)
        )
    return None


def of_removal(result: CommandResult, *, attempts: int) -> Verdict:
    """Of the answer to a removal after the license was taken back."""
    if not result.has_failed:
        return Verdict(S.REMOVED, "The device removed it")
    if result.reaction is Reaction.GONE:
        return Verdict(S.REMOVED, "The device has it no more, or as the user's own")
    reason = str(result.reason or Reason.UNKNOWN_ERROR)
    if attempts >= MOST_REMOVALS:
        return Verdict(S.REMOVED, "The app stays: the device never removed it", reason)
    pause = pause_after(attempts) or REMOVAL_AT_LAST
    return Verdict(S.RECLAIMED, "The device did not remove it yet", reason, pause, True)


def of_asked_removal(result: CommandResult) -> Verdict:
    """Of the answer to a removal that somebody asked for; the license stays."""
    if not result.has_failed:
        return Verdict(S.REMOVED_BY_USER, "It was removed as asked for")
    if result.reaction is Reaction.GONE:
        own = AppReport(S.INSTALLED, Reason.UNMANAGED_COPY, is_managed=False)
        return _of_report(own, "The device has it as the user's own")
    reason = str(result.reason or Reason.UNKNOWN_ERROR)
    return Verdict(S.INSTALLED, "The device did not remove it", reason, LOOK_AT_INSTALLED)
