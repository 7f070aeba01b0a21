"""The client users of an account, as Apple knows them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

import structlog
from django.utils import timezone

from licensing.sync.plans import RETIRED, one_record_each
from licensing.sync.progress import Progress
from organizations.bulk import unescaped
from users import records
from vpp_accounts.apple.client import AppleClient
from vpp_accounts.apple.errors import VersionNotFound
from vpp_accounts.apple.paging import Traversal
from vpp_accounts.apple.types import ClientUser
from vpp_accounts.models import SyncRun

log = structlog.get_logger(__name__)

MOST_CONFIRMATIONS = 200
T = TypeVar("T")


def sync_users(client: AppleClient, progress: Progress, *, full: bool) -> str:
    """Bring the client users up to date; answers the version to ask changes since for next time."""
    progress.phase(SyncRun.Phase.USERS)
    known, as_of = progress.account.users_version, timezone.now()
    if known and not full:
        try:
            return _follow(client, progress, since=known, as_of=as_of)
        except VersionNotFound:
            log.info("sync.version_forgotten", account=progress.account.pk, list="users")
            known = ""
    return _walk(client, progress, known=known, as_of=as_of)


def _follow(client: AppleClient, progress: Progress, *, since: str, as_of: datetime) -> str:
    """A user is never taken from Apple's list, only retired, so nobody is missed here."""
    traversal = client.users(since_version_id=since)
    users = _read_all(traversal, progress)
    all_kept = _apply(progress, list(users.values()), gone=[], as_of=as_of)
    return traversal.version_id if traversal.is_stable and all_kept else since


def _walk(client: AppleClient, progress: Progress, *, known: str, as_of: datetime) -> str:
    traversal = client.users()
    users = _read_all(traversal, progress)
    held = set(records.held_lines(progress.account))
    missing = sorted(_ids(held) - users.keys())
    if not traversal.is_stable:
        missing = _confirmed_gone(client, missing, progress)
    changed = [user for user in users.values() if records.line_of(user) not in held]
    all_kept = _apply(progress, changed, gone=missing, as_of=as_of)
    # What slipped from page to page is told again to whoever asks from where we stood.
    is_whole = traversal.is_stable and all_kept
    return traversal.version_id if is_whole else known or traversal.version_id


def _read_all(traversal: Traversal[ClientUser], progress: Progress) -> dict[str, ClientUser]:
    users = one_record_each(_rows(traversal, progress))
    progress.counts["unreadable"] += len(traversal.unreadable)
    return users


def _rows(traversal: Traversal[ClientUser], progress: Progress) -> Iterator[ClientUser]:
    for page in traversal.pages():
        yield from page.rows
        progress.advance(traversal.pages_done, traversal.total_pages)


def _ids(lines: Iterable[str]) -> set[str]:
    return {unescaped(line.partition("\t")[0]) for line in lines}


def _confirmed_gone(client: AppleClient, missing: list[str], progress: Progress) -> list[str]:
    """The list moved while we read it: gone is who Apple, asked by id, leaves out twice."""
    asked = missing[:MOST_CONFIRMATIONS]
    progress.counts["unconfirmed"] += len(missing) - len(asked)
    return [
        user_id
        for user_id in asked
        if not any(any(client.users(client_user_id=user_id).rows()) for _ in range(2))
    ]


def _apply(
    progress: Progress, users: Sequence[ClientUser], *, gone: Sequence[str], as_of: datetime
) -> bool:
    """Whether everybody is as Apple said: nobody has taken a step while we asked."""
    account, newer = progress.account, 0
    # Those who are retired come first: then their owner's place is free for another record.
    ordered = sorted(users, key=lambda user: (user.status not in RETIRED, user.client_user_id))
    for part in _parts(ordered):
        with progress.transaction():
            kept = records.keep(account, part, as_of=as_of)
        newer += kept.newer
        progress.counts["usersAdded"] += kept.added
        progress.counts["usersChanged"] += kept.changed
    for lost in _parts(gone):
        with progress.transaction():
            progress.counts["usersGone"] += records.lose(account, lost, as_of=as_of)
    return not newer


def _parts(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """Short transactions, and little to be encrypted at once."""
    for start in range(0, len(rows), records.AT_A_TIME):
        yield rows[start : start + records.AT_A_TIME]
