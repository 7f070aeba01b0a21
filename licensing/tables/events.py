"""The list of audit events: Organization > Activity and the tab Activity of Manage > VPP."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.urls import reverse

from licensing.filters import Choices
from licensing.models import Batch, LicensedApp
from licensing.tables.event_filters import EventFilter
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
    url: str  # of a title's or a batch's page, empty for everything else
    details: list[Detail]


def event_rows(events: Iterable[AuditEvent], membership: Membership) -> list[EventRow]:
    """One statement for the titles of all these events, and one for the batches."""
    found = list(events)
    places = _titles(found, membership) | _batches(found, membership)
    zone = membership.organization.zone
    return [
        EventRow(event, action_words(event), *_target(event, places), details(event, zone))
        for event in found
    ]


Places = dict[tuple[str, int], tuple[str, str]]  # kind and id of a target -> its name and page


def _titles(events: list[AuditEvent], membership: Membership) -> Places:
    ours = LicensedApp.objects.visible_to(membership).filter(pk__in=_ids(events, "licensedapp"))
    titles = ours.select_related("app")
    return {("licensedapp", title.pk): (name_of(title), url_of(title)) for title in titles}


def _batches(events: list[AuditEvent], membership: Membership) -> Places:
    ours = Batch.objects.visible_to(membership).filter(pk__in=_ids(events, "batch"))
    place = membership.organization_id
    return {
        ("batch", batch.pk): (str(batch), reverse("licensing:batch_detail", args=[place, batch.pk]))
        for batch in ours
    }


def _ids(events: list[AuditEvent], kind: str) -> set[int]:
    """Without any, nothing is asked."""
    return {event.target_id or 0 for event in events if event.target_kind == kind}


def _target(event: AuditEvent, places: Places) -> tuple[str, str]:
    return places.get((event.target_kind, event.target_id or 0), (event.target_name, ""))


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
