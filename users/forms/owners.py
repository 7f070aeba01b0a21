"""What an admin types about an owner. What is wrong with it the service says."""

from __future__ import annotations

import re

from django import forms
from django.conf import settings

from organizations.models import Organization, Owner
from users.refusals import LONGEST_NAME
from users.services.details import LONGEST_ADDRESS
from users.services.owners import OwnerDetails, known_as

TAGS = "Words that group people, separated by spaces: <code>teachers grade-5</code>"
ADDRESS = {"maxlength": LONGEST_ADDRESS, "autocomplete": "off", "spellcheck": "false"}


def languages() -> list[tuple[str, str]]:
    return [("", "The organization's"), *settings.PEOPLE_LANGUAGES]


class OwnerForm(forms.Form):
    """Every field may be left empty, though not all of them."""

    name = forms.CharField(
        required=False, widget=forms.TextInput(attrs={"maxlength": LONGEST_NAME})
    )
    email = forms.CharField(
        required=False,
        widget=forms.EmailInput(attrs=ADDRESS),
        help_text="Invitations go to this address. Owners from several sources are merged by it.",
    )
    username = forms.CharField(
        required=False, widget=forms.TextInput(attrs={"maxlength": LONGEST_NAME})
    )
    managed_apple_account = forms.CharField(
        required=False,
        label="Managed Apple Account",
        widget=forms.EmailInput(attrs=ADDRESS),
        help_text="With one of your organization at Apple, no invitation is needed.",
    )
    tags = forms.CharField(required=False, max_length=2000, help_text=TAGS)
    language = forms.ChoiceField(
        required=False, choices=languages, help_text="In which invitations are written."
    )

    @property
    def details(self) -> OwnerDetails:
        told = self.cleaned_data
        tags = re.split(r"[\s,;]+", told["tags"])
        return OwnerDetails(**{**told, "tags": tuple(filter(None, tags))})

    @property
    def who(self) -> str:
        """As whom they will be listed."""
        typed = (self.typed(name) for name in ("name", "email", "username"))
        return next(filter(None, typed), "") or self.typed("managed_apple_account")

    def known(self, organization: Organization, *, but: Owner | None = None) -> Owner | None:
        """Somebody else who has the typed e-mail address or Managed Apple Account already."""
        addresses = {name: self.typed(name) for name in ("email", "managed_apple_account")}
        return known_as(organization, **addresses, but=but)

    def typed(self, name: str) -> str:
        """Nothing but that: what the database cannot even look for is for the form to refuse."""
        text = str(self[name].value() or "").strip() if self.is_bound else ""
        return "" if "\0" in text else text
