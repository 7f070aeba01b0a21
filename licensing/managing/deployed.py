"""Which titles are deployed as apps, as far as an admin sees networks: a license alone installs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import QuerySet
from django.urls import reverse

from apps_catalog.models import ManagedApp
from licensing.models import Batch, BatchItem, ItemState, LicensedApp
from organizations.models import Membership

SHOWN = 10


def deployed_as(adam_ids: Iterable[str], membership: Membership) -> dict[str, list[ManagedApp]]:
    """By Adam ID: the apps of networks that deploy it."""
    apps = ManagedApp.objects.visible_to(membership).filter(adam_id__in=set(adam_ids))
    found: dict[str, list[ManagedApp]] = {}
    for app in apps.select_related("network").order_by("network__name", "platform", "pk"):
        found.setdefault(app.adam_id, []).append(app)
    return found


def deployed_ids(membership: Membership) -> QuerySet[ManagedApp, str]:
    """Adam IDs, for a filter."""
    return ManagedApp.objects.visible_to(membership).values_list("adam_id", flat=True)


def undeployed_of(batch: Batch, membership: Membership) -> Sequence[LicensedApp]:
    """The first apps that a batch gave and no network deploys."""
    given = BatchItem.objects.filter(batch=batch, state=ItemState.SUCCEEDED)
    titles = LicensedApp.objects.filter(
        organization=batch.organization_id, product_type="App", pk__in=given.values("licensed_app")
    )
    waiting = titles.exclude(adam_id__in=deployed_ids(membership))
    return list(waiting.select_related("app").order_by("app__name", "pk")[:SHOWN])


def add_url(title: LicensedApp) -> str:
    """Where a title is added to networks."""
    address = reverse("licensing:app_networks", args=[title.organization_id])
    return f"{address}?title={title.pk}"
