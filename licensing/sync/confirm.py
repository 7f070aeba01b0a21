"""Was it really taken away? A traversal that moved under us may have skipped a row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from licensing.models import Assignment, LicensedApp
from licensing.sync.progress import Progress
from organizations.bulk import escaped, unescaped
from vpp_accounts.apple.client import AppleClient

PAGE = 500  # about how many holders one request for a whole title brings


def confirmed_gone(
    client: AppleClient,
    doubtful: Collection[str],
    titles: Iterable[LicensedApp],
    progress: Progress,
) -> list[str]:
    """The lines that Apple, asked by holder or by title, left out twice.

    Those that the run has no requests left for are counted as unconfirmed and wait for the next.
    """
    by_id = {title.pk: title for title in titles}
    of_title: defaultdict[int, list[str]] = defaultdict(list)
    for line in doubtful:
        of_title[int(line.partition("\t")[0])].append(line)
    gone: list[str] = []
    asked = 0
    for title_id, lines in of_title.items():
        title = by_id[title_id]
        cost = 2 * min(len(lines), pages_of(title))
        if cost > progress.looks_left:
            progress.counts["unconfirmed"] += len(lines)
            continue
        progress.looks_left -= cost
        present = _present(client, title, lines) | _present(client, title, lines)
        gone += [line for line in lines if line not in present]
        asked += len(lines)
        progress.advance(asked, len(doubtful))
    return gone


def pages_of(title: LicensedApp) -> int:
    """About how many requests it takes to read all holders of a title."""
    return 1 + title.assigned_count // PAGE


def _present(client: AppleClient, title: LicensedApp, lines: Collection[str]) -> set[str]:
    """Which of these lines Apple still has, with as few requests as that takes."""
    if len(lines) <= pages_of(title):
        return {line for line in lines if _is_held(client, title, line)}
    found = client.assignments(adam_id=title.adam_id, pricing_param=title.pricing_param).rows()
    return {_line(title, item.serial_number, item.client_user_id) for item in found}


def _is_held(client: AppleClient, title: LicensedApp, line: str) -> bool:
    _, kind, escaped_holder = line.split("\t")
    holder = unescaped(escaped_holder)
    is_device = kind == Assignment.HolderKind.DEVICE
    found = client.assignments(
        adam_id=title.adam_id,
        serial_number=holder if is_device else None,
        client_user_id=None if is_device else holder,
    ).rows()
    return any(item.pricing_param == title.pricing_param for item in found)


def _line(title: LicensedApp, serial_number: str | None, client_user_id: str | None) -> str:
    kind = Assignment.HolderKind.USER if serial_number is None else Assignment.HolderKind.DEVICE
    (holder,) = escaped([(serial_number or "").upper() or client_user_id or ""])
    return f"{title.pk}\t{kind}\t{holder}"
