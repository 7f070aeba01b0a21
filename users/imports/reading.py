"""People out of an uploaded file: what is wrong with a row in itself."""

from __future__ import annotations

from organizations.imports import LARGEST_FILE, TableFile
from organizations.imports.tags import checked_cell
from users.imports.columns import FIELDS, MOST_ROWS, PEOPLE
from users.services import PersonDetails, checked

__all__ = ["FIELDS", "LARGEST_FILE", "MOST_ROWS", "PeopleFile"]


class PeopleFile(TableFile):
    def __init__(self, content: bytes) -> None:
        super().__init__(content, PEOPLE, _refuse)


def _refuse(said: dict[str, str]) -> None:
    """What a page would refuse as well."""
    checked(
        PersonDetails(
            email=said.get("email"),
            name=said.get("name"),
            username=said.get("username"),
            managed_apple_account=said.get("managed_apple_account"),
        )
    )
    if tags := said.get("tags"):
        said["tags"] = checked_cell(tags)
