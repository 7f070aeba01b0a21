"""Administrators: Meraki's operations, with the services of the pages."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from organizations.admins import changing, inviting
from organizations.admins.rights import AdminRights
from organizations.admins.states import Status
from organizations.api import parameters
from organizations.api.admin_serializers import (
    EMAIL,
    SINGLE_SIGN_ON,
    AdminSerializer,
    CreateAdminSerializer,
    RemovalSerializer,
    UpdateAdminSerializer,
)
from organizations.api.doors import OrganizationApiView
from organizations.api.openapi import operation, query
from organizations.models import Membership, NetworkTagAccess, Organization
from organizations.tables.admins import AdminRow, rows_of

TAG = "Organizations"
FULL, READ_ONLY = "full", "read-only"
STATUSES = {
    Status.ACTIVE: "ok",
    Status.INVITED: "pending",
    Status.EXPIRED: "unverified",
    Status.LOCKED: "locked",
    Status.DEACTIVATED: "locked",
}


class AdminsView(OrganizationApiView):
    organization_wide = True

    @operation(
        "getOrganizationAdmins",
        "List the admins of an organization",
        tag=TAG,
        answers={200: AdminSerializer(many=True)},
    )
    def get(self, request: Request, **path: str) -> Response:
        return Response(admins_json(self.organization))

    @operation(
        "createOrganizationAdmin",
        "Invite an admin",
        tag=TAG,
        body=CreateAdminSerializer,
        answers={201: AdminSerializer},
        description="A mail with a link goes to the address. Who they are shows once they accept.",
    )
    def post(self, request: Request, **path: str) -> Response:
        given = CreateAdminSerializer.checked(request)
        membership = inviting.invite(
            by=self.actor,
            organization=self.organization,
            email=given["email"],
            name=given.get("name", ""),
            rights=rights_given(given),
        )
        return Response(admin_json(membership), status=201)


class AdminApiView(OrganizationApiView):
    """Everything below /admins/{adminId}."""

    organization_wide = True

    member: Membership

    def enter(self) -> None:
        super().enter()
        ours = Membership.objects.filter(organization=self.organization)
        known = ours.select_related("organization", "admin")
        member = known.filter(pk=self.row_id("adminId")).first()
        if member is None:
            raise Http404
        self.member = member


class AdminView(AdminApiView):
    def as_it_is(self) -> dict[str, Any]:
        return admin_json(self.member)

    @operation(
        "updateOrganizationAdmin",
        "Change what an admin may do",
        tag=TAG,
        body=UpdateAdminSerializer,
        answers={200: AdminSerializer},
        description="Fields that are not sent stay as they are.",
    )
    def put(self, request: Request, **path: str) -> Response:
        given = UpdateAdminSerializer.checked(request)
        membership = changing.change(
            by=self.actor,
            membership=self.member,
            rights=rights_given(given),
            name=given.get("name"),
        )
        return Response(admin_json(membership))

    @operation(
        "deleteOrganizationAdmin",
        "Remove an admin, or withdraw an invitation",
        tag=TAG,
        answers={200: RemovalSerializer, 204: None},
        parameters=[
            query(
                "dryRun",
                "true answers what would end with the admin, and removes nobody.",
                type=bool,
            )
        ],
        description="Ends their access at once, and their keys for this organization alone; what they"
        " have elsewhere stays. Refused with 409 for the last full admin.",
    )
    def delete(self, request: Request, **path: str) -> Response:
        if parameters.boolean(request, "dryRun"):
            return Response({"consequences": changing.removal_consequences(self.member)})
        act = inviting.withdraw if self.member.is_invited else changing.remove
        act(by=self.actor, membership=self.member)
        return Response(status=204)


def rights_given(given: dict[str, Any]) -> AdminRights:
    """What was not sent stays as it is."""
    networks, tags = given.get("networks"), given.get("tags")
    return AdminRights(
        access=given.get("orgAccess"),
        networks=None
        if networks is None
        else {int(each["id"]): each["access"] == FULL for each in networks},
        tags=None if tags is None else {each["tag"]: each["access"] == FULL for each in tags},
    )


def admin_json(membership: Membership) -> dict[str, Any]:
    return admins_json(membership.organization, pk=membership.pk)[0]


def admins_json(organization: Organization, **which: Any) -> list[dict[str, Any]]:
    rows = rows_of(organization, **which)
    members = [row.membership for row in rows]
    tags: dict[int, list[dict[str, str]]] = {}
    for given in NetworkTagAccess.objects.filter(membership__in=members).order_by("tag"):
        told = {"tag": given.tag, "access": word(given.can_write)}
        tags.setdefault(given.membership_id, []).append(told)
    return [row_json(row, organization, tags.get(row.membership.pk, [])) for row in rows]


def row_json(
    row: AdminRow, organization: Organization, tags: list[dict[str, str]]
) -> dict[str, Any]:
    membership = row.membership
    through_provider = (
        organization.requires_single_sign_on and not membership.may_skip_single_sign_on
    )
    return {
        "id": str(membership.pk),
        "name": row.name,
        "email": row.email,
        "orgAccess": membership.access,
        "accountStatus": STATUSES[row.status],
        "twoFactorAuthEnabled": bool(row.second_factor),
        "hasApiKey": bool(row.api_keys),
        "lastActive": row.last_active_at or "",
        "tags": tags,
        "networks": [
            {"id": str(access.network_id), "access": word(access.can_write)}
            for access in row.networks
            if not access.tag
        ],
        "authenticationMethod": SINGLE_SIGN_ON if through_provider else EMAIL,
    }


def word(can_write: bool) -> str:
    return FULL if can_write else READ_ONLY
