"""allauth with our rules. Nobody signs up; admins are invited."""

from __future__ import annotations

from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.core import context
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from organizations.addresses import client_address
from organizations.models import Admin
from organizations.refusals import Refusal
from organizations.signin import browsers, lockout, recent

log = structlog.get_logger(__name__)

WAYS = {
    "reauthenticate": "Use your password",
    "mfa_reauthenticate": "Use a code",
    "mfa_reauthenticate:webauthn": "Use a passkey",
}
NO_MAIL = (
    "A mail about this could not be sent: the mail server does not answer."
    " If you wait for one, ask for it again in a few minutes."
)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    error_messages = DefaultAccountAdapter.error_messages | {
        "incorrect_password": "That is not your password.",
        "enter_current_password": "That is not your password of now.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request) or lockout.UNKNOWN

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Admin | None:
        """Counted as wrong until it is right: at sign-in, and when a password is asked for again."""
        login = str(credentials.get("email", ""))
        admin = Admin.objects.filter(email=login.strip().lower()).first()
        try:
            attempt = lockout.begin(lockout.PASSWORD, login, request, admin)
        except Refusal as refusal:
            raise ValidationError(str(refusal), code=refusal.code) from refusal
        found: Admin | None = super().authenticate(request, **credentials)
        if found:
            attempt.was_right()
        else:
            attempt.was_wrong()
        return found

    def post_login(self, request: HttpRequest, user: Admin, **kwargs: Any) -> HttpResponseBase:
        response: HttpResponseBase = super().post_login(request, user, **kwargs)
        # An organization's directory vouches for the person there, and not for the browser elsewhere.
        methods = {record["method"] for record in get_authentication_records(request, user)}
        if "socialaccount" not in methods:
            browsers.remember(request, response, user)
        log.info("signin.succeeded", admin=user.pk, methods=sorted(methods))
        return response

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("my_account")

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Our own address, whatever the request calls this host."""
        uid, _, token = key.partition("-")
        page = reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": token})
        return f"{settings.BASE_URL}{page}"

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        return not recent.is_recent(self.request)

    def get_reauthentication_methods(self, user: Admin) -> list[dict[str, Any]]:
        usual = super().get_reauthentication_methods(user)
        named = [each | {"description": WAYS[each["id"]]} for each in usual]
        return recent.methods(self.request) or named

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """After the commit: nobody waits for a mail server inside a transaction."""
        send = super().send_notification_mail

        def when_committed() -> None:
            with context.request_context(self.request):
                send(*args, **kwargs)

        transaction.on_commit(when_committed)

    def send_mail(self, template_prefix: str, email: str, facts: dict[str, Any]) -> None:
        """What was done stays done, and what was asked for can be asked again."""
        try:
            super().send_mail(template_prefix, email, {"base_url": settings.BASE_URL} | facts)
        except OSError as error:  # smtplib's errors are
            log.warning("signin.mail_not_sent", mail=template_prefix, error=type(error).__name__)
            messages.warning(self.request, NO_MAIL)


def display_name(admin: Admin) -> str:
    return str(admin)
