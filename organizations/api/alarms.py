"""Which mail the admin gets as whom a key acts. It is theirs to say, also with read-only access."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from organizations.api.doors import OwnApiView
from organizations.api.openapi import operation
from organizations.api.settings_serializers import AlarmsSerializer, UpdateAlarmsSerializer
from organizations.preferences import switch_alarms


class AlarmsView(OwnApiView):
    @operation(
        "getOrganizationAlarms",
        "Show whether alarms are mailed to you",
        tag="Administered",
        answers={200: AlarmsSerializer},
        description="Of the admin as whom this key acts, in this organization.",
    )
    def get(self, request: Request, **path: str) -> Response:
        return Response({"wantsAlarms": self.membership.wants_alarms})

    @operation(
        "updateOrganizationAlarms",
        "Have alarms mailed to you, or no longer",
        tag="Administered",
        body=UpdateAlarmsSerializer,
        answers={200: AlarmsSerializer},
        description="Of the admin as whom this key acts, and of nobody else; also with read-only"
        " access to the organization, but not with a read-only key.",
    )
    def put(self, request: Request, **path: str) -> Response:
        given = UpdateAlarmsSerializer.checked(request)
        wanted = given.get("wantsAlarms", self.membership.wants_alarms)
        switch_alarms(by=self.actor, membership=self.membership, wanted=wanted)
        return Response({"wantsAlarms": self.membership.wants_alarms})
