"""Webhooks: where events are sent, and what became of them."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from organizations.api import paging, parameters
from organizations.api.doors import OrganizationApiView
from organizations.api.once import told_once
from organizations.api.openapi import IDEMPOTENCY_KEY, operation, paged, query
from organizations.api.paging import PageSize
from organizations.api.webhook_serializers import (
    CreateWebhookSerializer,
    DeliveryDetailSerializer,
    DeliverySerializer,
    UpdateWebhookSerializer,
    WebhookSerializer,
    WebhookWithSecretSerializer,
)
from organizations.models import Webhook, WebhookDelivery
from organizations.webhooks import changing
from organizations.webhooks.bodies import envelope
from organizations.webhooks.changing import WebhookDetails

DELIVERIES = PageSize(default=100, largest=1000)
TAG = "Webhooks"


class OfOrganization(OrganizationApiView):
    organization_wide = True

    def webhook(self) -> Webhook:
        ours = Webhook.objects.filter(organization=self.organization)
        found = ours.select_related("organization").filter(pk=self.row_id("webhookId")).first()
        if found is None:
            raise Http404
        return found

    def delivery(self) -> WebhookDelivery:
        theirs = WebhookDelivery.objects.filter(webhook=self.webhook())
        found = theirs.select_related("event", "webhook__organization")
        delivery = found.filter(pk=self.row_id("deliveryId")).first()
        if delivery is None:
            raise Http404
        return delivery

    def told(self, webhook: Webhook) -> dict[str, Any]:
        """Who cannot change the address is not told the whole of it."""
        row = webhook_json(webhook)
        return row if self.membership.can_write else row | {"url": webhook.place}


class WebhooksView(OfOrganization):
    @operation(
        "getOrganizationWebhooks",
        "List the webhooks",
        tag=TAG,
        answers={200: WebhookSerializer(many=True)},
        description="All of them; there are at most 20. Secrets are never listed.",
    )
    def get(self, request: Request, **path: str) -> Response:
        ours = Webhook.objects.filter(organization=self.organization)
        return Response([self.told(webhook) for webhook in ours])

    @operation(
        "createOrganizationWebhook",
        "Add a webhook",
        tag=TAG,
        body=CreateWebhookSerializer,
        answers={201: WebhookWithSecretSerializer},
        description="From now on its receiver is told of these events, of all the organization's VPP"
        " accounts. The secret that signs them is in the answer, once. Refused for private addresses"
        " unless the operator allows them, and with 409 beyond 20 webhooks.",
    )
    def post(self, request: Request, **path: str) -> Response:
        given = CreateWebhookSerializer.checked(request)
        webhook, secret = changing.create(
            by=self.actor, organization=self.organization, details=WebhookDetails(**given)
        )
        return told_once(self, webhook_json(webhook), {"secret": secret}, status=201)


class WebhookView(OfOrganization):
    @operation(
        "getOrganizationWebhook",
        "Show a webhook",
        tag=TAG,
        answers={200: WebhookSerializer},
    )
    def get(self, request: Request, **path: str) -> Response:
        return Response(self.told(self.webhook()))

    @operation(
        "updateOrganizationWebhook",
        "Change, enable or disable a webhook",
        tag=TAG,
        body=UpdateWebhookSerializer,
        answers={200: WebhookSerializer},
        description="Fields that are not sent stay as they are. What waits for a webhook that is"
        " disabled is given up after a day; enabled before, it goes on.",
    )
    def put(self, request: Request, **path: str) -> Response:
        given = UpdateWebhookSerializer.checked(request)
        webhook = self.webhook()
        details = WebhookDetails(
            name=given.get("name", webhook.name),
            url=given.get("url", webhook.url),
            events=given.get("events", webhook.events),
            enabled=given.get("enabled", webhook.is_enabled),
        )
        edited = changing.edit(by=self.actor, webhook=webhook, details=details)
        return Response(webhook_json(edited))

    @operation(
        "deleteOrganizationWebhook",
        "Delete a webhook",
        tag=TAG,
        answers={204: None},
        description="With its log: what was not sent yet is not sent any more.",
    )
    def delete(self, request: Request, **path: str) -> Response:
        changing.delete(by=self.actor, webhook=self.webhook())
        return Response(status=204)


class SendTestView(OfOrganization):
    @operation(
        "testOrganizationWebhook",
        "Send a test event to a webhook",
        tag=TAG,
        answers={202: DeliverySerializer},
        description="An event webhook.test, whatever kinds it is told of otherwise. Ask for the"
        " delivery to see what came of it. Refused with 409 while the webhook is disabled.",
    )
    def post(self, request: Request, **path: str) -> Response:
        delivery = changing.test(by=self.actor, webhook=self.webhook())
        return Response(delivery_json(delivery), status=202)


class RotateSecretView(OfOrganization):
    @operation(
        "rotateOrganizationWebhookSecret",
        "Make a new secret for a webhook",
        tag=TAG,
        answers={200: WebhookWithSecretSerializer},
        parameters=[IDEMPOTENCY_KEY],
        description="The new secret is in the answer, once. For a day the old one signs as well:"
        " webhook-signature then holds two signatures, divided by a space. A rotation within that day"
        " ends the oldest one at once.",
    )
    def post(self, request: Request, **path: str) -> Response:
        webhook, secret = changing.rotate(by=self.actor, webhook=self.webhook())
        return told_once(self, webhook_json(webhook), {"secret": secret}, status=200)


class DeliveriesView(OfOrganization):
    @operation(
        "getOrganizationWebhookDeliveries",
        "List what was sent to a webhook, newest first",
        tag=TAG,
        answers={200: DeliverySerializer(many=True)},
        parameters=[
            query("state", "Only deliveries in this state.", enum=WebhookDelivery.State.values),
            *paged(DELIVERIES),
        ],
        description="Kept for 30 days.",
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        deliveries = WebhookDelivery.objects.filter(webhook=self.webhook())
        if state := parameters.choice(request, "state", WebhookDelivery.State.values):
            deliveries = deliveries.filter(state=state)
        return paging.listed(
            request,
            deliveries.select_related("event").defer("log", "answer", "event__payload"),
            size=DELIVERIES,
            shape=paging.each(delivery_json),
            newest_first=True,
        )


class DeliveryView(OfOrganization):
    @operation(
        "getOrganizationWebhookDelivery",
        "Show what was sent to a webhook, and each attempt",
        tag=TAG,
        answers={200: DeliveryDetailSerializer},
    )
    def get(self, request: Request, **path: str) -> Response:
        delivery = self.delivery()
        tells = self.membership.can_write
        return Response(
            delivery_json(delivery)
            | {
                "payload": envelope(delivery.event) if tells else None,
                "answer": delivery.answer if tells else None,
                "attemptLog": [logged_json(entry) for entry in delivery.log],
            }
        )


class RedeliverView(OfOrganization):
    @operation(
        "redeliverOrganizationWebhookDelivery",
        "Send an event to a webhook once more",
        tag=TAG,
        answers={202: DeliverySerializer},
        description="In a delivery of its own, with the same webhook-id. Refused with 409 while the"
        " webhook is disabled, or while this delivery is still on its way.",
    )
    def post(self, request: Request, **path: str) -> Response:
        again = changing.redeliver(by=self.actor, delivery=self.delivery())
        return Response(delivery_json(again), status=202)


def webhook_json(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": str(webhook.pk),
        "name": webhook.name,
        "url": webhook.url,
        "events": webhook.events,
        "enabled": webhook.is_enabled,
        "disabledReason": webhook.stopped or None,
        "disabledAt": webhook.stopped_at,
        "failingSince": webhook.failing_since,
        "lastAttempt": _last_attempt(webhook),
        "previousSecretUntil": webhook.previous_until if webhook.previous_is_valid else None,
        "createdAt": webhook.created_at,
        "createdBy": webhook.created_by,
    }


def _last_attempt(webhook: Webhook) -> dict[str, Any] | None:
    if webhook.last_attempt_at is None:
        return None
    return {
        "at": webhook.last_attempt_at,
        "statusCode": webhook.last_status,
        "error": webhook.last_error,
    }


def delivery_json(delivery: WebhookDelivery) -> dict[str, Any]:
    return {
        "id": str(delivery.pk),
        "webhookId": str(delivery.webhook_id),
        "eventId": delivery.event.wire_id,
        "type": delivery.event.kind,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "createdAt": delivery.created_at,
        "nextAttemptAt": delivery.next_attempt_at,
        "lastAttemptAt": delivery.last_attempt_at,
        "statusCode": delivery.status,
        "error": delivery.error,
        "durationMs": delivery.duration_ms,
        "redeliveryOf": str(delivery.again_of_id) if delivery.again_of_id else None,
    }


def logged_json(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "at": entry["at"],
        "statusCode": entry["status"],
        "error": entry["error"],
        "durationMs": entry["durationMs"],
    }
