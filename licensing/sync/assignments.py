"""Who holds what: read what is new or everything, compare as lines, write only what differs.

A delta tells who was added, never who was removed; `drift` finds those.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import structlog
from django.utils import timezone

from licensing import changes
from licensing.models import Assignment, LicensedApp
from licensing.sync.confirm import confirmed_gone
from licensing.sync.plans import TitleKey, plan_slices
from licensing.sync.progress import Progress
from organizations.bulk import copy_out, escaped
from vpp_accounts.apple.client import AppleClient
from vpp_accounts.apple.errors import VersionNotFound
from vpp_accounts.apple.paging import Traversal
from vpp_accounts.apple.types import Assignment as AppleAssignment
from vpp_accounts.models import SyncRun

log = structlog.get_logger(__name__)

ROWS_AT_A_TIME = 50_000

# Of one title: the serial numbers and the client users that hold it.
Holders = tuple[list[str], list[str]]
Seen = Mapping[TitleKey, Holders]
Titles = Mapping[TitleKey, LicensedApp]


class Reading(NamedTuple):
    """What came of reading a list: the version to ask changes since for next time, and per title
    (by its id) how many hold it. None where the list was not read from end to end at one moment.
    """

    version: str
    listed: dict[int, int] | None


def sync_assignments(
    client: AppleClient, progress: Progress, titles: Titles, *, full: bool
) -> Reading:
    """Bring the assignments up to date, but for removals that a delta does not tell."""
    progress.phase(SyncRun.Phase.ASSIGNMENTS)
    progress.reads_since = timezone.now()
    known = progress.account.assignments_version
    if known and not full:
        try:
            return _follow(client, progress, titles, since=known)
        except VersionNotFound:
            log.info("sync.version_forgotten", account=progress.account.pk, list="assignments")
            known = ""
    return _walk(client, progress, titles, known=known)


def _follow(client: AppleClient, progress: Progress, titles: Titles, *, since: str) -> Reading:
    traversal = client.assignments(since_version_id=since)
    seen = read_all(traversal, progress)
    strays = _count_strays(seen, titles, progress)
    lines = [
        line
        for key, holders in seen.items()
        if key in titles
        for line in lines_of(titles[key], holders)
    ]
    for start in range(0, len(lines), ROWS_AT_A_TIME):
        _write(progress, new=lines[start : start + ROWS_AT_A_TIME])
    # A title bought since we read the assets: the next sync knows it, and must then walk.
    version = "" if strays else traversal.version_id
    # What slipped from page to page is told again to whoever asks from where we stood.
    return Reading(version if traversal.is_stable else since, None)


def _walk(client: AppleClient, progress: Progress, titles: Titles, *, known: str) -> Reading:
    traversal = client.assignments()
    seen = read_all(traversal, progress)
    # Should their title be bought just now, its count will not fit, and it is read by itself.
    _count_strays(seen, titles, progress)
    listed = save(seen, list(titles.values()), progress, client, is_stable=traversal.is_stable)
    if traversal.is_stable:
        return Reading(traversal.version_id, listed)
    return Reading(known or traversal.version_id, None)


def read_all(traversal: Traversal[AppleAssignment], progress: Progress) -> Seen:
    seen: defaultdict[TitleKey, Holders] = defaultdict(lambda: ([], []))
    for page in traversal.pages():
        _collect(page.rows, seen)
        progress.advance(traversal.pages_done, traversal.total_pages)
    progress.counts["unreadable"] += len(traversal.unreadable)
    return seen


def _collect(rows: Iterable[AppleAssignment], seen: defaultdict[TitleKey, Holders]) -> None:
    for adam_id, pricing_param, client_user_id, serial_number in rows:
        devices, users = seen[adam_id, pricing_param]
        if serial_number is not None:
            devices.append(serial_number)
        else:
            users.append(client_user_id or "")


def _count_strays(seen: Seen, titles: Titles, progress: Progress) -> int:
    strays = sum(_size_of(holders) for key, holders in seen.items() if key not in titles)
    progress.counts["ofUnknownTitles"] += strays
    return strays


def save(
    seen: Seen,
    titles: Sequence[LicensedApp],
    progress: Progress,
    client: AppleClient,
    *,
    is_stable: bool,
) -> dict[int, int]:
    """Make these titles' rows those that were seen; answers how many different ones each has.

    Of a list that moved meanwhile, what is missing is asked for by name before it goes.
    """
    listed: dict[int, int] = {}
    doubtful: list[str] = []
    sizes = [_size(seen, title) for title in titles]
    progress.phase(SyncRun.Phase.SAVING, total=sum(sizes))
    saved = 0
    for group in plan_slices(titles, sizes, largest=ROWS_AT_A_TIME):
        lines = _lines_of_group(group, seen, listed)
        held = set(held_lines(progress, group))
        gone = held - lines
        if not is_stable:
            doubtful += gone
            gone = set()
        _write(progress, new=sorted(lines - held), gone=gone)
        saved += sum(_size(seen, title) for title in group)
        progress.advance(saved, sum(sizes))
    if doubtful:
        progress.phase(SyncRun.Phase.CONFIRMING, total=len(doubtful))
        _write(progress, gone=confirmed_gone(client, doubtful, titles, progress))
    return listed


def _lines_of_group(group: Iterable[LicensedApp], seen: Seen, listed: dict[int, int]) -> set[str]:
    lines: set[str] = set()
    for title in group:
        before = len(lines)
        lines.update(lines_of(title, _holders(seen, title)))
        listed[title.pk] = len(lines) - before
    return lines


def _write(progress: Progress, *, new: Sequence[str] = (), gone: Collection[str] = ()) -> None:
    """A first sync is one piece of news per title and not one per license."""
    if not new and not gone:
        return
    account = progress.account
    with progress.transaction():
        changed = changes.apply(
            account,
            new=new,
            gone=gone,
            origin=progress.origin,
            audited=account.last_full_sync_at is not None,
            as_of=progress.reads_since,
        )
    progress.counts["assignmentsAdded"] += changed.added
    progress.counts["assignmentsGone"] += changed.gone


def _holders(seen: Seen, title: LicensedApp) -> Holders:
    return seen.get((title.adam_id, title.pricing_param), ([], []))


def _size(seen: Seen, title: LicensedApp) -> int:
    return _size_of(_holders(seen, title))


def _size_of(holders: Holders) -> int:
    devices, users = holders
    return len(devices) + len(users)


def lines_of(title: LicensedApp, holders: Holders) -> Iterable[str]:
    """The holders of a title as PostgreSQL would print their rows."""
    devices, users = holders
    as_device = f"{title.pk}\t{Assignment.HolderKind.DEVICE}\t"
    as_user = f"{title.pk}\t{Assignment.HolderKind.USER}\t"
    # Apple compares serial numbers without case; we keep them in upper case everywhere.
    return chain(
        map(as_device.__add__, escaped(map(str.upper, devices))),
        map(as_user.__add__, escaped(users)),
    )


def held_lines(progress: Progress, group: Sequence[LicensedApp]) -> list[str]:
    return copy_out(
        f"SELECT licensed_app_id, holder_kind, holder FROM {changes.TABLE} "  # noqa: S608
        "WHERE account_id = %s AND licensed_app_id = ANY(%s)",
        [progress.account.pk, [title.pk for title in group]],
    )
