"""Every change of an installation's state goes through here: set-based, with its step in the history."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from apps_catalog.models import Installation, InstallationState, InstallationStep
from organizations.audit import Actor
from organizations.bulk import returned

INSTALLATIONS = Installation._meta.db_table
STEPS = InstallationStep._meta.db_table
ANY = tuple(InstallationState)


@dataclass(frozen=True, slots=True)
class Transition:
    """What happens to installations, and why. `event_key` names what was heard: an installation
    whose history has it already is left as it is.
    """

    to: InstallationState
    cause: str
    by: Actor
    reason: str = ""
    detail: str = ""
    event_key: str = ""
    next_at: datetime | None = None  # when a worker looks at it again
    stalls_at: datetime | None = None


def move(
    ids: Iterable[int],
    transition: Transition,
    *,
    only_from: Collection[InstallationState] = ANY,
) -> list[int]:
    """Move those that are in one of these states; answers which were. Call it in a transaction.

    The rows are locked in the order of their ids, so that two who move the same cannot deadlock.
    Where the state stays, only reason, detail and times change, without a step.
    """
    rows = returned(
        _MOVE,
        {
            "ids": sorted(ids),
            "from": [str(state) for state in only_from],
            "to": str(transition.to),
            "reason": transition.reason,
            "detail": transition.detail[:300],
            "cause": transition.cause[:300],
            "actor_kind": transition.by.kind,
            "actor_name": transition.by.name[:254],
            "event_key": transition.event_key[:120],
            "next_at": transition.next_at,
            "stalls_at": transition.stalls_at,
            "now": timezone.now(),
        },
    )
    return [pk for (pk,) in rows]


_MOVE = f"""
    WITH locked AS (
        SELECT id, organization_id, managed_app_id, device_id, state FROM {INSTALLATIONS}
        WHERE id = ANY(%(ids)s) AND state = ANY(%(from)s) ORDER BY id FOR NO KEY UPDATE
    ), fresh AS (
        SELECT locked.* FROM locked WHERE %(event_key)s = '' OR NOT EXISTS (
            SELECT 1 FROM {STEPS} AS heard
            WHERE heard.organization_id = locked.organization_id
              AND heard.device_id = locked.device_id
              AND heard.managed_app_id = locked.managed_app_id
              AND heard.event_key = %(event_key)s)
    ), told AS (
        INSERT INTO {STEPS} (organization_id, managed_app_id, device_id, at, old, new, cause,
                             actor_kind, actor_name, event_key)
        SELECT organization_id, managed_app_id, device_id, %(now)s, state, %(to)s, %(cause)s,
               %(actor_kind)s, %(actor_name)s, %(event_key)s
        FROM fresh WHERE state <> %(to)s OR %(event_key)s <> ''
    )
    UPDATE {INSTALLATIONS} AS installation
    SET state = %(to)s, reason = %(reason)s, detail = %(detail)s, next_at = %(next_at)s,
        stalls_at = %(stalls_at)s,
        since = CASE WHEN installation.state = %(to)s THEN installation.since ELSE %(now)s END
    FROM fresh WHERE installation.id = fresh.id
    RETURNING installation.id
"""  # noqa: S608  table names are the models'
