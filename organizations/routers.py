"""Which database role does what."""

from typing import Any


class OwnerMigrates:
    """Tables are made by the owner's role alone; `manage.py migrate` uses it by itself."""

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return True if db == "owner" else None
