"""Whom nothing is taken from by any rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import Http404, HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from licensing.api.reclaim import TAG
from licensing.api.reclaim_rules_serializers import ProtectedSerializer, ProtectSerializer
from licensing.holders import DEVICE
from licensing.models import LicensedApp, ProtectedHolder
from licensing.reclaim import protection
from licensing.reclaim.refusals import NoSuchTitle
from licensing.tables.reclaim_protected import ProtectedRow, matches, protected_rows
from organizations.api import paging, parameters
from organizations.api.doors import OrganizationApiView
from organizations.api.openapi import operation, paged, query
from organizations.api.paging import PageSize

PROTECTED = PageSize(default=1000, largest=1000)


class ProtectedView(OrganizationApiView):
    organization_wide = True

    @operation(
        "getOrganizationSmReclaimProtected",
        "List the holders whom no rule takes licenses from",
        tag=TAG,
        answers={200: ProtectedSerializer(many=True)},
        parameters=[
            query("search", "The beginning of a serial number, or a part of a name or reason."),
            *paged(PROTECTED),
        ],
        description="For all titles, or for one. For admins who see the whole organization.",
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        rows = ProtectedHolder.objects.visible_to(self.membership)
        if words := parameters.text(request, "search").strip():
            rows = rows.filter(matches(words))
        return paging.listed(request, rows, size=PROTECTED, shape=self._shape)

    @operation(
        "createOrganizationSmReclaimProtected",
        "Protect a device or a person",
        tag=TAG,
        body=ProtectSerializer,
        answers={201: ProtectedSerializer(many=True)},
        description=(
            "No rule takes their licenses back; what was to be taken back of them stays. Answers with an"
            " entry for each VPP account that has a person of this e-mail address. Who is protected"
            " already stays so. Refused with the code no_such_holder or no_such_title."
        ),
    )
    def post(self, request: Request, **path: str) -> Response:
        given = ProtectSerializer.checked(request)
        adam_id = given.get("adamId", "")
        self._refuse_unknown(adam_id)
        whom = protection.named(self.organization, given["holder"], adam_id)
        protection.protect(
            by=self.actor,
            membership=self.membership,
            organization=self.organization,
            whom=whom,
            reason=given.get("reason", ""),
        )
        rows = ProtectedHolder.objects.visible_to(self.membership).filter(
            holder_kind__in={each.kind for each in whom},
            holder__in={each.holder for each in whom},
            adam_id=adam_id,
        )
        return Response(list(self._shape(list(rows.order_by("pk")))), status=201)

    def _refuse_unknown(self, adam_id: str) -> None:
        """Titles of accounts that are not open to the key are none that it knows."""
        titles = LicensedApp.objects.visible_to(self.membership).present()
        if adam_id and not titles.filter(adam_id=adam_id).exists():
            raise NoSuchTitle

    def _shape(self, rows: list[ProtectedHolder]) -> Iterator[dict[str, Any]]:
        return map(protected_json, protected_rows(rows, self.membership))


class ProtectedHolderView(OrganizationApiView):
    organization_wide = True

    row: ProtectedHolder

    def enter(self) -> None:
        super().enter()
        ours = ProtectedHolder.objects.visible_to(self.membership).select_related("organization")
        row = ours.filter(pk=self.row_id("protectedId")).first()
        if row is None:
            raise Http404
        self.row = row

    @operation(
        "deleteOrganizationSmReclaimProtected",
        "End a protection",
        tag=TAG,
        answers={204: None},
        description="From now on rules may find the licenses of this holder again.",
    )
    def delete(self, request: Request, **path: str) -> Response:
        protection.unprotect(by=self.actor, membership=self.membership, row=self.row)
        return Response(status=204)


def protected_json(each: ProtectedRow) -> dict[str, Any]:
    row = each.row
    on_device = row.holder_kind == DEVICE
    return {
        "id": str(row.pk),
        "serialNumber": row.holder if on_device else None,
        "clientUserId": None if on_device else row.holder,
        "name": each.name,
        "adamId": row.adam_id or None,
        "reason": row.reason,
        "createdBy": row.by_name,
        "createdAt": row.created_at,
    }
