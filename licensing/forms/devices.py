"""What is said when something is done to devices. What is wrong with it the services say."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import Count, Q

from apps_catalog.models import ManagedApp
from licensing.models import DepartureChoice, LicensingSettings
from organizations.devices.changing import MOST_DAYS
from organizations.models import Network, Organization, Owner, Tag

OTHERS_NOW = "Other devices are chosen by now: look at the numbers, and confirm again."
TAGS = "Words separated by spaces: <code>cart-12 grade-5</code>. New ones are made."
OWNER = "Their e-mail address, username, or name."


def words_of(text: str) -> tuple[str, ...]:
    return tuple(filter(None, re.split(r"[\s,;]+", text)))


class ActForm(forms.Form):
    """`digest`: of the devices that it is about. The page sends that of those which it showed."""

    def __init__(self, *args: Any, digest: str, **kwargs: Any) -> None:
        self.digest = digest
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        told = super().clean() or self.cleaned_data
        if self.data.get("digest") != self.digest:
            raise forms.ValidationError(OTHERS_NOW)
        return told


class TagsForm(ActForm):
    add = forms.CharField(required=False, max_length=2000, label="Add tags", help_text=TAGS)
    remove = forms.MultipleChoiceField(
        required=False, label="Remove tags", widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, tags: Iterable[tuple[Tag, int]], **kwargs: Any) -> None:
        """`tags`: those that the devices have of their own, and how many have each."""
        super().__init__(*args, **kwargs)
        field = self.fields["remove"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101  for the type checker
        field.choices = [(tag.name, f"{tag.name} ({number:,})") for tag, number in tags]
        if not field.choices:
            del self.fields["remove"]

    def clean(self) -> dict[str, Any]:
        told = super().clean()
        if not (words_of(told.get("add", "")) or told.get("remove")):
            self.add_error("add", "Say which tags to add, or to remove.")
        return told

    @property
    def changes(self) -> dict[str, Any]:
        told = self.cleaned_data
        return {"add": words_of(told["add"]), "remove": told.get("remove", [])}


class DepartureForm(ActForm):
    """What becomes of the licenses of devices that leave."""

    choice = forms.ChoiceField(
        label="Their licenses", choices=DepartureChoice.choices, widget=forms.RadioSelect
    )
    days = forms.IntegerField(
        required=False,
        label="Days until they are taken back",
        help_text="For “after some days”. Until then it can be undone.",
        min_value=1,
        max_value=MOST_DAYS,
    )

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        ours = LicensingSettings.objects.filter(organization=organization).first()
        settings = ours or LicensingSettings()
        default = {"choice": settings.departure_choice, "days": settings.departure_days}
        super().__init__(*args, initial=default, **kwargs)

    @property
    def departure(self) -> dict[str, Any]:
        return {"choice": self.cleaned_data["choice"], "days": self.cleaned_data["days"]}


class TargetField(forms.ModelChoiceField["Network"]):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name} ({obj.apps:,} app{'' if obj.apps == 1 else 's'})"


class MoveForm(DepartureForm):
    network = TargetField(
        queryset=Network.objects.none(), empty_label="Choose a network", label="Move to"
    )
    field_order = ["network", "choice", "days"]

    def __init__(self, *args: Any, networks: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["network"]
        assert isinstance(field, TargetField)  # noqa: S101  for the type checker
        field.queryset = networks.annotate(apps=Count("managed_apps")).order_by("name", "pk")


class OwnerField(forms.CharField):
    """A person as they are typed."""

    def __init__(self, **options: Any) -> None:
        attributes = {"list": "owners", "autocomplete": "off", "spellcheck": "false"}
        super().__init__(
            required=False,
            max_length=254,
            help_text=OWNER,
            widget=forms.TextInput(attrs=attributes),
            **options,
        )


def owner_called(organization: Organization, text: str) -> Owner:
    """By address, username or name, whatever the case; exactly one."""
    ours = Owner.objects.filter(organization=organization)
    for name in ("email", "managed_apple_account", "username", "name"):
        found = list(ours.filter(Q((f"{name}__iexact", text)))[:2])
        if len(found) == 1:
            return found[0]
        if found:
            raise forms.ValidationError(
                f"Several owners are called “{text}”. Type the e-mail address of the one you mean."
            )
    raise forms.ValidationError(
        f"No owner is called “{text}”. Add them on Configure > Owners, or correct the spelling."
    )


class AssignOwnerForm(ActForm):
    owner = OwnerField()
    nobody = forms.BooleanField(required=False, label="Nobody: take the owner away")

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization

    def clean(self) -> dict[str, Any]:
        told = super().clean()
        text = told.get("owner", "")
        if bool(text) == bool(told.get("nobody")):
            self.add_error("owner", "Type an owner, or tick that there is none.")
        elif text:
            try:
                told["owner"] = owner_called(self.organization, text)
            except forms.ValidationError as error:
                self.add_error("owner", error)
        return told

    @property
    def chosen(self) -> Owner | None:
        return self.cleaned_data["owner"] or None


class AppField(forms.ModelChoiceField["ManagedApp"]):
    def label_from_instance(self, obj: ManagedApp) -> str:
        return f"{obj} · {obj.platform} · {obj.network.name} ({obj.in_scope:,} in scope)"


class InstallForm(ActForm):
    managed_app = AppField(
        queryset=ManagedApp.objects.none(), empty_label="Choose an app", label="App"
    )
    force = forms.BooleanField(required=False, label="Also where it is installed already")

    def __init__(self, *args: Any, apps: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["managed_app"]
        assert isinstance(field, AppField)  # noqa: S101  for the type checker
        field.queryset = apps
