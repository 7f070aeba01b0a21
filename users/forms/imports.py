"""The form in which a file with people is uploaded."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet

from users.imports import LARGEST_FILE
from vpp_accounts.models import VppAccount

ENDINGS = ".csv,.txt,.xlsx,.xls"
WHOLE_LIST = "This file is the whole list: propose whoever is missing for retirement"


class AccountChoice(forms.ModelChoiceField[VppAccount]):
    def label_from_instance(self, obj: VppAccount) -> str:
        return f"Owners, and users of {obj.name}"


class ImportForm(forms.Form):
    file = forms.FileField(
        allow_empty_file=True,  # the engine says what an empty one lacks
        help_text="CSV or an .xlsx workbook, with a header row. At most 20 MB and 100,000 rows.",
        widget=forms.FileInput(attrs={"accept": ENDINGS}),
        error_messages={"required": "Choose the file with the people: a CSV or an .xlsx workbook."},
    )
    account = AccountChoice(
        queryset=VppAccount.objects.none(),
        required=False,
        label="VPP account",
        empty_label="Owners only",
        help_text="Users of a VPP account are registered at Apple once you have confirmed.",
        error_messages={
            "invalid_choice": "This VPP account is not open to you any more. Choose another one."
        },
    )
    invites = forms.BooleanField(required=False, label="Invite the new ones")
    is_complete = forms.BooleanField(
        required=False,
        label=WHOLE_LIST,
        help_text="Only people who came with an earlier file are looked for. Nobody is retired or"
        " deleted by that: their pages propose it.",
    )

    def __init__(
        self, *args: Any, accounts: QuerySet[VppAccount], locked: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["account"]
        choice.queryset = accounts
        if not accounts:
            del self.fields["invites"]
        for field in self.fields.values():
            field.disabled = locked

    def clean_file(self) -> UploadedFile[bytes]:
        upload: UploadedFile[bytes] = self.cleaned_data["file"]
        if upload.size and upload.size > LARGEST_FILE:
            raise forms.ValidationError(
                "This file has more than 20 MB. Split it, each part with the header row."
            )
        return upload

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("invites") and not cleaned.get("account") and not self.has_error("account"):
            self.add_error(
                "invites",
                "Invitations come from a VPP account. Choose one above, or do not invite.",
            )
        return cleaned

    @property
    def details(self) -> dict[str, Any]:
        """As the engine takes them."""
        chosen = self.cleaned_data
        return {
            "account": chosen["account"],
            "file_name": chosen["file"].name,
            "content": chosen["file"].read(),
            "invites": chosen.get("invites", False),
            "is_complete": chosen["is_complete"],
        }
