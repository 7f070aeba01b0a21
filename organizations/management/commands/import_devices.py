"""Devices out of a file: import_devices --organization ID FILE [--network ID] [--dry-run] …"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from organizations.devices.importing import IMPORTS
from organizations.management.importing import ImportCommand
from organizations.models import Network, Organization


class Command(ImportCommand):
    help = "Imports devices from a file (CSV, .xlsx, .xls)."
    imports = IMPORTS
    nobody = "No device was imported."
    missing = "flag devices that came with a file before and are not in this one"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--network", type=int, metavar="ID", help="of new devices whose row names none"
        )

    def own(self, organization: Organization, options: dict[str, Any]) -> dict[str, Any]:
        """An organization with one network needs no choice."""
        networks = Network.objects.filter(organization=organization)
        if options["network"] is None:
            found = list(networks[:2])
            return {"network": found[0] if len(found) == 1 else None}
        network = networks.filter(pk=options["network"]).first()
        if network is None:
            raise CommandError(f"This organization has no network {options['network']}.")
        return {"network": network}
