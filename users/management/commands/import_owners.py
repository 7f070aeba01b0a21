"""People out of a file: import_owners --organization ID FILE [--account ID] [--dry-run] …"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from organizations.management.importing import ImportCommand
from organizations.models import Organization, Owner
from users.imports.stages import IMPORTS
from vpp_accounts.models import VppAccount


class Command(ImportCommand):
    help = "Imports owners from a file (CSV, .xlsx, .xls); with --account its users as well."
    imports = IMPORTS
    nobody = "Nobody was imported."
    missing = "propose whoever is missing for retirement"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--account", type=int, metavar="ID", help="a VPP account")
        parser.add_argument("--invite", action="store_true", help="invite new users of the account")

    def own(self, organization: Organization, options: dict[str, Any]) -> dict[str, Any]:
        account = self._account(organization, options)
        return {"account": account, "invites": options["invite"], "source": Owner.Source.CSV}

    def _account(self, organization: Organization, options: dict[str, Any]) -> VppAccount | None:
        if options["account"] is None:
            if options["invite"]:
                raise CommandError("Invitations come from a VPP account. Name one with --account.")
            return None
        accounts = VppAccount.objects.filter(organization=organization)
        account = accounts.filter(pk=options["account"]).first()
        if account is None:
            raise CommandError(f"This organization has no VPP account {options['account']}.")
        return account
