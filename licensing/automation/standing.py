"""Where each installation stands, as far as scope and licenses decide: pure.

It looks at what is so, and not at what has changed, so it may be asked any number of times.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from apps_catalog.models import InstallationState as S
from apps_catalog.models.installations import AFTER_LICENSE, BEFORE_INSTALL
from apps_catalog.reasons import Reason
from licensing.automation.choosing import Person
from licensing.automation.known import Held, Known, Row


class Stand(NamedTuple):
    """Where an installation stands."""

    state: S
    reason: str = ""
    detail: str = ""


@dataclass(slots=True)
class Moves:
    """`moves`: (state as it was read, where it stands) -> installations. `licenses`: of those that
    may be installed, the license that it is for."""

    moves: defaultdict[tuple[str, Stand], list[int]] = field(
        default_factory=lambda: defaultdict(list)
    )
    licenses: defaultdict[Held, list[int]] = field(default_factory=lambda: defaultdict(list))


def plan_states(rows: Iterable[Row], known: Known) -> Moves:
    plan = Moves()
    for row in rows:
        stand = stand_of(row, known)
        if stand not in (None, Stand(S(row.state), row.reason, row.detail)):
            plan.moves[row.state, stand].append(row.id)
        if held := _license_for(row, stand.state if stand else row.state, known):
            plan.licenses[held].append(row.id)
    return plan


def _license_for(row: Row, state: str, known: Known) -> Held | None:
    """With which it may be installed from now on; None where that is so already."""
    if state != S.LICENSED or not row.is_wanted:
        return None
    is_noted = any(held.title_id == row.title_id for held in known.licenses_of(row))
    return None if is_noted and row.state == S.LICENSED else known.confirmed(row)


def stand_of(row: Row, known: Known) -> Stand | None:
    """None: it stays as it is, or is the device's business now."""
    return _wanted(row, known) if row.is_wanted else _leaving(row, known)


def _wanted(row: Row, known: Known) -> Stand | None:
    has_license = bool(known.confirmed(row)) or not known.supply.needs_license
    if row.state in AFTER_LICENSE:
        if known.licenses_of(row) or has_license:
            return _rest(row, known) if row.state == S.LICENSED else None
    elif barrier := known.barrier(row):
        return Stand(S.BLOCKED, barrier)
    elif has_license:
        return _rest(row, known)
    return _on_the_way(row, known)


def _on_the_way(row: Row, known: Known) -> Stand:
    item = known.open_of(row)
    if item is not None and not item.is_grant:
        return Stand(S.PLANNED)  # once it is taken back, it is given again
    if item is not None and item.is_waiting:
        return Stand(S.BLOCKED, Reason.NO_LICENSE)
    if item is not None:
        return Stand(S.LICENSE_PENDING)
    return _without(row, known)


def _without(row: Row, known: Known) -> Stand:
    """Nobody has asked for its license: why."""
    if not known.usable(row):
        return Stand(S.BLOCKED, known.why_none(row))
    if known.aims.is_paused:
        return Stand(S.PLANNED, Reason.PAUSED)
    if not known.is_meant(row):
        return Stand(S.PLANNED, Reason.NOT_ASKED)
    if obstacle := known.obstacle(row):
        return Stand(S.BLOCKED, Reason.LICENSE_FAILED, obstacle.message)
    return Stand(S.PLANNED)


# Of those that rest these are written here; anything else is what the device's half says.
OURS = (Reason.OWNER_NOT_ASSOCIATED, Reason.HELD)


def _rest(row: Row, known: Known) -> Stand | None:
    why = _why_it_rests(row, known)
    if row.state == S.LICENSED and row.reason not in OURS and why not in OURS:
        return None
    return Stand(S.LICENSED, why)


def _why_it_rests(row: Row, known: Known) -> str:
    held = known.confirmed(row)
    if held and row.people and row.people.get(held.account_id) == Person.UNACCEPTED:
        return Reason.OWNER_NOT_ASSOCIATED
    if not known.aims.has_channel:
        return Reason.OTHER_MDM
    if not known.aims.installs and row.asked_at is None:
        return Reason.NOT_AUTOMATIC
    return ""


END = Stand(S.REMOVED)


def _leaving(row: Row, known: Known) -> Stand | None:
    if row.device is None or row.is_elsewhere or row.state == S.REMOVED:
        return END
    item = known.open_of(row)
    is_due = any(held.is_due for held in known.licenses_of(row))
    if item is not None and not item.is_grant:
        return Stand(S.REVOKE_PENDING)
    if row.state == S.RECLAIMED or (item is not None and item.is_ours):
        return None  # the device's business, or Apple is just being asked
    if is_due and known.aims.revokes:
        return _held_back(row, known)
    if row.state == S.REVOKE_PENDING:
        return _free(known)
    return _without_license(row, known)


def _held_back(row: Row, known: Known) -> Stand | None:
    """Its license is still to be taken back: after the grace, or when a person has decided."""
    if row.state != S.LICENSED:
        return None
    if known.is_held_back:
        return Stand(S.LICENSED, Reason.HELD)
    return Stand(S.LICENSED) if row.reason == Reason.HELD else None


def _free(known: Known) -> Stand:
    return Stand(S.RECLAIMED) if known.aims.removes else END


def _without_license(row: Row, known: Known) -> Stand | None:
    """No license of the rule is left here: what is left is perhaps the app."""
    if row.state in BEFORE_INSTALL:
        return END
    is_early = row.left_at is not None and row.left_at + known.aims.grace > known.now
    if is_early or known.aims.is_paused:
        return None
    return _free(known) if row.state != S.LICENSED else END
