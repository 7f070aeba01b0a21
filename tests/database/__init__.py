"""One connection that plays all three roles, so that a test's transaction holds everything.

A test itself looks at every organization, as the system role. While the product serves a request,
runs a task or works inside an organization, the same connection is the application's role and held
by its policies (organizations/walls.py); what goes to the alias `system` is the system role's again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

_serving: ContextVar[bool] = ContextVar("tests.serving", default=False)
_sweeping: ContextVar[bool] = ContextVar("tests.sweeping", default=False)


def is_serving() -> bool:
    return _serving.get()


def is_sweeping() -> bool:
    return _sweeping.get()


@contextmanager
def serving(flag: ContextVar[bool] = _serving) -> Iterator[None]:
    """The product is at work, and not the test."""
    token = flag.set(True)
    try:
        yield
    finally:
        flag.reset(token)


class ServingMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with serving():
            return self.get_response(request)


class SystemConnection:
    """The alias `system`: the default connection, asked as the system role."""

    alias = "system"  # Django refuses to mix querysets of two databases

    def __init__(self, connection: Any) -> None:
        object.__setattr__(self, "connection", connection)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.connection, name, value)

    def cursor(self) -> Any:
        with serving(_sweeping):
            return self.connection.cursor()

    def chunked_cursor(self) -> Any:
        with serving(_sweeping):
            return self.connection.chunked_cursor()
