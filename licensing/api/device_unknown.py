"""What Meraki tells of a device and nothing here does: the same addresses, with empty answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponseBase
from django.urls import URLPattern, path
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from licensing.api.devices import TAG
from organizations.api import paging
from organizations.api.device_doors import DeviceApiView
from organizations.api.openapi import operation, paged
from organizations.api.paging import PageSize
from organizations.models import Device

ENTRIES = PageSize(default=1000, largest=1000)
EMPTY = "Nothing here tells it, so the answer is empty. It is there for programs that ask Meraki."

TEXT, WHOLE = serializers.CharField, serializers.IntegerField
YES_NO, NUMBER = serializers.BooleanField, serializers.FloatField
Entry = dict[str, type[serializers.Field[Any, Any, Any, Any]]]


@dataclass(frozen=True, slots=True)
class Unknown:
    """`entry`: what each of its entries would have."""

    name: str
    summary: str
    entry: Entry
    is_paged: bool = False

    @property
    def operation_id(self) -> str:
        return f"getNetworkSmDevice{self.name[0].upper()}{self.name[1:]}"


def texts(*names: str) -> Entry:
    return each(TEXT, *names)


def each(kind: type[serializers.Field[Any, Any, Any, Any]], *names: str) -> Entry:
    return dict.fromkeys(names, kind)


UNKNOWN = (
    Unknown(
        "cellularUsageHistory",
        "Cellular usage of a device",
        each(NUMBER, "received", "sent") | texts("ts"),
    ),
    Unknown(
        "certs",
        "Certificates on a device",
        texts("id", "deviceId", "name", "issuer", "subject", "certPem")
        | texts("notValidBefore", "notValidAfter"),
    ),
    Unknown(
        "connectivity",
        "When a device was connected",
        texts("firstSeenAt", "lastSeenAt"),
        is_paged=True,
    ),
    Unknown(
        "desktopLogs",
        "Connections of a desktop",
        texts("measuredAt", "user", "networkDevice", "networkDriver", "wifiChannel", "wifiAuth")
        | texts("wifiBssid", "wifiSsid", "wifiRssi", "wifiNoise", "dhcpServer", "ip", "networkMTU")
        | texts("subnet", "gateway", "publicIP", "dnsServer", "ts"),
        is_paged=True,
    ),
    Unknown(
        "deviceProfiles",
        "Profiles on a device",
        texts("id", "deviceId", "name", "profileData", "profileIdentifier", "version")
        | each(YES_NO, "isEncrypted", "isManaged"),
    ),
    Unknown(
        "networkAdapters",
        "Network adapters of a device",
        texts("id", "name", "mac", "ip", "subnet", "gateway", "dhcpServer", "dnsServer"),
    ),
    Unknown(
        "performanceHistory",
        "Load of a desktop",
        {"cpuPercentUsed": NUMBER, "diskUsage": serializers.DictField}
        | texts("ts")
        | each(WHOLE, "memFree", "memWired", "memActive", "memInactive", "swapUsed")
        | each(WHOLE, "networkSent", "networkReceived"),
        is_paged=True,
    ),
    Unknown(
        "securityCenters",
        "Security software on a device",
        texts("id", "antiVirusName", "fireWallName", "runningProcs")
        | each(YES_NO, "isRooted", "hasAntiVirus", "isFireWallEnabled")
        | each(YES_NO, "hasFireWallInstalled", "isDiskEncrypted", "isAutoLoginDisabled"),
    ),
    Unknown("wlanLists", "Wireless networks that a device saw", texts("id", "createdAt", "xml")),
)


def view_of(unknown: Unknown) -> type[APIView]:
    fields = {name: kind(required=False) for name, kind in unknown.entry.items()}
    entry = inline_serializer(f"{unknown.operation_id.removeprefix('getNetworkSm')}Entry", fields)

    class UnknownView(DeviceApiView):
        @operation(
            unknown.operation_id,
            f"{unknown.summary}: always empty",
            tag=TAG,
            answers={200: type(entry)(many=True)},
            parameters=paged(ENTRIES) if unknown.is_paged else (),
            description=EMPTY,
        )
        def get(self, request: Request, **path: str) -> HttpResponseBase:
            if not unknown.is_paged:
                return Response([])
            none = Device.objects.none()
            return paging.listed(request, none, size=ENTRIES, shape=paging.each(dict))

    return UnknownView


class RestrictionsView(DeviceApiView):
    @operation(
        "getNetworkSmDeviceRestrictions",
        "Restrictions of a device: always empty",
        tag=TAG,
        answers={
            200: inline_serializer(
                "DeviceRestrictions",
                {"restrictions": serializers.ListField(child=serializers.DictField())},
            )
        },
        description=EMPTY,
    )
    def get(self, request: Request, **path: str) -> Response:
        return Response({"restrictions": []})


def unknown_urls(device: str) -> list[URLPattern]:
    """`device`: the address of one."""
    return [
        *(path(f"{device}/{kind.name}", view_of(kind).as_view()) for kind in UNKNOWN),
        path(f"{device}/restrictions", RestrictionsView.as_view()),
    ]
