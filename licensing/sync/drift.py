"""Do our rows add up to Apple's counts? A delta tells of no removal; a count that fell does.

Only a title whose difference is another than the one that was found when it was last read from end
to end is read again, so that what never adds up costs nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from django.utils import timezone

from licensing.changes import TABLE
from licensing.models import LicensedApp
from licensing.sync.assignments import Holders, read_all, save
from licensing.sync.confirm import pages_of
from licensing.sync.plans import TitleKey, plan_walks
from licensing.sync.progress import Progress
from licensing.sync.titles import TITLES
from organizations.bulk import returned
from vpp_accounts.apple.client import AppleClient
from vpp_accounts.models import SyncRun, VppAccount


def settle_drift(
    client: AppleClient,
    progress: Progress,
    titles: Collection[LicensedApp],
    listed: Mapping[int, int] | None,
) -> None:
    """Read the titles by themselves that differ, unless a stable walk has just listed them all."""
    if listed is None:
        listed = _look_again(client, progress, titles)
    drifted = [
        title
        for title in titles
        if title.pk in listed and title.assigned_count - listed[title.pk] != title.count_drift
    ]
    if drifted and _counts_are_of_now(client, progress):
        _keep(progress, drifted, listed)


def _counts_are_of_now(client: AppleClient, progress: Progress) -> bool:
    """Else counts and assignments are of two moments, and the next run, which sees them moved,
    compares anew. A location at work would have us read its titles over and over.
    """
    return client.assets().version_id == progress.account.assets_version


def _look_again(
    client: AppleClient, progress: Progress, titles: Collection[LicensedApp]
) -> dict[int, int]:
    """How many assignments each title has for certain, of those that were read again."""
    by_id = {title.pk: title for title in titles}
    differing = {pk: by for pk, by in differences(progress.account).items() if pk in by_id}
    if not differing or not _counts_are_of_now(client, progress):
        return {}
    costs = {pk: pages_of(by_id[pk]) for pk in differing}
    plan = plan_walks(costs, most=progress.looks_left)
    progress.looks_left -= plan.requests
    progress.counts["unconfirmed"] += sum(differing[pk] for pk in plan.left)
    return _read_again(client, progress, [by_id[pk] for pk in plan.walk])


def _read_again(
    client: AppleClient, progress: Progress, titles: Sequence[LicensedApp]
) -> dict[int, int]:
    progress.phase(SyncRun.Phase.ASSIGNMENTS)
    progress.reads_since = timezone.now()
    seen: dict[TitleKey, Holders] = {}
    stable: list[LicensedApp] = []
    moving: list[LicensedApp] = []
    for title in titles:
        key = (title.adam_id, title.pricing_param)
        traversal = client.assignments(adam_id=title.adam_id, pricing_param=title.pricing_param)
        # By its key: Apple may take no notice of a filter that is new.
        seen[key] = read_all(traversal, progress).get(key, ([], []))
        (stable if traversal.is_stable else moving).append(title)
    save(seen, moving, progress, client, is_stable=False)
    return save(seen, stable, progress, client, is_stable=True)


def differences(account: VppAccount) -> dict[int, int]:
    """By title, how far our rows are from where Apple's count says that they should be."""
    rows = returned(
        f"""
        SELECT title.id, title.assigned_count - coalesce(held.number, 0) - title.count_drift
        FROM {TITLES} AS title
        LEFT JOIN (
            SELECT licensed_app_id, count(*) AS number
            FROM {TABLE} WHERE account_id = %(account)s GROUP BY licensed_app_id
        ) AS held ON held.licensed_app_id = title.id
        WHERE title.account_id = %(account)s
          AND title.assigned_count - coalesce(held.number, 0) <> title.count_drift
        """,  # noqa: S608  table names are the models'
        {"account": account.pk},
    )
    return {title: abs(by) for title, by in rows}


def _keep(progress: Progress, drifted: Sequence[LicensedApp], listed: Mapping[int, int]) -> None:
    for title in drifted:
        title.count_drift = title.assigned_count - listed[title.pk]
    with progress.transaction():
        LicensedApp.objects.bulk_update(drifted, ["count_drift"], batch_size=500)
