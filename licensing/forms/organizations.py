"""The form that deletes an organization."""

from __future__ import annotations

from django import forms


class OrganizationDeleteForm(forms.Form):
    take_licenses_back = forms.BooleanField(
        required=False, label="Also take back every license that can be taken back"
    )
    typed_name = forms.CharField(
        error_messages={"required": "Type the name of the organization to delete it."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *arguments: object, name: str, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]
        self.fields["typed_name"].label = f"Type “{name}” to confirm"
