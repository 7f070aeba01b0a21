"""Open a suspended organization again: resume_organization ID."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from organizations import closing
from organizations.closing.suspension import OPERATOR
from organizations.management.operator import change


class Command(BaseCommand):
    help = "Resume a suspended organization: everything goes on where it stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organization", type=int, metavar="ID")

    def handle(self, *, organization: int, **options: Any) -> None:
        resumed = change(
            organization, lambda found: closing.resume(by=OPERATOR, organization=found)
        )
        self.stdout.write(f"organization {resumed.pk} is resumed")
