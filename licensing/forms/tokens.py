"""The service token in a form: a file, pasted text, or the one read a moment ago."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from licensing.forms import held_tokens
from organizations.models import Admin
from organizations.refusals import Refusal
from vpp_accounts import services
from vpp_accounts.refusals import ClaimedByAnotherMdm
from vpp_accounts.stoken import ParsedToken

LARGEST = 64 * 1024
BLANK = "VPP service token can't be blank"


@dataclass(frozen=True, slots=True)
class ReadToken:
    """What the form may say about a token it keeps: never its text."""

    handle: str
    org_name: str
    expires_at: datetime


class SecretTextarea(forms.Textarea):
    """Never renders its value: a token does not go back into a page."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, None, attrs)


class TokenForm(forms.Form):
    token = forms.FileField(
        label="Service token", required=False, allow_empty_file=True, widget=forms.FileInput
    )
    token_text = forms.CharField(
        label="or paste its text",
        required=False,
        widget=SecretTextarea(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
    )
    token_handle = forms.CharField(required=False, widget=forms.HiddenInput)
    take_over = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, admin: Admin, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.admin = admin
        self.parsed: ParsedToken | None = None
        self.kept: ReadToken | None = None
        self.claim: ClaimedByAnotherMdm | None = None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.has_error("token") and not self.has_error("token_text"):
            self._read_token()
        return cleaned

    def keep_token(self) -> None:
        """Before the form is shown again: hold a good token, so that nobody has to choose it twice."""
        if self.parsed and not self.has_error("token"):
            handle = held_tokens.hold(self.parsed.text, admin=self.admin)
            self.kept = ReadToken(handle, self.parsed.org_name, self.parsed.expires_at)

    @property
    def credential(self) -> str:
        """The credential, for a service and nobody else."""
        return self.parsed.text if self.parsed else ""

    def forget_token(self) -> None:
        held_tokens.release(self.data.get("token_handle", ""), admin=self.admin)

    def _read_token(self) -> None:
        try:
            self.parsed = services.preview_token(self._given())
        except forms.ValidationError as error:
            self.add_error("token", error)
        except Refusal as refusal:
            self.add_error("token", str(refusal))

    def _given(self) -> str | bytes:
        upload, pasted = self.cleaned_data.get("token"), self.cleaned_data.get("token_text", "")
        if upload and pasted:
            raise forms.ValidationError(
                "Two tokens were given: choose the file or paste the text, not both."
            )
        if upload:
            return _content_of(upload)
        if pasted:
            _refuse_too_large(len(pasted.encode()), "The pasted text")
            return str(pasted)
        return self._held_text()

    def _held_text(self) -> str:
        handle = self.cleaned_data.get("token_handle", "")
        if not handle:
            raise forms.ValidationError(BLANK)
        text = held_tokens.held(handle, admin=self.admin)
        if text is None:
            raise forms.ValidationError(
                "The token file read before is kept for 15 minutes only: choose it again."
            )
        return text


def _content_of(upload: UploadedFile[bytes]) -> bytes:
    if not upload.size:
        raise forms.ValidationError(f"{BLANK}: this file is empty. Download the token again.")
    _refuse_too_large(upload.size, "This file")
    return bytes(upload.read())


def _refuse_too_large(size: int, what: str) -> None:
    if size > LARGEST:
        raise forms.ValidationError(
            f"{what} is {-(-size // 1024):,} kB; a service token is far below 64 kB."
            " Choose the .vpptoken file that Apple gave you."
        )
