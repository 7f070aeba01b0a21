"""One line why: the first thing that keeps an app from a device, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from apps_catalog.models import Installation, InstallationState
from apps_catalog.models.installations import ENDING
from apps_catalog.reasons import Reason, Stage, told
from licensing.why.facts import Facts
from licensing.why.links import Place
from licensing.why.steps import Verdict

S, R = InstallationState, Reason


@dataclass(frozen=True, slots=True)
class Why:
    """`reason` None: the state says it. `until`: when it goes on by itself, where that is known."""

    stage: Stage
    verdict: Verdict
    reason: Reason | None
    sentence: str
    fix: str = ""
    fix_url: str = ""
    as_of: datetime | None = None
    until: datetime | None = None

    @property
    def is_fine(self) -> bool:
        return self.stage == Stage.NOTHING


# What a state says by itself, where nothing is in the way.
STATES: Mapping[InstallationState, tuple[Stage, Verdict, str]] = {
    S.BLOCKED: (Stage.LICENSE, Verdict.WRONG, "{device} can get no license of {app} now."),
    S.PLANNED: (Stage.LICENSE, Verdict.WAITS, "A license is asked for within a minute."),
    S.LICENSE_PENDING: (
        *(Stage.APPLE, Verdict.WAITS),
        "Apple has been asked for the license and has not confirmed it yet.",
    ),
    S.LICENSED: (
        *(Stage.CHANNEL, Verdict.WAITS),
        "The license is there; the install command is sent next.",
    ),
    S.INSTALL_QUEUED: (
        *(Stage.CHANNEL, Verdict.WAITS),
        "The install command waits until {device} connects.",
    ),
    S.ACKNOWLEDGED: (Stage.DEVICE, Verdict.WAITS, "{device} is loading {app}."),
    S.WAITING_USER: (Stage.DEVICE, Verdict.WRONG, "{device} waits for its user."),
    S.INSTALLED: (Stage.NOTHING, Verdict.OK, "{app} is installed."),
    S.REVOKE_PENDING: (
        *(Stage.SCOPE, Verdict.WAITS),
        "{device} has left the scope of {app}, and its license is being taken back.",
    ),
    S.RECLAIMED: (
        *(Stage.SCOPE, Verdict.WAITS),
        "{device} has left the scope of {app}: the license is back, and the app is being removed.",
    ),
    S.REMOVED: (Stage.NOTHING, Verdict.OK, "{device} has left the scope of {app}, which is gone."),
}
# States that mean a reason, where none was noted.
MEANT = {
    S.DEFERRED: R.BUSY,
    S.STALLED: R.NO_VERDICT,
    S.REMOVED_BY_USER: R.REMOVED_BY_USER,
    S.FAILED: R.UNKNOWN_ERROR,
}
# Of these, what Apple, the server or the device said makes the sentence complete.
QUOTED = (R.LICENSE_FAILED, R.SERVER_REFUSED, R.SERVER_UNREACHABLE, R.UNKNOWN_ERROR)


def why_of(installation: Installation, facts: Mapping[int, Facts]) -> Why:
    """`facts`: what `gather` found for a page of them."""
    nothing = Facts(
        Place(installation.organization_id, installation.managed_app_id, installation.device_id)
    )
    known = facts.get(installation.pk, nothing)
    state = InstallationState(installation.state)
    if not installation.is_wanted and state not in ENDING:
        return _leaving(known)
    reason = reason_of(installation)
    if state in ENDING or reason is None:
        return _of_state(installation, state, known)
    return _of_reason(installation, reason, known)


def reason_of(installation: Installation) -> Reason | None:
    """None too where a later release noted one that this one does not know."""
    state = InstallationState(installation.state)
    noted = installation.reason
    return Reason(noted) if noted in set(Reason) else MEANT.get(state)


def _leaving(known: Facts) -> Why:
    sentence = told(
        "{device} has left the scope of {app}; until the grace is over all stays.", known.names
    )
    return Why(
        *(Stage.SCOPE, Verdict.WAITS, R.OUT_OF_SCOPE, sentence),
        fix=R.OUT_OF_SCOPE.fix,
        fix_url=known.where.url_of(R.OUT_OF_SCOPE.where),
        until=known.grace_ends_at,
    )


def _of_state(installation: Installation, state: InstallationState, known: Facts) -> Why:
    stage, verdict, sentence = STATES[state]
    as_of = known.seen_at if stage == Stage.CHANNEL else installation.since
    return Why(stage, verdict, None, told(sentence, known.names), as_of=as_of)


def _of_reason(installation: Installation, reason: Reason, known: Facts) -> Why:
    return Why(
        stage=reason.stage,
        verdict=verdict_of(reason),
        reason=reason,
        sentence=reason.told(**known.names) + _more(installation, reason, known),
        fix=reason.fix,
        fix_url=known.where.url_of(reason.where),
        as_of=_as_of(installation, reason, known),
        until=installation.next_at if reason.passes else None,
    )


def verdict_of(reason: Reason) -> Verdict:
    if reason == R.OTHER_MDM:
        return Verdict.UNKNOWN
    return Verdict.WAITS if reason.passes else Verdict.WRONG


def _more(installation: Installation, reason: Reason, known: Facts) -> str:
    if reason == R.NO_LICENSE and known.place:
        return f" It is number {known.place:,} of {known.waiting:,} waiting."
    if reason in QUOTED and installation.detail:
        return f" “{installation.detail}”"
    return ""


def _as_of(installation: Installation, reason: Reason, known: Facts) -> datetime | None:
    if reason == R.NO_LICENSE:
        return known.counts_as_of
    return known.seen_at if reason in (R.NOT_SEEN, R.NOT_ENROLLED) else installation.since
