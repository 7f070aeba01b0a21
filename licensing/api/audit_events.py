"""The record of who did what."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from licensing.models import events_visible_to
from organizations.api import paging, parameters
from organizations.api.doors import OrganizationApiView
from organizations.api.openapi import operation, paged, query
from organizations.api.paging import IdTokens, PageSize
from organizations.api.serializers import AuditEventSerializer
from organizations.models import AuditEvent

EVENTS = PageSize(default=100, largest=1000)
ACTORS = AuditEvent.ActorKind.values


class AuditEventsView(OrganizationApiView):
    organization_wide = True

    @operation(
        "getOrganizationAuditEvents",
        "List what was done, newest first",
        tag="Audit",
        answers={200: AuditEventSerializer(many=True)},
        parameters=[
            query("action", "Only actions that begin so, for example vpp_account."),
            query("actorKind", "Only what this kind of actor did.", enum=ACTORS),
            *paged(EVENTS),
        ],
    )
    def get(self, request: Request, **path: str) -> Response:
        events = events_visible_to(self.membership)
        if action := parameters.text(request, "action"):
            events = events.filter(action__startswith=action)
        if kind := parameters.choice(request, "actorKind", ACTORS):
            events = events.filter(actor_kind=kind)
        page = paging.read_page(request, events, size=EVENTS, tokens=IdTokens(), newest_first=True)
        return paging.answer(request, page, audit_event_json)


def audit_event_json(event: AuditEvent) -> dict[str, Any]:
    return {
        "id": str(event.pk),
        "at": event.at,
        "actor": {
            "kind": event.actor_kind,
            "id": _id(event.actor_id),
            "name": event.actor_name,
        },
        "action": event.action,
        "target": {
            "kind": event.target_kind,
            "id": _id(event.target_id),
            "name": event.target_name,
        },
        "before": event.before,
        "after": event.after,
        "refused": event.refused,
        "requestId": event.request_id,
    }


def _id(number: int | None) -> str | None:
    return None if number is None else str(number)
