"""The forms of the device channel's page."""

from __future__ import annotations

from typing import Any

from django import forms

from apps_catalog.channels.choosing import effective
from apps_catalog.channels.configuring import ChannelDetails
from apps_catalog.channels.profile import problem_of_scep, problem_of_server, proposed_server
from apps_catalog.models import ChannelKind, ChannelSettings
from organizations.models import Network

WIDE = {"autocomplete": "off", "spellcheck": "false"}
Networks = forms.ModelChoiceField[Network]


class ChannelForm(forms.Form):
    kind = forms.ChoiceField(required=False, label="Channel", widget=forms.RadioSelect)
    base_url = forms.CharField(
        required=False,
        max_length=500,
        label="Server's address",
        help_text="For example <code>https://mdm.example.org</code>. Of a NanoHUB:"
        " <code>https://mdm.example.org/api/v1/nanomdm</code>.",
        widget=forms.URLInput(attrs=WIDE),
    )
    api_user = forms.CharField(
        required=False,
        max_length=100,
        label="API user",
        help_text="<code>nanomdm</code>; of a NanoHUB <code>nanohub</code>.",
        widget=forms.TextInput(attrs=WIDE),
    )
    api_key = forms.CharField(
        required=False,
        max_length=2000,
        label="API key",
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    topic = forms.CharField(
        required=False,
        max_length=200,
        label="Topic of the push certificate",
        help_text="For example <code>com.apple.mgmt.External.8f6e…</code>. Devices that enrolled with"
        " another one are not this organization's.",
        widget=forms.TextInput(attrs=WIDE),
    )
    network = Networks(
        queryset=Network.objects.none(),
        required=False,
        label="Network for new devices",
        empty_label="None",
        help_text="Of devices whose profile names no network. Those that are in the list of devices"
        " already stay where they are.",
    )

    def __init__(self, sent: Any = None, *, chosen: ChannelSettings, locked: bool = False) -> None:
        super().__init__(sent, initial=initial_of(chosen))
        kinds, networks = self.fields["kind"], self.fields["network"]
        assert isinstance(kinds, forms.ChoiceField)  # noqa: S101  for the type checker
        assert isinstance(networks, forms.ModelChoiceField)  # noqa: S101
        default = f"As this installation has it: {effective('').label}"
        kinds.choices = [("", default), *ChannelKind.choices]
        ours = Network.objects.filter(organization=chosen.organization_id)
        networks.queryset = ours.order_by("name", "pk")
        self.fields["api_key"].help_text = (
            "One is stored, and it is never shown. Leave this empty to keep it."
            if chosen.api_key_ciphertext
            else "The server was started with it."
        )
        for field in self.fields.values():
            field.disabled = locked

    @property
    def details(self) -> ChannelDetails:
        return ChannelDetails(**self.cleaned_data)


def initial_of(chosen: ChannelSettings) -> dict[str, Any]:
    names = ("kind", "base_url", "api_user", "topic", "network")
    return {name: getattr(chosen, name) for name in names}


class ProfileForm(forms.Form):
    """Nothing of it is stored."""

    network = Networks(
        queryset=Network.objects.none(),
        label="Network",
        help_text="Devices that enroll with it belong there, unless they are listed already.",
        error_messages={"required": "Choose the network that its devices belong to."},
    )
    server_url = forms.CharField(
        max_length=500,
        label="Address for devices",
        help_text="Where devices find the MDM server, from outside.",
        widget=forms.URLInput(attrs=WIDE),
        error_messages={"required": "Enter the address at which devices find the MDM server."},
    )
    topic = forms.CharField(
        max_length=200,
        label="Topic of the push certificate",
        widget=forms.TextInput(attrs=WIDE),
        error_messages={"required": "Enter the topic of the server's push certificate."},
    )
    scep_url = forms.CharField(
        max_length=500,
        label="Address of the SCEP server",
        help_text="It gives each device the certificate by which the MDM server knows it.",
        widget=forms.URLInput(attrs=WIDE),
        error_messages={"required": "Enter the address of your SCEP server."},
    )
    scep_name = forms.CharField(
        required=False, max_length=200, label="Name of the CA", widget=forms.TextInput(attrs=WIDE)
    )
    scep_challenge = forms.CharField(
        required=False,
        max_length=500,
        label="SCEP challenge",
        help_text="It stands in the profile, readable to whoever has the file. It is not stored here.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, sent: Any = None, *, chosen: ChannelSettings) -> None:
        initial = {
            "server_url": proposed_server(chosen.base_url),
            "topic": chosen.topic,
            "network": chosen.network,
        }
        super().__init__(sent, initial=initial)
        networks = self.fields["network"]
        assert isinstance(networks, forms.ModelChoiceField)  # noqa: S101  for the type checker
        ours = Network.objects.filter(organization=chosen.organization_id)
        networks.queryset = ours.order_by("name", "pk")

    def clean_server_url(self) -> str:
        url: str = self.cleaned_data["server_url"].strip()
        if problem := problem_of_server(url):
            raise forms.ValidationError(problem)
        return url

    def clean_scep_url(self) -> str:
        url: str = self.cleaned_data["scep_url"].strip()
        if problem := problem_of_scep(url):
            raise forms.ValidationError(problem)
        return url
