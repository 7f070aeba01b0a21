"""Why an app is, or is not, on a device: a line for each app, or the whole way step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from apps_catalog.models import ManagedApp
from licensing.api.installation_rows import full_url, installations_json
from licensing.api.why_serializers import InstallationSerializer, WalkSerializer
from licensing.devices.apps import apps_of
from licensing.why import Detail, Fix, Step, Verdict, walk
from organizations.api.device_doors import DeviceApiView
from organizations.api.openapi import operation

VERDICTS = {Verdict.NOT_REACHED: "notReached"}
TAG = "Apps"


class DeviceAppsListView(DeviceApiView):
    @operation(
        "getNetworkSmDeviceApps",
        "List the apps of a device, how far each is, and why not further",
        tag=TAG,
        answers={200: InstallationSerializer(many=True)},
        description="By name: what is in scope for it, and what is on its way out. An app that is on"
        " neither way has no entry; ask why by its id.",
    )
    def get(self, request: Request, **path: str) -> Response:
        rows = apps_of(self.device, self.membership, ())
        return Response(installations_json(rows, self.membership))


class WhyView(DeviceApiView):
    @operation(
        "getNetworkSmDeviceAppWhy",
        "Show why an app is, or is not, on a device",
        tag=TAG,
        answers={200: WalkSerializer},
        description="The way from the scope to the device. What comes after the first step that is"
        " not in order is not looked at. Of VPP accounts that are not open to you it names nothing.",
    )
    def get(self, request: Request, **path: str) -> Response:
        visible = ManagedApp.objects.visible_to(self.membership)
        rows = visible.select_related("app", "network", "organization")
        managed_app = rows.filter(pk=self.row_id("appId")).first()
        if managed_app is None:
            raise Http404
        steps = walk(managed_app, self.device, self.membership)
        return Response(
            {
                "appId": str(managed_app.pk),
                "deviceId": str(self.device.pk),
                "heldUpAt": held_up_at(steps),
                "steps": [step_json(step) for step in steps],
            }
        )


def held_up_at(steps: Sequence[Step]) -> str | None:
    return next((step.stage.value for step in steps if step.verdict != Verdict.OK), None)


def step_json(step: Step) -> dict[str, Any]:
    return {
        "stage": step.stage.value,
        "verdict": VERDICTS.get(step.verdict, step.verdict.value),
        "message": step.sentence,
        "asOf": step.as_of,
        "fix": fix_json(step.fix) if step.fix else None,
        "details": [detail_json(detail) for detail in step.details],
    }


def fix_json(fix: Fix) -> dict[str, Any]:
    return {"text": fix.text, "url": full_url(fix.url)}


def detail_json(detail: Detail) -> dict[str, Any]:
    return {"text": detail.text, "at": detail.at, "url": full_url(detail.url)}
