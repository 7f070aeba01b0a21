"""What is typed about one device."""

from __future__ import annotations

from typing import Any

from django import forms

from licensing.forms.devices import TAGS, OwnerField, owner_called, words_of
from organizations.devices.editing import (
    LONGEST_NOTES,
    NOT_ENROLLED,
    DeviceDetails,
    is_editable,
)
from organizations.models import Device, DeviceSource, Network, Organization, Owner, Platform

SERIAL = "As it stands on the device or its box. Licenses are given to it."
BETTER = "Comes from a better source ({}), so it cannot be changed here."
PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class DetailsForm(forms.Form):
    """The owner is for those who see the organization's people."""

    name = forms.CharField(required=False, max_length=200)
    model = forms.CharField(
        required=False, max_length=100, help_text="For example iPad (10th generation)."
    )
    platform = forms.ChoiceField(choices=Platform.choices)
    os_version = forms.CharField(
        required=False, max_length=20, label="OS version", widget=forms.TextInput(attrs=PLAIN)
    )
    supervised = forms.BooleanField(
        required=False, help_text="Only supervised devices and Macs install apps without asking."
    )
    owner = OwnerField()
    tags = forms.CharField(required=False, max_length=2000, help_text=TAGS)
    notes = forms.CharField(
        required=False, max_length=LONGEST_NOTES, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(
        self, *args: Any, organization: Organization, knows_owners: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization
        if not knows_owners:
            del self.fields["owner"]

    def clean_owner(self) -> Owner | None:
        text = self.cleaned_data["owner"]
        return owner_called(self.organization, text) if text else None

    @property
    def details(self) -> DeviceDetails:
        """What cannot be typed is not said."""
        told = {name: self.cleaned_data[name] for name in self.fields if self.is_said(name)}
        if "owner" in told:
            told["owner"] = told["owner"] or False
        if "tags" in told:
            told["tags"] = words_of(told["tags"])
        return DeviceDetails(**told)

    def is_said(self, name: str) -> bool:
        return name in DeviceDetails.__annotations__ and not self.fields[name].disabled


class DeviceAddForm(DetailsForm):
    serial_number = forms.CharField(
        max_length=40, help_text=SERIAL, widget=forms.TextInput(attrs=PLAIN)
    )
    network = forms.ModelChoiceField(
        queryset=Network.objects.none(),
        empty_label="Choose a network",
        help_text="Whose apps it gets.",
    )
    field_order = ["serial_number", "name", "network", "platform"]

    def __init__(self, *args: Any, networks: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["network"].queryset = networks  # type: ignore[attr-defined]

    @property
    def who(self) -> str:
        return str(self.cleaned_data["name"] or self.cleaned_data["serial_number"].upper())


class DeviceEditForm(DetailsForm):
    """Fields that a better source has said are shown, and cannot be typed."""

    enrollment = forms.ChoiceField()

    def __init__(self, *args: Any, device: Device, tags: str, **kwargs: Any) -> None:
        names = ("name", "model", "platform", "os_version", "supervised", "enrollment", "notes")
        told = {name: getattr(device, name) for name in names}
        told |= {"tags": tags, "owner": typed_owner(device)}
        super().__init__(*args, initial=told, **kwargs)
        self.fields["enrollment"].choices = enrollments_of(device)  # type: ignore[attr-defined]
        for name in names:
            if name != "notes" and not is_editable(device, name):
                source = DeviceSource(device.sources[name]).label
                self.fields[name].disabled = True
                self.fields[name].help_text = BETTER.format(source)


def enrollments_of(device: Device) -> list[tuple[str, str]]:
    """Who leaves management is asked about its licenses, by a button of its own."""
    left = device.enrollment == NOT_ENROLLED
    return [each for each in Device.Enrollment.choices if left or each[0] != NOT_ENROLLED]


def typed_owner(device: Device) -> str:
    """As it finds the same person again."""
    owner = device.owner
    return (owner.email or owner.username or owner.name) if owner else ""
