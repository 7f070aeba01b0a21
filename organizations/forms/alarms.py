"""The form of an admin's own choice: which mail they get."""

from django import forms


class AlarmsForm(forms.Form):
    wants_alarms = forms.BooleanField(
        required=False, label="Mail me when a VPP account needs attention"
    )
