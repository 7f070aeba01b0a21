"""The list of audit events: Organization > Activity and the tab Activity of Manage > VPP."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from django.http import QueryDict, StreamingHttpResponse
from django.urls import reverse
from django.utils import formats, timezone

from licensing.filters import Choices
from licensing.models import Batch, LicensedApp
from licensing.tables.event_filters import EventFilter
from licensing.tables.words import Detail, action_words, details
from licensing.titles import name_of, url_of
from organizations.audit_log.reach import SEARCHED
from organizations.audit_log.shape import json_lines
from organizations.lists import Column, Listing, iter_chunks
from organizations.models import AuditEvent, Membership, Network, Owner
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
    places = _titles(found, membership) | _batches(found, membership) | _refused(found, membership)
    zone = membership.organization.zone
    return [
        EventRow(event, action_words(event), *_target(event, places), details(event, zone))
        for event in found
    ]


ATTEMPT = "access.refused"
# Kind of a target, its rows, and the page that lists them.
NAMED_BY_ID: tuple[tuple[str, Any, str], ...] = (
    ("network", Network, "organizations:network_list"),
    ("owner", Owner, "users:owner_list"),
    ("vppaccount", VppAccount, "licensing:mdm"),
)
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


def _refused(events: list[AuditEvent], membership: Membership) -> Places:
    """Whoever was refused named a row by its id only; its name is read now, if there is one."""
    told = [event for event in events if event.action == ATTEMPT]
    place, found = membership.organization_id, Places()
    for kind, model, page in NAMED_BY_ID:
        if ids := _ids(told, kind):
            rows = model.objects.visible_to(membership).filter(pk__in=ids)
            found |= {(kind, row.pk): (str(row), reverse(page, args=[place])) for row in rows}
    return found


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
        "Address": lambda row: row.event.address or "",
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
        kinds: Choices = (),
    ) -> None:
        super().__init__(params, events)
        self.kinds = kinds
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
            "kinds": self.kinds,
        }

    @property
    def problems(self) -> list[str]:
        """Also how far back a search went, where that is not to the beginning."""
        told: list[str] = super().problems
        since = self.filters.reach.since if self.filtered is not None else None
        return [*told, _searched(since.astimezone(self.zone))] if since else told

    @property
    def zone(self) -> tzinfo:
        return self.membership.organization.zone

    # --- JSON lines -------------------------------------------------------------------------------

    @property
    def more_exports(self) -> list[tuple[str, str]]:
        return [("JSON lines", self.address(format="jsonl"))]

    @property
    def wants_json_lines(self) -> bool:
        return self.params.get("format") == "jsonl"

    def json_lines_response(self, name: str) -> StreamingHttpResponse:
        """Every event with all that is known of it, for archives and other systems."""
        today = timezone.localdate(timezone=self.zone)
        return StreamingHttpResponse(
            json_lines(iter_chunks(self.filtered, self.ordering)),
            content_type="application/jsonl; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}-{today}.jsonl"'},
        )


def _searched(since: datetime) -> str:
    return (
        f"The newest {SEARCHED:,} events were looked through, back to"
        f" {formats.date_format(since, 'j M Y H:i')}. For older ones choose an earlier “To”."
    )
