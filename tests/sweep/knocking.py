"""Who knocks, and what they are told: every answer is looked through for what they may not see."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

import structlog
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client

# What they are. Those of one organization first; who has a key comes with the same names.
FULL, READER, NAMED, ALLOWED, APART = "full", "reader", "named", "allowed", "apart"
INVITED, OUTSIDER, BORROWER, NOBODY = "invited", "outsider", "borrower", "nobody"
READ_ONLY_KEY, KEY_ELSEWHERE = "read-only key", "key for another organization"
# Sessions that came through an organization's single sign-on: theirs, and another one's.
LIMITED, LIMITED_ELSEWHERE = "limited", "limited to another organization"

# What became of a knock.
IN, SIGN_IN = "in", "sign in"
FORBIDDEN, NOT_FOUND, NO_SUCH_METHOD = "forbidden", "not found", "no such method"
REFUSED = {403: FORBIDDEN, 404: NOT_FOUND, 405: NO_SUCH_METHOD}

LOGIN = "Location: /accounts/login/"
PASSED = {200, 201, 202, 204, 302, 303, 400, 409, 415, 422, 503}
READING = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: str
    body: str
    log: str

    @property
    def verdict(self) -> str:
        """What became of the knock, in a word."""
        if self.status == 401 or (self.status == 302 and LOGIN in self.headers):
            return SIGN_IN
        return IN if self.status in PASSED else REFUSED.get(self.status, f"status {self.status}")


@dataclass(frozen=True)
class Knocker:
    """Somebody at a door, and whose rows they ask for."""

    who: str
    rows: dict[str, Any]
    hidden: tuple[str, ...]  # must not turn up in anything that they are told
    cookies: dict[str, str] = field(default_factory=dict)
    key: str = ""

    def __str__(self) -> str:
        return f"{self.who} with a key" if self.key else self.who

    def ask(self, method: str, url: str, sent: dict[str, Any] | None = None) -> Answer:
        """Each time as if for the first time: neither cookies nor counted tries are left behind."""
        cache.clear()
        client = Client(headers={"Authorization": f"Bearer {self.key}"} if self.key else None)
        client.cookies = SimpleCookie(self.cookies)
        is_rest = url.startswith("/api/")
        kind = "application/json" if is_rest else "application/x-www-form-urlencoded"
        body = json.dumps(sent or {}) if is_rest else urlencode(sent or {}, doseq=True)
        with logged() as lines:
            response = client.generic(
                method, url, "" if method in READING else body, content_type=kind
            )
            content = body_of(response)
        headers = "\n".join(f"{name}: {value}" for name, value in response.items())
        headers += response.cookies.output(header="\nSet-Cookie:")
        return Answer(response.status_code, headers, content, "\n".join(lines))


def body_of(response: HttpResponse) -> str:
    parts: Iterable[bytes] = (
        response.streaming_content if response.streaming else [response.content]
    )
    return b"".join(parts).decode(errors="replace")


def seen_in(answer: Answer, words: Iterable[str]) -> list[str]:
    """Which of these words the answer tells, and where."""
    places = {"headers": answer.headers, "body": answer.body, "log": answer.log}
    lowered = {place: text.lower() for place, text in places.items()}
    return [
        f"{word} in {at}" for at, text in lowered.items() for word in words if word.lower() in text
    ]


class _Lines(logging.Handler):
    """The log as production writes it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        handlers = logging.getLogger().handlers
        formatters = (handler.formatter for handler in handlers)
        self.formatter = next(
            each for each in formatters if isinstance(each, structlog.stdlib.ProcessorFormatter)
        )

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@contextmanager
def logged() -> Iterator[list[str]]:
    """And nowhere else: thousands of requests would bury what a failing test has to say."""
    root, handler = logging.getLogger(), _Lines()
    others, root.handlers = root.handlers, [handler]
    try:
        yield handler.lines
    finally:
        root.handlers = others
