"""Below how many licenses somebody is told: of the whole organization, and of one title."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from licensing import low
from licensing.api.assets import TAG as ASSETS
from licensing.api.doors import AssetApiView
from licensing.api.thresholds_serializers import (
    ThresholdSerializer,
    UpdateThresholdSerializer,
    UpdateVppSettingsSerializer,
    VppSettingsSerializer,
)
from organizations.api.doors import OrganizationApiView
from organizations.api.openapi import operation

TAG = "VPP settings"


class SettingsView(OrganizationApiView):
    @operation(
        "getOrganizationSmSettings",
        "Show the settings for licenses",
        tag=TAG,
        answers={200: VppSettingsSerializer},
        description="What becomes of the licenses of devices that leave stands with the rules of"
        " Reclaim, …/sm/reclaim/rules.",
    )
    def get(self, request: Request, **path: str) -> Response:
        return self.told()

    @operation(
        "updateOrganizationSmSettings",
        "Change the settings for licenses",
        tag=TAG,
        body=UpdateVppSettingsSerializer,
        answers={200: VppSettingsSerializer},
        description="Fields that are not sent stay as they are. Titles that have fewer licenses left"
        " than a new threshold are told of at once, each once.",
    )
    def put(self, request: Request, **path: str) -> Response:
        given = UpdateVppSettingsSerializer.checked(request)
        if "lowThreshold" in given:
            low.set_default(
                by=self.actor, organization=self.organization, threshold=given["lowThreshold"]
            )
        return self.told()

    def told(self) -> Response:
        return Response({"lowThreshold": low.default_threshold(self.organization)})


class ThresholdView(AssetApiView):
    network_writes = True

    @operation(
        "getOrganizationSmVppAccountAssetThreshold",
        "Show below how many licenses of a title somebody is told",
        tag=ASSETS,
        answers={200: ThresholdSerializer},
        description="The title's own threshold, and which one counts.",
    )
    def get(self, request: Request, **path: str) -> Response:
        return self.told(self.title.low_threshold)

    @operation(
        "updateOrganizationSmVppAccountAssetThreshold",
        "Say below how many licenses of a title somebody is told",
        tag=ASSETS,
        body=UpdateThresholdSerializer,
        answers={200: ThresholdSerializer},
        description="Where fewer are left than that already, somebody is told at once.",
    )
    def put(self, request: Request, **path: str) -> Response:
        threshold = UpdateThresholdSerializer.checked(request)["threshold"]
        low.set_threshold(by=self.actor, licensed_app=self.title, threshold=threshold)
        return self.told(threshold)

    def told(self, threshold: int | None) -> Response:
        default = low.default_threshold(self.organization)
        counts = default if threshold is None else threshold
        return Response({"threshold": threshold, "effectiveThreshold": counts})
