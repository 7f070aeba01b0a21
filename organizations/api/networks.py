"""Networks: Meraki's operations, with the services of the pages."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from organizations import services
from organizations.api import paging, parameters
from organizations.api.doors import NetworkApiView, OrganizationApiView
from organizations.api.openapi import operation, paged, query
from organizations.api.organizations import organization_url
from organizations.api.paging import PageSize
from organizations.api.parameters import BadParameter
from organizations.api.serializers import (
    SYSTEMS_MANAGER,
    CreateNetworkSerializer,
    NetworkSerializer,
    UpdateNetworkSerializer,
)
from organizations.models import Network
from organizations.models.tenant import NetworkQuerySet
from organizations.services import NetworkDetails

NETWORKS = PageSize(default=1000, largest=100_000)
TAG = "Networks"
WITH_ALL, WITH_ANY = "withAllTags", "withAnyTags"


class NetworksView(OrganizationApiView):
    @operation(
        "getOrganizationNetworks",
        "List the networks that this key may see",
        tag=TAG,
        answers={200: NetworkSerializer(many=True)},
        parameters=[
            query("tags[]", "Only networks with these tags.", many=True),
            query("tagsFilterType", f"Default {WITH_ANY}.", enum=[WITH_ALL, WITH_ANY]),
            query("productTypes[]", f"All networks are of {SYSTEMS_MANAGER}.", many=True),
            query("configTemplateId", "There are no templates: any value finds nothing."),
            query("isBoundToConfigTemplate", "true finds nothing.", type=bool),
            *paged(NETWORKS),
        ],
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        visible = Network.objects.visible_to(self.membership)
        found = _filtered(request, visible)
        return paging.listed(request, found, size=NETWORKS, shape=paging.each(network_json))

    @operation(
        "createOrganizationNetwork",
        "Add a network",
        tag=TAG,
        body=CreateNetworkSerializer,
        answers={201: NetworkSerializer},
    )
    def post(self, request: Request, **path: str) -> Response:
        given = CreateNetworkSerializer.checked(request)
        network = services.add_network(
            by=self.actor,
            organization=self.organization,
            details=NetworkDetails(
                name=given["name"],
                time_zone=given.get("timeZone"),
                tags=tuple(given.get("tags", ())),
                notes=given.get("notes", ""),
            ),
        )
        return Response(network_json(network), status=201)


class NetworkView(NetworkApiView):
    @operation("getNetwork", "Show a network", tag=TAG, answers={200: NetworkSerializer})
    def get(self, request: Request, **path: str) -> Response:
        return Response(network_json(self.network))

    @operation(
        "updateNetwork",
        "Rename, tag or annotate a network",
        tag=TAG,
        body=UpdateNetworkSerializer,
        answers={200: NetworkSerializer},
        description="Fields that are not sent stay as they are.",
    )
    def put(self, request: Request, **path: str) -> Response:
        given = UpdateNetworkSerializer.checked(request)
        network = services.edit_network(
            by=self.actor,
            network=self.network,
            details=NetworkDetails(
                name=given.get("name", self.network.name),
                time_zone=given.get("timeZone"),
                tags=tuple(given.get("tags", self.network.tags)),
                notes=given.get("notes", self.network.notes),
            ),
        )
        return Response(network_json(network))

    @operation(
        "deleteNetwork",
        "Delete a network",
        tag=TAG,
        answers={204: None},
        parameters=[query("moveDevicesTo", "The id of the network that takes its devices over.")],
        description="Refused with 409 while devices are in it, unless another network takes them.",
    )
    def delete(self, request: Request, **path: str) -> Response:
        services.delete_network(
            by=self.actor, network=self.network, move_devices_to=self._target(request)
        )
        return Response(status=204)

    def _target(self, request: Request) -> Network | None:
        name = "moveDevicesTo"
        wanted = parameters.row_id(request, name)
        if wanted is None:
            return None
        target = Network.objects.writable_by(self.membership).filter(pk=wanted).first()
        if target is None:
            raise BadParameter(name, "must be the id of a network of this organization")
        return target


def _filtered(request: Request, networks: NetworkQuerySet) -> NetworkQuerySet:
    tags = parameters.texts(request, "tags")
    how = parameters.choice(request, "tagsFilterType", (WITH_ALL, WITH_ANY)) or WITH_ANY
    products = parameters.texts(request, "productTypes")
    templates = parameters.text(request, "configTemplateId")
    if templates or parameters.boolean(request, "isBoundToConfigTemplate"):
        return networks.none()
    if products and SYSTEMS_MANAGER not in products:
        return networks.none()
    if not tags:
        return networks
    operator = "contains" if how == WITH_ALL else "overlap"
    return networks.filter(**{f"tags__{operator}": tags})


def network_json(network: Network) -> dict[str, Any]:
    return {
        "id": str(network.pk),
        "organizationId": str(network.organization_id),
        "name": network.name,
        "productTypes": [SYSTEMS_MANAGER],
        "timeZone": network.time_zone,
        "tags": network.tags,
        "enrollmentString": "",
        "url": organization_url(network.organization_id, "networks/"),
        "notes": network.notes,
        "isBoundToConfigTemplate": False,
    }
