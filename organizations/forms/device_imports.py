"""The form in which a file with devices is uploaded."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet

from organizations.imports import LARGEST_FILE
from organizations.models import Network

ENDINGS = ".csv,.txt,.xlsx,.xls"


class DeviceImportForm(forms.Form):
    file = forms.FileField(
        allow_empty_file=True,  # the engine says what an empty one lacks
        help_text="CSV or an Excel workbook, with a header row. At most 20 MB and 200,000 rows.",
        widget=forms.FileInput(attrs={"accept": ENDINGS}),
        error_messages={"required": "Choose the file with the devices: a CSV or a workbook."},
    )
    network = forms.ModelChoiceField(
        queryset=Network.objects.none(),
        required=False,
        label="Network of new devices",
        empty_label="As each row says",
        help_text="Of rows that name none. Devices that are known already stay where they are.",
        error_messages={
            "invalid_choice": "This network is not there any more. Choose another one."
        },
    )
    is_complete = forms.BooleanField(
        required=False,
        label="This file is the whole list: flag devices that are not in it as missing",
        help_text="Only devices that came with an earlier file are looked for. None is deleted.",
    )

    def __init__(
        self, *args: Any, networks: QuerySet[Network], locked: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["network"]
        choice.queryset = networks
        for field in self.fields.values():
            field.disabled = locked

    def clean_file(self) -> UploadedFile[bytes]:
        upload: UploadedFile[bytes] = self.cleaned_data["file"]
        if upload.size and upload.size > LARGEST_FILE:
            raise forms.ValidationError(
                "This file has more than 20 MB. Split it, each part with the header row."
            )
        return upload

    @property
    def details(self) -> dict[str, Any]:
        """As the engine takes them."""
        chosen = self.cleaned_data
        return {
            "network": chosen["network"],
            "file_name": chosen["file"].name,
            "content": chosen["file"].read(),
            "is_complete": chosen["is_complete"],
        }
