"""Forms of allauth whose answers are counted by our own lock-out."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.account.adapter import get_adapter as account_adapter
from allauth.account.forms import ChangePasswordForm as AllauthChangePasswordForm
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as allauth_forms
from allauth.mfa.totp.forms import DeactivateTOTPForm as AllauthDeactivateTOTPForm
from allauth.mfa.webauthn import forms as webauthn
from allauth.mfa.webauthn.internal.auth import parse_authentication_response
from cryptography.exceptions import InvalidSignature
from django import forms

from organizations.models import Admin
from organizations.refusals import Refusal
from organizations.signin import factors, journal, lockout

LONGEST_NAME = 60  # of a passkey
BROKEN = (
    *(AttributeError, InvalidSignature, LookupError, OverflowError, TypeError, ValueError),
    struct.error,
)
NOT_ACCEPTED = "That passkey was not accepted. Try again, or choose another way."


class CodeForm(forms.Form):
    """A code of the authenticator app or a recovery code."""

    user: Admin

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = "Code"
        self.fields["code"].widget.attrs |= {"placeholder": "", "autofocus": True}

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        attempt = begin(self.user)
        authenticator = factors.accept(self.user, code)
        if authenticator is None:
            attempt.was_wrong()
            raise get_adapter().validation_error("incorrect_code")
        attempt.was_right()
        if authenticator.type == factors.Type.RECOVERY_CODES:
            tell_of_recovery_code(self.user, factors.recovery_codes_left(authenticator))
        authenticator.user = self.user
        self.authenticator = authenticator
        return code


def begin(admin: Admin) -> lockout.Attempt:
    request = account_adapter().request
    try:
        return lockout.begin(lockout.CODE, admin.email, request, admin)
    except Refusal as refusal:
        raise forms.ValidationError(str(refusal)) from refusal


def tell_of_recovery_code(admin: Admin, left: int) -> None:
    journal.record_everywhere("admin.recovery_code_used", admin=admin, after={"left": left})
    account_adapter().send_notification_mail("mfa/email/recovery_code_used", admin, {"left": left})


class AuthenticateForm(CodeForm, allauth_forms.AuthenticateForm):  # type: ignore[misc]
    """The second step of signing in."""


class ReauthenticateForm(CodeForm, allauth_forms.ReauthenticateForm):  # type: ignore[misc]
    """Showing again who one is."""


class DeactivateTOTPForm(AllauthDeactivateTOTPForm):  # type: ignore[misc]
    def clean(self) -> dict[str, Any]:
        if obstacle := factors.obstacle_to_removing(self.authenticator):
            raise forms.ValidationError(obstacle)
        return {}


@contextmanager
def passkeys_only() -> Iterator[None]:
    """An answer that no browser gives breaks in many ways inside the libraries; all mean the same."""
    try:
        yield
    except BROKEN as error:
        raise forms.ValidationError(NOT_ACCEPTED) from error
    except forms.ValidationError as error:
        if getattr(error, "code", "") != "incorrect_code":
            raise
        raise forms.ValidationError(NOT_ACCEPTED) from error


class PasskeyAnswer(forms.Form):
    def clean_credential(self) -> Any:
        with passkeys_only():
            return super().clean_credential()  # type: ignore[misc]


class AuthenticatePasskeyForm(PasskeyAnswer, webauthn.AuthenticateWebAuthnForm):  # type: ignore[misc]
    """The second step of signing in."""


class LoginPasskeyForm(PasskeyAnswer, webauthn.LoginWebAuthnForm):  # type: ignore[misc]
    """The only step of signing in."""

    def clean_credential(self) -> Any:
        sent = self.cleaned_data["credential"]
        authenticator = super().clean_credential()
        # The challenge in the session may be that of a second step, which asks for no finger or PIN.
        answer = parse_authentication_response(sent).response
        if not answer.authenticator_data.is_user_verified():
            raise forms.ValidationError(NOT_ACCEPTED)
        return authenticator


class ReauthenticatePasskeyForm(PasskeyAnswer, webauthn.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """Showing again who one is."""


class AddPasskeyForm(webauthn.AddWebAuthnForm):  # type: ignore[misc]
    """A new passkey; the browser asks for it with static/js/passkeys.js."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["passwordless"]  # what the browser can do decides, and it is told always
        name = self.fields["name"]
        name.label, name.max_length = "Name", LONGEST_NAME
        name.widget.attrs |= {"maxlength": LONGEST_NAME, "autocomplete": "off"}
        name.help_text = "How you tell it from others, for example “Work laptop”."

    def clean(self) -> dict[str, Any]:
        with passkeys_only():
            cleaned: dict[str, Any] = super().clean()
        return cleaned


class RenameForm(webauthn.EditWebAuthnForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = self.fields["name"]
        name.label, name.max_length = "Name", LONGEST_NAME
        name.widget.attrs |= {"maxlength": LONGEST_NAME, "autocomplete": "off"}


class NameForm(forms.Form):
    name = forms.CharField(
        required=False,
        max_length=200,
        help_text="As the other admins of your organizations read it.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )


class ChangePasswordForm(AllauthChangePasswordForm):  # type: ignore[misc]
    def clean_oldpassword(self) -> str:
        """Tried as at sign-in, so that an unlocked screen is no place to guess it."""
        password: str = self.cleaned_data["oldpassword"]
        if not account_adapter().reauthenticate(self.user, password):
            raise account_adapter().validation_error("enter_current_password")
        return password
