"""The list of Apple's notifications of one account. Their contents are licenses, and not shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import django_filters as filters
from django.db.models import Q, QuerySet
from django.db.models.fields.json import KT

from organizations.lists import Column, Listing
from vpp_accounts.models import Notification
from vpp_accounts.models.notifications import NotificationQuerySet

KINDS = {
    "ASSET_COUNT": "Number of licenses changed",
    "SUBSCRIPTION_COUNT": "Number of subscriptions changed",
    "TEST_NOTIFICATION": "Test of the connection",
    "UNLIMITED_ASSET": "Free licenses with or without a limit",
    "USER_ASSOCIATED": "Invitation accepted",
}
EVENTS = {
    ("ASSET_MANAGEMENT", "ASSOCIATE"): "Licenses assigned",
    ("ASSET_MANAGEMENT", "DISASSOCIATE"): "Licenses taken back",
    ("ASSET_MANAGEMENT", "REVOKE"): "Licenses taken back",
    ("SUBSCRIPTION_MANAGEMENT", "ASSOCIATE"): "Subscriptions assigned",
    ("SUBSCRIPTION_MANAGEMENT", "DISASSOCIATE"): "Subscriptions taken back",
    ("USER_MANAGEMENT", "CREATE"): "Users registered",
    ("USER_MANAGEMENT", "UPDATE"): "Users changed",
    ("USER_MANAGEMENT", "RETIRE"): "Users retired",
}
STATES = {
    "failed": Q(handled_at=None) & ~Q(error=""),
    "waiting": Q(handled_at=None, error=""),
    "handled": Q(handled_at__isnull=False),
}


@dataclass(frozen=True, slots=True)
class NotificationRow:
    notification: Notification
    what: str
    failed_at_apple: bool

    @property
    def state(self) -> str:
        if self.notification.handled_at:
            return "Handled"
        return "Failed" if self.notification.error else "Waiting"


def notification_rows(notifications: QuerySet[Notification]) -> QuerySet[Notification]:
    """With the two words of a payload that say what it is about; a payload is much larger."""
    words = {"event": KT("payload__type"), "result": KT("payload__result")}
    return notifications.annotate(**words).defer("payload")


def what_words(kind: str, event: str | None) -> str:
    """“Licenses assigned”; Apple's own word for a type that nobody knew when this was written."""
    return EVENTS.get((kind, event or "")) or KINDS.get(kind) or kind


class NotificationFilter(filters.FilterSet):
    state = filters.ChoiceFilter(
        label="State",
        empty_label="All",
        choices=[(name, name.capitalize()) for name in STATES],
        method="in_state",
    )

    def in_state(self, rows: QuerySet[Any, Any], name: str, value: str) -> QuerySet[Any, Any]:
        return rows.filter(STATES[value])


class NotificationList(Listing[NotificationRow]):
    template = "licensing/_notification_list.html"
    columns = (
        Column("received", "Received", sort=("id",)),
        Column("what", "What Apple told"),
        Column("state", "State"),
    )
    export = {
        "Received": lambda row: row.notification.received_at,
        "Type": lambda row: row.notification.kind,
        "What Apple told": lambda row: row.what,
        "Failed at Apple": lambda row: row.failed_at_apple,
        "State": lambda row: row.state,
        "Handled": lambda row: row.notification.handled_at or "",
        "Attempts": lambda row: row.notification.attempts,
        "Reason": lambda row: row.notification.error,
        "Notification ID": lambda row: row.notification.notification_id,
    }
    filterset = NotificationFilter
    default_sort = "-received"
    unique = ("id",)
    counted_column = "id"
    noun = ("notification", "notifications")

    def __init__(self, params: Any, notifications: NotificationQuerySet) -> None:
        super().__init__(params, notification_rows(notifications))

    def dress(self, rows: list[Any]) -> list[NotificationRow]:
        return [
            NotificationRow(row, what_words(row.kind, row.event), row.result == "FAILURE")
            for row in rows
        ]
