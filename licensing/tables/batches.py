"""The list of batches: a tab of Systems Manager > Manage > VPP."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import django_filters as filters
from django.db.models import Q, QuerySet
from django.http import QueryDict

from licensing.models import Batch, BatchKind, BatchState
from organizations.lists import Column, Listing, search_field
from organizations.models import AuditEvent, Membership
from vpp_accounts.models import VppAccount

STATES = {
    "running": ("Running", Q(finished_at=None)),
    "paused": ("Paused", Q(finished_at=None, state=BatchState.PAUSED)),
    "finished": ("Finished", Q(state=BatchState.FINISHED)),
    "cancelled": ("Cancelled", Q(state=BatchState.CANCELLED)),
    "failed": ("With failures", Q(failed__gt=0)),
    "waiting": ("With somebody waiting", Q(waiting__gt=0)),
}
ME = "me"
# What succeeded, in the words of its kind: for one, for more.
DONE = {
    BatchKind.REGISTER: ("registered", "registered"),
    BatchKind.UPDATE: ("changed", "changed"),
    BatchKind.RETIRE: ("retired", "retired"),
    BatchKind.INVITE: ("mail sent", "mails sent"),
}
SUCCEEDED = ("succeeded", "succeeded")
COLOURS = {
    BatchState.PLANNED: "info",
    BatchState.RUNNING: "info",
    BatchState.PAUSED: "warning",
    BatchState.FINISHED: "success",
    BatchState.CANCELLED: "secondary",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many items of a batch ended, or still stand, in one way."""

    state: str  # as the filter of the items calls it
    label: str
    number: int


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A batch in words; its counts are those of its own row."""

    batch: Batch

    @property
    def name(self) -> str:
        """“Grant: Keynote · 40 devices”."""
        return f"{self.batch.get_kind_display()}: {self.batch.about or 'nothing'}"

    @property
    def state(self) -> str:
        if self.batch.state == BatchState.CANCELLED and self.batch.finished_at is None:
            return "Cancelling"
        return self.batch.get_state_display()

    @property
    def colour(self) -> str:
        if self.batch.failed and self.batch.state == BatchState.FINISHED:
            return "warning" if self.batch.succeeded else "danger"
        return COLOURS[BatchState(self.batch.state)]

    @property
    def done(self) -> int:
        return self.batch.total - self.batch.pending

    @property
    def is_mail(self) -> bool:
        """Whether nothing of it goes to Apple."""
        return self.batch.kind == BatchKind.INVITE

    @property
    def duration(self) -> str:
        """“4.2 s”, “3.5 min”; empty until it is over."""
        if not (self.batch.started_at and self.batch.finished_at):
            return ""
        seconds = (self.batch.finished_at - self.batch.started_at).total_seconds()
        return f"{seconds:.1f} s" if seconds < 60 else f"{seconds / 60:,.1f} min"

    @property
    def outcomes(self) -> list[Outcome]:
        """What there is to tell: never nothing, and no zeros."""
        one, more = DONE.get(BatchKind(self.batch.kind), SUCCEEDED)
        done = one if self.batch.succeeded == 1 else more
        every = [
            Outcome("succeeded", done, self.batch.succeeded),
            Outcome("failed", "failed", self.batch.failed),
            Outcome("pending", "pending", self.batch.pending),
            Outcome("waiting", "waiting for a license", self.batch.waiting),
            Outcome("skipped", "skipped", self.batch.skipped),
            Outcome("cancelled", "cancelled", self.batch.cancelled),
        ]
        return [outcome for outcome in every if outcome.number] or every[:1]


class BatchFilter(filters.FilterSet):
    q = search_field("Title, person or #number", method="matching")
    kind = filters.ChoiceFilter(label="Kind", empty_label="All", choices=BatchKind.choices)
    state = filters.ChoiceFilter(
        label="State",
        empty_label="All",
        choices=[(name, label) for name, (label, _) in STATES.items()],
        method="in_state",
    )
    account = filters.ChoiceFilter(label="VPP account", empty_label="All accounts")
    who = filters.ChoiceFilter(
        label="Started by",
        empty_label="Anyone",
        choices=[(ME, "Me"), *AuditEvent.ActorKind.choices],
        method="started_by",
    )

    def __init__(
        self,
        *arguments: Any,
        membership: Membership,
        accounts: Iterable[VppAccount],
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self.membership = membership
        self.filters["account"].extra["choices"] = [(str(a.pk), a.name) for a in accounts]

    def matching(self, rows: QuerySet[Any, Any], name: str, value: str) -> QuerySet[Any, Any]:
        number = value.removeprefix("#")
        wanted = Q(about__icontains=value) | Q(actor_name__icontains=value)
        if number.isascii() and number.isdigit() and len(number) < 19:
            wanted |= Q(pk=int(number))
        return rows.filter(wanted)

    def in_state(self, rows: QuerySet[Any, Any], name: str, value: str) -> QuerySet[Any, Any]:
        return rows.filter(STATES[value][1])

    def started_by(self, rows: QuerySet[Any, Any], name: str, value: str) -> QuerySet[Any, Any]:
        if value == ME:
            return rows.filter(began_by(self.membership))
        return rows.filter(actor_kind=value)


def began_by(membership: Membership) -> Q:
    """The batches that this admin started on a page."""
    return Q(actor_kind=AuditEvent.ActorKind.ADMIN, actor_id=membership.admin_id)


class BatchList(Listing[BatchRow]):
    template = "licensing/_batch_list.html"
    columns = (
        Column("batch", "Batch"),
        Column("state", "State"),
        Column("outcome", "Items"),
        Column("account", "VPP account", wide_only=True),
        Column("who", "Started by"),
        Column("when", "When", sort=("id",)),
    )
    export = {
        "Number": lambda row: row.batch.pk,
        "Kind": lambda row: row.batch.get_kind_display(),
        "About": lambda row: row.batch.about,
        "VPP account": lambda row: row.batch.account.name,
        "State": lambda row: row.state,
        "Reason": lambda row: row.batch.reason,
        "Items": lambda row: row.batch.total,
        "Succeeded": lambda row: row.batch.succeeded,
        "Failed": lambda row: row.batch.failed,
        "Pending": lambda row: row.batch.pending,
        "Waiting": lambda row: row.batch.waiting,
        "Skipped": lambda row: row.batch.skipped,
        "Cancelled": lambda row: row.batch.cancelled,
        "Started by": lambda row: row.batch.actor_name,
        "Kind of actor": lambda row: row.batch.get_actor_kind_display(),
        "Why": lambda row: row.batch.why,
        "Asked for": lambda row: row.batch.created_at,
        "Finished": lambda row: row.batch.finished_at or "",
        "Requests to Apple": lambda row: row.batch.calls,
    }
    filterset = BatchFilter
    default_sort = "-when"
    unique = ("id",)
    counted_column = "id"
    noun = ("batch", "batches")

    def __init__(
        self, params: QueryDict, membership: Membership, accounts: Iterable[VppAccount]
    ) -> None:
        super().__init__(params, Batch.objects.visible_to(membership).select_related("account"))
        self.membership = membership
        self.accounts = accounts

    def dress(self, rows: list[Batch]) -> list[BatchRow]:
        return [BatchRow(batch) for batch in rows]

    def filter_arguments(self) -> dict[str, Any]:
        return {"membership": self.membership, "accounts": self.accounts}
