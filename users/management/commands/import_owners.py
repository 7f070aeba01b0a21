"""People out of a file: import_owners --organization ID FILE [--account ID] [--dry-run] …"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from organizations import tenancy
from organizations.audit import Actor
from organizations.models import Organization
from organizations.refusals import Refusal
from users import imports
from users.models import ImportRow, PeopleImport
from vpp_accounts.models import VppAccount

BY = Actor.system("Command line")
ERRORS_SHOWN = 20
FIGURES = {"new": "new", "update": "updated", "unchanged": "unchanged", "error": "with errors"}


class Command(BaseCommand):
    help = "Imports owners from a CSV or .xlsx file; with --account they become its users as well."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", type=int, required=True, metavar="ID")
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--account", type=int, metavar="ID", help="a VPP account")
        parser.add_argument("--dry-run", action="store_true", help="write nothing")
        parser.add_argument("--skip-errors", action="store_true", help="leave such rows out")
        parser.add_argument(
            "--complete", action="store_true", help="propose whoever is missing for retirement"
        )
        parser.add_argument(
            "--confirm-missing", action="store_true", help="also where many are missing"
        )
        parser.add_argument("--invite", action="store_true", help="invite new users of the account")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with tenancy.inside(options["organization"]):
                self._import(options)
        except OSError as error:
            raise CommandError(f"The file cannot be read: {error.strerror}.") from error
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal

    def _import(self, options: dict[str, Any]) -> None:
        checked = self._checked(options)
        self._tell(checked)
        wrong = checked.counts["error"]
        if wrong and not options["skip_errors"]:
            imports.cancel(by=BY, people_import=checked)
            raise CommandError(
                "Nobody was imported. Mend these rows, or leave them out with --skip-errors."
            )
        if options["dry_run"]:
            imports.cancel(by=BY, people_import=checked)
            self.stdout.write("Nothing was written.")
            return
        imports.confirm(by=BY, people_import=checked, confirm_missing=options["confirm_missing"])
        imports.apply(checked.pk, waits=True)
        self.stdout.write("Imported.")

    def _checked(self, options: dict[str, Any]) -> PeopleImport:
        organization = Organization.objects.filter(pk=options["organization"]).first()
        if organization is None:
            raise CommandError(f"There is no organization {options['organization']}.")
        begun = imports.start_import(
            by=BY,
            organization=organization,
            account=self._account(organization, options),
            file_name=options["file"].name,
            content=options["file"].read_bytes(),
            invites=options["invite"],
            is_complete=options["complete"],
        )
        checked = imports.check(begun.pk, waits=True) or begun
        if checked.problem:
            raise CommandError(checked.problem)
        return checked

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

    def _tell(self, checked: PeopleImport) -> None:
        counts = checked.counts
        figures = [f"{counts[name]:,} {words}" for name, words in FIGURES.items()]
        if checked.is_complete:
            figures.append(f"{counts['missing']:,} missing")
        self.stdout.write(", ".join(figures))
        for notice in counts["notices"]:
            self.stdout.write(notice)
        errors = ImportRow.objects.filter(people_import=checked, verdict=ImportRow.Verdict.ERROR)
        for row in errors.order_by("number")[:ERRORS_SHOWN]:
            self.stderr.write(f"Row {row.number}: {row.message}")
        if (more := counts["error"] - ERRORS_SHOWN) > 0:
            self.stderr.write(f"… and {more:,} more rows with errors.")
