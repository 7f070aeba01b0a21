"""What is asked of licensing, which is above this app and answers for itself (licensing/installations).

Until somebody answers nothing is licensed, so nothing is installed that needs a license.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from apps_catalog.models import Installation, PurchaseMethod


class Licenses(Protocol):
    def still_licensed(self, installation_ids: Collection[int]) -> set[int]:
        """Those whose license is there for certain, and is not being taken back."""

    def licensed_at_apple(self, installation_ids: Collection[int]) -> set[int]:
        """The same, asked of Apple. Not in a transaction; a few at a time."""

    def client_user_ids(self, device_ids: Collection[int]) -> dict[int, set[str]]:
        """By device, under which ids Apple may know its owner."""

    def invitees(self, installation_ids: Collection[int]) -> dict[int, int]:
        """By installation, the person who has to accept first, and can be invited."""

    def invitation_url(self, person_id: int) -> str:
        """Apple's page where this person accepts; empty where there is none (any more)."""


class Nobody:
    """Answers where nobody has registered."""

    def still_licensed(self, installation_ids: Collection[int]) -> set[int]:
        return set()

    def licensed_at_apple(self, installation_ids: Collection[int]) -> set[int]:
        return set()

    def client_user_ids(self, device_ids: Collection[int]) -> dict[int, set[str]]:
        return {}

    def invitees(self, installation_ids: Collection[int]) -> dict[int, int]:
        return {}

    def invitation_url(self, person_id: int) -> str:
        return ""


_registered: list[Licenses] = [Nobody()]


def register(licenses: Licenses) -> None:
    _registered[:] = [licenses]


def ask() -> Licenses:
    return _registered[0]


def confirmed(installation_ids: Collection[int]) -> set[int]:
    """Those that may be installed: licensed for certain, or in need of no license."""
    free = Installation.objects.filter(
        pk__in=installation_ids, managed_app__purchase_method=PurchaseMethod.NONE
    )
    without = set(free.values_list("pk", flat=True))
    return without | ask().still_licensed(set(installation_ids) - without)
