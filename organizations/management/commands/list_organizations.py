"""All organizations of the installation: list_organizations [--json]."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from organizations.management.operator import Listed, listed

HEAD = ("id", "name", "created", "state", "admins", "accounts", "devices")


class Command(BaseCommand):
    help = "List all organizations with their state and size; nothing of their data is shown."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="One JSON array, for programs.")

    def handle(self, **options: Any) -> None:
        found = listed()
        if options["json"]:
            self.stdout.write(json.dumps([asdict(each) for each in found], default=str, indent=2))
            return
        lines = [HEAD, *map(line_of, found)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())


def line_of(each: Listed) -> tuple[str, ...]:
    state = f"{each.state} until {each.gone_at:%Y-%m-%d}" if each.gone_at else each.state
    numbers = (each.admins, each.accounts, each.devices)
    return (str(each.id), each.name, f"{each.created:%Y-%m-%d}", state, *map(str, numbers))
