"""Automatic licensing: paused, resumed, and what waits for a person to decide."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from licensing.api.apps import TAG as APPS
from licensing.api.apps import AppApiView
from licensing.api.automation_serializers import (
    AutomationSerializer,
    DecideSerializer,
    DecisionSerializer,
)
from licensing.automation import holds, pausing
from licensing.models import Automation, AutomationHold
from organizations.api.doors import OrganizationApiView
from organizations.api.openapi import operation
from organizations.models import Membership

TAG = "Automation"


class AutomationApiView(OrganizationApiView):
    def told(self) -> Response:
        automation = pausing.automation_of(self.organization) or Automation()
        return Response(automation_json(automation) | {"waitingForDecision": held(self.membership)})


class AutomationView(AutomationApiView):
    @operation(
        "getOrganizationSmAutomation",
        "Show whether automatic licensing runs, and what it waits for",
        tag=TAG,
        answers={200: AutomationSerializer},
        description="Of what waits for a decision those apps whose networks the key may see.",
    )
    def get(self, request: Request, **path: str) -> Response:
        return self.told()


class PauseAutomationView(AutomationApiView):
    @operation(
        "pauseOrganizationSmAutomation",
        "Pause automatic licensing",
        tag=TAG,
        answers={200: AutomationSerializer},
        description="No rule grants or revokes anything until it is resumed; what Apple has been asked"
        " for runs to its end. Pausing what is paused changes nothing.",
    )
    def post(self, request: Request, **path: str) -> Response:
        pausing.pause(by=self.actor, organization=self.organization)
        return self.told()


class ResumeAutomationView(AutomationApiView):
    @operation(
        "resumeOrganizationSmAutomation",
        "Resume automatic licensing",
        tag=TAG,
        answers={200: AutomationSerializer},
        description="Everything is looked at again at once, by a worker.",
    )
    def post(self, request: Request, **path: str) -> Response:
        pausing.resume(by=self.actor, organization=self.organization)
        return self.told()


class DecideAppView(AppApiView):
    @operation(
        "decideNetworkSmApp",
        "Decide what an app's rule waits with",
        tag=APPS,
        body=DecideSerializer,
        answers={200: DecisionSerializer},
        description=(
            "A rule that would take back many licenses at once takes back none until a person has"
            " decided. Allowed are as many as were shown; more are asked again. Refused with 409 and"
            " the code nothing_waits where nothing waits, and already_decided where somebody else was"
            " quicker."
        ),
    )
    def post(self, request: Request, **path: str) -> Response:
        given = DecideSerializer.checked(request)
        hold = holds.decide(
            by=self.actor,
            hold=holds.waiting_of(self.managed_app),
            allow=given["allow"],
            membership=self.membership,
        )
        return Response(decision_json(hold))


def automation_json(automation: Automation) -> dict[str, Any]:
    is_paused = automation.paused_at is not None
    return {
        "paused": is_paused,
        "pausedAt": automation.paused_at,
        "pausedBy": automation.paused_by if is_paused else None,
        "lastSweepAt": automation.swept_at,
        "lastSweepSeconds": automation.sweep_seconds,
    }


def held(membership: Membership) -> list[dict[str, Any]]:
    waiting = AutomationHold.objects.visible_to(membership).waiting()
    return [hold_json(hold) for hold in waiting.select_related("managed_app__app").order_by("pk")]


def hold_json(hold: AutomationHold) -> dict[str, Any]:
    app = hold.managed_app
    return {
        "networkId": str(app.network_id),
        "appId": str(app.pk),
        "adamId": app.adam_id,
        "name": app.app.name or None,
        "revokes": hold.revokes,
        "assigned": hold.assigned,
        "holders": hold.named,
        "since": hold.created_at,
        "asOf": hold.as_of,
    }


def decision_json(hold: AutomationHold) -> dict[str, Any]:
    return {
        "allowed": hold.allowed,
        "revokes": hold.revokes,
        "decidedAt": hold.decided_at,
        "decidedBy": hold.decided_by,
    }
