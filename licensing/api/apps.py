"""The apps that a network deploys, with the services of the pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from apps_catalog.api.doors import NetworkAppApiView, NetworkAppsApiView
from apps_catalog.managing import (
    ManagedAppDetails,
    add_apps,
    delete_app,
    edit_app,
    pause_app,
    resume_app,
)
from apps_catalog.managing.ending import LicenseChoice
from apps_catalog.models import App, Installation, ManagedApp
from apps_catalog.reasons import Reason
from licensing.api.app_details import Wire, app_for, details_from
from licensing.api.app_previews import foreseen, known_app, unsaved
from licensing.api.app_serializers import (
    AppPreviewSerializer,
    AppSerializer,
    CreateAppSerializer,
    ScopedDeviceSerializer,
    UpdateAppSerializer,
)
from licensing.automation.preview import Draft, Outcome, clients, outcomes, preview
from licensing.managing.defaults import details_for
from organizations.api import paging, parameters
from organizations.api.openapi import operation, paged, query
from organizations.api.paging import PageSize
from organizations.models import Device

APPS = PageSize(default=1000, largest=1000)
DEVICES = PageSize(default=100, largest=1000)
TAG = "Apps"
DRY_RUN = query("dryRun", "true answers what saving would lead to, and saves nothing.", type=bool)


class AppsApiView(NetworkAppsApiView):
    def told(self, managed_app: ManagedApp, *, status: int = 200) -> Response:
        (found,) = self.apps().filter(pk=managed_app.pk)
        return Response(Wire([found], self.membership).app(found), status=status)


class AppsView(AppsApiView):
    @operation(
        "getNetworkSmApps",
        "List the apps that a network deploys",
        tag=TAG,
        answers={200: AppSerializer(many=True)},
        parameters=[query("adamId", "Only this app of the store."), *paged(APPS)],
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        apps = self.apps()
        if adam_id := parameters.text(request, "adamId"):
            apps = apps.filter(adam_id=adam_id)
        return paging.listed(request, apps, size=APPS, shape=self._shape)

    def _shape(self, apps: list[ManagedApp]) -> Iterator[dict[str, Any]]:
        return map(Wire(apps, self.membership).app, apps)

    @operation(
        "createNetworkSmApp",
        "Deploy an app in a network",
        tag=TAG,
        body=CreateAppSerializer,
        answers={200: AppPreviewSerializer, 201: AppSerializer},
        parameters=[DRY_RUN],
        description="Without a scope no device gets it yet. Its name comes from the store, a moment"
        " later where no VPP account has the title.",
    )
    def post(self, request: Request, **path: str) -> Response:
        given = CreateAppSerializer.checked(request)
        is_dry = parameters.boolean(request, "dryRun")
        app = known_app(given["adamId"]) if is_dry else self._app(given)
        details = self._details(given, app)
        if is_dry:
            draft = unsaved(app, given["platform"], self.network, details)
            return Response(foreseen(draft, details, self.membership))
        (managed_app,) = add_apps(
            by=self.actor,
            membership=self.membership,
            app=app,
            platform=given["platform"],
            networks={self.network: details},
        )
        return self.told(managed_app, status=201)

    def _app(self, given: dict[str, Any]) -> App:
        country = given.get("country", "").upper()
        return app_for(given["adamId"], given["platform"], country, self.membership)

    def _details(self, given: dict[str, Any], app: App) -> ManagedAppDetails:
        base = details_for(app, [self.network], self.membership)[self.network]
        return details_from(given, base, self.organization)


class AppApiView(AppsApiView, NetworkAppApiView):
    """One of them."""


class AppView(AppApiView):
    @operation("getNetworkSmApp", "Show an app", tag=TAG, answers={200: AppSerializer})
    def get(self, request: Request, **path: str) -> Response:
        return self.told(self.managed_app)

    @operation(
        "updateNetworkSmApp",
        "Change an app's scope, licenses or how it is installed",
        tag=TAG,
        body=UpdateAppSerializer,
        answers={200: AppSerializer},
        parameters=[DRY_RUN],
        description="Fields that are not sent stay as they are. With dryRun the answer is the"
        " preview that POST describes.",
    )
    def put(self, request: Request, **path: str) -> Response:
        given = UpdateAppSerializer.checked(request)
        was = ManagedAppDetails.of(self.managed_app)
        details = details_from(given, was, self.organization)
        if "vppAccountIds" in given:
            details = replace(details, account_ids=(*details.account_ids, *self._hidden(was)))
        if parameters.boolean(request, "dryRun"):
            return Response(foreseen(self.managed_app, details, self.membership))
        managed_app = edit_app(
            by=self.actor,
            membership=self.membership,
            managed_app=self.managed_app,
            details=details,
        )
        return self.told(managed_app)

    def _hidden(self, was: ManagedAppDetails) -> list[int]:
        """Accounts that this key is not told of stay, after those that it names."""
        shown = Wire([self.managed_app], self.membership).accounts.get(self.managed_app.pk, [])
        return [pk for pk in was.account_ids if str(pk) not in shown]

    @operation(
        "deleteNetworkSmApp",
        "Delete an app from a network",
        tag=TAG,
        answers={204: None},
        parameters=[
            query(
                "licenses",
                "What becomes of the licenses that were granted because of it. Default keep.",
                enum=list(LicenseChoice),
            )
        ],
        description="The app stays on the devices. To remove it from them, give it the scope none"
        " first, and delete it when no device has it any more.",
    )
    def delete(self, request: Request, **path: str) -> Response:
        choice = parameters.choice(request, "licenses", list(LicenseChoice)) or LicenseChoice.KEEP
        delete_app(by=self.actor, managed_app=self.managed_app, licenses=choice)
        return Response(status=204)


class PauseAppView(AppApiView):
    @operation(
        "pauseNetworkSmApp",
        "Pause an app's automatic licensing",
        tag=TAG,
        answers={200: AppSerializer},
    )
    def post(self, request: Request, **path: str) -> Response:
        return self.told(pause_app(by=self.actor, managed_app=self.managed_app))


class ResumeAppView(AppApiView):
    @operation(
        "resumeNetworkSmApp",
        "Resume an app's automatic licensing",
        tag=TAG,
        answers={200: AppSerializer},
    )
    def post(self, request: Request, **path: str) -> Response:
        return self.told(resume_app(by=self.actor, managed_app=self.managed_app))


class AppScopeView(AppApiView):
    @operation(
        "getNetworkSmAppScope",
        "List the devices in an app's scope, and how far it is on each",
        tag=TAG,
        answers={200: ScopedDeviceSerializer(many=True)},
        parameters=paged(DEVICES),
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        draft = Draft.of(self.managed_app)
        devices = clients(draft, self.membership).select_related("owner")
        told = preview(draft, self.membership)

        def shape(page: list[Device]) -> Iterator[dict[str, Any]]:
            begun = Installation.objects.filter(managed_app=self.managed_app, device__in=page)
            by_device = {each.device_id: each for each in begun}
            found = outcomes(draft, page, told) if page else {}
            for device in page:
                yield scoped_json(device, found.get(device.pk), by_device.get(device.pk))

        return paging.listed(request, devices, size=DEVICES, shape=shape)


def scoped_json(
    device: Device, outcome: Outcome | None, begun: Installation | None
) -> dict[str, Any]:
    """Of what was begun the reason that it has; else why the device could not get a license."""
    code = (begun.reason if begun else "") or (outcome.reason if outcome else None)
    return {
        "id": str(device.pk),
        "serialNumber": device.serial_number,
        "name": device.name,
        "ownerName": device.owner.name if device.owner else None,
        "license": outcome.state.value if outcome else None,
        "state": begun.state if begun else None,
        "reason": code or None,
        "message": Reason(code).sentence if code else "",
        "isManaged": begun.is_managed if begun else None,
        "version": begun.version if begun else "",
        "lastSeenAt": device.last_connected_at,
    }
