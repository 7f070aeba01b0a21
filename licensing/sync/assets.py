"""The titles of an account and Apple's counts of them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.utils import timezone

from licensing.models import LicensedApp
from licensing.sync.plans import TitleKey, plan_assets
from licensing.sync.progress import Progress
from licensing.sync.titles import apps_for, titles_of, touch, write_titles
from vpp_accounts.apple.client import AppleClient
from vpp_accounts.apple.types import Asset
from vpp_accounts.models import SyncRun, VppAccount

MOST_CONFIRMATIONS = 50  # titles asked for one by one in a run; the rest waits for the next


def sync_assets(client: AppleClient, progress: Progress, *, full: bool) -> str:
    """Bring the titles up to date; answers Apple's version of the list."""
    progress.phase(SyncRun.Phase.ASSETS)
    began = timezone.now()
    traversal = client.assets()
    account = progress.account
    if traversal.version_id == account.assets_version and not full:
        touch(account, as_of=began)
        return traversal.version_id
    seen: list[Asset] = []
    for page in traversal.pages():
        seen += page.rows
        progress.advance(traversal.pages_done, traversal.total_pages)
    progress.counts["unreadable"] += len(traversal.unreadable)
    missing = plan_assets(seen, titles_of(account), as_of=began).missing
    gone = [(title.adam_id, title.pricing_param) for title in missing]
    if not traversal.is_stable:
        gone = _confirmed_gone(client, gone, progress)
    _write(progress, seen, gone, began)
    _follow_country(account)
    return traversal.version_id


def _confirmed_gone(
    client: AppleClient, missing: Collection[TitleKey], progress: Progress
) -> list[TitleKey]:
    """The list moved while we read it: gone is what Apple, asked by name, leaves out twice."""
    asked = list(missing)[:MOST_CONFIRMATIONS]
    progress.counts["unconfirmed"] += len(missing) - len(asked)
    return [key for key in asked if not any(_is_listed(client, key) for _ in range(2))]


def _is_listed(client: AppleClient, key: TitleKey) -> bool:
    adam_id, pricing_param = key
    found = client.assets(adam_id=adam_id, pricing_param=pricing_param).rows()
    return any(asset.pricing_param == pricing_param for asset in found)


def _write(
    progress: Progress, seen: Collection[Asset], gone: Collection[TitleKey], began: datetime
) -> None:
    with progress.transaction():
        written = write_titles(progress.account, seen, as_of=began, gone=gone)
    progress.risen = written.risen
    progress.counts["titlesAdded"] += len(written.added)
    progress.counts["titlesChanged"] += len(written.changed)
    progress.counts["titlesGone"] += len(written.gone)


def _follow_country(account: VppAccount) -> None:
    """A location that moved to another storefront is described by that store from now on."""
    abroad = LicensedApp.objects.filter(account=account).exclude(app__country=account.country)
    moved = list(abroad)
    apps = apps_for(account, {title.adam_id for title in moved}) if moved else {}
    for title in moved:
        title.app = apps[title.adam_id]
    LicensedApp.objects.bulk_update(moved, ["app"], batch_size=500)
