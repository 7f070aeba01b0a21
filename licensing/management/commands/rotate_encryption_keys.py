"""Brings everything that is stored encrypted under the first key of FIELD_ENCRYPTION_KEYS.

May be interrupted and repeated, and runs beside a working installation. Afterwards all of it is read
back; `--check` does only that. Exit code 1 where something is not as it should be.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from licensing.encryption import EVERY, Reading, Sealed, read_back, rotate


class Command(BaseCommand):
    help = "Re-encrypts stored secrets under the first key, then reads all of them back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="Only read everything back.")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        readings = [self.work_on(sealed, check=check) for sealed in EVERY]
        troubles = [told for reading in readings for told in troubles_of(reading)]
        if troubles:
            raise CommandError("\n".join(troubles))

    def work_on(self, sealed: Sealed, *, check: bool) -> Reading:
        rotated = 0 if check else rotate(sealed)
        reading = read_back(sealed)
        told = [f"{reading.stored:,} stored"]
        told += [f"{rotated:,} re-encrypted"] if rotated else []
        told += [f"{reading.older:,} under an older key"] if reading.older else []
        told += [f"{reading.lost:,} that no key opens"] if reading.lost else []
        self.stdout.write(f"{sealed.label}: {', '.join(told)}.")
        return reading


def troubles_of(reading: Reading) -> Iterator[str]:
    label = reading.sealed.label
    if reading.older:
        yield (
            f"{label}: {reading.older:,} are under an older key. Restart every process with the same"
            " FIELD_ENCRYPTION_KEYS, the new key in front, and run this command again."
        )
    if reading.lost and reading.sealed.way_out:
        rest = reading.lost - len(reading.named)
        more = f", and {rest:,} more" if rest else ""
        yield (
            f"{label}: no key of FIELD_ENCRYPTION_KEYS opens these. Put the lost key back, or"
            f" {reading.sealed.way_out}: {', '.join(reading.named)}{more}."
        )
