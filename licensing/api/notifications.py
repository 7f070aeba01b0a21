"""What Apple told of one account, and whether it was understood."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from licensing.api.doors import VppAccountApiView
from licensing.api.notifications_serializers import NotificationSerializer, RetriedSerializer
from licensing.tables.notifications import STATES, notification_rows
from organizations.api import paging, parameters
from organizations.api.openapi import operation, paged, query
from organizations.api.paging import PageSize
from vpp_accounts.models import Notification
from vpp_accounts.notifications import NOTIFICATIONS_ARE_KEPT, try_again

NOTIFICATIONS = PageSize(default=100, largest=1000)
TAG = "Notifications"


class NotificationsView(VppAccountApiView):
    needs_allowed_admin = True

    @operation(
        "getOrganizationSmVppAccountNotifications",
        "List Apple's notifications of an account, newest first",
        tag=TAG,
        answers={200: NotificationSerializer(many=True)},
        parameters=[
            query("state", "Only those that are so far.", enum=list(STATES)),
            *paged(NOTIFICATIONS),
        ],
        description=f"They are kept for {NOTIFICATIONS_ARE_KEPT.days} days.",
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        told = Notification.objects.filter(account=self.account)
        if state := parameters.choice(request, "state", list(STATES)):
            told = told.filter(STATES[state])
        return paging.listed(
            request,
            notification_rows(told),
            size=NOTIFICATIONS,
            shape=paging.each(notification_json),
            newest_first=True,
        )


class RetryNotificationsView(VppAccountApiView):
    needs_allowed_admin = True

    @operation(
        "retryOrganizationSmVppAccountNotifications",
        "Take up again the notifications that could not be handled",
        tag=TAG,
        answers={202: RetriedSerializer},
        description="A worker handles them at once; the list says how that goes. Where none has failed"
        " nothing is done.",
    )
    def post(self, request: Request, **path: str) -> Response:
        retried = try_again(by=self.actor, account=self.account)
        return Response({"retried": retried}, status=202)


def notification_json(row: Any) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "notificationId": row.notification_id,
        "notificationType": row.kind,
        "eventType": row.event,
        "failedAtApple": row.result == "FAILURE",
        "state": state_of(row),
        "attempts": row.attempts,
        "message": row.error or None,
        "receivedAt": row.received_at,
        "handledAt": row.handled_at,
    }


def state_of(row: Notification) -> str:
    if row.handled_at:
        return "handled"
    return "failed" if row.error else "waiting"
