"""The doors of a network's apps: visible, or 404; changed by whoever may write in the network."""

from __future__ import annotations

from django.http import Http404

from apps_catalog.models import ManagedApp
from apps_catalog.models.managed import ManagedAppQuerySet
from organizations.api.doors import NetworkApiView


class NetworkAppsApiView(NetworkApiView):
    """Everything below /networks/{networkId}/sm/apps."""

    network_writes = True

    def apps(self) -> ManagedAppQuerySet:
        visible = ManagedApp.objects.visible_to(self.membership).filter(network=self.network)
        return visible.select_related("app", "network", "organization")


class NetworkAppApiView(NetworkAppsApiView):
    """Everything below /networks/{networkId}/sm/apps/{appId}."""

    managed_app: ManagedApp

    def enter(self) -> None:
        super().enter()
        found = self.apps().filter(pk=self.row_id("appId")).first()
        if found is None:
            raise Http404
        self.managed_app = found
