"""The client users of an account, as Apple knows them."""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from licensing.bulk import copy_out, escaped, execute, stage, unescaped
from licensing.sync.plans import RETIRED, one_record_each
from licensing.sync.progress import Progress
from users.models import VppUser
from vpp_accounts.apple.client import AppleClient
from vpp_accounts.apple.errors import VersionNotFound
from vpp_accounts.apple.paging import Traversal
from vpp_accounts.apple.types import ClientUser
from vpp_accounts.models import SyncRun, VppAccount

log = structlog.get_logger(__name__)

MOST_CONFIRMATIONS = 200
TABLE = VppUser._meta.db_table


def sync_users(client: AppleClient, progress: Progress, *, full: bool) -> str:
    """Bring the client users up to date; answers the version to ask changes since for next time."""
    progress.phase(SyncRun.Phase.USERS)
    known = progress.account.users_version
    if known and not full:
        try:
            return _follow(client, progress, since=known)
        except VersionNotFound:
            log.info("sync.version_forgotten", account=progress.account.pk, list="users")
            known = ""
    return _walk(client, progress, known=known)


def _follow(client: AppleClient, progress: Progress, *, since: str) -> str:
    """A user is never taken from Apple's list, only retired, so nobody is missed here."""
    traversal = client.users(since_version_id=since)
    lines = _read_all(traversal, progress)
    _apply(progress, sorted(lines), gone=[])
    return traversal.version_id if traversal.is_stable else since


def _walk(client: AppleClient, progress: Progress, *, known: str) -> str:
    traversal = client.users()
    lines = _read_all(traversal, progress)
    held = set(_held(progress.account))
    missing = sorted(_ids(held) - _ids(lines))
    if not traversal.is_stable:
        missing = _confirmed_gone(client, missing, progress)
    _apply(progress, sorted(lines - held), gone=missing)
    # What slipped from page to page is told again to whoever asks from where we stood.
    return traversal.version_id if traversal.is_stable else known or traversal.version_id


def _read_all(traversal: Traversal[ClientUser], progress: Progress) -> set[str]:
    seen: list[ClientUser] = []
    for page in traversal.pages():
        seen += page.rows
        progress.advance(traversal.pages_done, traversal.total_pages)
    progress.counts["unreadable"] += len(traversal.unreadable)
    return set(_lines(one_record_each(seen).values()))


def _ids(lines: Iterable[str]) -> set[str]:
    return {unescaped(line.partition("\t")[0]) for line in lines}


def _lines(users: Iterable[ClientUser]) -> Iterable[str]:
    for user in users:
        email, id_hash = (user.email or "")[:254], (user.id_hash or "")[:64]
        yield "\t".join(escaped([user.client_user_id, email, user.status[:20], id_hash]))


def _held(account: VppAccount) -> list[str]:
    """Those whom Apple should know: not the ones that we have yet to register."""
    return copy_out(
        f"SELECT client_user_id, email, apple_status, id_hash FROM {TABLE} "  # noqa: S608
        "WHERE account_id = %s AND apple_status NOT IN ('Deleted', '')",
        [account.pk],
    )


def _confirmed_gone(client: AppleClient, missing: list[str], progress: Progress) -> list[str]:
    """The list moved while we read it: gone is who Apple, asked by id, leaves out twice."""
    asked = missing[:MOST_CONFIRMATIONS]
    progress.counts["unconfirmed"] += len(missing) - len(asked)
    return [
        user_id
        for user_id in asked
        if not any(any(client.users(client_user_id=user_id).rows()) for _ in range(2))
    ]


def _apply(progress: Progress, seen: list[str], *, gone: list[str]) -> None:
    if not seen and not gone:
        return
    account = progress.account
    users = VppUser.objects.filter(account=account)
    with progress.transaction():
        stage("seen_user", "client_user_id text, email text, apple_status text, id_hash text", seen)
        before = users.count()
        execute(_PART_FROM_OWNER, {"account": account.pk})
        written = execute(_UPSERT, {"account": account.pk, "organization": account.organization_id})
        added = users.count() - before
        users.filter(client_user_id__in=gone).update(apple_status=VppUser.AppleStatus.DELETED)
    progress.counts["usersAdded"] += added
    progress.counts["usersChanged"] += written - added
    progress.counts["usersGone"] += len(gone)


# Those who are retired come first: then their owner's place is free for another record.
_UPSERT = f"""
    INSERT INTO {TABLE} AS held (organization_id, account_id, client_user_id, email,
                                 apple_status, id_hash, failure, first_seen_at)
    SELECT %(organization)s, %(account)s, client_user_id, email, apple_status, id_hash, '', now()
    FROM seen_user ORDER BY apple_status IN {RETIRED} DESC, client_user_id
    ON CONFLICT (account_id, client_user_id) DO UPDATE SET
        email = excluded.email,
        apple_status = excluded.apple_status,
        id_hash = excluded.id_hash,
        failure = ''
    WHERE (held.email, held.apple_status, held.id_hash)
       IS DISTINCT FROM (excluded.email, excluded.apple_status, excluded.id_hash)
"""  # noqa: S608  names of ours

# Somebody who was retired is back at Apple, though their owner has another record by now.
_PART_FROM_OWNER = f"""
    UPDATE {TABLE} AS back SET owner_id = NULL
    FROM seen_user AS seen
    WHERE back.account_id = %(account)s AND seen.client_user_id = back.client_user_id
      AND back.apple_status IN {RETIRED} AND seen.apple_status NOT IN {RETIRED}
      AND EXISTS (
          SELECT FROM {TABLE} AS other
          LEFT JOIN seen_user AS seen_other ON seen_other.client_user_id = other.client_user_id
          WHERE other.account_id = back.account_id AND other.owner_id = back.owner_id
            AND other.id <> back.id
            AND coalesce(seen_other.apple_status, other.apple_status) NOT IN {RETIRED}
            AND (other.apple_status NOT IN {RETIRED} OR other.id > back.id)
      )
"""  # noqa: S608
