"""What is on a device, and what was said to it; in Meraki's words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from apps_catalog.models import ChannelCommand, Installation, InstallationState, PurchaseMethod
from licensing.api.device_detail_serializers import CommandLogSerializer, SoftwareSerializer
from licensing.api.devices import TAG
from licensing.devices.history import app_names
from organizations.api import paging
from organizations.api.device_doors import DeviceApiView
from organizations.api.openapi import operation, paged
from organizations.api.paging import PageSize

LOGS = PageSize(default=1000, largest=1000)
S = InstallationState
GONE = (S.REMOVED, S.REMOVED_BY_USER)


class SoftwaresView(DeviceApiView):
    @operation(
        "getNetworkSmDeviceSoftwares",
        "List the apps of a device",
        tag=TAG,
        answers={200: SoftwareSerializer(many=True)},
        description="Apps of the network that are wanted there, are there, or were: devices are"
        " asked about no others.",
    )
    def get(self, request: Request, **path: str) -> Response:
        rows = Installation.objects.visible_to(self.membership).filter(
            organization=self.organization, device=self.device
        )
        named = rows.select_related("managed_app__app").order_by("pk")
        return Response([software_json(row) for row in named])


def software_json(row: Installation) -> dict[str, Any]:
    managed_app, app = row.managed_app, row.managed_app.app
    return {
        "id": str(row.pk),
        "deviceId": str(row.device_id),
        "appId": str(managed_app.pk),
        "itunesId": app.adam_id,
        "identifier": app.bundle_id,
        "name": str(app),
        "vendor": app.seller,
        "version": row.version,
        "shortVersion": row.version,
        "status": row.state,
        "isManaged": row.is_managed,
        "toInstall": row.is_wanted and row.state != S.INSTALLED,
        "toUninstall": row.state == S.RECLAIMED,
        "installedAt": row.since if row.state == S.INSTALLED else None,
        "uninstalledAt": row.since if row.state in GONE else None,
        "createdAt": None,
        "updatedAt": row.since,
        "bundleSize": None,
        "dynamicSize": None,
        "path": "",
        "licenseKey": "",
        "redemptionCode": None,
        "iosRedemptionCode": managed_app.purchase_method == PurchaseMethod.CODES,
    }


class CommandLogsView(DeviceApiView):
    @operation(
        "getNetworkSmDeviceDeviceCommandLogs",
        "List what was said to a device",
        tag=TAG,
        answers={200: CommandLogSerializer(many=True)},
        parameters=paged(LOGS),
        description="Commands through the organization's device channel, newest first. Those that"
        " are finished are kept for 30 days.",
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        commands = ChannelCommand.objects.filter(device=self.device)
        return paging.listed(request, commands, size=LOGS, shape=self._shape, newest_first=True)

    def _shape(self, commands: list[ChannelCommand]) -> Iterator[dict[str, Any]]:
        names = app_names({command.managed_app_id for command in commands}, self.membership)
        return (log_json(command, names) for command in commands)


def log_json(command: ChannelCommand, names: dict[int | None, str]) -> dict[str, Any]:
    return {
        "action": command.request_type,
        "name": names.get(command.managed_app_id, ""),
        "details": ": ".join(filter(None, (command.state, command.problem))),
        "dashboardUser": "",
        "ts": command.created_at,
    }
