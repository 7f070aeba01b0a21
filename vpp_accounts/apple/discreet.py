"""What Apple tells of people, without what says who they are or lets somebody become them."""

from __future__ import annotations

from typing import Any

PERSONAL = frozenset({"email", "idHash", "inviteCode", "inviteUrl", "managedAppleId"})


def without_people(content: Any) -> Any:
    """The ids by which Apple's tasks are told apart stay."""
    if isinstance(content, dict):
        kept = {name: value for name, value in content.items() if name not in PERSONAL}
        return {name: without_people(value) for name, value in kept.items()}
    if isinstance(content, list):
        return [without_people(value) for value in content]
    return content
