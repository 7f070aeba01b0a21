"""An app on its devices: how far it is on each, and what is asked of one of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import Http404, HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from apps_catalog.api.doors import NetworkAppApiView, NetworkAppsApiView
from apps_catalog.installations.asking import Asked, ask_install, ask_removal, retry
from apps_catalog.models import Installation, InstallationState
from licensing.api.installation_rows import installations_json, rows_of, with_names
from licensing.api.why_serializers import AskedInstallationSerializer, InstallationSerializer
from organizations.api import paging, parameters
from organizations.api.openapi import operation, paged, query
from organizations.api.paging import PageSize
from organizations.models import Device

INSTALLATIONS = PageSize(default=100, largest=1000)

described = partial(operation, tag="Apps")


class InstallationsView(NetworkAppApiView):
    @described(
        "getNetworkSmAppInstallations",
        "List an app's devices, how far it is on each, and why not further",
        answers={200: InstallationSerializer(many=True)},
        parameters=[
            query("state", "Only what is in this state.", enum=InstallationState.values),
            *paged(INSTALLATIONS),
        ],
        description="Devices in scope, and those on which the app is on its way out. One that is not"
        " in scope and has nothing of the app has no entry.",
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        visible = Installation.objects.visible_to(self.membership)
        found = with_names(visible.filter(managed_app=self.managed_app))
        if state := parameters.choice(request, "state", InstallationState.values):
            found = found.filter(state=state)
        return paging.listed(request, found, size=INSTALLATIONS, shape=self._shape)

    def _shape(self, page: list[Installation]) -> list[dict[str, Any]]:
        return installations_json(rows_of(page, self.membership), self.membership)


class InstallationApiView(NetworkAppsApiView):
    """Everything below /networks/{networkId}/sm/apps/installations/{installationId}."""

    installation: Installation

    def enter(self) -> None:
        super().enter()
        self.installation = self._found()

    def _found(self) -> Installation:
        visible = Installation.objects.visible_to(self.membership)
        ours = with_names(visible.filter(managed_app__network=self.network))
        installation = ours.filter(pk=self.row_id("installationId")).first()
        if installation is None:
            raise Http404
        return installation

    def asked(self, ask: Callable[..., Asked]) -> Response:
        """The answer has the installation as it is now."""
        managed_app = self.installation.managed_app
        devices = Device.objects.filter(pk=self.installation.device_id)
        asked = ask(by=self.actor, managed_app=managed_app, devices=devices)
        rows = rows_of([self._found()], self.membership)
        (installation,) = installations_json(rows, self.membership)
        return Response(asked_json(asked) | {"installation": installation})


class InstallInstallationView(InstallationApiView):
    @described(
        "installNetworkSmAppsInstallation",
        "Install an app on a device in its scope",
        answers={200: AskedInstallationSerializer},
        description="Where the app takes licenses only as installs are asked for, this takes one."
        " What is installed or under way is left.",
    )
    def post(self, request: Request, **path: str) -> Response:
        return self.asked(ask_install)


class RetryInstallationView(InstallationApiView):
    @described(
        "retryNetworkSmAppsInstallation",
        "Try an install again that failed",
        answers={200: AskedInstallationSerializer},
        description="Also one without an answer for a day, and an app that the user has removed.",
    )
    def post(self, request: Request, **path: str) -> Response:
        return self.asked(retry)


class RemoveInstallationView(InstallationApiView):
    @described(
        "removeNetworkSmAppsInstallation",
        "Remove an app from a device that stays in its scope",
        answers={200: AskedInstallationSerializer},
        description="Only where the device knows it as managed. The license stays with the device as"
        " long as it is in the scope.",
    )
    def post(self, request: Request, **path: str) -> Response:
        return self.asked(ask_removal)


def asked_json(asked: Asked) -> dict[str, Any]:
    """Of one device."""
    reason = next(iter(asked.cannot), None)
    if reason:
        told = {"reason": reason.value, "message": reason.sentence, "fix": reason.fix or None}
        return {"verdict": "refused", **told}
    verdict = "asked" if asked.asked else "already"
    return {"verdict": verdict, "reason": None, "message": None, "fix": None}
