"""In which organization the code at hand works: the second wall stands around it in the database.

`organizations/access.py` and `organizations/api/doors.py` are the first wall: they decide what an
admin may see. This one only makes sure that a filter forgotten behind it finds nothing of a
neighbour: every statement of the application's role sees the rows of the organization named here,
and none where none is named (organizations/walls.py has the policies).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar, cast

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scope:
    """`organization` may be read and written; a few tables of those `among` may be read as well."""

    organization: int | None = None
    among: tuple[int, ...] = ()


NOWHERE = Scope()
_scope: ContextVar[Scope] = ContextVar("organizations.tenancy", default=NOWHERE)


def current() -> Scope:
    return _scope.get()


@contextmanager
def inside(organization_id: int | None) -> Iterator[None]:
    """Work in one organization; with None, nothing of any organization is seen."""
    token = _scope.set(Scope(organization_id))
    try:
        yield
    finally:
        _scope.reset(token)


@contextmanager
def among(organization_ids: Iterable[int]) -> Iterator[None]:
    """Read, beside the organization at hand, what the overview over several shows of these."""
    token = _scope.set(Scope(_scope.get().organization, tuple(organization_ids)))
    try:
        yield
    finally:
        _scope.reset(token)


def enter(organization_id: int | None) -> None:
    """The rest of this request is about one organization: also what is rendered after the view."""
    _scope.set(Scope(organization_id))


def leave() -> None:
    """The door stayed shut: whatever answers now sees nothing of any organization."""
    _scope.set(NOWHERE)


class TenancyMiddleware:
    """Every request begins nowhere; a door enters. What it streams is made in its organization."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        before = _scope.get()
        _scope.set(NOWHERE)
        try:
            response = self.get_response(request)
            if response.streaming:
                streamed = cast("StreamingHttpResponse", response)
                streamed.streaming_content = each_inside(
                    iter(cast("Iterable[bytes]", streamed.streaming_content)), _scope.get()
                )
        finally:
            _scope.set(before)
        return response


def each_inside(chunks: Iterator[T], scope: Scope) -> Iterator[T]:
    """Scope by scope and not around it all: between two chunks the thread may serve somebody else."""
    while True:
        token = _scope.set(scope)
        try:
            chunk = next(chunks, None)
        finally:
            _scope.reset(token)
        if chunk is None:
            return
        yield chunk
