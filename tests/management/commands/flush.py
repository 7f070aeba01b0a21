"""Django's flush after a test with real commits, as the owner: our own role may not truncate."""

from typing import Any

from django.core.management.commands import flush


class Command(flush.Command):
    def handle(self, **options: Any) -> None:
        if options["database"] == "default":  # the three aliases are one database
            super().handle(**{**options, "database": "owner"})
