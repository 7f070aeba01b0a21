"""The doors of devices: what is changed lies in a network in which the key may write."""

from __future__ import annotations

from django.http import Http404

from organizations.api.doors import NetworkApiView
from organizations.models import Device
from organizations.models.inventory import DeviceQuerySet


class DevicesApiView(NetworkApiView):
    """Everything below /networks/{networkId}/sm/devices."""

    network_writes = True

    @property
    def devices(self) -> DeviceQuerySet:
        return Device.objects.visible_to(self.membership).filter(network=self.network)


class DeviceApiView(DevicesApiView):
    """Everything below /networks/{networkId}/sm/devices/{deviceId}."""

    device: Device

    def enter(self) -> None:
        super().enter()
        named = self.devices.select_related("network", "owner", "organization")
        device = named.filter(pk=self.row_id("deviceId")).first()
        if device is None:
            raise Http404
        self.device = device
