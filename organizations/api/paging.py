"""Pages by key, as Meraki's: perPage, startingAfter, endingBefore, and where to go on in `Link`.

A page starts after a key, not at a number: it costs the same at the first and the thousandth page,
and rows that come or go meanwhile move nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from django.conf import settings
from django.db.models import F, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from organizations.api import csv_answers, parameters
from organizations.api.parameters import BadParameter

PREFIX = "/api/v1"
# In `endingBefore`: the last page, whatever its keys are.
END = "end"
OF_A_PAGE = ("perPage", "startingAfter", "endingBefore")
MOST_AT_ONCE = 1000
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
    if after:
        rows = beyond(rows, tokens.read("startingAfter", after), downwards=newest_first)
    elif before and before != END:
        rows = beyond(rows, tokens.read("endingBefore", before), downwards=not newest_first)
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


def beyond(rows: QuerySet[Any, Any], key: Any, *, downwards: bool) -> QuerySet[Any, Any]:
    """Of a key of several columns, the first is what the list is of: PostgreSQL finds its place in the
    index only where that is an equation, and the comparison is one of the others alone."""
    if not isinstance(key, tuple):
        return rows.filter(**{"pk__lt" if downwards else "pk__gt": key})
    first, *others = rows.model._meta.pk.field_names
    compare = TupleLessThan if downwards else TupleGreaterThan
    return rows.filter(compare(Tuple(*map(F, others)), key[1:]), **{first: key[0]})


def read_all(
    rows: QuerySet[Any, Any], *, size: PageSize, tokens: Tokens, newest_first: bool = False
) -> Iterator[list[Any]]:
    """Page after page, so that millions of rows need no more memory than one page."""
    limit = min(size.largest, MOST_AT_ONCE)
    rows = rows.order_by("-pk" if newest_first else "pk")
    found = list(rows[:limit])
    while found:
        yield found
        last = tokens.read("startingAfter", tokens.write(found[-1]))
        rest = beyond(rows, last, downwards=newest_first)
        found = list(rest[:limit]) if len(found) == limit else []


def listed(
    request: Request,
    rows: QuerySet[Any, Any],
    *,
    size: PageSize,
    shape: Shape,
    tokens: Tokens = IDS,
    newest_first: bool = False,
) -> HttpResponseBase:
    """The answer of a list: one page of it, or as CSV the whole unless a page is asked for.

    `shape` makes the entries of a page's rows, so what all of them need is read once.
    """
    table = csv_answers.table_for(request)
    if table and not any(parameters.text(request, name) for name in OF_A_PAGE):
        found = rows.none() if request.method == "HEAD" else rows
        pages = read_all(found, size=size, tokens=tokens, newest_first=newest_first)
        return table.streamed(map(shape, pages))
    page = read_page(request, rows, size=size, tokens=tokens, newest_first=newest_first)
    return Response(list(shape(page.rows)), headers={"Link": link_header(request, page)})


def each(entry: Callable[[Any], dict[str, Any]]) -> Shape:
    """The shape of lists whose entries need nothing but their own row."""
    return lambda rows: map(entry, rows)


def link_header(request: Request, page: Page) -> str:
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
