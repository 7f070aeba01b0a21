"""The part of allauth that admins use: signing in and out, and passwords.

Its pages for e-mail addresses are left out: the address is the login, and changing it is not theirs.
"""

from allauth.account import urls

EXPOSED = {
    "account_login",
    "account_logout",
    "account_inactive",
    "account_signup",
    "account_reauthenticate",
    "account_change_password",
    "account_set_password",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
}

urlpatterns = [pattern for pattern in urls.urlpatterns if pattern.name in EXPOSED]
