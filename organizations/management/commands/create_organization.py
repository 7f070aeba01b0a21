"""The first step on a new installation: an organization and its first admin."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from organizations import audit
from organizations.audit import Actor
from organizations.management.inviting import admin_with, checked_email, invite
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
        invite(first, self.stdout)


@transaction.atomic
def create(name: str, email: str, time_zone: str) -> tuple[Organization, Admin]:
    organization = Organization.objects.create(name=name, time_zone=time_zone)
    admin = admin_with(email)
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


def checked_name(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > LONGEST_NAME:
        raise CommandError(f"An organization needs a name of 1 to {LONGEST_NAME} characters.")
    return name
