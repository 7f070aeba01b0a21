"""Adding a person to a VPP account, and saying something else about them."""

from __future__ import annotations

from typing import Any

from django import forms

from users.models import VppUser
from users.refusals import LONGEST_NAME
from users.services import PersonDetails

LONGEST_ADDRESS = 254


class PersonForm(forms.Form):
    """The addresses are checked by the service, which says which is wrong and how it should look."""

    name = forms.CharField(label="Name", max_length=LONGEST_NAME, required=False)
    email = forms.CharField(
        label="Email",
        max_length=LONGEST_ADDRESS,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "email", "autocomplete": "off"}),
    )
    username = forms.CharField(label="Username", max_length=LONGEST_NAME, required=False)
    managed_apple_account = forms.CharField(
        label="Managed Apple Account",
        max_length=LONGEST_ADDRESS,
        required=False,
        help_text="With one they need no invitation: Apple associates it at once.",
        widget=forms.TextInput(attrs={"inputmode": "email", "autocomplete": "off"}),
    )

    @property
    def details(self) -> PersonDetails:
        told = self.cleaned_data
        return PersonDetails(
            email=told["email"],
            name=told["name"],
            username=told["username"],
            managed_apple_account=told["managed_apple_account"],
        )

    @staticmethod
    def values_of(user: VppUser) -> dict[str, Any]:
        if user.owner is None:
            return {"email": user.email}
        names = ("name", "email", "username", "managed_apple_account")
        return {name: getattr(user.owner, name) for name in names}


class NewPersonForm(PersonForm):
    tags = forms.CharField(
        label="Tags",
        required=False,
        max_length=2000,
        help_text="Separated by spaces.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    @property
    def details(self) -> PersonDetails:
        """What is left empty says nothing: the address may be that of somebody known."""
        told = self.cleaned_data
        return PersonDetails(
            email=told["email"],
            name=told["name"] or None,
            username=told["username"] or None,
            managed_apple_account=told["managed_apple_account"] or None,
        )
