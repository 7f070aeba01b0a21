"""A session whose every answer is decided by a function: the smallest Apple there can be."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from vpp_accounts.apple import AppleClient, LocalPacer

BASE_URL = "https://vpp.apple.test/mdm/v2/"
STOKEN = "c2VjcmV0LW9mLWEtbG9jYXRpb24tMDAwMQ=="


class EagerPacer(LocalPacer):
    """Lets everybody through at once and notes how long it was told to hold."""

    def __init__(self) -> None:
        self.held: list[float] = []
        super().__init__(1_000_000)

    def hold(self, seconds: float) -> None:
        self.held.append(seconds)


@dataclass
class Asked:
    """One request as it reached the other side."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: Any
    timeout: Any

    @property
    def path(self) -> str:
        return urlsplit(self.url).path.removeprefix("/mdm/v2/")

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query))

    @property
    def page(self) -> int:
        return int(self.query.get("pageIndex", 0))


@dataclass
class Answered:
    """What the other side says; a `body` that is not bytes becomes JSON."""

    body: Any = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


Script = Callable[[Asked], Answered | Exception]


class ScriptedAdapter(BaseAdapter):
    def __init__(self, script: Script) -> None:
        super().__init__()
        self._script = script
        self._lock = threading.Lock()
        self.asked: list[Asked] = []

    def send(
        self, request: requests.PreparedRequest, stream: bool = False, timeout: Any = None, **_: Any
    ) -> requests.Response:
        asked = Asked(request.method, request.url, dict(request.headers), request.body, timeout)
        with self._lock:
            self.asked.append(asked)
        answered = self._script(asked)
        if isinstance(answered, Exception):
            raise answered
        return _response(answered)

    def close(self) -> None:
        """Nothing is open."""


def _response(answered: Answered) -> requests.Response:
    response = requests.Response()
    response.status_code = answered.status
    response.headers = CaseInsensitiveDict(answered.headers)
    body = answered.body
    response._content = body if isinstance(body, bytes) else orjson.dumps(body)
    return response


class Apple:
    """A client and what it asked."""

    def __init__(self, script: Script, **options: Any) -> None:
        self.adapter = ScriptedAdapter(script)
        self.slept: list[float] = []
        session = requests.Session()
        session.mount("https://", self.adapter)
        settings = {
            "base_url": BASE_URL,
            "stoken": STOKEN,
            "session": session,
            "pacer": LocalPacer(1_000_000),
            "sleep": self.slept.append,
        }
        self.client = AppleClient(**{**settings, **options})

    @property
    def asked(self) -> list[Asked]:
        return self.adapter.asked


def in_turn(*answers: Answered | Exception) -> Script:
    """One answer after the other, the last one for ever."""
    left = list(answers)
    return lambda asked: left.pop(0) if len(left) > 1 else left[0]


def error(number: int, status: int = 400, **headers: str) -> Answered:
    return Answered({"errorNumber": number, "errorMessage": "As Apple says."}, status, headers)


def list_page(
    key: str, items: list[Any], *, index: int = 0, total: int = 1, version: str = "v1"
) -> Answered:
    body = {
        key: items,
        "currentPageIndex": index,
        "size": len(items),
        "totalPages": total,
        "versionId": version,
        "uId": "2049025000431439",
        "tokenExpirationDate": "2027-05-01T10:11:12+0000",
    }
    if index + 1 < total:
        body["nextPageIndex"] = index + 1
    return Answered(body)


def serials(*names: str) -> list[dict[str, str]]:
    return [{"adamId": "361309726", "pricingParam": "STDQ", "serialNumber": n} for n in names]
