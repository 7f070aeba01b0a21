"""One more admin: add_admin --organization ID --email E [--read-only]; prints a link to set a password."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from organizations import audit
from organizations.audit import Actor
from organizations.management.inviting import admin_with, checked_email, invite
from organizations.models import Membership, Organization, OrganizationAccess


class Command(BaseCommand):
    help = "Adds an admin to an organization, or changes the access of one who is there."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", type=int, required=True, metavar="ID")
        parser.add_argument("--email", required=True)
        parser.add_argument("--read-only", action="store_true")

    @transaction.atomic
    def handle(self, *, organization: int, email: str, read_only: bool, **options: Any) -> None:
        tenant = Organization.objects.select_for_update().filter(pk=organization).first()
        if tenant is None:
            raise CommandError(f"There is no organization {organization}.")
        admin = admin_with(checked_email(email))
        access = OrganizationAccess.READ_ONLY if read_only else OrganizationAccess.FULL
        full = Membership.objects.filter(organization=tenant, access=OrganizationAccess.FULL)
        if read_only and not full.exclude(admin=admin).exists():
            raise CommandError("The last full admin of an organization stays one.")
        Membership.objects.update_or_create(
            organization=tenant, admin=admin, defaults={"access": access}
        )
        audit.record(
            "admin.added",
            by=Actor.system("add_admin"),
            organization=tenant,
            target=admin,
            after={"access": access},
        )
        self.stdout.write(f"admin {admin.pk}")
        invite(admin, self.stdout)
