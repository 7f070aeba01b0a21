# ruff: noqa: N815  # the names are those on the wire
"""Roles of admins as Meraki's scripts ask for them: ours are four, and fixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from organizations.api import paging, parameters
from organizations.api.doors import OrganizationApiView
from organizations.api.openapi import operation, paged
from organizations.api.paging import END, Page, PageSize
from organizations.api.parameters import BadParameter
from organizations.api.serializers import WireSerializer
from organizations.refusals import Refusal

SIZE = PageSize(default=50, largest=1000)
TAG = "Organizations"
SCOPES = ("all_tags", "some", "without_all_tags", "without_some")


@dataclass(frozen=True, slots=True)
class Role:
    pk: int
    name: str


ROLES = (
    Role(1, "Full"),
    Role(2, "Read-only"),
    Role(3, "Network full"),
    Role(4, "Network read-only"),
)


class RolesAreFixed(Refusal):
    code = "roles_are_fixed"

    def __init__(self) -> None:
        super().__init__(
            "Roles are fixed here: full and read-only, of the organization or of some networks. Give"
            " an admin their rights under /organizations/{organizationId}/admins."
        )


class RoleSerializer(WireSerializer):
    roleId = serializers.CharField()
    name = serializers.CharField()
    scope = serializers.ChoiceField(SCOPES, help_text="Always all_tags: rights do not go by tags.")
    tags = serializers.ListField(child=serializers.CharField(), help_text="Always empty.")


class ItemCountsSerializer(WireSerializer):
    total = serializers.IntegerField()
    remaining = serializers.IntegerField(help_text="After this page.")


class CountsSerializer(WireSerializer):
    items = ItemCountsSerializer()


class MetaSerializer(WireSerializer):
    counts = CountsSerializer()


class RolesSerializer(WireSerializer):
    items = RoleSerializer(many=True)
    meta = MetaSerializer()


class AnyRoleSerializer(WireSerializer):
    """What Meraki takes. Nothing of it is read."""

    name = serializers.CharField(required=False)
    scope = serializers.ChoiceField(SCOPES, required=False)
    tags = serializers.ListField(child=serializers.CharField(), required=False)


class RolesView(OrganizationApiView):
    organization_wide = True

    @operation(
        "getOrganizationSmAdminsRoles",
        "List the roles that admins can have",
        tag=TAG,
        answers={200: RolesSerializer},
        parameters=paged(SIZE),
        description="The same four in every organization. Who has which is in the list of admins.",
    )
    def get(self, request: Request, **path: str) -> Response:
        page = page_of_roles(request)
        after = ROLES[-1].pk - page.rows[-1].pk if page.rows else 0
        return Response(
            {
                "items": [role_json(role) for role in page.rows],
                "meta": {"counts": {"items": {"total": len(ROLES), "remaining": after}}},
            },
            headers={"Link": paging.link_header(request, page)},
        )

    @operation(
        "createOrganizationSmAdminsRole",
        "Refused: roles are fixed",
        tag=TAG,
        body=AnyRoleSerializer,
        answers={201: RoleSerializer},
        description="Always refused with the code roles_are_fixed, which says where rights are given.",
    )
    def post(self, request: Request, **path: str) -> Response:
        raise RolesAreFixed


class RoleView(OrganizationApiView):
    organization_wide = True

    role: Role

    def enter(self) -> None:
        super().enter()
        found = next((role for role in ROLES if role.pk == self.row_id("roleId")), None)
        if found is None:
            raise Http404
        self.role = found

    @operation("getOrganizationSmAdminsRole", "Show a role", tag=TAG, answers={200: RoleSerializer})
    def get(self, request: Request, **path: str) -> Response:
        return Response(role_json(self.role))

    @operation(
        "updateOrganizationSmAdminsRole",
        "Refused: roles are fixed",
        tag=TAG,
        body=AnyRoleSerializer,
        answers={200: RoleSerializer},
        description="Always refused with the code roles_are_fixed, which says where rights are given.",
    )
    def put(self, request: Request, **path: str) -> Response:
        raise RolesAreFixed

    @operation(
        "deleteOrganizationSmAdminsRole",
        "Refused: roles are fixed",
        tag=TAG,
        answers={204: None},
        description="Always refused with the code roles_are_fixed, which says where rights are given.",
    )
    def delete(self, request: Request, **path: str) -> Response:
        raise RolesAreFixed


def page_of_roles(request: Request) -> Page:
    """As `paging.read_page` does it with rows of the database."""
    limit = SIZE.of(request)
    after, before = _token(request, "startingAfter"), _token(request, "endingBefore")
    if after is not None and before is not None:
        raise BadParameter("startingAfter", "and “endingBefore” exclude each other")
    if before is not None:
        rows = [role for role in ROLES if role.pk < before][-limit:]
    else:
        rows = [role for role in ROLES if role.pk > (after or 0)][:limit]
    return Page(
        rows=rows,
        previous=str(rows[0].pk) if rows and rows[0] != ROLES[0] else "",
        next=str(rows[-1].pk) if rows and rows[-1] != ROLES[-1] else "",
    )


def _token(request: Request, name: str) -> int | None:
    token = parameters.text(request, name)
    if not token:
        return None
    return paging.LARGEST_ID if token == END else paging.IDS.read(name, token)


def role_json(role: Role) -> dict[str, Any]:
    return {"roleId": str(role.pk), "name": role.name, "scope": SCOPES[0], "tags": []}
