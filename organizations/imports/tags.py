"""Tags as a cell of a file holds them: words divided by spaces."""

from __future__ import annotations

from organizations.refusals import Refusal
from organizations.services import checked_tags

MOST_LETTERS = 2000


class TagsDivided(Refusal):
    code = "tag_wrong"

    def __init__(self) -> None:
        super().__init__("Tags are separated by spaces. Leave out the commas and semicolons.")


class TooManyTags(Refusal):
    code = "tag_wrong"

    def __init__(self) -> None:
        super().__init__(f"The tags have more than {MOST_LETTERS:,} characters. Give fewer.")


def checked_cell(tags: str) -> str:
    """Each once, divided by one space."""
    checked = " ".join(checked_tags(tags.split()))
    if "," in tags or ";" in tags:
        raise TagsDivided
    if len(tags) > MOST_LETTERS:
        raise TooManyTags
    return checked
