"""The forms of an app's redemption codes: the sheet, and the column in which the codes stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from apps_catalog.codes.reading import LARGEST, Row, columns_of
from apps_catalog.codes.refusals import SheetTooLarge

ENDINGS = ".xls,.xlsx,.csv,.txt"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
EXAMPLE = 4  # letters of a cell that are shown: it may be a code


class CodeSheetForm(forms.Form):
    file = forms.FileField(
        allow_empty_file=True,  # the reader says what an empty one lacks
        label="Sheet of an order",
        help_text="Apple's spreadsheet (.xls), or a table as .xlsx or .csv. At most 2 MB.",
        widget=forms.FileInput(attrs={"accept": ENDINGS}),
        error_messages={"required": "Choose the sheet that Apple gave you for the order."},
    )

    def clean_file(self) -> UploadedFile[bytes]:
        upload: UploadedFile[bytes] = self.cleaned_data["file"]
        if upload.size and upload.size > LARGEST:
            raise forms.ValidationError(str(SheetTooLarge(f"{LARGEST // 1024**2} MB")))
        return upload

    @property
    def details(self) -> dict[str, Any]:
        upload = self.cleaned_data["file"]
        return {"file_name": upload.name, "content": upload.read()}


class ColumnForm(forms.Form):
    column = forms.TypedChoiceField(
        coerce=int,
        label="Column of the codes",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose the column in which the codes stand."},
    )

    def __init__(self, *args: Any, table: Sequence[Row], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: Any = self.fields["column"]
        choices.choices = [(place, _words(table, place)) for place in columns_of(table)]


def _words(table: Sequence[Row], place: int) -> str:
    """“Column C: 40 cells, such as ABCD…”."""
    cells = [cells[place] for _, cells in table if place < len(cells) and cells[place]]
    last = cells[-1]
    shown = last if len(last) <= EXAMPLE else f"{last[:EXAMPLE]}…"
    return f"Column {_letter(place)}: {len(cells):,} cell{'s'[: len(cells) != 1]}, such as {shown}"


def _letter(place: int) -> str:
    return LETTERS[place] if place < len(LETTERS) else f"{place + 1}"
