"""How long the audit log is kept. What takes events away is confirmed by the organization's name."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from organizations.api import parameters
from organizations.api.doors import OrganizationApiView
from organizations.api.openapi import operation, query
from organizations.api.settings_serializers import RetentionSerializer, UpdateRetentionSerializer
from organizations.audit_log import retention
from organizations.models import Organization

TAG = "Audit"


class RetentionView(OrganizationApiView):
    organization_wide = True

    @operation(
        "getOrganizationAuditEventsRetention",
        "Show how long the audit log is kept",
        tag=TAG,
        answers={200: RetentionSerializer},
        description="And how many events are older than that, and go with the next daily removal.",
    )
    def get(self, request: Request, **path: str) -> Response:
        kept = self.organization.audit_kept_months
        return Response(retention_json(self.organization, kept))

    @operation(
        "updateOrganizationAuditEventsRetention",
        "Change how long the audit log is kept",
        tag=TAG,
        body=UpdateRetentionSerializer,
        answers={200: RetentionSerializer},
        parameters=[
            query("dryRun", "true answers what would be removed, and saves nothing.", type=bool)
        ],
        description="Where events are older than that, this is refused with 409 and"
        " `audit_retention_removes_events` until the name of the organization is sent as `confirm`:"
        " what is removed is gone for good. The change is itself an event.",
    )
    def put(self, request: Request, **path: str) -> Response:
        given = UpdateRetentionSerializer.checked(request)
        months = retention.checked_months(given["keptMonths"])
        if not parameters.boolean(request, "dryRun"):
            retention.keep_for(
                by=self.actor,
                organization=self.organization,
                months=months,
                confirmed=retention.is_confirmed(self.organization, given.get("confirm", "")),
            )
        return Response(retention_json(self.organization, months))


def retention_json(organization: Organization, months: int | None) -> dict[str, Any]:
    return {
        "keptMonths": months,
        "keptSince": retention.kept_since(organization, months) if months else None,
        "removes": retention.too_old(organization, months).count(),
    }
