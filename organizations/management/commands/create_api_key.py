"""A key for a program: it acts as its admin in all of the admin's organizations, or in one."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from organizations import keys
from organizations.audit import Actor
from organizations.models import Admin, Organization
from organizations.refusals import Refusal

DEFAULT_NAME = "Command line"


class Command(BaseCommand):
    help = "Create an API key of an admin and print it, once: it is stored only as a hash."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", required=True, help="The admin as whom the key acts.")
        parser.add_argument("--name", default=DEFAULT_NAME, help="What the key is for.")
        parser.add_argument(
            "--read-only", action="store_true", help="The key may not change anything."
        )
        parser.add_argument(
            "--organization", type=int, metavar="ID", help="The only one that the key opens."
        )
        parser.add_argument(
            "--days", type=int, help="How long the key works; without it, until it is revoked."
        )

    def handle(self, *, email: str, organization: int | None, **options: Any) -> None:
        admin = Admin.objects.filter(email__iexact=email.strip(), is_active=True).first()
        if admin is None:
            raise CommandError(
                f"No active admin has the e-mail address {email}. create_organization makes one."
            )
        try:
            _, text = keys.create(
                by=Actor.system("Installation operator"),
                admin=admin,
                name=options["name"],
                read_only=options["read_only"],
                expires_at=expiry_after(options["days"]),
                organization=None if organization is None else Organization(pk=organization),
            )
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(text)


def expiry_after(days: int | None) -> datetime | None:
    if days is None:
        return None
    try:
        return timezone.now() + timedelta(days=days)
    except OverflowError as error:
        raise CommandError(str(keys.ExpiryWrong())) from error
