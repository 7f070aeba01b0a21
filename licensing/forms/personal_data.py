"""Confirming that a person is to be erased."""

from __future__ import annotations

from django import forms


class EraseForm(forms.Form):
    typed = forms.CharField(
        label="Type the person's e-mail address to confirm",
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
