"""How long the audit log is kept. What takes events away is confirmed by the organization's name."""

from __future__ import annotations

from typing import Any

from django import forms

from organizations.audit_log import retention
from organizations.models import Organization

FOR_GOOD = "for-good"


class RetentionForm(forms.Form):
    months = forms.ChoiceField(
        label="Keep events for",
        choices=[(FOR_GOOD, "As long as the organization"), *retention.IN_WORDS],
        error_messages={"invalid_choice": str(retention.RetentionWrong())},
    )
    typed_name = forms.CharField(
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization
        self.going: retention.RemovesEvents | None = None
        self.fields["typed_name"].label = f"Type “{organization.name}” to confirm"

    @property
    def wanted(self) -> int | None:
        told: str = self.cleaned_data["months"]
        return None if told == FOR_GOOD else int(told)

    @property
    def is_confirmed(self) -> bool:
        return retention.is_confirmed(self.organization, self.cleaned_data["typed_name"])

    def ask(self, going: retention.RemovesEvents) -> None:
        """Whoever typed something else is told so; whoever typed nothing is asked for the first time."""
        self.going = going
        if self.cleaned_data["typed_name"]:
            name = self.organization.name
            self.add_error(
                "typed_name", f"That is not the organization's name. Type “{name}” exactly."
            )
