"""The header of a file: which column says what, by the many names that it may have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from organizations.imports.refusals import FileWrong

MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Columns:
    """What the rows of one kind of file can say.

    `fields`: each with its name in the template. `synonyms`: further names, as they are without
    capitals, spaces and marks. `lengths`: how much is kept of each. One of `needed` has to be there.
    """

    each: str  # what a row is about
    nobody: str
    fields: Mapping[str, str]
    synonyms: Mapping[str, str]
    lengths: Mapping[str, int]
    needed: tuple[str, ...]
    most_rows: int

    def field_of(self, cell: str) -> str | None:
        return self.synonyms.get("".join(letter for letter in cell.casefold() if letter.isalnum()))

    def recognised(self, cells: Sequence[str]) -> int:
        """How many of these cells name something that we read."""
        return len({self.field_of(cell) for cell in cells} - {None})

    def kept(self, said: Mapping[str, str]) -> list[str]:
        """In the order of the fields, no longer than they are kept."""
        return [said.get(field, "")[: self.lengths[field]] for field in self.fields]

    def read_header(self, cells: Sequence[str]) -> Header:
        names = [" ".join(cell.split()) for cell in cells]
        places: dict[str, int] = {}
        for place, name in enumerate(names):
            if field := self.field_of(name):
                self._refuse_second(field, names, places, place)
                places[field] = place
        if not places.keys() & set(self.needed):
            raise FileWrong(self._lacking(names))
        ignored = tuple(name for name in names if name and not self.field_of(name))
        width = max(number for number, name in enumerate(names, 1) if name)
        return Header(places, ignored, width)

    def _refuse_second(
        self, field: str, names: list[str], places: dict[str, int], place: int
    ) -> None:
        if field in places:
            raise FileWrong(
                f"The columns “{names[places[field]]}” and “{names[place]}” both mean"
                f" {self.fields[field]}. Take one of them out."
            )

    def _lacking(self, names: list[str]) -> str:
        wanted = " or ".join(f"“{self.fields[field]}”" for field in self.needed)
        return (
            f"A column {wanted} is needed, and the first row names"
            f" {_listed([name for name in names if name]) or 'no column'}. Add a header row like"
            f" {','.join(self.fields.values())}."
        )


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


def _listed(names: Sequence[str]) -> str:
    """“Phone”, “Room” and 3 more."""
    told = ", ".join(f"“{name[:40]}”" for name in names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    return f"{told} and {more} more" if more > 0 else told
