"""Bringing what is stored under the first key, part by part, and reading all of it back.

A part is locked while it is changed, so that nobody stores another text meanwhile; whatever was done
before an interruption stays done. Nothing is kept of how far it came: the texts themselves tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import models, transaction

from licensing.encryption.columns import Sealed
from organizations import crypto

AT_A_TIME = 500
NAMED = 100  # of those that no key opens; all of them are counted


@dataclass(slots=True)
class Reading:
    """What the keys open of one column. `older`: not made by the first of them."""

    sealed: Sealed
    stored: int = 0
    older: int = 0
    lost: int = 0
    named: list[str] = field(default_factory=list)

    def note(self, row: models.Model) -> None:
        self.stored += 1
        try:
            self.sealed.read(row)
            self.older += not _is_current(self.sealed, row) and bool(_rotated(self.sealed, row))
        except crypto.CannotDecrypt:
            self.lost += 1
            if self.lost <= NAMED:
                self.named.append(f"{row.pk} {self.sealed.name(row)}")


def read_back(sealed: Sealed) -> Reading:
    reading = Reading(sealed)
    for row in sealed.rows.iterator(chunk_size=AT_A_TIME):
        reading.note(row)
    return reading


def rotate(sealed: Sealed) -> int:
    """How many rows were under another key."""
    return sum(_rotate_some(sealed, pks) for pks in _parts(sealed))


def _parts(sealed: Sealed) -> Iterator[list[int]]:
    last = 0
    while pks := list(_after(sealed, last)[:AT_A_TIME]):
        yield pks
        last = pks[-1]


def _after(sealed: Sealed, last: int) -> models.QuerySet[Any, int]:
    return sealed.rows.filter(pk__gt=last).values_list("pk", flat=True)


def _rotate_some(sealed: Sealed, pks: list[int]) -> int:
    changed: list[models.Model] = []
    lost: list[int] = []
    with transaction.atomic(using="system"):
        for row in sealed.rows.filter(pk__in=pks).select_for_update(of=("self",), no_key=True):
            if _is_current(sealed, row):
                continue
            if _is_rotated(sealed, row):
                changed.append(row)
            else:
                lost.append(row.pk)
        sealed.model._default_manager.using("system").bulk_update(changed, [sealed.column])
        if sealed.told_again:
            unreadable = sealed.model._default_manager.using("system").filter(pk__in=lost)
            unreadable.update(**dict.fromkeys(sealed.told_again, ""))
    return len(changed)


def _is_current(sealed: Sealed, row: models.Model) -> bool:
    return all(crypto.is_current(text) for text in sealed.texts(row).values())


def _is_rotated(sealed: Sealed, row: models.Model) -> bool:
    try:
        sealed.put(row, _rotated(sealed, row))
    except crypto.CannotDecrypt:
        return False
    return True


def _rotated(sealed: Sealed, row: models.Model) -> dict[str, str]:
    return {key: crypto.rotate(text) for key, text in sealed.texts(row).items()}
