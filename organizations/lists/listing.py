"""What one page shows of a set of rows, read from the address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import tzinfo
from functools import cached_property
from typing import Any, ClassVar, Generic

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from organizations.lists.columns import Column, Header
from organizations.lists.counting import Total, capped_count
from organizations.lists.export import csv_response
from organizations.lists.filters import FilterField, filter_fields, problems
from organizations.lists.keyset import Cursor, Ordering, Page, Row, iter_chunks, read_page
from organizations.lists.segments import Segments

SIZES = (25, 50, 100, 250)
DEFAULT_SIZE = 50
PLACE = ("after", "format")  # where in the list we are; gone when the list itself changes
ORDER = ("sort", "size")


class Listing(Generic[Row]):
    """Subclasses say what is listed; an instance is one state of the list.

    It is made of parameters and not of a request, so that "all that match" can be rebuilt later
    from the same address (`filtered`).
    """

    template: ClassVar[str]
    columns: ClassVar[tuple[Column, ...]]
    export: ClassVar[dict[str, Callable[[Any], object]]] = {}
    filterset: ClassVar[Any] = None
    default_sort: ClassVar[str]
    # Ordered by before and after what the reader chose; `unique` settles every tie.
    grouped_by: ClassVar[Ordering] = ()
    unique: ClassVar[Ordering] = ("pk",)
    counted_column: ClassVar[str] = "pk"
    id: ClassVar[str] = "list"
    noun: ClassVar[tuple[str, str]] = ("row", "rows")
    # Parameters whose controls the page draws itself, inside the filter form.
    drawn: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        params: QueryDict,
        queryset: QuerySet[Any, Any] | Segments,
        *,
        known_total: Total | None = None,
    ) -> None:
        """`known_total` is the number of rows without any filter, where it is known already."""
        self.params = params
        self.unfiltered: Any = queryset
        self.known_total = known_total

    # --- The rows ---------------------------------------------------------------------------------

    @cached_property
    def filters(self) -> Any:
        if self.filterset is None:
            return None
        return self.filterset(self.params, queryset=self.unfiltered, **self.filter_arguments())

    def filter_arguments(self) -> dict[str, Any]:
        """What the filter set needs to know beyond the address."""
        return {}

    @cached_property
    def filtered(self) -> Any:
        """Every row that matches, on all pages."""
        return self.filters.qs if self.filters else self.unfiltered

    @cached_property
    def page(self) -> Page[Any]:
        cursor = Cursor.decode(self.params.get("after", ""), self.ordering)
        return read_page(self.filtered, self.ordering, size=self.size, cursor=cursor)

    @cached_property
    def rows(self) -> list[Row]:
        return self.dress(self.page.rows)

    def dress(self, rows: list[Any]) -> list[Row]:
        """Rows as read → rows as shown: the place to load what only the shown ones need."""
        return rows

    @cached_property
    def total(self) -> Total:
        if self.page.is_everything and self.page.start == 0:
            return Total(len(self.page.rows))
        if self.known_total is not None and not self.is_filtered:
            return self.known_total
        return capped_count(self.filtered, self.counted_column)

    # --- What the address says --------------------------------------------------------------------

    @cached_property
    def sort(self) -> str:
        wanted = self.params.get("sort", "")
        known = {column.name for column in self.columns if column.sort}
        return wanted if wanted.removeprefix("-") in known else self.default_sort

    @cached_property
    def ordering(self) -> Ordering:
        name = self.sort.removeprefix("-")
        chosen = next(column.sort for column in self.columns if column.name == name)
        terms = tuple(_flipped(t) for t in chosen) if self.sort.startswith("-") else chosen
        every = (*self.unique[::-1], *terms[::-1], *self.grouped_by[::-1])
        return tuple({term.removeprefix("-"): term for term in every}.values())[::-1]

    @cached_property
    def size(self) -> int:
        wanted = self.params.get("size", "")
        return next((size for size in SIZES if str(size) == wanted), DEFAULT_SIZE)

    @property
    def wants_csv(self) -> bool:
        return self.params.get("format") == "csv"

    @cached_property
    def is_filtered(self) -> bool:
        return any(self.params.get(name) for name in self._filter_names)

    @cached_property
    def _filter_names(self) -> tuple[str, ...]:
        return tuple(self.filters.form.fields) if self.filters else ()

    # --- What the template shows ------------------------------------------------------------------

    @cached_property
    def filter_fields(self) -> list[FilterField]:
        return filter_fields(self.filters.form) if self.filters else []

    @cached_property
    def problems(self) -> list[str]:
        return problems(self.filters.form) if self.filters else []

    @cached_property
    def headers(self) -> list[Header]:
        return [self._header(column) for column in self.columns]

    def _header(self, column: Column) -> Header:
        if not column.sort:
            return Header(column)
        up, down = column.name, f"-{column.name}"
        direction = {up: "ascending", down: "descending"}.get(self.sort, "")
        other = {up: down, down: up}.get(self.sort, down if column.numeric else up)
        return Header(column, self.address(sort=other), direction)

    @cached_property
    def sizes(self) -> list[tuple[int, str, bool]]:
        return [(size, self.address(size=str(size)), size == self.size) for size in SIZES]

    @property
    def next_url(self) -> str:
        return self._place(self.page.next)

    @property
    def previous_url(self) -> str:
        return self._place(self.page.previous)

    @property
    def first_url(self) -> str:
        return self.address() if self.page.previous else ""

    def _place(self, cursor: Cursor | None) -> str:
        return self.address(after=cursor.encode(self.ordering)) if cursor else ""

    @property
    def counted(self) -> str:
        """“51 to 100 of 10,000+ devices”, “1 title”, “no title”."""
        rows, (one, many) = len(self.page.rows), self.noun
        if self.page.is_everything and self.page.start == 0:
            return {0: f"No {one}", 1: f"1 {one}"}.get(rows, f"{self.total} {many}")
        first, last = self.page.start + 1, self.page.start + rows
        return f"{intcomma(first)} to {intcomma(last)} of {self.total} {many}"

    @property
    def csv_url(self) -> str:
        return self.address(format="csv") if self.export else ""

    @property
    def more_exports(self) -> list[tuple[str, str]]:
        """Label and address of downloads beside the CSV."""
        return []

    @property
    def here_url(self) -> str:
        """This very page of the list, to load it again."""
        return self.address(after=self.params.get("after", ""))

    @property
    def reset_url(self) -> str:
        return self.address(**dict.fromkeys(self._filter_names, ""))

    @property
    def kept(self) -> list[tuple[str, str]]:
        """Parameters of the page around the list, that its filter form must carry along."""
        ours = {*PLACE, *ORDER, *self.drawn, *self._filter_names}
        return [(name, self.params.get(name, "")) for name in self.params if name not in ours]

    @property
    def order_kept(self) -> list[tuple[str, str]]:
        return [(name, value) for name in ORDER if (value := self.params.get(name))]

    def address(self, **changes: str) -> str:
        """The same list with some parameters changed, from its beginning; "" drops one."""
        query = self.params.copy()
        for name in PLACE:
            query.pop(name, None)
        for name, value in changes.items():
            query[name] = value
        for name in [name for name in query if not query[name]]:
            del query[name]
        return f"?{query.urlencode()}"

    # --- CSV --------------------------------------------------------------------------------------

    def csv_response(self, name: str, *, zone: tzinfo) -> StreamingHttpResponse:
        return csv_response(name, list(self.export), self._export_chunks(), zone=zone)

    def _export_chunks(self) -> Iterator[list[list[object]]]:
        for rows in iter_chunks(self.filtered, self.ordering):
            yield [[of(row) for of in self.export.values()] for row in self.dress(rows)]


def _flipped(term: str) -> str:
    return term.removeprefix("-") if term.startswith("-") else f"-{term}"


def render_listing(
    request: HttpRequest, listing: Listing[Any], page: str, context: dict[str, Any] | None = None
) -> HttpResponse:
    """The whole page, or only the list where htmx asked for a change of it."""
    only_list = wants_only_list(request, listing)
    template = listing.template if only_list else page
    response = render(request, template, {"listing": listing, **(context or {})})
    patch_vary_headers(response, ["HX-Request"])
    address = (request.path + listing.here_url).removesuffix("?")
    if only_list and address != request.htmx.current_url_abs_path:  # type: ignore[attr-defined]
        response["HX-Push-Url"] = address
    return response


def wants_only_list(request: HttpRequest, listing: Listing[Any]) -> bool:
    htmx = getattr(request, "htmx", None)
    return bool(htmx and htmx.target == listing.id and not htmx.history_restore_request)
