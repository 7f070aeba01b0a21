"""The licenses in use of one account, a thousand to a page out of millions."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from django.http import HttpResponseBase
from rest_framework.request import Request

from licensing.api.doors import VppAccountApiView
from licensing.api.names import title_keys
from licensing.api.serializers import AssignmentSerializer
from licensing.models import Assignment, LicensedApp
from licensing.models.assignments import AssignmentQuerySet
from organizations.api import paging, parameters
from organizations.api.openapi import operation, paged, query
from organizations.api.paging import PageSize
from organizations.api.parameters import BadParameter

ASSIGNMENTS = PageSize(default=1000, largest=1000)
FIELDS = ("licensed_app_id", "holder_kind", "holder", "origin", "batch_id", "since")
DEVICE, USER = Assignment.HolderKind.DEVICE, Assignment.HolderKind.USER


class AssignmentsView(VppAccountApiView):
    needs_allowed_admin = True

    @operation(
        "getOrganizationSmVppAccountAssignments",
        "List the licenses in use",
        tag="Assignments",
        answers={200: AssignmentSerializer(many=True)},
        parameters=[
            query("adamId", "Only licenses of this title."),
            query("pricingParam", "Only licenses of this price class, for example STDQ."),
            query("serialNumber", "Only what this device holds."),
            query("clientUserId", "Only what this user holds."),
            query("origin", "Only what came about so.", enum=Assignment.Origin.values),
            *paged(ASSIGNMENTS),
        ],
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        return paging.listed(
            request,
            self._filtered(request).values(*FIELDS),
            size=ASSIGNMENTS,
            tokens=AssignmentTokens(self.account.pk),
            shape=assignments_json,
        )

    def _filtered(self, request: Request) -> AssignmentQuerySet:
        # Who may see them was asked at the door; the account alone keeps this one index range.
        found = Assignment.objects.filter(account=self.account)
        found = _of_title(request, found, self.account.pk)
        found = _of_holder(request, found, self.organization.pk)
        if origin := parameters.choice(request, "origin", Assignment.Origin.values):
            found = found.filter(origin=origin)
        return found


@dataclass(frozen=True, slots=True)
class AssignmentTokens:
    """An assignment has no id: its token is the rest of its key within the account."""

    account_id: int

    def write(self, row: dict[str, Any]) -> str:
        key = [row["licensed_app_id"], row["holder_kind"], row["holder"]]
        return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")

    def read(self, name: str, token: str) -> tuple[int, int, str, str]:
        try:
            padded = token + "=" * (-len(token) % 4)
            key = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (binascii.Error, ValueError):
            key = None
        match key:
            case [int(app), str(kind), str(holder)] if (
                0 <= app < 2**63 and "\x00" not in kind + holder
            ):
                return (self.account_id, app, kind, holder)
        raise BadParameter(name, "must be a token as the Link header of this list gives it")


def _of_title(
    request: Request, assignments: AssignmentQuerySet, account_id: int
) -> AssignmentQuerySet:
    wanted = {
        field: value
        for field, name in (("adam_id", "adamId"), ("pricing_param", "pricingParam"))
        if (value := parameters.text(request, name))
    }
    if not wanted:
        return assignments
    titles = LicensedApp.objects.filter(account=account_id, **wanted).values_list("pk", flat=True)
    # Numbers in the statement, not a join: each title is a range of the index.
    return assignments.filter(licensed_app_id__in=list(titles))


def _of_holder(
    request: Request, assignments: AssignmentQuerySet, organization_id: int
) -> AssignmentQuerySet:
    serial, user = (
        parameters.text(request, "serialNumber"),
        parameters.text(request, "clientUserId"),
    )
    if serial and user:
        raise BadParameter("serialNumber", "and “clientUserId” exclude each other")
    if not serial and not user:
        return assignments
    holders = {serial, serial.upper()} if serial else {user}
    return assignments.filter(
        organization=organization_id, holder_kind=DEVICE if serial else USER, holder__in=holders
    )


def assignments_json(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    titles = title_keys({row["licensed_app_id"] for row in rows})
    return (assignment_json(row, titles) for row in rows)


def assignment_json(row: dict[str, Any], titles: dict[int, tuple[str, str]]) -> dict[str, Any]:
    adam_id, pricing_param = titles[row["licensed_app_id"]]
    on_device = row["holder_kind"] == DEVICE
    return {
        "adamId": adam_id,
        "pricingParam": pricing_param,
        "serialNumber": row["holder"] if on_device else None,
        "clientUserId": None if on_device else row["holder"],
        "origin": row["origin"],
        "batchId": str(row["batch_id"]) if row["batch_id"] else None,
        "since": row["since"],
    }
