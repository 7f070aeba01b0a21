"""The forms of Organization > Sign-in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms

from organizations.models import IdentityProvider, Membership
from organizations.signin import provider_checks
from organizations.signin.provider_checks import LONGEST_NAME, ProviderDetails

Kind = IdentityProvider.Kind
STORED: dict[Kind, tuple[str, ...]] = {
    Kind.OIDC: ("issuer", "client_id", "manages_addresses"),
    Kind.SAML: ("entity_id", "sign_in_url", "certificate", "email_attribute"),
}
NEEDED = {name: words for each in provider_checks.NEEDED.values() for name, words in each.items()}
WIDE = {"autocomplete": "off", "spellcheck": "false"}


class SecondFactorForm(forms.Form):
    requires_second_factor = forms.BooleanField(
        required=False, label="Require a second factor of everybody who signs in by password"
    )


class SingleSignOnForm(forms.Form):
    requires_single_sign_on = forms.BooleanField(
        required=False, label="Require single sign-on of everybody but those chosen below"
    )


class SkippersForm(forms.Form):
    """Who may sign in by password all the same."""

    memberships = forms.TypedMultipleChoiceField(
        coerce=int,
        required=False,
        label="Admins who may sign in without single sign-on",
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "invalid_choice": "An admin was removed meanwhile. Look at the list again."
        },
    )

    def __init__(
        self, *args: Any, admins: Iterable[tuple[Membership, bool]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["memberships"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  for the type checker
        field.choices = [
            (membership.pk, label_of(membership, secured)) for membership, secured in admins
        ]


def label_of(membership: Membership, secured: bool) -> str:
    parts = [
        f"{membership.admin.email}",
        f"access {membership.get_access_display().lower()}",
        "has a second factor" if secured else "no second factor",
    ]
    return " · ".join(parts)


class ProviderAddForm(forms.Form):
    kind = forms.ChoiceField(choices=Kind.choices, widget=forms.RadioSelect, initial=Kind.OIDC)
    name = forms.CharField(
        help_text="On the button: “Sign in with …”. For example the name of your directory.",
        error_messages={"required": "Give it a name: it stands on the button for signing in."},
        widget=forms.TextInput(attrs={"maxlength": LONGEST_NAME, **WIDE}),
    )


class ProviderForm(forms.Form):
    """What both kinds have; the subclasses add what only theirs has."""

    FIRST: tuple[str, ...] = ("name",)
    LAST: tuple[str, ...] = ("email_domains", "is_enabled")

    name = forms.CharField(
        help_text="On the button: “Sign in with …”.",
        error_messages={"required": "Give it a name: it stands on the button for signing in."},
        widget=forms.TextInput(attrs={"maxlength": LONGEST_NAME, **WIDE}),
    )
    email_domains = forms.CharField(
        required=False,
        max_length=2000,
        label="E-mail domains",
        help_text="It may sign in admins at these domains only: <code>example.org example.edu</code>."
        " Empty: every admin of this organization.",
        widget=forms.TextInput(attrs=WIDE),
    )
    is_enabled = forms.BooleanField(required=False, label="Switched on: admins can sign in with it")

    def __init__(self, *args: Any, locked: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        between = [name for name in self.fields if name not in (*self.FIRST, *self.LAST)]
        self.order_fields([*self.FIRST, *between, *self.LAST])
        for name, field in self.fields.items():
            field.disabled = locked
            if name in NEEDED:
                field.required = True
                field.error_messages["required"] = f"Enter the {NEEDED[name]}."

    @property
    def details(self) -> ProviderDetails:
        told = dict(self.cleaned_data)
        told["email_domains"] = tuple(told["email_domains"].replace(",", " ").split())
        return ProviderDetails(**told)


class OpenIdForm(ProviderForm):
    issuer = forms.CharField(
        required=False,
        max_length=500,
        help_text="An https address. The provider shows it as issuer or authority; below it lies"
        " <code>/.well-known/openid-configuration</code>.",
        widget=forms.URLInput(attrs=WIDE),
    )
    client_id = forms.CharField(
        required=False,
        max_length=200,
        label="Client ID",
        help_text="Some call it application ID.",
        widget=forms.TextInput(attrs=WIDE),
    )
    client_secret = forms.CharField(
        required=False,
        max_length=2000,
        label="Client secret",
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    manages_addresses = forms.BooleanField(
        required=False,
        label="The provider manages the e-mail addresses: nobody there can choose their own",
        help_text="Needed where it does not say that an address is verified, as Microsoft Entra ID."
        " Where people can enter any address themselves, leave this off: somebody could come in as"
        " somebody else.",
    )

    def __init__(self, *args: Any, has_secret: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["client_secret"].required = not has_secret
        self.fields["client_secret"].help_text = (
            "One is stored, and it is never shown. Leave this empty to keep it."
            if has_secret
            else "It is stored encrypted and never shown again."
        )


class SamlForm(ProviderForm):
    entity_id = forms.CharField(
        required=False,
        max_length=500,
        label="Entity ID",
        help_text="Of the provider. Some call it issuer or identifier.",
        widget=forms.TextInput(attrs=WIDE),
    )
    sign_in_url = forms.CharField(
        required=False,
        max_length=500,
        label="Sign-in address",
        help_text="An https address with the HTTP-Redirect binding. Some call it login URL or single"
        " sign-on URL.",
        widget=forms.URLInput(attrs=WIDE),
    )
    certificate = forms.CharField(
        required=False,
        max_length=50_000,
        help_text="With which the provider signs, in Base64 (X.509, PEM). While it changes from one"
        " to another, paste both, one below the other.",
        widget=forms.Textarea(attrs={"rows": 6, **WIDE}),
    )
    email_attribute = forms.CharField(
        required=False,
        max_length=200,
        label="E-mail attribute",
        help_text="The attribute with the address. Empty: the usual names, then the Name ID.",
        widget=forms.TextInput(attrs=WIDE),
    )


def provider_form(provider: IdentityProvider, *data: Any, locked: bool) -> ProviderForm:
    shared: dict[str, Any] = {
        "name": provider.name,
        "email_domains": " ".join(provider.email_domains),
        "is_enabled": provider.is_enabled,
    }
    names = STORED[Kind(provider.kind)]
    initial = shared | {name: getattr(provider, name) for name in names}
    if provider.kind == Kind.SAML:
        return SamlForm(*data, initial=initial, locked=locked)
    has_secret = bool(provider.client_secret_ciphertext)
    return OpenIdForm(*data, initial=initial, has_secret=has_secret, locked=locked)


class FindForm(forms.Form):
    email = forms.EmailField(
        label="E-mail",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={"required": "Enter the address to which you were invited."},
    )
