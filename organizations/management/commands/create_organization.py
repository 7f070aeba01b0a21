"""The first step on a new installation: an organization and its first admin."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from organizations.closing.suspension import OPERATOR
from organizations.founding import found
from organizations.management.inviting import admin_with, checked_email, invite
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
        with transaction.atomic():
            first = admin_with(email)
            organization = found(
                by=OPERATOR,
                name=checked_name(name),
                time_zone=zone,
                first_admin=first,
            )
        self.stdout.write(f"organization {organization.pk}")
        self.stdout.write(f"admin {first.pk}")
        invite(first, self.stdout)


def checked_name(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > LONGEST_NAME:
        raise CommandError(f"An organization needs a name of 1 to {LONGEST_NAME} characters.")
    return name
