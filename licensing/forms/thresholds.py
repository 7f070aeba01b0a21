"""Below how many licenses somebody wants to know."""

from __future__ import annotations

from typing import Any

from django import forms

from licensing.low import TooLarge
from licensing.low.settings import MOST

OUT_OF_RANGE = str(TooLarge())


class ThresholdForm(forms.Form):
    threshold = forms.IntegerField(
        label="Notice when fewer are left than",
        required=False,
        min_value=0,
        max_value=MOST,
        error_messages={
            "invalid": OUT_OF_RANGE,
            "min_value": OUT_OF_RANGE,
            "max_value": OUT_OF_RANGE,
        },
    )

    def __init__(self, *args: Any, hint: str, locked: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["threshold"]
        field.help_text = hint
        field.disabled = locked
        field.widget.attrs["inputmode"] = "numeric"
