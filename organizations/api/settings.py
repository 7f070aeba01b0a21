"""What an organization calls itself and in which time zone it lives: Organization > Settings."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from organizations.api.doors import OrganizationApiView
from organizations.api.openapi import operation
from organizations.api.settings_serializers import (
    OrganizationSettingsSerializer,
    UpdateOrganizationSettingsSerializer,
)
from organizations.details import edit_organization
from organizations.models import Organization

TAG = "Organizations"


class SettingsView(OrganizationApiView):
    organization_wide = True

    @operation(
        "getOrganizationSettings",
        "Show an organization's settings",
        tag=TAG,
        answers={200: OrganizationSettingsSerializer},
        description="Whoever may read the organization reads them.",
    )
    def get(self, request: Request, **path: str) -> Response:
        return Response(settings_json(self.organization))

    @operation(
        "updateOrganizationSettings",
        "Change an organization's settings",
        tag=TAG,
        body=UpdateOrganizationSettingsSerializer,
        answers={200: OrganizationSettingsSerializer},
        description="Fields that are not sent stay as they are. Refused: a name that is empty or"
        " longer than 200 characters, and a time zone that the IANA database does not have.",
    )
    def put(self, request: Request, **path: str) -> Response:
        given = UpdateOrganizationSettingsSerializer.checked(request)
        edited = edit_organization(
            by=self.actor,
            organization=self.organization,
            name=given.get("name", self.organization.name),
            time_zone=given.get("timeZone"),
        )
        return Response(settings_json(edited))


def settings_json(organization: Organization) -> dict[str, Any]:
    return {"name": organization.name, "timeZone": organization.time_zone}
