"""The inventory as lists: Meraki's, of one network, and ours, of all that the key may see."""

from __future__ import annotations

from django.http import HttpResponseBase
from rest_framework.request import Request

from licensing.api.device_queries import BY_NAME, FILTERS, filtered, named_in
from licensing.api.device_rows import MORE, fields_asked_for, rows_with
from licensing.api.device_serializers import (
    DeviceRowSerializer,
    OrganizationDeviceRowSerializer,
)
from organizations.api import paging
from organizations.api.devices import SaveDevicesView
from organizations.api.doors import OrganizationApiView
from organizations.api.openapi import operation, paged, query
from organizations.api.paging import PageSize
from organizations.models import Device

DEVICES = PageSize(default=1000, largest=1000)
TAG = "Devices"
FIELDS = query("fields[]", f"More fields of each device: {', '.join(MORE)}.", many=True)


class NetworkDevicesView(SaveDevicesView):
    @operation(
        "getNetworkSmDevices",
        "List the devices of a network",
        tag=TAG,
        answers={200: DeviceRowSerializer(many=True)},
        parameters=[FIELDS, *BY_NAME, *paged(DEVICES)],
        description="As Meraki has it: nine fields always, and more that are named in fields[]. Of"
        " those, what no source tells is null.",
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        found = named_in(request, self.devices, self.organization)
        shape = rows_with(fields_asked_for(request), self.membership)
        return paging.listed(request, found, size=DEVICES, shape=shape)


class OrganizationDevicesView(OrganizationApiView):
    @operation(
        "getOrganizationSmDevices",
        "List the devices of all networks",
        tag=TAG,
        answers={200: OrganizationDeviceRowSerializer(many=True)},
        parameters=[FIELDS, *BY_NAME, *FILTERS, *paged(DEVICES)],
        description="All that this key may see, with the filters of Monitor > Devices beside"
        " Meraki's; each filter narrows further. Days begin at midnight UTC.",
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        visible = Device.objects.visible_to(self.membership)
        named = named_in(request, visible, self.organization)
        found = filtered(request, named, self.membership)
        shape = rows_with(["networkId", *fields_asked_for(request)], self.membership)
        return paging.listed(request, found, size=DEVICES, shape=shape)
