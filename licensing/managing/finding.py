"""Finding the app that is to be deployed: the countries of the store, and what is licensed already."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from django.db.models import Q

from apps_catalog.managing.accounts import assignable_in
from apps_catalog.models import ManagedApp, ManagedPlatform, StoreSearch
from apps_catalog.store.reading import Result
from licensing import titles
from licensing.models import LicensedApp
from organizations.models import Membership, Network
from vpp_accounts.models import VppAccount

ELSEWHERE = "US"  # where nobody has bought anything yet
MOST_SHOWN = 30
READ = 300  # so many rows hold that many titles, though several accounts have them


@dataclass(frozen=True, slots=True)
class Licensed:
    """A title that the organization has licenses of and does not deploy yet."""

    title: LicensedApp

    @property
    def name(self) -> str:
        return titles.name_of(self.title)

    @property
    def icon_url(self) -> str:
        return self.title.app.icon_url

    @property
    def note(self) -> str:
        """“Paid $4.99 · 12 left in North”."""
        left = "unlimited" if self.title.is_unlimited else f"{self.title.available_count:,} left"
        where = f"{left} in {self.title.account}"
        return " · ".join(filter(None, (titles.price_of(self.title), where)))


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is to be added: out of a search, or out of the licenses."""

    adam_id: str
    platform: str
    name: str
    seller: str
    bundle_id: str
    icon_url: str
    price: str
    search: StoreSearch | None = None
    title: LicensedApp | None = None

    @property
    def label(self) -> str:
        return str(ManagedPlatform(self.platform).label)

    @classmethod
    def of_result(cls, search: StoreSearch, result: Result) -> Self:
        return cls(
            adam_id=result["adam_id"],
            platform=search.platform,
            name=result["name"],
            seller=result["seller"],
            bundle_id=result["bundle_id"],
            icon_url=result["icon_url"],
            price=result["price_text"],
            search=search,
        )

    @classmethod
    def of_title(cls, title: LicensedApp, platform: str) -> Self:
        app = title.app
        return cls(
            adam_id=title.adam_id,
            platform=platform_of(title, platform),
            name=titles.name_of(title),
            seller=app.seller,
            bundle_id=app.bundle_id,
            icon_url=app.icon_url,
            price=titles.price_of(title),
            title=title,
        )


def platform_of(title: LicensedApp, wanted: str = "") -> str:
    """The one that is wanted, where it is one; else the first that the title runs on."""
    possible = [value for value in ManagedPlatform.values if value in title.platforms]
    if wanted in ManagedPlatform.values and (wanted in possible or not possible):
        return wanted
    return str(possible[0]) if possible else ManagedPlatform.IOS.value


def countries_for(membership: Membership, network: Network | None) -> list[str]:
    """Where the accounts buy: of the chosen network first, so that its store is asked."""
    ours = VppAccount.objects.open_to(membership).exclude(country="")
    everywhere = list(ours.order_by("country").values_list("country", flat=True).distinct())
    if network is None:
        return everywhere or [ELSEWHERE]
    here = ours.filter(pk__in=assignable_in(network).values("pk"))
    first = list(here.order_by("country").values_list("country", flat=True).distinct())
    return list(dict.fromkeys([*first, *everywhere])) or [ELSEWHERE]


def from_licenses(
    membership: Membership, platform: str, networks: Iterable[Network] | Any, *, text: str
) -> list[Licensed]:
    """Titles for this platform that are not yet in each of these networks."""
    ours = LicensedApp.objects.visible_to(membership).present()
    apps = ours.filter(product_type="App", platforms__contains=[platform])
    if text:
        named = Q(app__name__icontains=text) | Q(app__bundle_id__icontains=text)
        apps = apps.filter(named | Q(adam_id__startswith=text))
    everywhere = deployed_everywhere(platform, [network.pk for network in networks])
    rows = apps.select_related("app", "account").exclude(adam_id__in=everywhere)
    once: dict[str, LicensedApp] = {}
    for row in rows.order_by("app__name", "adam_id", "-available_count", "pk")[:READ]:
        once.setdefault(row.adam_id, row)
    return [Licensed(title) for title in list(once.values())[:MOST_SHOWN]]


def deployed_everywhere(platform: str, network_ids: list[int]) -> list[str]:
    """Adam IDs of the apps that are in all of these networks."""
    there: dict[str, set[int]] = {}
    apps = ManagedApp.objects.filter(network__in=network_ids, platform=platform)
    for adam_id, network_id in apps.values_list("adam_id", "network_id"):
        there.setdefault(adam_id, set()).add(network_id)
    return [adam_id for adam_id, found in there.items() if len(found) == len(set(network_ids))]
