"""An import in words: its figures, and what confirming it does. Each kind adds its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from organizations.models.imports import FileImport, FileImportRow

State, Verdict = FileImport.State, FileImportRow.Verdict
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
NAMED = 10  # of those that are missing
A_LONG_WAIT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class FileColumn:
    """A column of the file: its header, what it says, and how that looks."""

    name: str
    meaning: str
    example: str


@dataclass(frozen=True, slots=True)
class Figure:
    """How many rows have one verdict."""

    verdict: str
    label: str
    number: int


@dataclass(frozen=True, slots=True)
class RowWords:
    """A row of the file as the list shows it."""

    row: Any

    @property
    def verdict(self) -> str:
        return str(self.row.get_verdict_display())

    @property
    def colour(self) -> str:
        return VERDICT_COLOURS[Verdict(self.row.verdict)]


class FileWords:
    """What the pages say of one import; its counts are those of its own row."""

    route: ClassVar[str]  # of its pages: “users:import”
    one: ClassVar[str]  # “person”
    many: ClassVar[str]  # “people”
    who: ClassVar[str] = "that"
    nobody: ClassVar[str]  # “Nobody was written.”
    all_or_none: ClassVar[str]  # while they are written
    all_known: ClassVar[str]  # where nothing changes
    outcome: ClassVar[str]  # of those that are missing: “proposed for retirement”
    flagging: ClassVar[str]  # “propose {} for retirement”
    this_one: ClassVar[str]  # “this person”

    def __init__(self, file_import: FileImport) -> None:
        self.file_import = file_import
        self.counts: dict[str, Any] = file_import.counts

    def missing_rows(self) -> QuerySet[Any]:
        """What came with an earlier file, and what no row of this one is about."""
        raise NotImplementedError

    @property
    def place(self) -> str:
        """What it goes into, where that was chosen: the name of an account, of a network."""
        raise NotImplementedError

    # --- Where it stands --------------------------------------------------------------------------

    @property
    def detail_url(self) -> str:
        return self._url("detail")

    @property
    def confirm_url(self) -> str:
        return self._url("confirm")

    @property
    def cancel_url(self) -> str:
        return self._url("cancel")

    def _url(self, page: str) -> str:
        arguments = [self.file_import.organization_id, self.file_import.pk]
        return reverse(f"{self.route}_{page}", args=arguments)

    @property
    def colour(self) -> str:
        return COLOURS[State(self.file_import.state)]

    @property
    def is_moving(self) -> bool:
        return self.file_import.state in (State.CHECKING, State.APPLYING)

    @property
    def is_confirmed(self) -> bool:
        return self.file_import.state in (State.APPLYING, State.FINISHED)

    @property
    def nobody_works(self) -> bool:
        """Uploaded so long ago that probably no worker runs."""
        is_waiting = self.file_import.state == State.CHECKING
        return is_waiting and self.file_import.created_at < timezone.now() - A_LONG_WAIT

    @property
    def stand(self) -> str:
        """As long as it is the same, the screen shows the truth."""
        return f"{self.file_import.state}{self.nobody_works:d}"

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
        if not self.missing or self.file_import.state != State.CHECKED:
            return []
        return [str(each) for each in self.missing_rows().order_by("name", "pk")[:NAMED]]

    @property
    def missing_more(self) -> int:
        return self.missing - len(self.missing_names)

    @property
    def notes(self) -> list[str]:
        """What else there is to know, a sentence each."""
        sentences = [
            (self.errors, f"{_rows(self.errors)} left out."),
            (self.missing, self._missing_sentence()),
        ]
        notices = [str(notice) for notice in self.counts.get("notices", [])]
        return [sentence for number, sentence in sentences if number] + notices

    def _missing_sentence(self) -> str:
        verb, them = ("is", self.this_one) if self.missing == 1 else ("are", "them")
        came = f"{self.counted(self.missing)} {self.who} came with an earlier file"
        if self.file_import.state == State.FINISHED:
            return f"{came} {verb} not in this one, and {verb} {self.outcome}."
        verb_s = self.flagging.replace(" ", "s ", 1)  # “proposes”
        return f"{came} {verb} not in this one: importing {verb_s.format(them)}."

    # --- What confirming does ---------------------------------------------------------------------

    @property
    def written(self) -> int:
        """How many of them confirming writes."""
        return self.count(Verdict.NEW) + self.count(Verdict.UPDATE)

    @property
    def has_effect(self) -> bool:
        return bool(self.written or self.missing)

    @property
    def confirm_label(self) -> str:
        """“Import 48 people”."""
        if not self.written:
            told = self.flagging.format(self.counted(self.missing))
            return told[:1].upper() + told[1:]
        return f"Import {self.counted(self.written)}"

    @property
    def many_question(self) -> str:
        return (
            f"I have looked at it: {self.missing:,} {self.many} are not in this file, and are to be"
            f" {self.outcome}."
        )

    def counted(self, number: int) -> str:
        return f"1 {self.one}" if number == 1 else f"{number:,} {self.many}"


def _rows(errors: int) -> str:
    return "1 row with an error is" if errors == 1 else f"{errors:,} rows with errors are"
