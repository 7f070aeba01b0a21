"""Lists that can be cut into pages of JSON.

A million assignments are never turned into rows: the names of a page's holders are dumped as one JSON
array and the text between two names is replaced by the rest of a row. A fresh page costs about as much
as copying it, so no page is kept, and none can be stale.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Generic, Protocol, TypeVar

import orjson

from vpp_accounts.apple.fake.state import AssetKey

T = TypeVar("T")


class Listing(Protocol):
    def __len__(self) -> int: ...

    def arrays(self, start: int, stop: int) -> dict[str, Any]:
        """The arrays of the answer that hold these rows."""


@dataclass(frozen=True, slots=True)
class Records(Generic[T]):
    """Rows that are few, or asked for rarely."""

    name: str
    records: Sequence[T]
    wire: Callable[[T], dict[str, Any]]

    def __len__(self) -> int:
        return len(self.records)

    def arrays(self, start: int, stop: int) -> dict[str, Any]:
        return {self.name: [self.wire(record) for record in self.records[start:stop]]}


@dataclass(frozen=True, slots=True)
class Segment:
    """All holders of one kind of one asset."""

    key: AssetKey
    field: str
    names: list[str]
    # Holders are retired records, whatever has become of the client user since.
    is_inactive: bool = False

    def rows(self, start: int, stop: int) -> bytes:
        """The inside of a JSON array."""
        names = orjson.dumps(self.names[start:stop])[2:-2]
        adam_id, pricing_param = self.key
        row = {"adamId": adam_id, "pricingParam": pricing_param, self.field: ""}
        opening = orjson.dumps(row).removesuffix(b'"}')
        # Inside a name a quotation mark is escaped, so this can only be the border of two names.
        return opening + names.replace(b'","', b'"},' + opening) + b'"}'


@dataclass(slots=True)
class Assignments:
    """Assignments asset by asset."""

    segments: list[Segment]
    _ends: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.segments = [segment for segment in self.segments if segment.names]
        self._ends = list(accumulate(len(segment.names) for segment in self.segments))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def arrays(self, start: int, stop: int) -> dict[str, Any]:
        return {"assignments": orjson.Fragment(b"[" + b",".join(self._parts(start, stop)) + b"]")}

    def _parts(self, start: int, stop: int) -> list[bytes]:
        parts = []
        stop = min(stop, len(self))
        position = bisect_right(self._ends, start)
        while start < stop:
            segment, end = self.segments[position], self._ends[position]
            before = end - len(segment.names)
            parts.append(segment.rows(start - before, min(stop, end) - before))
            start, position = end, position + 1
        return parts
