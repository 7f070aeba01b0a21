"""The one place that writes titles and Apple's counts of them, each change with its audit event."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Set
from datetime import datetime
from typing import NamedTuple

from django.utils import timezone

from apps_catalog.models import App
from licensing.changes import supply_moved
from licensing.models import LicenseCount, LicensedApp
from licensing.sync.plans import AssetPlan, TitleKey, facts_of_asset, plan_assets
from organizations.audit import APPLE, current_request_id
from organizations.bulk import execute
from organizations.models import AuditEvent
from vpp_accounts.apple.types import Asset
from vpp_accounts.models import VppAccount

TITLES = LicensedApp._meta.db_table
LOCK = 1_948_001  # a number of our own, so that nothing else takes the same lock


class Written(NamedTuple):
    added: list[LicensedApp]
    changed: list[LicensedApp]
    gone: list[LicensedApp]
    risen: list[LicensedApp]  # of those changed: more are available than before


def titles_of(account: VppAccount) -> dict[TitleKey, LicensedApp]:
    titles = LicensedApp.objects.filter(account=account).select_related("app").order_by("pk")
    return {(title.adam_id, title.pricing_param): title for title in titles}


def write_titles(
    account: VppAccount,
    seen: Collection[Asset],
    *,
    as_of: datetime,
    gone: Collection[TitleKey] = (),
) -> Written:
    """What Apple was seen to say since `as_of`; newer words of Apple's stay. In a transaction."""
    # Two who read at the same time write one after the other; each sees what the other wrote.
    execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, account.pk])
    held = titles_of(account)
    plan = plan_assets(seen, held, as_of=as_of)
    leaving = [title for title in plan.missing if (title.adam_id, title.pricing_param) in gone]
    changed = [title for title, _ in plan.change]
    before = {title.pk: _counts(title) for title in [*changed, *leaving]}
    added = _new_titles(account, plan.create, as_of)
    _follow(plan, leaving)
    LicensedApp.objects.bulk_create(added, batch_size=1000)
    fields = list(facts_of_asset(_NOTHING))
    LicensedApp.objects.bulk_update([*changed, *leaving], fields, batch_size=500)
    touch(account, [held[key].pk for key in map(_key, seen) if key in held], as_of=as_of)
    events = [
        *(_event(account, "title.found", title, None) for title in added),
        *(_event(account, "title.changed", title, before[title.pk]) for title in changed),
        *(_event(account, "title.gone", title, before[title.pk]) for title in leaving),
    ]
    AuditEvent.objects.bulk_create(events, batch_size=1000)
    risen = [t for t in changed if t.available_count > before[t.pk]["available"]]
    if news := [title.pk for title in (*added, *risen, *leaving)]:
        supply_moved.send(LicensedApp, account=account, title_ids=news)
    return Written(added, changed, leaving, risen)


def touch(account: VppAccount, pks: Collection[int] | None = None, *, as_of: datetime) -> None:
    """Apple's counts are as of then, also where none of them changed; of all titles without `pks`."""
    titles = LicensedApp.objects.filter(account=account, gone_at=None, counts_as_of__lt=as_of)
    (titles if pks is None else titles.filter(pk__in=pks)).update(counts_as_of=as_of)


def apps_for(account: VppAccount, adam_ids: Set[str]) -> dict[str, App]:
    """A row of the catalogue for each; without metadata at first, which is a normal state."""
    App.objects.bulk_create(
        [App(adam_id=adam_id, country=account.country) for adam_id in sorted(adam_ids)],
        ignore_conflicts=True,
        batch_size=1000,
    )
    found = App.objects.filter(country=account.country, adam_id__in=adam_ids)
    return {app.adam_id: app for app in found}


def record_todays_counts(account: VppAccount, titles: Iterable[LicensedApp] | None = None) -> None:
    """One row per title and day, in the organization's zone; the last reading of a day wins."""
    execute(
        f"""
        INSERT INTO {LicenseCount._meta.db_table}
            (organization_id, licensed_app_id, day, total_count, assigned_count, available_count)
        SELECT organization_id, id, %(day)s, total_count, assigned_count, available_count
        FROM {TITLES}
        WHERE account_id = %(account)s AND gone_at IS NULL
          AND (%(titles)s::bigint[] IS NULL OR id = ANY(%(titles)s))
        ORDER BY id
        ON CONFLICT (licensed_app_id, day) DO UPDATE SET
            total_count = excluded.total_count,
            assigned_count = excluded.assigned_count,
            available_count = excluded.available_count
        """,  # noqa: S608  table names are the models'
        {
            "day": timezone.localdate(timezone=account.organization.zone),
            "account": account.pk,
            "titles": None if titles is None else [title.pk for title in titles],
        },
    )


_NOTHING = Asset("", "", "", 0, 0, 0, 0, False, False, ())


def _key(asset: Asset) -> TitleKey:
    return asset.adam_id, asset.pricing_param


def _new_titles(account: VppAccount, assets: Iterable[Asset], as_of: datetime) -> list[LicensedApp]:
    new = sorted(assets, key=_key)
    apps = apps_for(account, {asset.adam_id for asset in new}) if new else {}
    return [
        LicensedApp(
            organization_id=account.organization_id,
            account=account,
            app=apps[asset.adam_id],
            adam_id=asset.adam_id,
            pricing_param=asset.pricing_param,
            counts_as_of=as_of,
            **facts_of_asset(asset),
        )
        for asset in new
    ]


def _follow(plan: AssetPlan, leaving: Iterable[LicensedApp]) -> None:
    for title, asset in plan.change:
        for field, value in facts_of_asset(asset).items():
            setattr(title, field, value)
    for title in leaving:
        title.gone_at = timezone.now()
        title.total_count = title.available_count = title.assigned_count = 0


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
