"""The titles of an account and Apple's counts of them."""

from __future__ import annotations

from collections.abc import Sequence, Set
from itertools import islice

from django.utils import timezone

from apps_catalog.models import App
from licensing.bulk import execute
from licensing.models import LicenseCount, LicensedApp
from licensing.sync.plans import AssetPlan, TitleKey, facts_of_asset, plan_assets
from licensing.sync.progress import Progress
from organizations.audit import APPLE, current_request_id
from organizations.models import AuditEvent
from vpp_accounts.apple.client import AppleClient
from vpp_accounts.apple.types import Asset
from vpp_accounts.models import SyncRun, VppAccount

MOST_CONFIRMATIONS = 50  # titles asked for one by one in a run; the rest waits for the next


def sync_assets(client: AppleClient, progress: Progress, *, full: bool) -> str:
    """Bring the titles up to date; answers Apple's version of the list."""
    progress.phase(SyncRun.Phase.ASSETS)
    traversal = client.assets()
    account = progress.account
    if traversal.version_id == account.assets_version and not full:
        _touch(account)
        return traversal.version_id
    seen: list[Asset] = []
    for page in traversal.pages():
        seen += page.rows
        progress.advance(traversal.pages_done, traversal.total_pages)
    progress.counts["unreadable"] += len(traversal.unreadable)
    plan = plan_assets(seen, titles_of(account))
    gone = plan.missing
    if not traversal.is_stable:
        gone = _confirmed_gone(client, plan.missing, progress)
    _apply(plan, gone, progress)
    _follow_country(account)
    return traversal.version_id


def titles_of(account: VppAccount) -> dict[TitleKey, LicensedApp]:
    titles = LicensedApp.objects.filter(account=account).select_related("app").order_by("pk")
    return {(title.adam_id, title.pricing_param): title for title in titles}


def _confirmed_gone(
    client: AppleClient, missing: Sequence[LicensedApp], progress: Progress
) -> list[LicensedApp]:
    """The list moved while we read it: gone is what Apple, asked by name, leaves out twice."""
    asked = list(islice(missing, MOST_CONFIRMATIONS))
    progress.counts["unconfirmed"] += len(missing) - len(asked)
    return [title for title in asked if not any(_is_listed(client, title) for _ in range(2))]


def _is_listed(client: AppleClient, title: LicensedApp) -> bool:
    found = client.assets(adam_id=title.adam_id, pricing_param=title.pricing_param).rows()
    return any(asset.pricing_param == title.pricing_param for asset in found)


def _apply(plan: AssetPlan, gone: Sequence[LicensedApp], progress: Progress) -> None:
    account, now = progress.account, timezone.now()
    apps = _apps_for(account, {asset.adam_id for asset in plan.create})
    created = [
        LicensedApp(
            organization_id=account.organization_id,
            account=account,
            app=apps[asset.adam_id],
            adam_id=asset.adam_id,
            pricing_param=asset.pricing_param,
            counts_as_of=now,
            **facts_of_asset(asset),
        )
        for asset in sorted(plan.create, key=lambda asset: asset.adam_id)
    ]
    before = {title.pk: _counts(title) for title in [*(t for t, _ in plan.change), *gone]}
    for title, asset in plan.change:
        for field, value in facts_of_asset(asset).items():
            setattr(title, field, value)
    for title in gone:
        title.gone_at = now
        title.total_count = title.available_count = title.assigned_count = 0
    changed = [title for title, _ in plan.change] + list(gone)
    with progress.transaction():
        LicensedApp.objects.bulk_create(created, batch_size=1000)
        events = [
            *(_event(account, "title.found", title, None) for title in created),
            *(_event(account, "title.changed", t, before[t.pk]) for t, _ in plan.change),
            *(_event(account, "title.gone", title, before[title.pk]) for title in gone),
        ]
        fields = list(facts_of_asset(_NOTHING))
        LicensedApp.objects.bulk_update(changed, fields, batch_size=500)
        AuditEvent.objects.bulk_create(events, batch_size=1000)
        _touch(account)
    progress.counts["titlesAdded"] += len(created)
    progress.counts["titlesChanged"] += len(plan.change)
    progress.counts["titlesGone"] += len(gone)


def _follow_country(account: VppAccount) -> None:
    """A location that moved to another storefront is described by that store from now on."""
    abroad = LicensedApp.objects.filter(account=account).exclude(app__country=account.country)
    moved = list(abroad)
    apps = _apps_for(account, {title.adam_id for title in moved}) if moved else {}
    for title in moved:
        title.app = apps[title.adam_id]
    LicensedApp.objects.bulk_update(moved, ["app"], batch_size=500)


_NOTHING = Asset("", "", "", 0, 0, 0, 0, False, False, ())


def _touch(account: VppAccount) -> None:
    """Apple's counts are as of now, also where none of them changed."""
    LicensedApp.objects.filter(account=account, gone_at=None).update(counts_as_of=timezone.now())


def _apps_for(account: VppAccount, adam_ids: Set[str]) -> dict[str, App]:
    """A row of the catalogue for each; without metadata at first, which is a normal state."""
    App.objects.bulk_create(
        [App(adam_id=adam_id, country=account.country) for adam_id in sorted(adam_ids)],
        ignore_conflicts=True,
        batch_size=1000,
    )
    found = App.objects.filter(country=account.country, adam_id__in=adam_ids)
    return {app.adam_id: app for app in found}


def _counts(title: LicensedApp) -> dict[str, int]:
    return {
        "total": title.total_count,
        "assigned": title.assigned_count,
        "available": title.available_count,
    }


def _event(
    account: VppAccount, action: str, title: LicensedApp, before: dict[str, int] | None
) -> AuditEvent:
    return AuditEvent(
        organization_id=account.organization_id,
        actor_kind=APPLE.kind,
        actor_name=APPLE.name,
        action=action,
        target_kind="licensedapp",
        target_id=title.pk,
        target_name=str(title.app)[:254],
        before=before,
        after=_counts(title),
        request_id=current_request_id(),
    )


def record_todays_counts(account: VppAccount) -> None:
    """One row per title and day, in the organization's zone; the last sync of a day wins."""
    execute(
        f"""
        INSERT INTO {LicenseCount._meta.db_table}
            (organization_id, licensed_app_id, day, total_count, assigned_count, available_count)
        SELECT organization_id, id, %s, total_count, assigned_count, available_count
        FROM {LicensedApp._meta.db_table}
        WHERE account_id = %s AND gone_at IS NULL
        ORDER BY id
        ON CONFLICT (licensed_app_id, day) DO UPDATE SET
            total_count = excluded.total_count,
            assigned_count = excluded.assigned_count,
            available_count = excluded.available_count
        """,  # noqa: S608  table names are the models'
        [timezone.localdate(timezone=account.organization.zone), account.pk],
    )
