"""What the commands that import files have in common: the road without a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from organizations import tenancy
from organizations.audit import Actor
from organizations.imports import Imports
from organizations.models import Organization
from organizations.models.imports import FileImport, FileImportRow
from organizations.refusals import Refusal

BY = Actor.system("Command line")
ERRORS_SHOWN = 20
FIGURES = {"new": "new", "update": "updated", "unchanged": "unchanged", "error": "with errors"}


class ImportCommand(BaseCommand):
    imports: Imports[Any]
    nobody: str  # “Nobody was imported.”
    missing: str  # what --complete does to those that are missing

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", type=int, required=True, metavar="ID")
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--dry-run", action="store_true", help="write nothing")
        parser.add_argument("--skip-errors", action="store_true", help="leave such rows out")
        parser.add_argument("--complete", action="store_true", help=self.missing)
        parser.add_argument(
            "--confirm-missing", action="store_true", help="also where many are missing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with tenancy.inside(options["organization"]):
                self._import(options)
        except OSError as error:
            raise CommandError(f"The file cannot be read: {error.strerror}.") from error
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal

    def own(self, organization: Organization, options: dict[str, Any]) -> dict[str, Any]:
        """What else this kind of import is told."""
        raise NotImplementedError

    def _import(self, options: dict[str, Any]) -> None:
        checked = self._checked(options)
        self._tell(checked)
        if checked.counts["error"] and not options["skip_errors"]:
            self.imports.cancel(by=BY, file_import=checked)
            raise CommandError(
                f"{self.nobody} Mend these rows, or leave them out with --skip-errors."
            )
        if options["dry_run"]:
            self.imports.cancel(by=BY, file_import=checked)
            self.stdout.write("Nothing was written.")
            return
        confirm_missing = options["confirm_missing"]
        self.imports.confirm(by=BY, file_import=checked, confirm_missing=confirm_missing)
        self.imports.apply(checked.pk, waits=True)
        self.stdout.write("Imported.")

    def _checked(self, options: dict[str, Any]) -> FileImport:
        organization = Organization.objects.filter(pk=options["organization"]).first()
        if organization is None:
            raise CommandError(f"There is no organization {options['organization']}.")
        begun: FileImport = self.imports.start(
            by=BY,
            organization=organization,
            **self.own(organization, options),
            file_name=options["file"].name,
            content=options["file"].read_bytes(),
            is_complete=options["complete"],
        )
        checked: FileImport = self.imports.check(begun.pk, waits=True) or begun
        if checked.problem:
            raise CommandError(checked.problem)
        return checked

    def _tell(self, checked: FileImport) -> None:
        counts = checked.counts
        figures = [f"{counts[name]:,} {words}" for name, words in FIGURES.items()]
        if checked.is_complete:
            figures.append(f"{counts['missing']:,} missing")
        self.stdout.write(", ".join(figures))
        for notice in counts["notices"]:
            self.stdout.write(notice)
        rows = self.imports.row._default_manager.filter(**{self.imports.key: checked})
        errors = rows.filter(verdict=FileImportRow.Verdict.ERROR)
        for row in errors.order_by("number")[:ERRORS_SHOWN]:
            self.stderr.write(f"Row {row.number}: {row.message}")
        if (more := counts["error"] - ERRORS_SHOWN) > 0:
            self.stderr.write(f"… and {more:,} more rows with errors.")
