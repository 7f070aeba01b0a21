"""The version counter of one of a location's data sets, and what each version touched."""

from collections import deque
from collections.abc import Iterable
from typing import Generic, TypeVar

from vpp_accounts.apple.fake import ids

T = TypeVar("T")

REMEMBERED_VERSIONS = 1000


class Versions(Generic[T]):
    def __init__(self, scope: str, number: int = 1, version_id: str = "") -> None:
        self._scope = scope
        self.number = number
        self.id = version_id or ids.version_id(scope, number)
        self._numbers = {self.id: number}
        self._touched: deque[tuple[str, list[T]]] = deque(maxlen=REMEMBERED_VERSIONS)

    def bump(self, touched: Iterable[T] = ()) -> None:
        """Begin a new version, in which these rows are new or changed."""
        if len(self._touched) == REMEMBERED_VERSIONS:
            del self._numbers[self._touched[0][0]]
        self._touched.append((self.id, list(touched)))
        self.number += 1
        self.id = ids.version_id(self._scope, self.number)
        self._numbers[self.id] = self.number

    def touched_since(self, version_id: str) -> list[T] | None:
        """Every row touched after that version, oldest first; None when the version is not known."""
        if version_id not in self._numbers:
            return None
        newer = self.number - self._numbers[version_id]
        recent = list(self._touched)[len(self._touched) - newer :]
        return [row for _, rows in recent for row in rows]
