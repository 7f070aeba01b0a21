"""The windows of Organization > MDM: add, edit, renew, remove."""

from __future__ import annotations

from typing import Any

from django import forms

from licensing.forms.tokens import TokenForm
from organizations.models import Admin, Membership, Network
from vpp_accounts.models import AllowedAdmins, AssignableNetworks, VppAccount
from vpp_accounts.services import Rights

GONE = {"invalid_choice": "One of these is no longer in this organization: choose again."}
BOXES = forms.CheckboxSelectMultiple


class AdminChoices(forms.ModelMultipleChoiceField[Admin]):
    def label_from_instance(self, obj: Admin) -> str:
        return f"{obj.name} ({obj.email})" if obj.name else obj.email


def _networks(label: str) -> forms.ModelMultipleChoiceField[Network]:
    return forms.ModelMultipleChoiceField(
        Network.objects.none(), label=label, required=False, widget=BOXES, error_messages=GONE
    )


class DetailsForm(forms.Form):
    """What an account is called, and who may use it where."""

    name = forms.CharField(
        label="Name",
        max_length=200,
        help_text="Shown in the mail to invited users, so it should say who your organization is.",
        error_messages={"required": "Name can't be blank: it is what invited users will see."},
    )
    email = forms.EmailField(
        label="Email",
        help_text="The address on record for the account at Apple.",
        error_messages={
            "required": "Email can't be blank: enter the address on record at Apple.",
            "invalid": "This is not an e-mail address: enter one like vpp@example.org.",
        },
    )
    allowed_admins = forms.ChoiceField(
        label="Allowed admins",
        help_text="Who may manage users and licenses of this account. Full admins can always edit,"
        " renew and remove it.",
        choices=AllowedAdmins.choices,
        initial=AllowedAdmins.ALL,
        widget=forms.RadioSelect,
    )
    allowed_networks = _networks("Admins of these networks")
    named_admins = AdminChoices(
        Admin.objects.none(),
        label="These admins",
        required=False,
        widget=BOXES,
        error_messages=GONE,
    )
    assignable_networks = forms.ChoiceField(
        label="Assignable networks",
        help_text="The networks whose devices may receive licenses of this account.",
        choices=AssignableNetworks.choices,
        initial=AssignableNetworks.ALL,
        widget=forms.RadioSelect,
    )
    assignable_network_list = _networks("These networks")

    def __init__(self, *args: Any, membership: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        networks = Network.objects.visible_to(membership).order_by("name")
        admins = Admin.objects.filter(memberships__in=Membership.objects.accepted_in(membership))
        self._offer("allowed_networks", networks)
        self._offer("assignable_network_list", networks)
        self._offer("named_admins", admins.order_by("name", "email"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self._demand_one("allowed_admins", AllowedAdmins.NAMED, "named_admins", "admin")
        self._demand_one("allowed_admins", AllowedAdmins.NETWORKS, "allowed_networks", "network")
        self._demand_one(
            "assignable_networks", AssignableNetworks.SOME, "assignable_network_list", "network"
        )
        return cleaned

    @property
    def details(self) -> dict[str, Any]:
        """As the services take them."""
        chosen = self.cleaned_data
        return {"name": chosen["name"], "email": chosen["email"], "rights": self._rights}

    @property
    def _rights(self) -> Rights:
        chosen = self.cleaned_data
        return Rights(
            allowed_admins=chosen["allowed_admins"],
            named_admins=tuple(chosen["named_admins"]),
            allowed_networks=tuple(chosen["allowed_networks"]),
            assignable_networks=chosen["assignable_networks"],
            assignable_network_list=tuple(chosen["assignable_network_list"]),
        )

    def _offer(self, field: str, queryset: Any) -> None:
        choices: Any = self.fields[field]
        choices.queryset = queryset

    def _demand_one(self, radio: str, value: str, field: str, what: str) -> None:
        chosen = self.cleaned_data.get(radio) == value
        if chosen and not self.has_error(field) and not self.cleaned_data.get(field):
            self.add_error(field, f"Choose at least one {what}, or choose another of the options.")


class AddForm(TokenForm, DetailsForm):
    """The window "Add VPP account"."""


class EditForm(DetailsForm):
    """The pencil."""

    @staticmethod
    def values_of(account: VppAccount) -> dict[str, Any]:
        return {
            "name": account.name,
            "email": account.email,
            "allowed_admins": account.allowed_admins,
            "allowed_networks": account.allowed_networks.all(),
            "named_admins": account.named_admins.all(),
            "assignable_networks": account.assignable_networks,
            "assignable_network_list": account.assignable_network_list.all(),
        }


class RenewForm(TokenForm):
    """`Update Token`: the same account with a new token."""


class RemoveForm(forms.Form):
    typed_name = forms.CharField(
        label="Type the account's name to confirm",
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
