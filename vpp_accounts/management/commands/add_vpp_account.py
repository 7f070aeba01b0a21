"""Adds a VPP account from a token file: add_vpp_account --organization ID --name … --token-file F"""

from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from organizations import tenancy
from organizations.audit import Actor
from organizations.models import Organization
from organizations.refusals import Refusal
from vpp_accounts.models import VppAccount
from vpp_accounts.services import Rights, add_account


class Command(BaseCommand):
    help = "Adds a VPP account and asks for its first sync; prints the account's id."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", type=int, required=True, metavar="ID")
        parser.add_argument("--name", required=True)
        parser.add_argument("--email", required=True)
        parser.add_argument("--token-file", type=Path, required=True, metavar="F")
        parser.add_argument("--take-over", action="store_true", help="displace another MDM")

    def handle(self, *args: Any, **options: Any) -> None:
        with tenancy.inside(options["organization"]):
            self._add(options)

    def _add(self, options: dict[str, Any]) -> None:
        organization = Organization.objects.filter(pk=options["organization"]).first()
        if organization is None:
            raise CommandError(f"There is no organization {options['organization']}.")
        self._check(options["name"], options["email"])
        try:
            account = add_account(
                by=Actor.system("Command line"),
                organization=organization,
                name=options["name"],
                email=options["email"],
                token_text=options["token_file"].read_bytes(),
                rights=Rights(),
                take_over=options["take_over"],
            )
        except OSError as error:
            raise CommandError(f"The token file cannot be read: {error.strerror}.") from error
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(str(account.pk))

    def _check(self, name: str, email: str) -> None:
        """What the page's form would have said."""
        try:
            VppAccount(name=name, email=email).clean_fields(
                exclude={field.name for field in VppAccount._meta.fields} - {"name", "email"}
            )
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
