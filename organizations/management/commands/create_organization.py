"""The first step on a new installation: an organization and its first admin."""

from __future__ import annotations

import math
from argparse import ArgumentParser
from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse

from organizations import audit
from organizations.audit import Actor
from organizations.models import Admin, Membership, Organization, OrganizationAccess
from organizations.refusals import Refusal
from organizations.services import checked_zone

LONGEST_NAME = 200


class Command(BaseCommand):
    help = (
        "Create an organization and its first full admin; prints ids and a link to set a password."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="For example “Example Schools”.")
        parser.add_argument("--admin", required=True, metavar="EMAIL", help="The first admin.")
        parser.add_argument("--time-zone", default="UTC", help="For example Europe/Vienna.")

    def handle(self, *, name: str, admin: str, time_zone: str, **options: Any) -> None:
        email = checked_email(admin)
        try:
            zone = checked_zone(time_zone)
        except Refusal as refusal:
            raise CommandError(str(refusal)) from None
        organization, first = create(checked_name(name), email, zone)
        self.stdout.write(f"organization {organization.pk}")
        self.stdout.write(f"admin {first.pk}")
        if first.has_usable_password():
            self.stdout.write(f"{email} keeps the password that is set already.")
        else:
            self.stdout.write(f"Set a password within {days_valid()} days, once, at:")
            self.stdout.write(password_link(first))


@transaction.atomic
def create(name: str, email: str, time_zone: str) -> tuple[Organization, Admin]:
    organization = Organization.objects.create(name=name, time_zone=time_zone)
    admin = Admin.objects.filter(email__iexact=email).first() or Admin.objects.create_user(email)
    Membership.objects.create(
        organization=organization, admin=admin, access=OrganizationAccess.FULL
    )
    audit.record(
        "organization.created",
        by=Actor.system("create_organization"),
        organization=organization,
        target=organization,
        after={"name": name, "admin": admin.email},
    )
    return organization, admin


def password_link(admin: Admin) -> str:
    """The page of a password reset: good once, because it is bound to the password that is set."""
    uid, key = user_pk_to_url_str(admin), default_token_generator.make_token(admin)
    page = reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": key})
    return f"{settings.BASE_URL}{page}"


def days_valid() -> int:
    return math.floor(settings.PASSWORD_RESET_TIMEOUT / 86400)


def checked_name(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > LONGEST_NAME:
        raise CommandError(f"An organization needs a name of 1 to {LONGEST_NAME} characters.")
    return name


def checked_email(text: str) -> str:
    email = text.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise CommandError(f"“{text}” is not an e-mail address.") from None
    return email
