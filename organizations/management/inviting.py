"""What the commands that bring admins share: checking an address, inviting by a link."""

from __future__ import annotations

import math

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, OutputWrapper
from django.core.validators import validate_email
from django.urls import reverse

from organizations.models import Admin


def admin_with(email: str) -> Admin:
    return Admin.objects.filter(email__iexact=email).first() or Admin.objects.create_user(email)


def invite(admin: Admin, out: OutputWrapper) -> None:
    """Say how this admin gets in."""
    if admin.has_usable_password():
        out.write(f"{admin.email} keeps the password that is set already.")
        return
    out.write(f"Set a password within {days_valid()} days, once, at:")
    out.write(password_link(admin))


def password_link(admin: Admin) -> str:
    """The page of a password reset: good once, because it is bound to the password that is set."""
    uid, key = user_pk_to_url_str(admin), default_token_generator.make_token(admin)
    page = reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": key})
    return f"{settings.BASE_URL}{page}"


def days_valid() -> int:
    return math.floor(settings.PASSWORD_RESET_TIMEOUT / 86400)


def checked_email(text: str) -> str:
    email = text.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise CommandError(f"“{text}” is not an e-mail address.") from None
    return email
