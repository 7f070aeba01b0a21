"""Who holds what: read all pages, compare as lines, write only what differs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from licensing import changes
from licensing.bulk import copy_out, escaped
from licensing.models import Assignment, LicensedApp
from licensing.sync.confirm import confirmed_gone
from licensing.sync.plans import TitleKey, plan_slices
from licensing.sync.progress import Progress
from vpp_accounts.apple.client import AppleClient
from vpp_accounts.apple.types import Assignment as AppleAssignment
from vpp_accounts.models import SyncRun

ROWS_AT_A_TIME = 50_000

# Of one title: the serial numbers and the client users that hold it.
Holders = tuple[list[str], list[str]]
Seen = Mapping[TitleKey, Holders]


def sync_assignments(
    client: AppleClient, progress: Progress, titles: Mapping[TitleKey, LicensedApp], *, full: bool
) -> str:
    """Bring the assignments up to date; answers Apple's version of the list."""
    progress.phase(SyncRun.Phase.ASSIGNMENTS)
    traversal = client.assignments()
    if traversal.version_id == progress.account.assignments_version and not full:
        return traversal.version_id
    seen: defaultdict[TitleKey, Holders] = defaultdict(lambda: ([], []))
    for page in traversal.pages():
        _collect(page.rows, seen)
        progress.advance(traversal.pages_done, traversal.total_pages)
    progress.counts["unreadable"] += len(traversal.unreadable)
    strays = sum(_size_of(holders) for key, holders in seen.items() if key not in titles)
    progress.counts["ofUnknownTitles"] += strays
    doubtful = _save(seen, list(titles.values()), progress, is_stable=traversal.is_stable)
    if doubtful:
        progress.phase(SyncRun.Phase.CONFIRMING, total=len(doubtful))
        gone = confirmed_gone(client, doubtful, titles.values(), progress)
        with progress.transaction():
            _note(progress, changes.apply(progress.account, new=[], gone=gone))
    # A title bought since we read the assets: the next sync knows it, and must then walk again.
    return "" if strays else traversal.version_id


def _collect(rows: Iterable[AppleAssignment], seen: defaultdict[TitleKey, Holders]) -> None:
    for adam_id, pricing_param, client_user_id, serial_number in rows:
        devices, users = seen[adam_id, pricing_param]
        if serial_number is not None:
            devices.append(serial_number)
        else:
            users.append(client_user_id or "")


def _save(
    seen: Seen, titles: Sequence[LicensedApp], progress: Progress, *, is_stable: bool
) -> list[str]:
    """Write the differences slice by slice; answers the lines that may or may not be gone."""
    is_first = progress.account.last_full_sync_at is None
    doubtful: list[str] = []
    sizes = [_size(seen, title) for title in titles]
    progress.phase(SyncRun.Phase.SAVING, total=sum(sizes))
    saved = 0
    for group in plan_slices(titles, sizes, largest=ROWS_AT_A_TIME):
        lines: set[str] = set()
        for title in group:
            lines.update(lines_of(title, _holders(seen, title)))
        held = set(held_lines(progress, group))
        new, gone = lines - held, held - lines
        if not is_stable:
            doubtful += gone
            gone = set()
        if new or gone:
            with progress.transaction():
                changed = changes.apply(
                    progress.account, new=sorted(new), gone=gone, audited=not is_first
                )
            _note(progress, changed)
        saved += sum(_size(seen, title) for title in group)
        progress.advance(saved, sum(sizes))
    return doubtful


def _note(progress: Progress, changed: changes.Changed) -> None:
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
