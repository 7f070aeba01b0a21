"""The apps of all networks: what is deployed where, and one app in several networks at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from apps_catalog.models import ManagedApp, ManagedPlatform
from apps_catalog.models.managed import ManagedAppQuerySet
from licensing.api.app_details import Wire
from licensing.api.app_serializers import METHODS, AppSerializer
from licensing.api.apps import APPS, TAG
from licensing.api.organization_app_serializers import AddedAppsSerializer, CreateAppsSerializer
from licensing.api.spreading import spread, verdicts_json
from licensing.tables.apps import WORDS, AppFilter
from organizations.api import paging, parameters
from organizations.api.doors import OrganizationApiView
from organizations.api.openapi import operation, paged, query
from organizations.api.parameters import BadParameter
from organizations.models import Network


class OrganizationAppsView(OrganizationApiView):
    network_writes = True

    @operation(
        "getOrganizationSmApps",
        "List the apps that all networks deploy",
        tag=TAG,
        answers={200: AppSerializer(many=True)},
        parameters=[
            query("search", "A part of the name or the bundle id, or the first digits of the id."),
            query("platform", "Only apps for this platform.", enum=ManagedPlatform.values),
            query("networkId", "Only the apps of this network."),
            query("purchaseMethod", "Only apps that are licensed so.", enum=list(METHODS)),
            query(
                "state",
                "Only apps that wait for licenses, failed on devices, are paused, or wait for a"
                " decision.",
                enum=list(WORDS),
            ),
            *paged(APPS),
        ],
        description="In the networks that this key sees.",
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        visible = ManagedApp.objects.visible_to(self.membership)
        networks = list(Network.objects.visible_to(self.membership))
        rows = visible.select_related("app", "network", "organization")
        found: ManagedAppQuerySet = AppFilter(wanted(request, networks), rows, networks=networks).qs
        return paging.listed(request, found, size=APPS, shape=self._shape)

    def _shape(self, apps: list[ManagedApp]) -> Iterator[dict[str, Any]]:
        return map(Wire(apps, self.membership).app, apps)

    @operation(
        "createOrganizationSmApps",
        "Deploy an app in several networks",
        tag=TAG,
        body=CreateAppsSerializer,
        answers={200: AddedAppsSerializer},
        description="Answers a verdict for each network: one that refuses it hinders no other one."
        " Where the app is already it stays as it is. Without a scope no device gets it yet; without"
        " vppAccountIds each network draws from the accounts that have the title and are assignable"
        " there. With dryRun each verdict has the preview of its network.",
    )
    def post(self, request: Request, **path: str) -> Response:
        given = CreateAppsSerializer.checked(request)
        found = spread(given, self.membership, self.actor)
        return Response({"networks": verdicts_json(found, self.membership)})


def wanted(request: Request, networks: Iterable[Network]) -> dict[str, str]:
    """As the filter of the page takes it."""
    network_id = parameters.row_id(request, "networkId")
    if network_id is not None and network_id not in {network.pk for network in networks}:
        raise BadParameter("networkId", "must be the id of a network that you see")
    method = parameters.choice(request, "purchaseMethod", list(METHODS))
    return {
        "q": parameters.text(request, "search").strip(),
        "platform": parameters.choice(request, "platform", ManagedPlatform.values),
        "network": "" if network_id is None else str(network_id),
        "method": METHODS[method].value if method else "",
        "state": parameters.choice(request, "state", list(WORDS)),
    }
