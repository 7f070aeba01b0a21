# ruff: noqa: N815  # the names are those on the wire
"""Apps on devices: Meraki's installApps and uninstallApps, and what goes where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps_catalog.installations import exporting
from apps_catalog.installations.asking import Asked, ask_install, ask_removal
from apps_catalog.models import InstallationState, ManagedApp
from organizations.api import paging, parameters
from organizations.api.device_doors import DeviceApiView
from organizations.api.doors import NetworkApiView
from organizations.api.openapi import operation, paged, query
from organizations.api.paging import PageSize
from organizations.api.serializers import WireSerializer
from organizations.models import Device, Network
from organizations.refusals import Refusal

INSTALLS = PageSize(default=1000, largest=1000)
MOST_APPS = 200
TAG = "Apps"


class AppsUnknown(Refusal):
    code = "apps_unknown"
    field = "appIds"

    def __init__(self, app_ids: list[str]) -> None:
        named = ", ".join(app_ids[:10])
        super().__init__(
            f"This network has no app with the id {named}. Take the ids from"
            " /networks/{networkId}/sm/apps."
        )


class AppIdsSerializer(WireSerializer):
    appIds = serializers.ListField(
        child=serializers.RegexField(r"^[0-9]{1,18}$"),
        min_length=1,
        max_length=MOST_APPS,
        help_text="Ids of apps of the network.",
    )
    force = serializers.BooleanField(
        default=False, help_text="Also where the app is installed already."
    )


class LeftOutSerializer(WireSerializer):
    appId = serializers.CharField()
    reason = serializers.CharField()
    message = serializers.CharField()


class AskedSerializer(WireSerializer):
    appIds = serializers.ListField(child=serializers.CharField(), help_text="Asked for.")
    already = serializers.ListField(
        child=serializers.CharField(), help_text="It is so already, or under way."
    )
    leftOut = LeftOutSerializer(many=True)


class InstallSerializer(WireSerializer):
    serialNumber = serializers.CharField(allow_null=True)
    adamId = serializers.CharField()
    bundleId = serializers.CharField(allow_blank=True)
    name = serializers.CharField(allow_blank=True)
    license = serializers.ChoiceField(
        ["device", "user", "none", ""],
        help_text="Empty while there is none yet: do not install before.",
    )
    state = serializers.ChoiceField(InstallationState.choices)


class InstallsView(NetworkApiView):
    @operation(
        "getNetworkSmAppsInstalls",
        "List which apps belong on which devices",
        tag=TAG,
        answers={200: InstallSerializer(many=True)},
        parameters=[
            query("state", "Only what is in this state.", enum=InstallationState.values),
            *paged(INSTALLS),
        ],
        description="For another MDM, which installs what is licensed here.",
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        found = exporting.wanted(self.membership).filter(managed_app__network=self.network)
        if state := parameters.choice(request, "state", InstallationState.values):
            found = found.filter(state=state)
        return paging.listed(request, found, size=INSTALLS, shape=paging.each(exporting.row_of))


class DeviceAppsView(DeviceApiView):
    def asked(self, given: dict[str, Any], ask: Callable[[ManagedApp], Asked]) -> Response:
        answer: dict[str, list[Any]] = {"appIds": [], "already": [], "leftOut": []}
        for app in apps_named(given["appIds"], self.network):
            asked = ask(app)
            if asked.asked:
                answer["appIds"].append(str(app.pk))
            elif asked.already:
                answer["already"].append(str(app.pk))
            answer["leftOut"] += [
                {"appId": str(app.pk), "reason": reason, "message": reason.sentence}
                for reason in asked.cannot
            ]
        return Response(answer)


def apps_named(app_ids: list[str], network: Network) -> list[ManagedApp]:
    """All of them, before anything is asked."""
    rows = ManagedApp.objects.filter(network=network, pk__in={int(pk) for pk in app_ids})
    found = {row.pk: row for row in rows.select_related("app", "organization")}
    if unknown := [pk for pk in app_ids if int(pk) not in found]:
        raise AppsUnknown(unknown)
    return [found[pk] for pk in dict.fromkeys(map(int, app_ids))]


class InstallAppsView(DeviceAppsView):
    @operation(
        "installNetworkSmDeviceApps",
        "Install apps on a device",
        tag=TAG,
        body=AppIdsSerializer,
        answers={200: AskedSerializer},
        description=(
            "The device has to be in the scope of the app. Where the app takes licenses only as"
            " installs are asked for, this takes one. What is installed already is left, unless"
            " with force."
        ),
    )
    def post(self, request: Request, **path: str) -> Response:
        given = AppIdsSerializer.checked(request)
        devices = Device.objects.filter(pk=self.device.pk)
        return self.asked(
            given,
            lambda app: ask_install(
                by=self.actor, managed_app=app, devices=devices, force=given["force"]
            ),
        )


class UninstallAppsView(DeviceAppsView):
    @operation(
        "uninstallNetworkSmDeviceApps",
        "Remove apps from a device",
        tag=TAG,
        body=AppIdsSerializer,
        answers={200: AskedSerializer},
        description=(
            "Only apps that the device knows as managed. The license stays with the device as long"
            " as it is in the scope; force changes nothing."
        ),
    )
    def post(self, request: Request, **path: str) -> Response:
        given = AppIdsSerializer.checked(request)
        devices = Device.objects.filter(pk=self.device.pk)
        return self.asked(
            given, lambda app: ask_removal(by=self.actor, managed_app=app, devices=devices)
        )
