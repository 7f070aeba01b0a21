"""The lists of an app's redemption codes: the codes, never in full, and who may get one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import django_filters as filters
from django.db.models import Case, CharField, Exists, F, IntegerField, Q, Value, When
from django.db.models.functions import Coalesce, Lower
from django.http import QueryDict

from apps_catalog.codes.handing_out import with_code
from apps_catalog.models import ManagedApp, RedemptionCode
from apps_catalog.models.codes import CodeQuerySet
from organizations.lists import Column, Listing, search_field
from organizations.models import Owner
from organizations.models.inventory import OwnerQuerySet

State = RedemptionCode.State
COLOURS = {State.UNUSED: "success", State.HANDED_OUT: "info"}
NOT_SENT = "not_sent"
STATES = [*State.choices, (NOT_SENT, "Handed out, and the mail failed")]


class Selecting:
    """What the boxes of a list send (static/js/selection.js)."""

    unfiltered: Any
    filtered: Any

    def chosen(self, posted: QueryDict) -> list[int]:
        """`holder`: the boxes of the page; `selected`: those of other pages; `all`: what matches."""
        if posted.get("all"):
            return list(self.filtered.values_list("pk", flat=True))
        ids = {*posted.getlist("holder"), *posted.get("selected", "").split()}
        numbers = [int(id_) for id_ in ids if id_.isascii() and id_.isdigit() and len(id_) < 19]
        return list(self.unfiltered.filter(pk__in=numbers).values_list("pk", flat=True))


@dataclass(frozen=True, slots=True)
class CodeRow:
    """`id`, `label` and `why_not` are what its check box needs."""

    code: RedemptionCode
    why_not: str

    @property
    def id(self) -> str:
        return str(self.code.pk)

    choice = id

    @property
    def label(self) -> str:
        return f"the code that ends with {self.code.last_letters}"

    @property
    def colour(self) -> str:
        return COLOURS.get(State(self.code.state), "secondary")

    @property
    def whom(self) -> str:
        """As they are called now; else the address that the code went to."""
        return self.code.owner.name if self.code.owner else self.code.email

    @property
    def is_unused(self) -> bool:
        return self.code.state == State.UNUSED


class CodeFilter(filters.FilterSet):
    q = search_field("Last letters, owner, email or order", method="matching")
    state = filters.ChoiceFilter(
        label="State", empty_label="All", choices=STATES, method="in_state"
    )

    def matching(self, codes: CodeQuerySet, name: str, value: str) -> CodeQuerySet:
        whom = Q(owner__name__icontains=value) | Q(email__icontains=value)
        return codes.filter(whom | Q(last_letters__iexact=value) | Q(order__icontains=value))

    def in_state(self, codes: CodeQuerySet, name: str, value: str) -> CodeQuerySet:
        if value == NOT_SENT:
            return codes.filter(state=State.HANDED_OUT).exclude(mail_problem="")
        return codes.filter(state=value)


class CodeList(Selecting, Listing[CodeRow]):
    """Its export holds no code either: who may read one is asked to sign in again, and noted."""

    template = "apps_catalog/_code_list.html"
    columns = (
        Column("state", "State", sort=("place",)),
        Column("letters", "Ends with", sort=("last_letters",)),
        Column("whom", "To whom", sort=("sort_whom",)),
        Column("when", "When", sort=("changed",)),
        Column("by", "By", wide_only=True),
        Column("order", "Order", sort=("order",), wide_only=True),
    )
    export = {
        "state": lambda row: row.code.get_state_display(),
        "lastLetters": lambda row: row.code.last_letters,
        "owner": lambda row: row.code.owner.name if row.code.owner else "",
        "email": lambda row: row.code.email,
        "handedOutAt": lambda row: row.code.handed_out_at,
        "redeemedAt": lambda row: row.code.redeemed_at,
        "by": lambda row: row.code.changed_by,
        "order": lambda row: row.code.order,
        "mailProblem": lambda row: row.code.mail_problem,
        "importedAt": lambda row: row.code.created_at,
    }
    filterset = CodeFilter
    default_sort = "state"
    noun = ("code", "codes")

    def __init__(self, params: QueryDict, managed_app: ManagedApp, obstacle: str) -> None:
        self.obstacle = obstacle
        self.selection_key = f"codes-{managed_app.pk}"
        codes = RedemptionCode.objects.filter(managed_app=managed_app).select_related("owner")
        super().__init__(params, _sortable(codes))

    @property
    def matching_key(self) -> str:
        return self.address(sort="", size="")

    def dress(self, rows: list[RedemptionCode]) -> list[CodeRow]:
        return [CodeRow(row, self.obstacle) for row in rows]


def _sortable(codes: CodeQuerySet) -> CodeQuerySet:
    """With what the list sorts by, which is never null."""
    places = [When(state=state, then=Value(place)) for place, state in enumerate(State.values)]
    whom = Lower(Coalesce("owner__name", "email"), output_field=CharField())
    return codes.annotate(
        place=Case(*places, output_field=IntegerField()),
        sort_whom=whom,
        changed=Coalesce("redeemed_at", "handed_out_at", F("created_at")),
    )


@dataclass(frozen=True, slots=True)
class RecipientRow:
    owner: Owner
    has_code: bool

    @property
    def id(self) -> str:
        return str(self.owner.pk)

    choice = id

    @property
    def label(self) -> str:
        return self.owner.name

    @property
    def why_not(self) -> str:
        return "has a code of this app already" if self.has_code else ""


class RecipientFilter(filters.FilterSet):
    q = search_field("Name or email", method="matching")
    code = filters.ChoiceFilter(
        label="Code of this app",
        empty_label="All",
        choices=[("no", "Has none"), ("yes", "Has one")],
        method="having_one",
    )
    scope = filters.ChoiceFilter(
        label="Devices",
        empty_label="Any or none",
        choices=[("in", "In the scope of the app")],
        method="in_scope",
    )

    def __init__(self, *arguments: Any, scope: Exists, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.scope = scope

    def matching(self, owners: OwnerQuerySet, name: str, value: str) -> OwnerQuerySet:
        return owners.filter(Q(name__icontains=value) | Q(email__icontains=value))

    def having_one(self, owners: Any, name: str, value: str) -> Any:
        return owners.filter(has_code=value == "yes")

    def in_scope(self, owners: OwnerQuerySet, name: str, value: str) -> OwnerQuerySet:
        return owners.filter(self.scope)


class RecipientList(Selecting, Listing[RecipientRow]):
    template = "apps_catalog/_code_recipient_list.html"
    columns = (
        Column("name", "Name", sort=("sort_name",)),
        Column("email", "Email", sort=("email",)),
        Column("code", "Code of this app"),
    )
    filterset = RecipientFilter
    default_sort = "name"
    noun = ("owner", "owners")

    def __init__(
        self, params: QueryDict, managed_app: ManagedApp, owners: OwnerQuerySet, scope: Exists
    ) -> None:
        self.scope = scope
        self.selection_key = f"code-recipients-{managed_app.pk}"
        known = owners.annotate(sort_name=Lower("name"), has_code=with_code(managed_app))
        super().__init__(params, known)

    def filter_arguments(self) -> dict[str, Any]:
        return {"scope": self.scope}

    @property
    def matching_key(self) -> str:
        return self.address(sort="", size="")

    def dress(self, rows: Iterable[Any]) -> list[RecipientRow]:
        return [RecipientRow(row, row.has_code) for row in rows]
