"""Fills the database and the fake Apple with the demo: seed_demo --apple-url URL --output FILE"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from licensing.demo.seeding import seed
from organizations.refusals import Refusal


class Command(BaseCommand):
    help = "Make the demo's organizations here and at the fake Apple; only what is missing."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--apple-url", default="http://127.0.0.1:8700")
        parser.add_argument("--output", type=Path, required=True, help="JSON for programs")

    def handle(self, *, apple_url: str, output: Path, **options: Any) -> None:
        try:
            facts = seed(apple_url=apple_url, output=output)
        except Refusal as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"The demo is in {output}: sign in as {facts['email']}.")
