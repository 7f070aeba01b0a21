"""What the server of a channel does not take: no device has heard of it."""

from __future__ import annotations

from collections.abc import Sequence

from apps_catalog.installations.installing import rows_of
from apps_catalog.installations.transitions import Transition, move
from apps_catalog.installations.verdicts import REMOVAL_AT_LAST
from apps_catalog.installations.work import BY, about
from apps_catalog.models import ChannelCommand, InstallationState
from apps_catalog.reasons import Reason

S = InstallationState
CAUSES = {
    Reason.NOT_ENROLLED: "The MDM server does not know the device",
    Reason.SERVER_REFUSED: "The MDM server refused the command",
}


def by_the_server(commands: Sequence[ChannelCommand], reason: Reason, detail: str) -> None:
    """An install waits for a person; a removal is tried again the next day."""
    ids = [row.pk for row in rows_of(commands)]
    cause = CAUSES[reason]
    failed = Transition(S.FAILED, cause, BY, reason=reason, detail=detail)
    move(ids, failed, only_from=[S.INSTALL_QUEUED, S.DEFERRED])
    tomorrow = about(REMOVAL_AT_LAST)
    kept = Transition(S.RECLAIMED, cause, BY, reason=reason, detail=detail, next_at=tomorrow)
    move(ids, kept, only_from=[S.RECLAIMED])
