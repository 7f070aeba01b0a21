"""An import in words: its figures, what confirming it does, the list of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

import django_filters as filters
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils import timezone

from organizations.lists import Column, Listing, Total, search_field
from organizations.models import Owner
from users.models import ImportRow, PeopleImport

State = PeopleImport.State
Verdict = ImportRow.Verdict

COLOURS = {
    State.CHECKING: "info",
    State.CHECKED: "warning",
    State.APPLYING: "info",
    State.FINISHED: "success",
    State.FAILED: "danger",
    State.CANCELLED: "secondary",
}
VERDICT_COLOURS = {
    Verdict.NEW: "success",
    Verdict.UPDATE: "info",
    Verdict.UNCHANGED: "secondary",
    Verdict.ERROR: "danger",
}
NAMED = 10  # of those who are missing
A_LONG_WAIT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class FileColumn:
    """A column of the file: its header, what it says, and how that looks."""

    name: str
    meaning: str
    example: str


COLUMNS = (
    FileColumn("name", "How the person is called.", "Ann Lee"),
    FileColumn(
        "email",
        "Where invitations go. A person who is known by this address already is brought up to date.",
        "ann.lee@example.org",
    ),
    FileColumn("username", "For example the sign-in name of your directory.", "alee"),
    FileColumn(
        "tags", "Separated by spaces. They take the place of the owner's tags.", "grade-4 teachers"
    ),
    FileColumn(
        "managedAppleAccount",
        "A user of a VPP account is associated with it at once, without an invitation.",
        "ann.lee@appleid.example.org",
    ),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """How many rows have one verdict."""

    verdict: str
    label: str
    number: int


class ImportWords:
    """What the pages say of one import; its counts are those of its own row."""

    def __init__(self, people_import: PeopleImport) -> None:
        self.people_import = people_import
        self.counts: dict[str, Any] = people_import.counts

    @property
    def colour(self) -> str:
        return COLOURS[State(self.people_import.state)]

    @property
    def is_moving(self) -> bool:
        return self.people_import.state in (State.CHECKING, State.APPLYING)

    @property
    def is_confirmed(self) -> bool:
        return self.people_import.state in (State.APPLYING, State.FINISHED)

    @property
    def nobody_works(self) -> bool:
        """Uploaded so long ago that probably no worker runs."""
        is_waiting = self.people_import.state == State.CHECKING
        return is_waiting and self.people_import.created_at < timezone.now() - A_LONG_WAIT

    @property
    def stand(self) -> str:
        """As long as it is the same, the screen shows the truth."""
        return f"{self.people_import.state}{self.nobody_works:d}"

    # --- Figures ----------------------------------------------------------------------------------

    @cached_property
    def figures(self) -> list[Figure]:
        return [Figure(each.value, each.label, self.count(each)) for each in Verdict]

    @property
    def summary(self) -> str:
        """“40 new, 2 error”; empty where no row was read."""
        told = [f"{each.number:,} {each.label.lower()}" for each in self.figures if each.number]
        return ", ".join(told)

    def count(self, name: str) -> int:
        return int(self.counts.get(name, 0))

    @property
    def total(self) -> int:
        return sum(figure.number for figure in self.figures)

    @property
    def errors(self) -> int:
        return self.count(Verdict.ERROR)

    @property
    def missing(self) -> int:
        return self.count("missing")

    @property
    def misses_many(self) -> bool:
        """So many that somebody is to look again."""
        return bool(self.counts.get("misses_many"))

    @cached_property
    def missing_names(self) -> list[str]:
        """The first of them, while they can still be kept."""
        if not self.missing or self.people_import.state != State.CHECKED:
            return []
        return list(missing_from(self.people_import).values_list("name", flat=True)[:NAMED])

    @property
    def missing_more(self) -> int:
        return self.missing - len(self.missing_names)

    @property
    def notes(self) -> list[str]:
        """What else there is to know, a sentence each."""
        is_over = self.people_import.state == State.FINISHED
        sentences = [
            (self.errors, f"{_rows(self.errors)} left out."),
            (self.missing, _missing(self.missing, is_over=is_over)),
        ]
        notices = [str(notice) for notice in self.counts.get("notices", [])]
        return [sentence for number, sentence in sentences if number] + notices

    # --- What confirming does ---------------------------------------------------------------------

    @property
    def people(self) -> int:
        """How many people confirming writes."""
        return self.count(Verdict.NEW) + self.count(Verdict.UPDATE)

    @property
    def has_effect(self) -> bool:
        return bool(self.people or self.missing)

    @property
    def confirm_label(self) -> str:
        """“Import 48 people”."""
        if not self.people:
            return f"Propose {_people(self.missing)} for retirement"
        return f"Import {_people(self.people)}"


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number:,} people"


def _rows(errors: int) -> str:
    return "1 row with an error is" if errors == 1 else f"{errors:,} rows with errors are"


def _missing(number: int, *, is_over: bool) -> str:
    one = number == 1
    who = (
        f"{_people(number)} who came with an earlier file {'is' if one else 'are'} not in this one"
    )
    if is_over:
        return f"{who}, and {'is' if one else 'are'} proposed for retirement."
    return f"{who}: importing proposes {'this person' if one else 'them'} for retirement."


def missing_from(people_import: PeopleImport) -> QuerySet[Owner]:
    """Who came with an earlier file, and whom no row of this one is about."""
    came = Owner.objects.filter(
        organization=people_import.organization_id,
        source=Owner.Source.CSV,
        missing_since=None,
    )
    about = ImportRow.objects.filter(people_import=people_import, owner_id=OuterRef("pk"))
    return came.filter(~Exists(about)).order_by("name", "pk")


# --- The list of rows -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RowWords:
    """A row of the file as the list shows it."""

    row: ImportRow

    @property
    def verdict(self) -> str:
        return self.row.get_verdict_display()

    @property
    def colour(self) -> str:
        return VERDICT_COLOURS[Verdict(self.row.verdict)]


class ImportRowFilter(filters.FilterSet):
    q = search_field("Name, e-mail, username, message", method="matching")
    verdict = filters.ChoiceFilter(label="Verdict", empty_label="All", choices=Verdict.choices)

    def matching(self, rows: QuerySet[Any, Any], name: str, value: str) -> QuerySet[Any, Any]:
        return rows.filter(
            Q(name__icontains=value)
            | Q(email__icontains=value)
            | Q(username__icontains=value)
            | Q(managed_apple_account__icontains=value)
            | Q(message__icontains=value)
        )


class ImportRowList(Listing[RowWords]):
    template = "users/_import_row_list.html"
    columns = (
        Column("row", "Row", sort=("number",)),
        Column("name", "Name"),
        Column("email", "E-mail"),
        Column("verdict", "Verdict", sort=("verdict",)),
    )
    # The file's own columns first: mended, the rows can be uploaded again as they are.
    export = {
        "name": lambda row: row.row.name,
        "email": lambda row: row.row.email,
        "username": lambda row: row.row.username,
        "tags": lambda row: row.row.tags,
        "managedAppleAccount": lambda row: row.row.managed_apple_account,
        "row": lambda row: row.row.number,
        "verdict": lambda row: row.verdict,
        "message": lambda row: row.row.message,
    }
    filterset = ImportRowFilter
    default_sort = "row"
    unique = ("number",)
    counted_column = "number"

    def __init__(self, params: QueryDict, words: ImportWords) -> None:
        rows = ImportRow.objects.filter(people_import=words.people_import)
        super().__init__(params, rows, known_total=Total(words.total))

    def dress(self, rows: list[ImportRow]) -> list[RowWords]:
        return [RowWords(row) for row in rows]
