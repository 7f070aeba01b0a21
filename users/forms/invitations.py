"""The forms of the page on which an organization says how it writes to its people."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet

from organizations.logo import LARGEST_UPLOAD, LogoTooLarge
from users.models import InvitationSettings
from users.services.invitation_settings import (
    LONGEST_WORDING,
    MOST_DAYS,
    DaysOutOfRange,
    InvitationDetails,
)
from vpp_accounts.models import VppAccount

PICTURES = "image/png,image/jpeg,image/gif,image/webp"


def _languages() -> list[tuple[str, str]]:
    return list(settings.PEOPLE_LANGUAGES)


def _days(label: str, hint: str) -> forms.IntegerField:
    wrong = str(DaysOutOfRange(""))
    return forms.IntegerField(
        label=label,
        help_text=hint,
        required=False,
        min_value=1,
        max_value=MOST_DAYS,
        error_messages={"invalid": wrong, "min_value": wrong, "max_value": wrong},
    )


class InvitationSettingsForm(forms.Form):
    language = forms.ChoiceField(
        label="Language of the mails",
        help_text="For everybody who has no language of their own.",
        choices=_languages,
    )
    wording = forms.CharField(
        label="Wording",
        help_text="What you want to say yourselves: paragraphs of plain text above the button."
        f" At most {LONGEST_WORDING:,} characters.",
        required=False,
        widget=forms.Textarea(
            attrs={"rows": 5, "maxlength": LONGEST_WORDING, "data-counted": LONGEST_WORDING}
        ),
    )
    logo = forms.FileField(
        label="Logo",
        help_text="PNG, JPEG, GIF or WebP, at most 5 MB. It is scaled down to 600 by 200 pixels.",
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": PICTURES}),
    )
    remove_logo = forms.BooleanField(label="Remove the logo", required=False)
    first_reminder_days = _days(
        "First reminder after days", "Counted from the invitation. Empty: no reminder."
    )
    second_reminder_days = _days(
        "Second reminder after days", "Counted from the first. Empty: no second one."
    )

    def __init__(self, *args: Any, has_logo: bool, locked: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_logo:
            del self.fields["remove_logo"]
        for field in self.fields.values():
            field.disabled = locked

    @staticmethod
    def values_of(ours: InvitationSettings) -> dict[str, Any]:
        return {
            "language": ours.language,
            "wording": ours.wording,
            "first_reminder_days": ours.first_reminder_days,
            "second_reminder_days": ours.second_reminder_days,
        }

    def clean_logo(self) -> UploadedFile[bytes] | None:
        upload: UploadedFile[bytes] | None = self.cleaned_data["logo"]
        if upload and (upload.size or 0) > LARGEST_UPLOAD:
            raise forms.ValidationError(str(LogoTooLarge()))
        return upload

    @property
    def details(self) -> InvitationDetails:
        said = self.cleaned_data
        return InvitationDetails(
            language=said["language"],
            wording=said["wording"],
            first_reminder_days=said["first_reminder_days"],
            second_reminder_days=said["second_reminder_days"],
            logo=said["logo"].read() if said["logo"] is not None else None,
            remove_logo=said.get("remove_logo", False),
        )


class SampleForm(forms.Form):
    """Which mail to show: of which account, in which language, the first one or a reminder."""

    account = forms.ModelChoiceField(
        VppAccount.objects.none(), label="VPP account", empty_label=None
    )
    language = forms.ChoiceField(label="Language", choices=_languages)
    mail = forms.ChoiceField(
        label="Mail", choices=[("invitation", "Invitation"), ("reminder", "Reminder")]
    )

    def __init__(
        self, data: Any, *, accounts: QuerySet[VppAccount], language: str, **kwargs: Any
    ) -> None:
        first = accounts.first()
        standard = {
            "account": str(first.pk) if first else "",
            "language": language,
            "mail": "invitation",
        }
        super().__init__(standard | {name: data[name] for name in standard if data.get(name)})
        choice: Any = self.fields["account"]
        choice.queryset = accounts
        for field in self.fields.values():
            field.widget.attrs["data-submits"] = True

    @property
    def account_chosen(self) -> VppAccount:
        account: VppAccount = self.cleaned_data["account"]
        return account

    @property
    def options(self) -> dict[str, Any]:
        return {
            "language": self.cleaned_data["language"],
            "reminder": self.cleaned_data["mail"] == "reminder",
        }
