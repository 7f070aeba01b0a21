"""The forms of Organization > Networks."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet

from organizations import services
from organizations.models import Network
from organizations.services import NetworkDetails


class NetworkForm(forms.Form):
    name = forms.CharField(
        widget=forms.TextInput(attrs={"maxlength": services.LONGEST_NAME}),
        help_text="The site as people call it, for example “Lakeside Elementary”.",
        error_messages={"required": "A network needs a name."},
    )
    time_zone = forms.ChoiceField(
        choices=lambda: [(name, name.replace("_", " ")) for name in sorted(services.time_zones())],
        error_messages={"invalid_choice": str(services.TimeZoneUnknown("%(value)s"))},
    )
    tags = forms.CharField(
        required=False,
        max_length=2000,
        help_text="Words that group networks, separated by spaces: <code>elementary north</code>",
    )
    notes = forms.CharField(
        required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 3})
    )

    @property
    def details(self) -> NetworkDetails:
        told = self.cleaned_data
        tags = tuple(told["tags"].replace(",", " ").split())
        return NetworkDetails(told["name"], told["time_zone"], tags, told["notes"])


class NetworkDeleteForm(forms.Form):
    """Devices need a new network; the name is typed so that nobody deletes in passing."""

    move_devices_to = forms.ModelChoiceField(
        queryset=Network.objects.none(), empty_label="Choose a network", label="Move devices to"
    )
    typed_name = forms.CharField(
        error_messages={"required": "Type the name of the network to delete it."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(
        self, *args: Any, network: Network, others: QuerySet[Network], devices: int, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.network = network
        self.fields["typed_name"].label = f"Type “{network.name}” to confirm"
        if devices:
            self.move.queryset = others
            refusal = services.NetworkHasDevices(network, devices)
            self.move.error_messages["required"] = str(refusal)
        else:
            del self.fields["move_devices_to"]

    @property
    def move(self) -> forms.ModelChoiceField[Network]:
        field = self.fields["move_devices_to"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101  for the type checker
        return field

    def clean_typed_name(self) -> str:
        typed: str = self.cleaned_data["typed_name"]
        if " ".join(typed.split()) != self.network.name:
            raise forms.ValidationError(
                f"That is not the network's name. Type “{self.network.name}” exactly."
            )
        return typed
