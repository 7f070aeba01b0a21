"""How requests are made, whichever endpoint they are for: permits, tries, what every answer tells.

Every request takes a permit of the location's pacer; at most five are in flight. Reads are repeated
after any trouble. A write is repeated only when it certainly was not done: after a refusal that can
pass (a number of Apple's, or 429), or when no connection came about. When Apple may have done it and no
answer says so, the caller is given `AnswerLost` and decides after reading what is true.
"""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlencode

import requests

from vpp_accounts.apple import reading
from vpp_accounts.apple.cursors import CursorPage, CursorTraversal
from vpp_accounts.apple.decoding import JsonObject, moment
from vpp_accounts.apple.errors import Unavailable
from vpp_accounts.apple.events import AnswerLost
from vpp_accounts.apple.items import wire_name
from vpp_accounts.apple.pacing import LocalPacer, Pacer
from vpp_accounts.apple.paging import MOST_IN_FLIGHT, Traversal, WalkEnded
from vpp_accounts.apple.retrying import RetryPolicy
from vpp_accounts.apple.transport import Transport, new_session
from vpp_accounts.apple.types import Call, Page, ServiceConfig

T = TypeVar("T")

# Apple asks not to read service/config more often ("service-config").
_CONFIG_SECONDS = 300.0


class ServiceConfigCache:
    """What service/config said last: one for all clients of one Apple, in one process.

    Two threads may both find it old and both ask; that costs a request and nothing else.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: tuple[float, ServiceConfig] | None = None

    def get(self) -> ServiceConfig | None:
        if self._kept is None or self._clock() - self._kept[0] >= _CONFIG_SECONDS:
            return None
        return self._kept[1]

    def put(self, config: ServiceConfig) -> None:
        self._kept = (self._clock(), config)

    def clear(self) -> None:
        self._kept = None


class Caller:
    """What all endpoints share. Safe to use from several threads.

    `base_url` ends in `/mdm/v2/`; `stoken` is the whole text of a `.vpptoken` file. `own_mdm_id` is
    our `mdmInfo.id`: an answer that carries another one raises `ClaimedByAnother`. `timeout` is (to
    connect, between two bytes) and `longest_wait` what a wait may take, in seconds; `retries` counts
    the tries after the first. Clients that share `service_configs` ask for Apple's limits once in five
    minutes between them. `on_call` hears of every exchange in the thread that made it, so it must
    be quick and use no connection that belongs to a thread.
    """

    def __init__(  # noqa: PLR0913 -- the doors to time and network, all optional
        self,
        *,
        base_url: str,
        stoken: str,
        session: requests.Session | None = None,
        pacer: Pacer | None = None,
        own_mdm_id: str | None = None,
        timeout: tuple[float, float] = (5, 30),
        retries: int = 4,
        longest_wait: float = 30.0,
        sleep: Callable[[float], object] = time.sleep,
        service_configs: ServiceConfigCache | None = None,
        on_call: Callable[[Call], None] | None = None,
    ) -> None:
        self._base_url = base_url
        self._session = session or new_session()
        self._session_is_ours = session is None
        self._transport = Transport(
            base_url=base_url,
            stoken=stoken,
            session=self._session,
            timeout=timeout,
            own_mdm_id=own_mdm_id,
            on_call=on_call,
        )
        self._pacer = pacer or LocalPacer(longest_wait=longest_wait)
        self._retrying = RetryPolicy(retries=retries, longest_wait=longest_wait, sleep=sleep)
        self._in_flight = threading.BoundedSemaphore(MOST_IN_FLIGHT)
        self._service_configs = service_configs or ServiceConfigCache()
        self.token_expires_at: datetime | None = None

    def __repr__(self) -> str:
        return f"<AppleClient {self._base_url}>"

    def close(self) -> None:
        """Close the connections, unless the session came from outside."""
        if self._session_is_ours:
            self._session.close()

    def manage_as(self, mdm_id: str) -> None:
        """The location is ours from now on: compare every answer's `mdmInfo.id` with this."""
        self._transport.own_mdm_id = mdm_id

    def service_config(self, *, fresh: bool = False) -> ServiceConfig:
        """Apple's limits and URLs, at most five minutes old. Says nothing about the token.

        `fresh` asks again whatever is remembered; meant for after `LimitsMoved` only.
        """
        config = None if fresh else self._service_configs.get()
        if config is None:
            config = self._read("service/config", [], reading.service_config, with_token=False)
            self._service_configs.put(config)
        self._pacer.set_rate(config.limits.max_request_per_second)
        return config

    def _walk(
        self,
        path: str,
        filters: Mapping[str, object],
        read: Callable[[JsonObject, int], Page[T]],
    ) -> Traversal[T]:
        chosen = _query(filters)

        def fetch(index: int, stopped: threading.Event) -> Page[T]:
            query = [*chosen, ("pageIndex", str(index))] if index else chosen
            return self._read(path, query, lambda data: read(data, index), stopped=stopped)

        return Traversal(fetch)

    def _walk_by_cursor(
        self,
        path: str,
        filters: Mapping[str, object],
        read: Callable[[JsonObject], CursorPage[T]],
    ) -> CursorTraversal[T]:
        chosen = _query(filters)

        def fetch(cursor: str | None) -> CursorPage[T]:
            query = chosen if cursor is None else [*chosen, ("cursor", cursor)]
            return self._read(path, query, read)

        return CursorTraversal(fetch)

    def _read(
        self,
        path: str,
        query: list[tuple[str, str]],
        read: Callable[[JsonObject], T],
        *,
        with_token: bool = True,
        stopped: threading.Event | None = None,
    ) -> T:
        """What `read` makes of the answer, after as many tries as it takes and is allowed."""
        encoded = urlencode(query)

        def once(attempt: int) -> T:
            with self._in_flight:
                self._pacer.acquire()
                if stopped is not None and stopped.is_set():
                    raise WalkEnded
                data = self._transport.get(path, encoded, attempt=attempt, with_token=with_token)
            return read(self._noted(data))

        return self._retrying.run(once, on_throttled=self._pacer.hold)

    def _write(
        self, path: str, content: JsonObject | None, read: Callable[[JsonObject], T]
    ) -> T | AnswerLost:
        """What `read` makes of the answer; repeated only when the request certainly was not done."""

        def once(attempt: int) -> T | AnswerLost:
            try:
                return read(self._post(path, content, attempt=attempt))
            except Unavailable as error:
                if error.may_be_done:
                    return AnswerLost(path, content or {}, error.text, error.status)
                raise

        return self._retrying.run(once, on_throttled=self._pacer.hold)

    def _post(self, path: str, content: JsonObject | None, *, attempt: int = 1) -> JsonObject:
        """One try."""
        with self._in_flight:
            self._pacer.acquire()
            return self._noted(self._transport.post(path, content, attempt=attempt))

    def _noted(self, data: JsonObject) -> JsonObject:
        if "tokenExpirationDate" in data:
            self.token_expires_at = moment(data["tokenExpirationDate"]) or self.token_expires_at
        return data


def _query(filters: Mapping[str, object]) -> list[tuple[str, str]]:
    """Names and values as Apple spells them; a tuple stands once for each of its values."""
    given = [
        (wire_name(name), each)
        for name, value in filters.items()
        for each in (value if isinstance(value, tuple) else (value,))
    ]
    return [
        (name, str(value).lower() if isinstance(value, bool) else str(value))
        for name, value in given
        if value is not None
    ]
