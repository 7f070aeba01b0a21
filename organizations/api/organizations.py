"""Organizations, their admins, and who I am: Meraki's operations."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from organizations import tenancy
from organizations.api import paging, parameters
from organizations.api.doors import ApiView, OrganizationApiView
from organizations.api.openapi import operation, paged, query
from organizations.api.paging import PageSize
from organizations.api.serializers import (
    IdentitySerializer,
    OrganizationSerializer,
    UpdateOrganizationSerializer,
)
from organizations.closing import DAYS_TO_UNDO, ask_deletion
from organizations.details import edit_organization
from organizations.keys import organizations_opened_by
from organizations.models import Admin, Organization
from organizations.refusals import Refusal
from organizations.signin.factors import has_second_factor

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
    def get(self, request: Request) -> HttpResponseBase:
        ids = organizations_opened_by(self.key)
        with tenancy.among(ids):
            ours = Organization.objects.filter(pk__in=ids)
            return paging.listed(
                request, ours, size=ORGANIZATIONS, shape=paging.each(organization_json)
            )


class OrganizationView(OrganizationApiView):
    @operation(
        "getOrganization", "Show an organization", tag=TAG, answers={200: OrganizationSerializer}
    )
    def get(self, request: Request, **path: str) -> Response:
        return Response(organization_json(self.organization))

    @operation(
        "updateOrganization",
        "Rename an organization",
        tag=TAG,
        body=UpdateOrganizationSerializer,
        answers={200: OrganizationSerializer},
    )
    def put(self, request: Request, **path: str) -> Response:
        given = UpdateOrganizationSerializer.checked(request)
        name = given.get("name", self.organization.name)
        renamed = edit_organization(by=self.actor, organization=self.organization, name=name)
        return Response(organization_json(renamed))

    @operation(
        "deleteOrganization",
        "Delete an organization",
        tag=TAG,
        answers={204: None},
        parameters=[
            query("confirm", "The name of the organization, exactly."),
            query(
                "takeLicensesBack",
                "true takes back every license that can be taken back. Default false.",
                type=bool,
            ),
        ],
        description=(
            f"Closes it at once; after {DAYS_TO_UNDO} days all that is stored of it is gone for good."
            " Until then a full admin can undo that on its page; keys open it no longer. Licenses at"
            " Apple stay as they are, unless `takeLicensesBack` is true."
        ),
    )
    def delete(self, request: Request, **path: str) -> Response:
        typed = parameters.text(request, "confirm")
        if not typed:
            raise DeletionNotConfirmed(self.organization)
        ask_deletion(
            by=self.actor,
            organization=self.organization,
            typed_name=typed,
            take_licenses_back=bool(parameters.boolean(request, "takeLicensesBack")),
        )
        return Response(status=204)


class DeletionNotConfirmed(Refusal):
    code = "deletion_not_confirmed"
    field = "confirm"

    def __init__(self, organization: Organization) -> None:
        page = organization_url(organization.pk, "settings/delete/")
        super().__init__(
            "Deleting an organization has to be confirmed: send its name as ?confirm=…,"
            f" or delete it on {page}, which shows what is lost with it."
        )


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
                    "twoFactor": {"enabled": has_second_factor(self.admin)},
                    "saml": {"enabled": comes_through_provider(self.admin)},
                },
            }
        )


def comes_through_provider(admin: Admin) -> bool:
    """Whether some organization's single sign-on has vouched for them, by whichever protocol."""
    return bool(SocialAccount.objects.filter(user=admin).exists())


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
        "privacy": {},
    }


def organization_url(organization_id: int, tail: str = "") -> str:
    return f"{settings.BASE_URL}/organizations/{organization_id}/{tail}"
