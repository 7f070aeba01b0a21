"""The part of allauth that admins use: signing in and out, passwords, second factors, sessions.

Its pages for e-mail addresses are left out: the address is the login, and changing it is not theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http.response import HttpResponseBase
from django.urls import path, re_path, reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.generic import RedirectView

from organizations.signin import browsers
from organizations.signin.recent import reauthenticate_before
from organizations.views import my_account, second_factor, single_sign_on

View = Callable[..., HttpResponseBase]


def change(view: View) -> View:
    """A page that changes how somebody signs in: who they are was shown just now, and all or nothing
    is done and written down."""
    return reauthenticate_before(never_cache(transaction.atomic(view)))


def password_change(view: View) -> View:
    """It asks for the earlier password, or came by mail."""
    return browsers.stays_known(never_cache(transaction.atomic(view)))


passkey_edit: Any = webauthn.EditWebAuthnView.as_view(success_url=reverse_lazy("mfa_index"))

urlpatterns = [
    path("", my_account.my_account, name="my_account"),
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("signup/", account.signup, name="account_signup"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("sessions/", my_account.session_list, name="usersessions_list"),
    # Passwords
    path(
        "password/change/",
        password_change(account.password_change),
        name="account_change_password",
    ),
    path(
        "password/set/",
        reauthenticate_before(password_change(account.password_set)),
        name="account_set_password",
    ),
    path("password/reset/", account.password_reset, name="account_reset_password"),
    path("password/reset/done/", account.password_reset_done, name="account_reset_password_done"),
    path(
        "password/reset/key/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        password_change(account.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    # The second step of signing in, and showing it again
    path("2fa/authenticate/", mfa.authenticate, name="mfa_authenticate"),
    path("2fa/reauthenticate/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path(
        "2fa/passkeys/reauthenticate/",
        login_required(second_factor.ReauthenticatePasskeyView.as_view()),
        name="mfa_reauthenticate_webauthn",
    ),
    path("2fa/passkeys/login/", webauthn.login_webauthn, name="mfa_login_webauthn"),
    # Setting it up
    path("2fa/", second_factor.second_factor, name="mfa_index"),
    path("2fa/app/activate/", change(totp.activate_totp), name="mfa_activate_totp"),
    path("2fa/app/remove/", change(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("2fa/passkeys/", RedirectView.as_view(pattern_name="mfa_index"), name="mfa_list_webauthn"),
    path(
        "2fa/passkeys/add/", change(second_factor.AddPasskeyView.as_view()), name="mfa_add_webauthn"
    ),
    path("2fa/passkeys/<int:pk>/", change(passkey_edit), name="mfa_edit_webauthn"),
    path(
        "2fa/passkeys/<int:pk>/remove/",
        change(second_factor.RemovePasskeyView.as_view()),
        name="mfa_remove_webauthn",
    ),
    path(
        "2fa/recovery-codes/",
        change(second_factor.RecoveryCodesView.as_view()),
        name="mfa_view_recovery_codes",
    ),
    path(
        "2fa/recovery-codes/generate/",
        change(codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    # Single sign-on
    path("sso/", single_sign_on.sso_find, name="sso_find"),
    path("sso/again/", single_sign_on.sso_again, name="sso_again"),
    path("sso/<uuid:uuid>/", single_sign_on.sso_start, name="sso_start"),
    path("oidc/<uuid:uuid>/callback/", single_sign_on.sso_oidc_callback, name="sso_oidc_callback"),
    path("saml/<uuid:uuid>/acs/", single_sign_on.sso_saml_acs, name="sso_saml_acs"),
    path("saml/<uuid:uuid>/finish/", single_sign_on.sso_saml_finish, name="sso_saml_finish"),
    path("saml/<uuid:uuid>/metadata/", single_sign_on.sso_saml_metadata, name="sso_saml_metadata"),
]
