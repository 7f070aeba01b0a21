"""The organization's own name and time zone."""

from __future__ import annotations

from django import forms

from organizations import services


class OrganizationForm(forms.Form):
    name = forms.CharField(
        widget=forms.TextInput(attrs={"maxlength": services.LONGEST_NAME}),
        error_messages={"required": "An organization needs a name."},
    )
    time_zone = forms.ChoiceField(
        choices=lambda: [(name, name.replace("_", " ")) for name in sorted(services.time_zones())],
        error_messages={"invalid_choice": str(services.TimeZoneUnknown("%(value)s"))},
        help_text="In which times are shown and told in mails; new networks begin with it.",
    )
