"""A webhook: where events are sent, and which."""

from __future__ import annotations

from django import forms

from organizations.models import EventKind, Webhook
from organizations.webhooks.changing import LONGEST_NAME, LONGEST_URL, WebhookDetails

WHAT = {
    EventKind.SYNC_FINISHED: "a sync found changes, failed, or was asked for by somebody",
    EventKind.BATCH_FINISHED: "a batch ended, with its counts",
    EventKind.ACCOUNT_STATE_CHANGED: "expired, claimed by another MDM, in sync again",
    EventKind.LICENSE_SHORTAGE: "devices or people begin to wait for a license of a title",
    EventKind.LICENSE_LOW: "a title falls below its threshold",
    EventKind.USER_ASSOCIATED: "somebody accepted the invitation, with their email",
    EventKind.DEVICE_RECLAIMED: "rules took licenses back, with the serial numbers",
}


class WebhookForm(forms.Form):
    name = forms.CharField(
        help_text="Who receives it, for example “Service desk”.",
        error_messages={"required": "A webhook needs a name: say who receives it."},
        widget=forms.TextInput(attrs={"maxlength": LONGEST_NAME, "autocomplete": "off"}),
    )
    url = forms.CharField(
        label="URL",
        help_text="Events are sent here by POST, as JSON. Redirects are not followed.",
        error_messages={"required": "Say where events are to be sent."},
        widget=forms.TextInput(
            attrs={
                "maxlength": LONGEST_URL,
                "autocomplete": "off",
                "inputmode": "url",
                "placeholder": "https://hooks.example.org/vpp",
                "spellcheck": "false",
            }
        ),
    )
    events = forms.MultipleChoiceField(
        choices=[(kind.value, f"{kind.label}: {WHAT[kind]}") for kind in EventKind],
        widget=forms.CheckboxSelectMultiple,
        help_text="Of all VPP accounts of the organization.",
        error_messages={"required": "Choose at least one event to be told of."},
    )
    enabled = forms.BooleanField(required=False, initial=True, label="Send events")

    @property
    def details(self) -> WebhookDetails:
        told = self.cleaned_data
        return WebhookDetails(told["name"], told["url"], told["events"], told["enabled"])


def told_of(webhook: Webhook) -> dict[str, object]:
    """As it stands in the form."""
    return {
        "name": webhook.name,
        "url": webhook.url,
        "events": webhook.events,
        "enabled": webhook.is_enabled,
    }
