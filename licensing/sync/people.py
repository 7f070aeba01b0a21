"""The client users of an account, as Apple knows them."""

from __future__ import annotations

from collections.abc import Iterable

from licensing.bulk import copy_out, escaped, execute, stage, unescaped
from licensing.sync.plans import one_record_each
from licensing.sync.progress import Progress
from users.models import VppUser
from vpp_accounts.apple.client import AppleClient
from vpp_accounts.apple.types import ClientUser
from vpp_accounts.models import SyncRun, VppAccount

MOST_CONFIRMATIONS = 200
TABLE = VppUser._meta.db_table


def sync_users(client: AppleClient, progress: Progress, *, full: bool) -> str:
    """Bring the client users up to date; answers Apple's version of the list."""
    progress.phase(SyncRun.Phase.USERS)
    traversal = client.users()
    account = progress.account
    if traversal.version_id == account.users_version and not full:
        return traversal.version_id
    seen: list[ClientUser] = []
    for page in traversal.pages():
        seen += page.rows
        progress.advance(traversal.pages_done, traversal.total_pages)
    progress.counts["unreadable"] += len(traversal.unreadable)
    lines = set(_lines(one_record_each(seen).values()))
    held = set(_held(account))
    missing = sorted(_ids(held) - _ids(lines))
    if not traversal.is_stable:
        missing = _confirmed_gone(client, missing, progress)
    _apply(account, sorted(lines - held), missing, known=len(held), progress=progress)
    return traversal.version_id


def _ids(lines: Iterable[str]) -> set[str]:
    return {unescaped(line.partition("\t")[0]) for line in lines}


def _lines(users: Iterable[ClientUser]) -> Iterable[str]:
    for user in users:
        email, id_hash = (user.email or "")[:254], (user.id_hash or "")[:64]
        yield "\t".join(escaped([user.client_user_id, email, user.status[:20], id_hash]))


def _held(account: VppAccount) -> list[str]:
    return copy_out(
        f"SELECT client_user_id, email, apple_status, id_hash FROM {TABLE} "  # noqa: S608
        "WHERE account_id = %s AND apple_status <> 'Deleted'",
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


def _apply(
    account: VppAccount, changed: list[str], gone: list[str], *, known: int, progress: Progress
) -> None:
    if not changed and not gone:
        return
    with progress.transaction():
        stage(
            "seen_user", "client_user_id text, email text, apple_status text, id_hash text", changed
        )
        before = VppUser.objects.filter(account=account).count() if known else 0
        written = execute(
            f"""
            INSERT INTO {TABLE} (organization_id, account_id, client_user_id, email,
                                 apple_status, id_hash, first_seen_at)
            SELECT %s, %s, client_user_id, email, apple_status, id_hash, now()
            FROM seen_user ORDER BY client_user_id
            ON CONFLICT (account_id, client_user_id) DO UPDATE SET
                email = excluded.email,
                apple_status = excluded.apple_status,
                id_hash = excluded.id_hash
            """,  # noqa: S608
            [account.organization_id, account.pk],
        )
        added = VppUser.objects.filter(account=account).count() - before
        VppUser.objects.filter(account=account, client_user_id__in=gone).update(
            apple_status=VppUser.AppleStatus.DELETED
        )
    progress.counts["usersAdded"] += added
    progress.counts["usersChanged"] += written - added
    progress.counts["usersGone"] += len(gone)
