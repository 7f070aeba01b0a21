"""The lists of VPP > Reclaim: licenses that could be freed, and what a rule would find."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import django_filters as filters
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.urls import reverse

from licensing.models import Batch, LicensedApp, Reclaim, ReclaimCause
from licensing.models.reclaim import ReclaimQuerySet
from licensing.reclaim.finding import Candidate
from organizations.lists import Column, Listing, RowListing, search_field
from organizations.models import Membership
from vpp_accounts.models import VppAccount
from vpp_accounts.permissions import READ_ONLY

State = Reclaim.State
CHOOSABLE = (State.FOUND, State.PLANNED)
STATES = {
    "found": ("Could be freed", Q(state=State.FOUND)),
    "planned": ("Will be taken back", Q(state=State.PLANNED)),
    "decision": (
        "Waits for a decision",
        Q(state=State.PLANNED, waits_since__isnull=False, allowed_by=""),
    ),
    "started": ("Being taken back", Q(state=State.STARTED)),
    "done": ("Taken back", Q(state=State.DONE)),
    "kept": ("Kept", Q(state=State.UNDONE)),
    "over": ("No longer needed", Q(state__in=(State.VOID, State.FAILED))),
    "all": ("All", Q()),
}
COLOURS = {
    State.PLANNED: "warning",
    State.STARTED: "info",
    State.DONE: "success",
    State.FAILED: "danger",
}
NOT_THEIRS = (
    "Only who manages this VPP account and may write in the device's network can change this."
)
MOST_TITLES = 500  # in the filter


@dataclass(frozen=True, slots=True)
class ReclaimRow:
    """`id` is what its check box sends; empty where nothing can be chosen any more."""

    row: Reclaim
    is_theirs: bool
    why_not: str
    batch: bool  # there is still one to look at

    @property
    def id(self) -> str:
        return str(self.row.pk) if self.row.state in CHOOSABLE else ""

    @property
    def choice(self) -> str:
        return self.id

    @property
    def label(self) -> str:
        return f"{self.title} from {self.row.holder}"

    @property
    def title(self) -> str:
        return str(self.row.licensed_app.app)

    @property
    def is_waiting(self) -> bool:
        return self.row.waits_for_decision

    @property
    def state(self) -> str:
        return "Waits for a decision" if self.is_waiting else self.row.get_state_display()

    @property
    def colour(self) -> str:
        return COLOURS.get(State(self.row.state), "secondary")

    @property
    def url(self) -> str:
        row = self.row
        place = [row.organization_id, row.account_id, row.holder_kind, row.holder]
        return reverse("licensing:holder_detail", args=place)


def matches(text: str) -> Q:
    holder = Q(holder__startswith=text.upper()) | Q(holder_name__icontains=text)
    return holder | Q(licensed_app__app__name__icontains=text)


class ReclaimFilter(filters.FilterSet):
    q = search_field("Serial number, device or title", method="matching")
    state = filters.ChoiceFilter(
        label="State",
        empty_label="To be decided or under way",
        choices=[(value, label) for value, (label, _) in STATES.items()],
        method="in_state",
    )
    cause = filters.ChoiceFilter(label="Cause", empty_label="All", choices=ReclaimCause.choices)
    account = filters.ChoiceFilter(label="VPP account", empty_label="All", method="of_account")
    title = filters.ChoiceFilter(label="Title", empty_label="All", method="of_title")

    def __init__(
        self,
        *arguments: Any,
        accounts: Iterable[tuple[str, str]],
        titles: Iterable[tuple[str, str]],
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self.filters["account"].extra["choices"] = list(accounts)
        self.filters["title"].extra["choices"] = list(titles)

    def matching(self, rows: QuerySet[Any, Any], name: str, value: str) -> QuerySet[Any, Any]:
        return rows.filter(matches(value))

    def in_state(self, rows: QuerySet[Any, Any], name: str, value: str) -> QuerySet[Any, Any]:
        return rows.filter(STATES[value][1])

    def of_account(self, rows: QuerySet[Any, Any], name: str, value: str) -> QuerySet[Any, Any]:
        return rows.filter(account=int(value))

    def of_title(self, rows: QuerySet[Any, Any], name: str, value: str) -> QuerySet[Any, Any]:
        return rows.filter(licensed_app=int(value))


class ReclaimList(Listing[Any]):
    """Without a chosen state what is still to be decided or under way."""

    template = "licensing/_reclaim_list.html"
    columns = (
        Column("holder", "Device", sort=("holder",)),
        Column("title", "Title"),
        Column("cause", "Cause"),
        Column("state", "State"),
        Column("due", "Taken back", hint="Until then it can be kept.", wide_only=True),
        Column("account", "VPP account", wide_only=True),
        Column("found", "Found", sort=("found_at",), wide_only=True),
    )
    export = {
        "Serial number": lambda row: row.row.holder,
        "Device": lambda row: row.row.holder_name,
        "Title": lambda row: row.title,
        "Adam ID": lambda row: row.row.licensed_app.adam_id,
        "VPP account": lambda row: row.row.account.name,
        "Cause": lambda row: row.row.get_cause_display(),
        "Since": lambda row: row.row.since,
        "State": lambda row: row.state,
        "Found": lambda row: row.row.found_at,
        "Due": lambda row: row.row.due_at,
        "Chosen by": lambda row: row.row.by_name,
        "Changed": lambda row: row.row.changed_at,
        "Changed by": lambda row: row.row.changed_by,
        "Note": lambda row: row.row.note,
        "Batch": lambda row: row.row.batch_id,
    }
    filterset = ReclaimFilter
    default_sort = "-found"
    noun = ("license", "licenses")
    selection_key = "reclaims"

    def __init__(
        self,
        params: QueryDict,
        rows: ReclaimQuerySet,
        membership: Membership,
        accounts: Iterable[VppAccount],
    ) -> None:
        self.membership, self.accounts = membership, accounts
        shown = rows if params.get("state") in STATES else rows.open()
        super().__init__(params, shown.select_related("licensed_app__app", "account"))

    def filter_arguments(self) -> dict[str, Any]:
        titles = LicensedApp.objects.filter(
            pk__in=self.unfiltered.order_by().values("licensed_app")
        ).select_related("app")
        named = sorted((str(title.app), title.pk) for title in titles[:MOST_TITLES])
        return {
            "accounts": [(str(account.pk), account.name) for account in self.accounts],
            "titles": [(str(pk), name) for name, pk in named],
        }

    @property
    def matching_key(self) -> str:
        return self.address(sort="", size="")

    def picked(self, ids: Iterable[str]) -> ReclaimQuerySet:
        numbers = [int(id_) for id_ in ids if id_.isascii() and id_.isdigit() and len(id_) < 19]
        rows: ReclaimQuerySet = self.unfiltered.filter(pk__in=numbers)
        return rows

    def dress(self, rows: list[Reclaim]) -> list[ReclaimRow]:
        ids = [row.pk for row in rows]
        theirs = Reclaim.objects.writable_by(self.membership).filter(pk__in=ids)
        known = set(theirs.values_list("pk", flat=True))
        batches = Batch.objects.filter(pk__in={row.batch_id for row in rows if row.batch_id})
        left = set(batches.values_list("pk", flat=True))
        reason = NOT_THEIRS if self.membership.can_write_somewhere else READ_ONLY
        return [
            ReclaimRow(
                row, row.pk in known, "" if row.pk in known else reason, row.batch_id in left
            )
            for row in rows
        ]


# --- What a rule would find -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CandidateRow:
    """A license that a rule would take back."""

    pk: int
    holder: str
    name: str
    title: str
    account: str
    since: datetime


def candidate_rows(found: Iterable[Candidate]) -> list[CandidateRow]:
    """Two statements for the names of all of them."""
    found = list(found)
    titles = LicensedApp.objects.filter(pk__in={each.licensed_app_id for each in found})
    known = {title.pk: title for title in titles.select_related("app", "account")}
    return [
        CandidateRow(
            number,
            each.holder,
            each.name,
            str(known[each.licensed_app_id].app),
            known[each.licensed_app_id].account.name,
            each.since,
        )
        for number, each in enumerate(found)
        if each.licensed_app_id in known
    ]


class CandidateList(RowListing[CandidateRow]):
    template = "licensing/_reclaim_preview_list.html"
    columns = (
        Column("holder", "Device", sort=("holder",)),
        Column("title", "Title", sort=("title",)),
        Column("account", "VPP account", sort=("account",), wide_only=True),
        Column("since", "Since", sort=("since",)),
    )
    export = {
        "Serial number": lambda row: row.holder,
        "Device": lambda row: row.name,
        "Title": lambda row: row.title,
        "VPP account": lambda row: row.account,
        "Since": lambda row: row.since,
    }
    default_sort = "holder"
    noun = ("license", "licenses")
