"""Apple's App and Book Management API, version 2: one method per endpoint.

    GET  service/config    service_config      limits and URLs, without a token
    GET  client/config     client_config       the location behind the token
    POST client/config     set_client_config   who manages it, where notifications go
    GET  assets            assets              titles and their counts
    GET  assignments       assignments         licenses in use
    GET  users             users               client users

The endpoints that write (users/create|update|retire, assets/associate|disassociate|revoke) and GET
status, which follows what they started, are a class of their own on the same `_read` and `_post`.

Every request takes a permit of the location's pacer; at most five are in flight. Only reads are
repeated. Errors are those of `vpp_accounts.apple.errors`, and none of them, nor any repr, shows the token.
"""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar, Unpack
from urllib.parse import urlencode

import requests

from vpp_accounts.apple import reading
from vpp_accounts.apple.decoding import JsonObject, moment
from vpp_accounts.apple.pacing import LocalPacer, Pacer
from vpp_accounts.apple.paging import MOST_IN_FLIGHT, Traversal, WalkEnded
from vpp_accounts.apple.retrying import RetryPolicy
from vpp_accounts.apple.transport import Transport, new_session
from vpp_accounts.apple.types import (
    Asset,
    AssetFilters,
    Assignment,
    Call,
    ClientConfig,
    ClientUser,
    MdmInfo,
    Page,
    ServiceConfig,
)

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


class AppleClient:
    """One location's view of Apple's service. Safe to use from several threads.

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

    def service_config(self) -> ServiceConfig:
        """Apple's limits and URLs, at most five minutes old. Says nothing about the token."""
        config = self._service_configs.get()
        if config is None:
            config = self._read("service/config", [], reading.service_config, with_token=False)
            self._service_configs.put(config)
        self._pacer.set_rate(config.limits.max_request_per_second)
        return config

    def client_config(self) -> ClientConfig:
        """The location behind the token: the test of a token, and who manages the location."""
        return self._read("client/config", [], reading.client_config)

    def set_client_config(
        self,
        *,
        mdm_info: MdmInfo | None = None,
        notification_url: str | None = None,
        notification_auth_token: str | None = None,
        notification_types: tuple[str, ...] | list[str] | None = None,
    ) -> ClientConfig:
        """Change what is given, keep the rest. Sent once.

        `notification_url` and `notification_auth_token` come together (512 characters each); Apple
        sends a test notification to them before it answers. `notification_types` replaces the whole set.
        """
        content = {
            "mdmInfo": mdm_info
            and {"id": mdm_info.id, "name": mdm_info.name, "metadata": mdm_info.metadata},
            "notificationUrl": notification_url,
            "notificationAuthToken": notification_auth_token,
            "notificationTypes": notification_types,
        }
        given = {key: value for key, value in content.items() if value is not None}
        return reading.client_config(self._post("client/config", given))

    def assets(self, **filters: Unpack[AssetFilters]) -> Traversal[Asset]:
        """The titles of the location, one per adamId and pricingParam."""
        unknown = filters.keys() - AssetFilters.__annotations__.keys()
        if unknown:
            raise TypeError(f"Apple has no filter {', '.join(sorted(unknown))} for assets.")
        return self._walk("assets", filters, reading.asset_page)

    def assignments(
        self,
        *,
        adam_id: str | None = None,
        pricing_param: str | None = None,
        client_user_id: str | None = None,
        serial_number: str | None = None,
        since_version_id: str | None = None,
        exclude_inactive_users: bool | None = None,
    ) -> Traversal[Assignment]:
        """The licenses in use, serial numbers as Apple spells them.

        With `since_version_id` only those added since; what was removed since is never told.
        """
        filters = {
            "adam_id": adam_id,
            "pricing_param": pricing_param,
            "client_user_id": client_user_id,
            "serial_number": serial_number,
            "since_version_id": since_version_id,
            "exclude_inactive_users": exclude_inactive_users,
        }
        return self._walk("assignments", filters, reading.assignment_page)

    def users(
        self,
        *,
        active_only: bool | None = None,
        retired_only: bool | None = None,
        client_user_id: str | None = None,
        since_version_id: str | None = None,
    ) -> Traversal[ClientUser]:
        """The client users; one `client_user_id` may have several records."""
        filters = {
            "active_only": active_only,
            "retired_only": retired_only,
            "client_user_id": client_user_id,
            "since_version_id": since_version_id,
        }
        return self._walk("users", filters, reading.user_page)

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

    def _post(self, path: str, content: JsonObject) -> JsonObject:
        """One try: whether to repeat a write is for the caller, who can look what came of it."""
        with self._in_flight:
            self._pacer.acquire()
            return self._noted(self._transport.post(path, content))

    def _noted(self, data: JsonObject) -> JsonObject:
        if "tokenExpirationDate" in data:
            self.token_expires_at = moment(data["tokenExpirationDate"]) or self.token_expires_at
        return data


def _query(filters: Mapping[str, object]) -> list[tuple[str, str]]:
    return [
        (reading.wire_name(name), str(value).lower() if isinstance(value, bool) else str(value))
        for name, value in filters.items()
        if value is not None
    ]
