"""A key for a program; it acts as its admin in all of the admin's organizations."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from organizations import audit
from organizations.audit import Actor
from organizations.models import Admin, ApiKey, Membership

DEFAULT_NAME = "Command line"


class Command(BaseCommand):
    help = "Create an API key of an admin and print it, once: it is stored only as a hash."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", required=True, help="The admin as whom the key acts.")
        parser.add_argument("--name", default=DEFAULT_NAME, help="What the key is for.")
        parser.add_argument(
            "--read-only", action="store_true", help="The key may not change anything."
        )

    def handle(self, *, email: str, name: str, read_only: bool, **options: Any) -> None:
        admin = Admin.objects.filter(email__iexact=email.strip(), is_active=True).first()
        if admin is None:
            raise CommandError(
                f"No active admin has the e-mail address {email}. create_organization makes one."
            )
        self.stdout.write(create(admin, name=name[:100], read_only=read_only))


@transaction.atomic
def create(admin: Admin, *, name: str, read_only: bool) -> str:
    key, text = ApiKey.objects.all().issue(admin=admin, name=name, read_only=read_only)
    for membership in Membership.objects.of(admin):
        audit.record(
            "api_key.created",
            by=Actor.system("create_api_key"),
            organization=membership.organization,
            target=key,
            after={"admin": admin.email, "readOnly": read_only},
        )
    return text
