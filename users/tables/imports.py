"""An import of people in words, and the list of its rows."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict

from organizations.lists import Column, Listing, Total, search_field
from organizations.models import Owner
from organizations.tables.imports import FileColumn, FileWords, RowWords, Verdict
from users.models import ImportRow, PeopleImport

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


class ImportWords(FileWords):
    route = "users:import"
    one, many, who, this_one = "person", "people", "who", "this person"
    nobody = "Nobody was written."
    all_or_none = "All of the people are written or, should anything go wrong, nobody."
    all_known = "everybody without an error is known already, as the file says."
    outcome = "proposed for retirement"
    flagging = "propose {} for retirement"

    file_import: PeopleImport

    @property
    def place(self) -> str:
        return self.file_import.account.name if self.file_import.account else ""

    def missing_rows(self) -> QuerySet[Owner]:
        came = Owner.objects.filter(
            organization=self.file_import.organization_id,
            source=Owner.Source.CSV,
            missing_since=None,
        )
        about = ImportRow.objects.filter(people_import=self.file_import.pk, owner_id=OuterRef("pk"))
        return came.filter(~Exists(about))


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
        rows = ImportRow.objects.filter(people_import=words.file_import.pk)
        super().__init__(params, rows, known_total=Total(words.total))

    def dress(self, rows: list[ImportRow]) -> list[RowWords]:
        return [RowWords(row) for row in rows]
