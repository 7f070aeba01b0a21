"""Every call that reached the fake, in order, for assertions."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from threading import Lock
from typing import Any

import orjson

from vpp_accounts.apple.fake.clock import Clock, apple_date
from vpp_accounts.apple.fake.wire import Json, Request

KEPT = 20_000


@dataclass(slots=True)
class Entry:
    seq: int
    at: float
    kind: str
    method: str
    path: str
    query: dict[str, str]
    uid: str | None
    body: Any = None
    status: int | None = None
    number: int | None = None
    # How many calls the fake was answering when this one arrived, itself included.
    in_flight: int = 1
    faults: list[str] = field(default_factory=list)

    def wire(self) -> Json:
        shown = asdict(self)
        shown |= {"at": apple_date(self.at), "uId": shown.pop("uid")}
        return shown | {"errorNumber": shown.pop("number"), "inFlight": shown.pop("in_flight")}


class Journal:
    """The latest calls. Content tokens never get in; secrets inside a body are blotted out."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._seq = 0
        self._in_flight = 0

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    @contextmanager
    def watch(self, request: Request, uid: str | None) -> Iterator[Entry]:
        with self._lock:
            self._in_flight += 1
            entry = self._entry("request", request.method, request.path, uid)
        entry.query = dict(request.query)
        entry.body = _readable(request.body)
        try:
            yield entry
        finally:
            with self._lock:
                self._in_flight -= 1

    def sent(self, url: str, uid: str, body: bytes, status: int | None) -> None:
        """Note a notification; status None means that nobody answered."""
        with self._lock:
            entry = self._entry("notification", "POST", url, uid)
        entry.body, entry.status = _readable(body), status

    def since(self, seq: int) -> list[Json]:
        return [entry.wire() for entry in self if entry.seq > seq]

    def clear(self) -> None:
        self._entries.clear()

    def _entry(self, kind: str, method: str, path: str, uid: str | None) -> Entry:
        self._seq += 1
        now = self._clock.now()
        entry = Entry(self._seq, now, kind, method, path, {}, uid, in_flight=self._in_flight)
        self._entries.append(entry)
        return entry


def _readable(body: bytes) -> Any:
    if not body:
        return None
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode(errors="replace")
    for name in ("notificationAuthToken", "sToken"):
        if isinstance(read, dict) and name in read:
            read[name] = "(secret)"
    return read
