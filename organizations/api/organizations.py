"""Organizations, their admins, and who I am: Meraki's operations."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Exists, OuterRef
from rest_framework.request import Request
from rest_framework.response import Response

from organizations.api import paging
from organizations.api.doors import ApiView, OrganizationApiView
from organizations.api.openapi import operation, paged
from organizations.api.paging import IdTokens, PageSize
from organizations.api.serializers import (
    AdminSerializer,
    IdentitySerializer,
    OrganizationSerializer,
)
from organizations.models import Admin, ApiKey, Membership, Organization

ORGANIZATIONS = PageSize(default=9000, largest=9000)
TAG = "Organizations"


class OrganizationsView(ApiView):
    @operation(
        "getOrganizations",
        "List the organizations that this key may see",
        tag=TAG,
        answers={200: OrganizationSerializer(many=True)},
        parameters=paged(ORGANIZATIONS),
    )
    def get(self, request: Request) -> Response:
        ours = Organization.objects.filter(memberships__admin=self.admin)
        page = paging.read_page(request, ours, size=ORGANIZATIONS, tokens=IdTokens())
        return paging.answer(request, page, organization_json)


class OrganizationView(OrganizationApiView):
    @operation(
        "getOrganization", "Show an organization", tag=TAG, answers={200: OrganizationSerializer}
    )
    def get(self, request: Request, **path: str) -> Response:
        return Response(organization_json(self.organization))


class AdminsView(OrganizationApiView):
    organization_wide = True

    @operation(
        "getOrganizationAdmins",
        "List the admins of an organization",
        tag=TAG,
        answers={200: AdminSerializer(many=True)},
    )
    def get(self, request: Request, **path: str) -> Response:
        keys = ApiKey.objects.usable().filter(admin=OuterRef("admin"))
        memberships = (
            Membership.objects.filter(organization=self.organization)
            .select_related("admin")
            .prefetch_related("network_accesses")
            .annotate(has_api_key=Exists(keys))
            .order_by("admin_id")
        )
        return Response([admin_json(membership) for membership in memberships])


class IdentityView(ApiView):
    @operation(
        "getAdministeredIdentitiesMe",
        "Show the admin as whom this key acts",
        tag="Administered",
        answers={200: IdentitySerializer},
    )
    def get(self, request: Request) -> Response:
        return Response(
            {
                "name": self.admin.name,
                "email": self.admin.email,
                "lastUsedDashboardAt": self.admin.last_login or "",
                "authentication": {
                    "mode": "email",
                    "api": {"key": {"created": True}},
                    "twoFactor": {"enabled": False},
                    "saml": {"enabled": False},
                },
            }
        )


def organization_json(organization: Organization) -> dict[str, Any]:
    return {
        "id": str(organization.pk),
        "name": organization.name,
        "url": organization_url(organization.pk),
        "api": {"enabled": True},
        "licensing": {"model": "per-device"},
        "cloud": {
            "region": {
                "name": "Self-hosted",
                "host": {"name": urlsplit(settings.BASE_URL).hostname},
            }
        },
        "management": {"details": []},
    }


def organization_url(organization_id: int, tail: str = "") -> str:
    return f"{settings.BASE_URL}/organizations/{organization_id}/{tail}"


def admin_json(membership: Any) -> dict[str, Any]:
    """`membership` carries the annotation has_api_key."""
    admin: Admin = membership.admin
    return {
        "id": str(admin.pk),
        "name": admin.name,
        "email": admin.email,
        "orgAccess": membership.access,
        "accountStatus": account_status(admin),
        "twoFactorAuthEnabled": False,
        "hasApiKey": membership.has_api_key,
        "lastActive": admin.last_login or "",
        "tags": [],
        "networks": [
            {"id": str(access.network_id), "access": "full" if access.can_write else "read-only"}
            for access in membership.network_accesses.all()
        ],
        "authenticationMethod": "Email",
    }


def account_status(admin: Admin) -> str:
    if not admin.is_active:
        return "locked"
    return "ok" if admin.has_usable_password() else "pending"
