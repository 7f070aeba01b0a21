"""The record of who did what."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q
from django.http import Http404, HttpResponseBase
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from rest_framework.request import Request
from rest_framework.response import Response

from licensing.models import events_visible_to
from organizations.api import paging, parameters
from organizations.api.doors import OrganizationApiView
from organizations.api.openapi import operation, paged, query
from organizations.api.paging import PageSize
from organizations.api.parameters import BadParameter
from organizations.api.serializers import AuditEventSerializer
from organizations.audit_log.reach import reach_of_days
from organizations.audit_log.shape import event_json
from organizations.models import AuditEvent
from organizations.models.audit import AuditEventQuerySet

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
            query("actor", "Only actors with this in their names."),
            query("targetKind", "Only what was done to this kind, for example network."),
            query("targetId", "Only what was done to the one with this id, of that kind."),
            query("refused", "true: only what was refused; false: only what was done.", type=bool),
            query("q", "Only with this in the name of the actor or of the target."),
            query("t0", "Only from this moment on, for example 2026-11-22T08:00:00Z."),
            query("t1", "Only up to this moment."),
            *paged(EVENTS),
        ],
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        begin, end = moment(request, "t0"), moment(request, "t1")
        reach = reach_of_days(self.organization.pk, begin, end)
        events = filtered(request, reach.of(events_visible_to(self.membership)))
        if begin:
            events = events.filter(at__gte=begin)
        if end:
            events = events.filter(at__lte=end)
        return paging.listed(
            request, events, size=EVENTS, shape=paging.each(event_json), newest_first=True
        )


class AuditEventView(OrganizationApiView):
    organization_wide = True

    @operation(
        "getOrganizationAuditEvent",
        "Show one thing that was done",
        tag="Audit",
        answers={200: AuditEventSerializer},
        description="Not found: what concerns a VPP account whose licenses are closed to this key.",
    )
    def get(self, request: Request, **path: str) -> Response:
        event = events_visible_to(self.membership).filter(pk=self.row_id("eventId")).first()
        if event is None:
            raise Http404
        return Response(event_json(event))


def filtered(request: Request, events: AuditEventQuerySet) -> AuditEventQuerySet:
    told = {
        "action__startswith": parameters.text(request, "action"),
        "actor_kind": parameters.choice(request, "actorKind", ACTORS),
        "actor_name__icontains": parameters.text(request, "actor"),
        "target_kind": parameters.text(request, "targetKind"),
        "target_id": target_id(request),
        "refused": parameters.boolean(request, "refused"),
    }
    events = events.filter(
        **{name: value for name, value in told.items() if value not in ("", None)}
    )
    if text := parameters.text(request, "q"):
        events = events.filter(Q(actor_name__icontains=text) | Q(target_name__icontains=text))
    return events


def target_id(request: Request) -> int | None:
    """Ids of different kinds have nothing to do with each other."""
    found = parameters.row_id(request, "targetId")
    if found is not None and not parameters.text(request, "targetKind"):
        raise BadParameter("targetId", "is asked for together with “targetKind”")
    return found


def moment(request: Request, name: str) -> datetime | None:
    text = parameters.text(request, name)
    if not text:
        return None
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise BadParameter(name, "must be a moment, for example 2026-11-22T08:00:00Z")
    return found if timezone.is_aware(found) else timezone.make_aware(found)
