"""The list of a network's apps, and what its rows say of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import django_filters as filters
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Greatest, Lower, NullIf
from django.http import QueryDict
from django.urls import reverse

from apps_catalog.models import ManagedApp, ManagedPlatform, PurchaseMethod
from apps_catalog.models.managed import ManagedAppQuerySet
from licensing.managing.stock import Available, available_of
from licensing.models import AutomationHold
from organizations.lists import Column, Listing, search_field
from organizations.models import Membership, Network, Tag

METHODS = [
    (PurchaseMethod.DEVICE.value, "VPP Device Assignment"),
    (PurchaseMethod.USER.value, "VPP app assignment"),
    (PurchaseMethod.CODES.value, "Redemption codes"),
    (PurchaseMethod.NONE.value, "No VPP license"),
]
SHORT_METHODS = dict(METHODS)
STATES = {
    "waiting": Q(waiting__gt=0),
    "failed": Q(failed__gt=0),
    "paused": Q(paused_at__isnull=False),
    "decision": Q(pk__in=AutomationHold.objects.filter(decided_at=None).values("managed_app")),
}
WORDS = {
    "waiting": "Needs licenses",
    "failed": "Failed on devices",
    "paused": "Paused",
    "decision": "Waits for a decision",
}
MISSING = "Devices in scope on which the app is not installed yet."
AVAILABLE = "Licenses left over all VPP accounts that the app draws from, as Apple last said."


@dataclass(frozen=True, slots=True)
class AppRow:
    managed_app: Any
    scope: str
    available: Available | None
    is_held: bool  # a rule waits for a decision

    @property
    def url(self) -> str:
        place = [self.managed_app.organization_id, self.managed_app.pk]
        return reverse("licensing:app_detail", args=place)

    @property
    def method(self) -> str:
        return SHORT_METHODS[self.managed_app.purchase_method]

    @property
    def missing(self) -> int:
        return int(self.managed_app.missing)

    @property
    def automation(self) -> str:
        """In one or two words, as the row says it."""
        app = self.managed_app
        if app.paused_at:
            return "Paused"
        if self.is_held:
            return "Waits for a decision"
        if not app.needs_license:
            return ""
        parts = [(app.grants_automatically, "grants"), (app.revokes_automatically, "revokes")]
        told = " and ".join(word for is_on, word in parts if is_on)
        return told.capitalize() if told else "Off"

    @property
    def counted_at(self) -> datetime | None:
        counted: datetime | None = self.managed_app.counted_at
        return counted


class AppFilter(filters.FilterSet):
    q = search_field("Name, Adam ID, bundle ID", method="matching")
    platform = filters.ChoiceFilter(
        label="Platform",
        empty_label="All",
        choices=[(value, value) for value in ManagedPlatform.values],
        method="on_platform",
    )
    network = filters.ChoiceFilter(label="Network", empty_label="All networks", method="in_network")
    method = filters.ChoiceFilter(
        label="Purchase method", empty_label="All", choices=METHODS, method="by_method"
    )
    state = filters.ChoiceFilter(
        label="State", empty_label="All", choices=list(WORDS.items()), method="in_state"
    )

    def __init__(self, *arguments: Any, networks: Sequence[Network], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.filters["network"].extra["choices"] = [(str(n.pk), n.name) for n in networks]

    def matching(self, apps: Any, name: str, value: str) -> Any:
        named = Q(app__name__icontains=value) | Q(app__bundle_id__icontains=value)
        return apps.filter(named | Q(adam_id__startswith=value))

    def on_platform(self, apps: Any, name: str, value: str) -> Any:
        return apps.filter(platform=value)

    def in_network(self, apps: Any, name: str, value: str) -> Any:
        return apps.filter(network=int(value))

    def by_method(self, apps: Any, name: str, value: str) -> Any:
        return apps.filter(purchase_method=value)

    def in_state(self, apps: Any, name: str, value: str) -> Any:
        return apps.filter(STATES[value])


class AppList(Listing[AppRow]):
    template = "licensing/_app_list.html"
    columns = (
        Column("name", "Name", sort=("sort_name",)),
        Column("network", "Network", sort=("network_name",)),
        Column("scope", "Scope, purchase method", wide_only=True),
        Column("in_scope", "In scope", sort=("in_scope",), numeric=True),
        Column("installed", "Installed", sort=("installed",), numeric=True),
        Column("missing", "Missing", sort=("missing",), numeric=True, hint=MISSING),
        Column("failed", "Failed", sort=("failed",), numeric=True),
        Column("available", "Licenses available", numeric=True, hint=AVAILABLE),
        Column("automation", "Automatic licensing", wide_only=True),
    )
    export = {
        "name": lambda row: row.managed_app.app.name,
        "adamId": lambda row: row.managed_app.adam_id,
        "bundleId": lambda row: row.managed_app.app.bundle_id,
        "platform": lambda row: row.managed_app.platform,
        "version": lambda row: row.managed_app.app.version,
        "network": lambda row: row.managed_app.network.name,
        "purchaseMethod": lambda row: row.method,
        "scope": lambda row: row.scope,
        "inScope": lambda row: row.managed_app.in_scope,
        "licensed": lambda row: row.managed_app.licensed,
        "installed": lambda row: row.managed_app.installed,
        "missing": lambda row: row.missing,
        "waiting": lambda row: row.managed_app.waiting,
        "failed": lambda row: row.managed_app.failed,
        "licensesAvailable": lambda row: row.available.words if row.available else "",
        "automaticLicensing": lambda row: row.automation,
        "asOf": lambda row: row.counted_at,
    }
    filterset = AppFilter
    default_sort = "name"
    noun = ("app", "apps")

    def __init__(
        self,
        params: QueryDict,
        apps: ManagedAppQuerySet,
        membership: Membership,
        network: Network | None = None,
    ) -> None:
        """`network`: only its apps."""
        self.membership = membership
        self.network = network
        self.networks = list(Network.objects.visible_to(membership).order_by("name", "pk"))
        narrowed = apps.filter(network=network) if network else apps
        super().__init__(params, with_names(narrowed))

    def filter_arguments(self) -> dict[str, Any]:
        return {"networks": self.networks}

    def dress(self, rows: list[ManagedApp]) -> list[AppRow]:
        names = tag_names(self.membership.organization_id, rows)
        available = available_of(rows, self.membership)
        held = held_among(rows)
        return [
            AppRow(row, row.scope.sentence(names), available.get(row.pk), row.pk in held)
            for row in rows
        ]


def with_names(apps: ManagedAppQuerySet) -> ManagedAppQuerySet:
    """With what lists sort by, which is never null."""
    known_name = NullIf(Lower("app__name"), Value(""))
    return apps.select_related("app", "network").annotate(
        sort_name=Coalesce(known_name, F("adam_id")),
        network_name=Lower("network__name"),
        missing=Greatest(F("in_scope") - F("installed"), Value(0)),
    )


def tag_names(organization_id: int, apps: Sequence[ManagedApp]) -> Mapping[int, str]:
    ids = {tag for app in apps for tag in app.scope_tag_ids}
    tags = Tag.objects.filter(organization=organization_id, pk__in=ids)
    return dict(tags.values_list("pk", "name"))


def held_among(apps: Sequence[ManagedApp]) -> set[int]:
    waiting = AutomationHold.objects.waiting().filter(managed_app__in=[app.pk for app in apps])
    return set(waiting.values_list("managed_app_id", flat=True))
