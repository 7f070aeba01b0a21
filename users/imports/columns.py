"""The header of a file: which column says what about people, by the many names that it may have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from users.imports.refusals import FileWrong

# The fields of a row, each with its name in the template.
FIELDS = {
    "name": "name",
    "email": "email",
    "username": "username",
    "tags": "tags",
    "managed_apple_account": "managedAppleAccount",
}
# As they are without capitals, spaces and marks.
SYNONYMS = {
    "name": "name",
    "displayname": "name",
    "fullname": "name",
    "owner": "name",
    "email": "email",
    "emailaddress": "email",
    "mail": "email",
    "username": "username",
    "login": "username",
    "loginname": "username",
    "user": "username",
    "userid": "username",
    "tags": "tags",
    "tag": "tags",
    "ownertags": "tags",
    "managedappleaccount": "managed_apple_account",
    "managedappleid": "managed_apple_account",
}
MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Header:
    """In which column each field stands; the width ends with the last column that has a name."""

    places: dict[str, int]
    ignored: tuple[str, ...]
    width: int

    @property
    def notices(self) -> list[str]:
        if not self.ignored:
            return []
        one = len(self.ignored) == 1
        return [
            f"{_listed(self.ignored)} {'is no column' if one else 'are no columns'} that we read."
        ]


def field_of(cell: str) -> str | None:
    return SYNONYMS.get("".join(letter for letter in cell.casefold() if letter.isalnum()))


def recognised(cells: Sequence[str]) -> int:
    """How many of these cells name something about people."""
    return len({field_of(cell) for cell in cells} - {None})


def read_header(cells: Sequence[str]) -> Header:
    names = [" ".join(cell.split()) for cell in cells]
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        if field := field_of(name):
            _refuse_second(field, names, places, place)
            places[field] = place
    if not places.keys() & {"email", "managed_apple_account"}:
        raise FileWrong(
            "A column “email” or “managedAppleAccount” is needed, and the first row names"
            f" {_listed([name for name in names if name]) or 'no column'}. Add a header row like"
            f" {','.join(FIELDS.values())}."
        )
    ignored = tuple(name for name in names if name and not field_of(name))
    return Header(places, ignored, max(number for number, name in enumerate(names, 1) if name))


def _refuse_second(field: str, names: list[str], places: dict[str, int], place: int) -> None:
    if field in places:
        raise FileWrong(
            f"The columns “{names[places[field]]}” and “{names[place]}” both mean {FIELDS[field]}."
            " Take one of them out."
        )


def _listed(names: Sequence[str]) -> str:
    """“Phone”, “Room” and 3 more."""
    told = ", ".join(f"“{name[:40]}”" for name in names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    return f"{told} and {more} more" if more > 0 else told
