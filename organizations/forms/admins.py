"""The forms of Organization > Administrators, and of whoever is invited."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from allauth.account.forms import PasswordField, SetPasswordField
from django import forms

from organizations.admins.rights import AdminRights, rights_of
from organizations.models import Admin, Membership, Network, Organization, OrganizationAccess
from organizations.services import LONGEST_NAME

READ_ONLY, FULL = "read-only", "full"
IN_NETWORK = [("", "No access"), (READ_ONLY, "Read-only"), (FULL, "Full")]
ACCESS = [
    (OrganizationAccess.FULL, "Full: everything, also administrators and VPP accounts"),
    (OrganizationAccess.READ_ONLY, "Read-only: sees everything, changes nothing"),
    (OrganizationAccess.NONE, "None: only the networks chosen below"),
]
TAGS = "Every network that carries one of these tags, also later. Separate them by spaces."


class RightsForm(forms.Form):
    """Organization access, and a choice for each network."""

    access = forms.ChoiceField(
        label="Organization access",
        choices=ACCESS,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what the administrator may do in the organization."},
    )
    tags_full = forms.CharField(
        label="Full access by network tag", required=False, max_length=2000, help_text=TAGS
    )
    tags_read_only = forms.CharField(
        label="Read-only access by network tag", required=False, max_length=2000
    )

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.networks = list(Network.objects.filter(organization=organization).order_by("name"))
        for network in self.networks:
            self.fields[name_of(network.pk)] = forms.ChoiceField(
                label=network.name, choices=IN_NETWORK, required=False
            )

    @staticmethod
    def told(membership: Membership) -> dict[str, Any]:
        """What an admin has, as the form shows it."""
        rights = rights_of(membership)
        networks, tags = rights.networks or {}, rights.tags or {}
        return {
            "access": rights.access,
            "tags_full": " ".join(tag for tag, writes in tags.items() if writes),
            "tags_read_only": " ".join(tag for tag, writes in tags.items() if not writes),
            **{name_of(pk): word(writes) for pk, writes in networks.items()},
        }

    @property
    def rights(self) -> AdminRights:
        chosen = self.cleaned_data
        networks = {each.pk: chosen.get(name_of(each.pk)) for each in self.networks}
        read_only = dict.fromkeys(words(chosen["tags_read_only"]), False)
        return AdminRights(
            access=chosen["access"],
            networks={pk: choice == FULL for pk, choice in networks.items() if choice},
            tags=read_only | dict.fromkeys(words(chosen["tags_full"]), True),
        )

    @property
    def network_fields(self) -> Iterator[forms.BoundField]:
        return (self[name_of(network.pk)] for network in self.networks)

    @property
    def known_tags(self) -> list[str]:
        """Those that networks carry now, whatever the case of their letters."""
        tags = {tag.lower(): tag for network in self.networks for tag in network.tags}
        return [tags[key] for key in sorted(tags)]


class InviteForm(RightsForm):
    email = forms.CharField(
        label="Email",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        max_length=300,
        help_text="Where the invitation goes, and what they sign in with.",
        error_messages={"required": "Email can't be blank: somebody has to get the invitation."},
    )
    name = forms.CharField(
        required=False,
        max_length=LONGEST_NAME,
        help_text="As you know them. Later they say themselves what they are called.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    field_order = ["email", "name", "access"]


class EditForm(RightsForm):
    """Of somebody invited the name as well; later it is theirs."""

    name = forms.CharField(
        required=False,
        max_length=LONGEST_NAME,
        help_text="As you know them, until they accept.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    field_order = ["name", "access"]

    def __init__(self, *args: Any, membership: Membership, **kwargs: Any) -> None:
        initial = {"name": membership.invited_name, **self.told(membership)}
        super().__init__(*args, organization=membership.organization, initial=initial, **kwargs)
        if not membership.is_invited:
            del self.fields["name"]

    @property
    def name_told(self) -> str | None:
        return self.cleaned_data.get("name")


class ConfirmForm(forms.Form):
    """The address is typed, so that nobody removes an admin in passing."""

    typed_email = forms.CharField(
        error_messages={"required": "Type the address to confirm."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email
        self.fields["typed_email"].label = f"Type “{email}” to confirm"

    def clean_typed_email(self) -> str:
        typed: str = self.cleaned_data["typed_email"]
        if typed.strip().lower() != self.email:
            raise forms.ValidationError(f"That is another address. Type “{self.email}” exactly.")
        return typed


class JoinForm(forms.Form):
    """Somebody new says who they are and sets a password."""

    name = forms.CharField(
        label="Your name",
        required=False,
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password1 = SetPasswordField(label="Password")
    password2 = PasswordField(label="Password again", autocomplete="new-password")

    def __init__(self, *args: Any, admin: Admin, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].user = admin  # type: ignore[attr-defined]  # for the similarity

    def clean(self) -> dict[str, Any]:
        chosen = super().clean() or {}
        first, second = chosen.get("password1"), chosen.get("password2")
        if first and second and first != second:
            self.add_error("password2", "The two passwords differ. Type the same one twice.")
        return chosen


def name_of(network_id: int) -> str:
    return f"network_{network_id}"


def word(can_write: bool) -> str:
    return FULL if can_write else READ_ONLY


def words(text: str) -> list[str]:
    return text.replace(",", " ").split()
