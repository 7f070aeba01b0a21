"""What an admin says about a tag. What is wrong with a name the service says."""

from __future__ import annotations

from django import forms

from organizations.models import Tag
from organizations.services import LONGEST_TAG

ONE_WORD = (
    "One word without spaces, such as <code>grade-5</code>. Upper and lower case are the same."
)
KINDS = [
    (Tag.Kind.DEVICE, "Device tag: given to devices one by one"),
    (Tag.Kind.OWNER, "Owner tag: given to people, and all their devices have it"),
]


class TagForm(forms.Form):
    name = forms.CharField(
        error_messages={"required": "A tag needs a name: one word without spaces."},
        help_text=ONE_WORD,
        widget=forms.TextInput(attrs={"maxlength": LONGEST_TAG, "autocomplete": "off"}),
    )


class NewTagForm(TagForm):
    kind = forms.ChoiceField(
        choices=KINDS,
        initial=Tag.Kind.DEVICE,
        widget=forms.RadioSelect,
        help_text="What it is meant for. Either may be given to devices and to owners.",
    )
