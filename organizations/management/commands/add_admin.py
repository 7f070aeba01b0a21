"""One more admin: add_admin --organization ID --email E [--read-only]; prints a link to set a password."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from organizations import tenancy
from organizations.admins import inviting
from organizations.admins.rights import AdminRights
from organizations.audit import Actor
from organizations.management.inviting import invite
from organizations.models import Membership, Organization, OrganizationAccess
from organizations.refusals import Refusal


class Command(BaseCommand):
    help = "Adds an admin to an organization, or changes the access of one who is there."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", type=int, required=True, metavar="ID")
        parser.add_argument("--email", required=True)
        parser.add_argument("--read-only", action="store_true")

    def handle(self, *, organization: int, email: str, read_only: bool, **options: Any) -> None:
        access = OrganizationAccess.READ_ONLY if read_only else OrganizationAccess.FULL
        with tenancy.inside(organization):
            admin = self._add(organization, email, access).admin
        self.stdout.write(f"admin {admin.pk}")
        invite(admin, self.stdout)

    def _add(self, organization: int, email: str, access: OrganizationAccess) -> Membership:
        tenant = Organization.objects.filter(pk=organization).first()
        if tenant is None:
            raise CommandError(f"There is no organization {organization}.")
        by, rights = Actor.system("add_admin"), AdminRights(access)
        try:
            return inviting.add(by=by, organization=tenant, email=email, rights=rights)
        except Refusal as refusal:
            raise CommandError(str(refusal)) from None
