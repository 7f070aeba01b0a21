"""The list of audit events: Organization > Activity and the tab Activity of Manage > VPP."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from licensing.filters import Choices, EventFilter
from licensing.models import LicensedApp
from licensing.tables.words import Detail, action_words, details
from licensing.titles import name_of, url_of
from organizations.lists import Column, Listing
from organizations.models import AuditEvent, Membership
from organizations.models.audit import AuditEventQuerySet
from vpp_accounts.models import VppAccount


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event in words. A title is called by the name that the store gave it meanwhile."""

    event: AuditEvent
    what: str
    target: str
    url: str  # of the title's page, empty for everything else
    details: list[Detail]


def event_rows(events: Iterable[AuditEvent], membership: Membership) -> list[EventRow]:
    """One statement for the titles of all these events."""
    found = list(events)
    ids = {event.target_id or 0 for event in found if event.target_kind == "licensedapp"}
    titles = LicensedApp.objects.visible_to(membership).filter(pk__in=ids).select_related("app")
    known = {title.pk: title for title in titles}  # asks nothing where there are no ids
    zone = membership.organization.zone
    return [
        EventRow(event, action_words(event), *_target(event, known), details(event, zone))
        for event in found
    ]


def _target(event: AuditEvent, titles: dict[int, LicensedApp]) -> tuple[str, str]:
    is_title = event.target_kind == "licensedapp"
    title = titles.get(event.target_id or 0) if is_title else None
    return (name_of(title), url_of(title)) if title else (event.target_name, "")


class EventList(Listing[EventRow]):
    template = "licensing/_event_list.html"
    columns = (
        Column("when", "When", sort=("id",)),
        Column("what", "What happened"),
        Column("target", "On"),
        Column("change", "Change"),
        Column("who", "By"),
    )
    export = {
        "When": lambda row: row.event.at,
        "Action": lambda row: row.event.action,
        "What happened": lambda row: row.what,
        "Kind": lambda row: row.event.target_kind,
        "On": lambda row: row.target,
        "Change": lambda row: "; ".join(map(str, row.details)),
        "By": lambda row: row.event.actor_name,
        "Kind of actor": lambda row: row.event.get_actor_kind_display(),
        "Refused": lambda row: row.event.refused,
        "Request": lambda row: row.event.request_id,
    }
    filterset = EventFilter
    default_sort = "-when"
    unique = ("id",)
    counted_column = "id"
    noun = ("event", "events")

    def __init__(
        self,
        params: QueryDict,
        events: AuditEventQuerySet,
        membership: Membership,
        *,
        accounts: Iterable[VppAccount],
        areas: Choices,
    ) -> None:
        super().__init__(params, events)
        self.membership = membership
        self.accounts = accounts
        self.areas = areas

    def dress(self, rows: list[AuditEvent]) -> list[EventRow]:
        return event_rows(rows, self.membership)

    def filter_arguments(self) -> dict[str, Any]:
        return {
            "membership": self.membership,
            "accounts": self.accounts,
            "areas": self.areas,
        }
