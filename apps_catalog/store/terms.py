"""What somebody typed, as questions to the store: a name, an Adam ID, a bundle id, or a link."""

from __future__ import annotations

import re
from dataclasses import dataclass

from apps_catalog.models import ManagedPlatform

LINK = re.compile(r"https?://(?:apps|itunes)\.apple\.com/\S*?\bid=?([0-9]{1,20})\b")
ADAM_ID = re.compile(r"(?:id)?([0-9]{1,20})")
BUNDLE_ID = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9_-]+)+")
ENTITIES = {
    ManagedPlatform.IOS: "software",
    ManagedPlatform.MACOS: "macSoftware",
    ManagedPlatform.TVOS: "tvSoftware",
}
MOST_RESULTS = 50


@dataclass(frozen=True, slots=True)
class Question:
    path: str
    parameters: dict[str, str]


def questions_of(term: str, *, country: str, platform: str) -> list[Question]:
    """In this order, until one of them finds something: a number may be a name as well."""
    if link := LINK.search(term):
        return [_lookup(country, id=link[1])]
    questions = []
    if number := ADAM_ID.fullmatch(term):
        questions.append(_lookup(country, id=number[1]))
    elif BUNDLE_ID.fullmatch(term):
        questions.append(_lookup(country, bundleId=term))
    by_name = {
        "term": term,
        "country": country,
        "media": "software",
        "entity": ENTITIES[ManagedPlatform(platform)],
        "limit": str(MOST_RESULTS),
    }
    return [*questions, Question("/search", by_name)]


def _lookup(country: str, **by: str) -> Question:
    return Question("/lookup", {**by, "country": country})
