"""Pages by key, as Meraki's: perPage, startingAfter, endingBefore, and where to go on in `Link`.

A page starts after a key, not at a number: it costs the same at the first and the thousandth page,
and rows that come or go meanwhile move nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from organizations.api import parameters
from organizations.api.parameters import BadParameter

PREFIX = "/api/v1"
# In `endingBefore`: the last page, whatever its keys are.
END = "end"
LARGEST_ID = 2**63 - 1


class Tokens(Protocol):
    """Primary keys as texts for `startingAfter` and back."""

    def write(self, row: Any) -> str: ...

    def read(self, name: str, token: str) -> Any: ...


class IdTokens:
    """The token of a row is its id."""

    def write(self, row: Any) -> str:
        return str(row["pk"] if isinstance(row, dict) else row.pk)

    def read(self, name: str, token: str) -> int:
        if not (token.isascii() and token.isdigit() and len(token) < 20):
            raise BadParameter(name, "must be an id as this list gives it")
        return min(int(token), LARGEST_ID)


IDS = IdTokens()
Shape = Callable[[list[Any]], Iterable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class PageSize:
    default: int
    largest: int
    smallest: int = 3

    def of(self, request: Request) -> int:
        return parameters.whole_number(
            request,
            "perPage",
            default=self.default,
            smallest=self.smallest,
            largest=self.largest,
        )


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Any]
    previous: str  # the token before which the previous page ends, "" when this is the first
    next: str  # the token after which the next page starts, "" when this is the last


def read_page(
    request: Request,
    rows: QuerySet[Any, Any],
    *,
    size: PageSize,
    tokens: Tokens,
    newest_first: bool = False,
) -> Page:
    """One page of `rows` in the order of their primary key; one statement."""
    limit = size.of(request)
    after, before = (
        parameters.text(request, "startingAfter"),
        parameters.text(request, "endingBefore"),
    )
    if after and before:
        raise BadParameter("startingAfter", "and “endingBefore” exclude each other")
    ahead, behind = ("pk__lt", "pk__gt") if newest_first else ("pk__gt", "pk__lt")
    if after:
        rows = rows.filter(**{ahead: tokens.read("startingAfter", after)})
    elif before and before != END:
        rows = rows.filter(**{behind: tokens.read("endingBefore", before)})
    descending = newest_first != bool(before)
    found = list(rows.order_by("-pk" if descending else "pk")[: limit + 1])
    more, found = len(found) > limit, found[:limit]
    if before:
        found.reverse()
    earlier, later = (more, before != END) if before else (bool(after), more)
    return Page(
        rows=found,
        previous=tokens.write(found[0]) if found and earlier else "",
        next=tokens.write(found[-1]) if found and later else "",
    )


def listed(
    request: Request,
    rows: QuerySet[Any, Any],
    *,
    size: PageSize,
    shape: Shape,
    tokens: Tokens = IDS,
    newest_first: bool = False,
) -> HttpResponseBase:
    """The answer of a list: one page of it as JSON. `shape` makes the entries of a page's rows, so
    what all of them need is read once."""
    page = read_page(request, rows, size=size, tokens=tokens, newest_first=newest_first)
    return Response(list(shape(page.rows)), headers={"Link": _link_header(request, page)})


def each(entry: Callable[[Any], dict[str, Any]]) -> Shape:
    """The shape of lists whose entries need nothing but their own row."""
    return lambda rows: map(entry, rows)


def _link_header(request: Request, page: Page) -> str:
    ways = {
        "first": {},
        "prev": {"endingBefore": page.previous},
        "next": {"startingAfter": page.next},
    }
    targets = {
        relation: _target(request, way) for relation, way in ways.items() if all(way.values())
    }
    targets["last"] = _target(request, {"endingBefore": END})
    return ", ".join(f"<{target}>; rel={relation}" for relation, target in targets.items())


def _target(request: Request, way: dict[str, str]) -> str:
    query = request.query_params.copy()
    for name in ("startingAfter", "endingBefore"):
        query.pop(name, None)
    query.update(way)
    tail = f"?{query.urlencode()}" if query else ""
    return f"{_base(request)}{tail}"


def _base(request: Request) -> str:
    """The meraki SDK puts its own base URL before every target: it gets one without ours."""
    if request.headers.get("User-Agent", "").startswith("python-meraki/"):
        return request.path.removeprefix(PREFIX)
    return f"{settings.BASE_URL}{request.path}"
