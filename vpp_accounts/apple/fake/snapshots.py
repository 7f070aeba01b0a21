"""Moments of this Apple that one can come back to while it runs."""

from typing import TYPE_CHECKING

import orjson

from vpp_accounts.apple.fake import persistence
from vpp_accounts.apple.fake.wire import Json, NotHere, Rejected

if TYPE_CHECKING:
    from vpp_accounts.apple.fake.fake import FakeApple

KEPT = 20


class Snapshots:
    """The latest ones, as bytes: nothing that happens later can change them."""

    def __init__(self, apple: "FakeApple") -> None:
        self._apple = apple
        self._taken: dict[str, bytes] = {}
        self._count = 0

    def take(self) -> str:
        self._count += 1
        if len(self._taken) >= KEPT:
            del self._taken[next(iter(self._taken))]
        self._taken[str(self._count)] = orjson.dumps(persistence.snapshot(self._apple))
        return str(self._count)

    def body(self, snapshot_id: str) -> Json:
        if snapshot_id not in self._taken:
            raise NotHere(f"There is no snapshot {snapshot_id}.")
        body: Json = orjson.loads(self._taken[snapshot_id])
        return body

    def restore(self, snapshot_id: str) -> None:
        persistence.restore(self._apple, self.body(snapshot_id))

    def restore_body(self, body: Json) -> None:
        """Come back to a moment that was kept elsewhere; nothing changes if it cannot be read."""
        before = persistence.snapshot(self._apple)
        try:
            persistence.restore(self._apple, body)
        except (KeyError, TypeError, ValueError, AttributeError) as wrong:
            persistence.restore(self._apple, orjson.loads(orjson.dumps(before)))
            raise Rejected(f"This is no snapshot of a fake Apple: {wrong!r}.") from None
