"""An app on the wire, and what a request says about one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from apps_catalog import store
from apps_catalog.managing import ManagedAppDetails
from apps_catalog.managing.details import PLAIN
from apps_catalog.models import App, ManagedApp, ManagedAppAccount
from licensing.api.app_serializers import METHOD_NAMES, METHODS
from licensing.managing.finding import ELSEWHERE
from licensing.models import LicensedApp
from licensing.tables.apps import held_among, tag_names
from organizations.api.scoping import scope_from
from organizations.models import Membership, Organization
from organizations.refusals import Refusal
from vpp_accounts.models import VppAccount

COUNTS = ("licensed", "installed", "waiting", "blocked", "failed")


def details_from(
    given: Mapping[str, Any], base: ManagedAppDetails, organization: Organization
) -> ManagedAppDetails:
    """What was not sent stays as it is in `base`."""
    said: dict[str, Any] = {name: given[wire] for name, wire in PLAIN.items() if wire in given}
    if "scope" in given:
        said["scope"] = scope_from(given["scope"], organization)
    if "purchaseMethod" in given:
        said["purchase_method"] = METHODS[given["purchaseMethod"]].value
    if "vppAccountIds" in given:
        said["account_ids"] = tuple(map(int, given["vppAccountIds"]))
    return replace(base, **said)


def app_for(adam_id: str, platform: str, country: str, membership: Membership) -> App:
    """As one of the admin's accounts has it; else by its number, until the store has said more."""
    licensed = LicensedApp.objects.visible_to(membership).present().filter(adam_id=adam_id)
    if country:
        licensed = licensed.filter(app__country=country)
    if title := licensed.select_related("app").order_by("pk").first():
        return title.app
    app, _ = App.objects.get_or_create(adam_id=adam_id, country=country or _country_of(membership))
    if not app.name:
        _ask_for_its_name(app, platform, membership.organization)
    return app


def _country_of(membership: Membership) -> str:
    accounts = VppAccount.objects.open_to(membership).exclude(country="")
    first = accounts.order_by("name", "pk").values_list("country", flat=True).first()
    return first or ELSEWHERE


def _ask_for_its_name(app: App, platform: str, organization: Organization) -> None:
    """A worker asks the store. Where that is asked too often already, the name comes later."""
    try:
        store.ask(
            organization=organization, term=app.adam_id, country=app.country, platform=platform
        )
    except Refusal:
        return


class Wire:
    """What the answers about some apps need, read once for all of them."""

    def __init__(self, apps: Sequence[ManagedApp], membership: Membership) -> None:
        self.tags = tag_names(membership.organization_id, apps)
        self.held = held_among(apps)
        self.accounts = _accounts_of(apps, membership)

    def app(self, app: ManagedApp) -> dict[str, Any]:
        tags = [self.tags[pk] for pk in app.scope_tag_ids if pk in self.tags]
        told = asdict(ManagedAppDetails(**{name: getattr(app, name) for name in PLAIN}))
        return {
            "id": str(app.pk),
            "networkId": str(app.network_id),
            "adamId": app.adam_id,
            "platform": app.platform,
            "country": app.app.country,
            "name": app.app.name or None,
            "bundleId": app.app.bundle_id or None,
            "version": app.app.version or None,
            "scope": ",".join([app.scope_operator, *tags]),
            "tags": tags,
            "purchaseMethod": METHOD_NAMES[app.purchase_method],
            "vppAccountIds": self.accounts.get(app.pk, []),
            **{wire: told[name] for name, wire in PLAIN.items()},
            "pausedAt": app.paused_at,
            "waitsForDecision": app.pk in self.held,
            "counts": counts_json(app),
        }


def counts_json(app: ManagedApp) -> dict[str, Any]:
    counts = {name: getattr(app, name) for name in COUNTS}
    return {"inScope": app.in_scope, **counts, "asOf": app.counted_at}


def _accounts_of(apps: Collection[ManagedApp], membership: Membership) -> dict[int, list[str]]:
    """In their order, as far as this admin sees them."""
    visible = VppAccount.objects.visible_to(membership)
    links = ManagedAppAccount.objects.filter(
        managed_app__in=[app.pk for app in apps], account__in=visible
    )
    found: dict[int, list[str]] = {}
    for app_id, account_id in links.order_by("place", "pk").values_list(
        "managed_app_id", "account_id"
    ):
        found.setdefault(app_id, []).append(str(account_id))
    return found
