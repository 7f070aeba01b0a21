"""Taking everything back from holders that nobody knows is confirmed by typing."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from django import forms


class ChosenField(forms.CharField):
    """Names as JSON, since a client user id may hold any character."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        if isinstance(value, list):
            return value
        try:
            names = json.loads(value or "[]")
        except (ValueError, RecursionError):
            return []
        return [each for each in names if isinstance(each, str)] if isinstance(names, list) else []

    def prepare_value(self, value: Any) -> Any:
        return json.dumps(value) if isinstance(value, list) else value


class RevokeForm(forms.Form):
    chosen = ChosenField(required=False)
    typed = forms.CharField(
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, account: str, number: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.accepted: Collection[str] = {account, str(number), f"{number:,}"}
        sentence = f"Type the account's name, “{account}”, or the number, {number:,}"
        self.fields["typed"].label = f"{sentence}, to go on"
        self.fields["typed"].error_messages["required"] = f"{sentence}."
        self.wrong = f"That is neither. {sentence}."

    def clean_typed(self) -> str:
        typed: str = " ".join(self.cleaned_data["typed"].split())
        if typed not in self.accepted:
            raise forms.ValidationError(self.wrong)
        return typed
