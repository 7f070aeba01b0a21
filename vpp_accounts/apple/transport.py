"""One HTTP exchange with Apple through a `requests` session: bearer, redirects, errors of the network.

`Session.request` spends a third of a fast answer's time on looking up the environment, cookies and
hooks. Here the environment (HTTPS_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE) is read once and the session's
adapter is asked directly, which also makes sure that no `.netrc` replaces our bearer.
"""

import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import orjson
import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from vpp_accounts.apple.decoding import JsonObject, decode_answer
from vpp_accounts.apple.errors import AppleError, Unavailable
from vpp_accounts.apple.types import Call

USER_AGENT = "vpp-dashboard"
_CONNECTIONS = 6
_MOST_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BEFORE_THE_REQUEST = (NewConnectionError, ConnectTimeoutError, ssl.SSLCertVerificationError)


class Secret(str):
    """A text that keeps itself out of every repr, and so out of reports that show local variables."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


class Raw(NamedTuple):
    """An answer as it came: `headers` are case-insensitive, `body` is unpacked."""

    status: int
    headers: CaseInsensitiveDict[str]
    body: bytes


def new_session() -> requests.Session:
    """A session that keeps enough connections open for five pages and one more call."""
    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_connections=1, pool_maxsize=_CONNECTIONS))
    return session


class Transport:
    """Sends single requests below `base_url` and decodes their answers. Usable from many threads.

    `timeout` is (to connect, between two bytes) in seconds. `on_call` hears of every exchange, in the
    thread that made it.
    """

    def __init__(
        self,
        *,
        base_url: str,
        stoken: str,
        session: requests.Session,
        timeout: tuple[float, float],
        own_mdm_id: str | None,
        on_call: Callable[[Call], None] | None,
    ) -> None:
        self._base_url = base_url.rstrip("/") + "/"
        self._stoken = Secret(stoken)
        self._session = session
        self._timeout = timeout
        self.own_mdm_id = own_mdm_id
        self._on_call = on_call
        plain = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": USER_AGENT,
        }
        self._open_headers = CaseInsensitiveDict(plain)
        self._headers = CaseInsensitiveDict(
            {**plain, "Authorization": Secret("Bearer " + stoken.strip())}
        )
        self._environment: Mapping[str, Any] = session.merge_environment_settings(
            self._base_url, {}, False, None, None
        )

    def get(
        self, path: str, query: str = "", *, attempt: int = 1, with_token: bool = True
    ) -> JsonObject:
        """The JSON object at `path`, or the `AppleError` that came instead."""
        request = self._request("GET", path, query)
        request.headers = self._headers if with_token else self._open_headers
        return self._exchange(request, path, query, attempt)

    def post(self, path: str, content: JsonObject | None, *, attempt: int = 1) -> JsonObject:
        """The JSON object that Apple answers to `content` (None: no body), sent once."""
        request = self._request("POST", path, "")
        body = b"" if content is None else orjson.dumps(content)
        request.body = body
        request.headers = self._headers.copy()
        request.headers["Content-Type"] = "application/json"
        request.headers["Content-Length"] = str(len(body))
        return self._exchange(request, path, "", attempt)

    def _request(self, method: str, path: str, query: str) -> requests.PreparedRequest:
        # Filled by hand: preparing parses and re-encodes a URL that is known to be clean.
        request = requests.PreparedRequest()
        request.method = method
        request.url = f"{self._base_url}{path}?{query}" if query else self._base_url + path
        return request

    def _exchange(
        self, request: requests.PreparedRequest, path: str, query: str, attempt: int
    ) -> JsonObject:
        started = time.perf_counter()
        raw: Raw | None = None
        failure: AppleError | None = None
        try:
            raw = self._follow(request)
            return decode_answer(*raw, own_mdm_id=self.own_mdm_id)
        except AppleError as error:
            failure = self._without_token(error)
            raise
        finally:
            if self._on_call is not None:
                self._on_call(
                    Call(
                        method=str(request.method),
                        path=path,
                        query=query,
                        status=raw.status if raw else None,
                        number=failure.number if failure else None,
                        error=type(failure).__name__ if failure else "",
                        seconds=time.perf_counter() - started,
                        size=len(raw.body) if raw else 0,
                        attempt=attempt,
                    )
                )

    def _follow(self, request: requests.PreparedRequest) -> Raw:
        for _ in range(_MOST_REDIRECTS + 1):
            raw = self._send(request)
            if raw.status not in _REDIRECTS:
                return raw
            request.url = self._redirected(request, raw)
        raise Unavailable("Apple's service redirects in a circle", status=raw.status)

    def _redirected(self, request: requests.PreparedRequest, raw: Raw) -> str:
        """Where a redirect leads; refused for another host, which must never see the bearer."""
        here = str(request.url)
        there = urljoin(here, raw.headers.get("Location", ""))
        if request.method == "GET" and _origin(there) == _origin(here):
            return there
        raise Unavailable(
            f"Apple's service redirects to {urlsplit(there).hostname}, which was not followed;"
            " check the base URL and the network's proxies",
            status=raw.status,
        )

    def _send(self, request: requests.PreparedRequest) -> Raw:
        try:
            adapter = self._session.get_adapter(str(request.url))
            response = adapter.send(request, timeout=self._timeout, **self._environment)
            return Raw(response.status_code, response.headers, response.content)
        except requests.RequestException as error:
            failure = _unreached(error, urlsplit(str(request.url)).hostname or "")
        # Raised here and not there: the original's frames hold the bytes on the wire, bearer included.
        raise failure

    def _without_token(self, error: AppleError) -> AppleError:
        """`error`, should Apple have quoted our header in its text."""
        if self._stoken in error.text:
            error.text = error.text.replace(self._stoken, "***")
            error.args = (error.text,)
        return error


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _unreached(error: requests.RequestException, host: str) -> Unavailable:
    root = _root(error)
    name = type(root).__name__
    never_left = isinstance(error, requests.ConnectTimeout | requests.exceptions.ProxyError)
    if never_left or isinstance(root, _BEFORE_THE_REQUEST):
        return Unavailable.unreached(f"{host} could not be reached ({name})")
    return Unavailable(f"{host} gave no complete answer ({name})")


def _root(error: Exception) -> Exception:
    """The exception inside those that requests and urllib3 have put around it."""
    inner = (getattr(error, "reason", None), *reversed(error.args))
    wrapped = next((item for item in inner if isinstance(item, Exception)), None)
    return error if wrapped is None else _root(wrapped)
