"""Close an organization: suspend_organization ID --reason R."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from organizations import closing
from organizations.closing.suspension import OPERATOR
from organizations.management.operator import change


class Command(BaseCommand):
    help = (
        "Suspend an organization: nobody works in it and nothing runs for it until it is resumed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organization", type=int, metavar="ID")
        parser.add_argument("--reason", required=True, help="Every admin of it reads this.")

    def handle(self, *, organization: int, reason: str, **options: Any) -> None:
        closed = change(
            organization,
            lambda found: closing.suspend(by=OPERATOR, organization=found, reason=reason),
        )
        self.stdout.write(f"organization {closed.pk} is suspended")
