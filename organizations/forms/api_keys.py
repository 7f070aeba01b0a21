"""A new API key: what it opens, what it may, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from organizations import keys
from organizations.models import Organization

READ, WRITE = "read", "write"
ALL = "all"
FOR_GOOD = "never"
LIFETIMES = {"30": "30 days", "90": "90 days", "180": "180 days", "365": "1 year", "730": "2 years"}


class ApiKeyForm(forms.Form):
    name = forms.CharField(
        help_text="What it is for, for example “Nightly inventory on srv-3”.",
        error_messages={"required": str(keys.KeyNameless())},
        widget=forms.TextInput(attrs={"maxlength": keys.LONGEST_NAME, "autocomplete": "off"}),
    )
    organization = forms.ChoiceField(
        label="Opens",
        help_text="A key for one organization cannot be used on any other.",
        error_messages={"invalid_choice": str(keys.NothingToOpen())},
    )
    scope = forms.ChoiceField(
        choices=[(READ, "Read-only"), (WRITE, "Read and write, as far as you may")],
        initial=READ,
        help_text="Read-only is enough for reports and inventories.",
    )
    lifetime = forms.ChoiceField(
        label="Expires in",
        choices=[*LIFETIMES.items(), (FOR_GOOD, "Never")],
        initial=str(keys.USUAL_LIFE.days),
        help_text="You are reminded by mail two weeks before. A key that never expires is as good as a password that nobody changes.",
    )

    def __init__(self, *args: Any, choices: Mapping[str, str], **kwargs: Any) -> None:
        """`choices`: what a key may open here, the id of an organization or `ALL`."""
        super().__init__(*args, **kwargs)
        field = self.fields["organization"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  for the type checker
        field.choices = list(choices.items())

    @property
    def wanted(self) -> dict[str, Any]:
        """What `keys.create` is told."""
        told = self.cleaned_data
        limit = told["organization"]
        return {
            "name": told["name"],
            "read_only": told["scope"] == READ,
            "expires_at": self._expires_at(told["lifetime"]),
            "organization": None if limit == ALL else Organization(pk=int(limit)),
        }

    def _expires_at(self, lifetime: str) -> datetime | None:
        return None if lifetime == FOR_GOOD else timezone.now() + timedelta(days=int(lifetime))
