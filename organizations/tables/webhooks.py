"""The list of webhooks, and the log of what was sent to one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import django_filters as filters
from django.db.models import QuerySet

from organizations.lists import Column, Listing, search_field
from organizations.models import EventKind, Webhook, WebhookDelivery
from organizations.models.webhooks import TEST

State = WebhookDelivery.State
COLOURS = {State.DELIVERED: "success", State.FAILED: "danger", State.SENDING: "info"}
LABELS = {**{str(kind): str(kind.label) for kind in EventKind}, TEST: "Test"}


@dataclass(frozen=True, slots=True)
class WebhookRow:
    webhook: Webhook

    @property
    def events(self) -> str:
        return ", ".join(LABELS.get(kind, kind) for kind in self.webhook.events)

    @property
    def state(self) -> str:
        """In a word or two."""
        if not self.webhook.is_enabled:
            return str(self.webhook.get_stopped_display())
        if self.webhook.failures:
            return "Failing"
        return "Delivering" if self.webhook.last_attempt_at else "Nothing sent yet"

    @property
    def colour(self) -> str:
        if not self.webhook.is_enabled:
            chosen = self.webhook.stopped == Webhook.Stopped.BY_ADMIN
            return "secondary" if chosen else "danger"
        if self.webhook.failures:
            return "warning"
        return "success" if self.webhook.last_attempt_at else "secondary"

    @property
    def last_result(self) -> str:
        if self.webhook.last_attempt_at is None:
            return ""
        return self.webhook.last_error or f"HTTP {self.webhook.last_status}"


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    delivery: WebhookDelivery

    @property
    def event(self) -> str:
        kind = self.delivery.event.kind
        return LABELS.get(kind, kind)

    @property
    def colour(self) -> str:
        return COLOURS.get(State(self.delivery.state), "secondary")

    @property
    def result(self) -> str:
        if self.delivery.error:
            return self.delivery.error
        return f"HTTP {self.delivery.status}" if self.delivery.status else ""

    @property
    def is_over(self) -> bool:
        return self.delivery.next_attempt_at is None

    @property
    def changes_soon(self) -> bool:
        """Whether it is worth looking again in a few seconds."""
        first = self.delivery.attempts == 0
        return not self.is_over and (first or self.delivery.state == State.SENDING)


class DeliveryFilter(filters.FilterSet):
    q = search_field("Id of the event, error", method="matching")
    state = filters.ChoiceFilter(label="State", empty_label="All", choices=State.choices)
    kind = filters.ChoiceFilter(
        label="Event", empty_label="All", choices=list(LABELS.items()), field_name="event__kind"
    )

    def matching(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        hexes = value.removeprefix("evt_").replace("-", "").lower()
        if len(hexes) == 32 and all(each in "0123456789abcdef" for each in hexes):
            return rows.filter(event=hexes)
        return rows.filter(error__icontains=value)


class DeliveryList(Listing[DeliveryRow]):
    template = "organizations/_webhook_delivery_list.html"
    columns = (
        Column("at", "Event", sort=("pk",)),
        Column("state", "State"),
        Column("result", "Last result"),
        Column("attempts", "Attempts", numeric=True, wide_only=True),
        Column("duration", "Took", numeric=True, wide_only=True),
    )
    export = {
        "Id": lambda row: row.delivery.event.wire_id,
        "Event": lambda row: row.delivery.event.kind,
        "At": lambda row: row.delivery.event.at,
        "State": lambda row: row.delivery.get_state_display(),
        "Attempts": lambda row: row.delivery.attempts,
        "Last attempt": lambda row: row.delivery.last_attempt_at or "",
        "HTTP status": lambda row: row.delivery.status or "",
        "Error": lambda row: row.delivery.error,
        "Milliseconds": lambda row: row.delivery.duration_ms or "",
    }
    filterset = DeliveryFilter
    default_sort = "-at"
    noun = ("delivery", "deliveries")

    def dress(self, rows: list[Any]) -> list[DeliveryRow]:
        return [DeliveryRow(row) for row in rows]


def deliveries_of(webhook: Webhook) -> QuerySet[WebhookDelivery]:
    """Without what only the page of one of them shows."""
    rows = WebhookDelivery.objects.filter(webhook=webhook).select_related("event")
    return rows.defer("log", "answer", "event__payload")
