"""Lists as CSV for whoever says so in `Accept`: what JSON has, an entry a line.

The columns are those of the answer that the operation describes, so that they are the same whatever
is found. No byte order mark: programs take it for a part of the first column's name, and for people
there are the downloads of the pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date
from typing import Any

import orjson
from django.http import StreamingHttpResponse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from organizations import tenancy
from organizations.api.wire import FORMAT
from organizations.lists.export import defused, written

JSON, CSV = "application/json", "text/csv"
CONTENT_TYPE = f"{CSV}; charset=utf-8"
# Where `operation` leaves on a handler what it answers.
ANSWERS = "answers"

Row = Mapping[str, Any]
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """How the answer of one list looks as lines."""

    name: str
    paths: tuple[Path, ...]

    def lines(self, chunks: Iterable[Iterable[Row]]) -> Iterator[str]:
        labels = [".".join(path) for path in self.paths]
        return written(labels, (map(self._cells, rows) for rows in chunks))

    def streamed(self, chunks: Iterable[Iterable[Row]]) -> StreamingHttpResponse:
        """While it is sent, it is made where this was called: within one or among organizations."""
        lines = tenancy.each_inside(self.lines(chunks), tenancy.current())
        return StreamingHttpResponse(lines, content_type=CONTENT_TYPE, headers=self.headers)

    @property
    def headers(self) -> dict[str, str]:
        today = timezone.localdate(timezone=UTC)
        return {"Content-Disposition": f'attachment; filename="{self.name}-{today}.csv"'}

    def _cells(self, row: Row) -> list[object]:
        return [cell(_value(row, path)) for path in self.paths]


class CsvRenderer(BaseRenderer):
    """For lists that are read at once."""

    media_type = CSV
    format = "csv"
    charset = "utf-8"

    def __init__(self, table: Table) -> None:
        self.table = table

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> str:
        return "".join(self.table.lines([data]))


def table_for(request: Request) -> Table | None:
    """None where JSON is preferred, or where the answer is no list."""
    if not _prefers_csv(request):
        return None
    handler = getattr(request.parser_context["view"], "get", None)
    answer = getattr(handler, ANSWERS, {}).get(200)
    listed = getattr(answer, "response", answer)
    if not isinstance(listed, serializers.ListSerializer):
        return None
    return Table(name=_name(request.path), paths=tuple(_paths(listed.child)))


def choose(request: Request, response: Response) -> None:
    """Turn a list that was read at once into CSV where that is asked for."""
    table = table_for(request)
    if table and isinstance(response.data, list):
        response.accepted_renderer = CsvRenderer(table)
        response.accepted_media_type = CSV
        for name, value in table.headers.items():
            response[name] = value


def describe(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """For drf-spectacular: every list is there as CSV, too."""
    for methods in result["paths"].values():
        content = methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        shape = content.get(JSON, {}).get("schema", {})
        if shape.get("type") == "array" and "$ref" in shape["items"]:
            content[CSV] = {"schema": {"type": "string"}}
    return result


def cell(value: object) -> object:
    """As JSON says it; lists of words with spaces between them."""
    if isinstance(value, str):
        return defused(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return _json(value).strip('"')
    if isinstance(value, list | tuple) and all(isinstance(each, str | int) for each in value):
        return defused(" ".join(map(str, value)))
    return _json(value) if isinstance(value, list | tuple | dict) else value


def _prefers_csv(request: Request) -> bool:
    """Only where it is named: what stands for everything is JSON."""
    kinds = [f"{t.main_type}/{t.sub_type}".lower() for t in request._request.accepted_types]
    known = (kind for kind in kinds if kind in (CSV, "text/*", JSON, "application/*", "*/*"))
    return next(known, JSON).startswith("text/")


def _json(value: object) -> str:
    return orjson.dumps(value, option=FORMAT).decode()


def _value(row: Row, path: Path) -> object:
    found: Any = row
    for name in path:
        found = found.get(name) if found else None
    return found


def _paths(serializer: Any, before: Path = ()) -> Iterator[Path]:
    for name, field in serializer.fields.items():
        if isinstance(field, serializers.Serializer):
            yield from _paths(field, (*before, name))
        else:
            yield (*before, name)


def _name(address: str) -> str:
    """What is listed: the last part of the address that is no id."""
    return next(part for part in reversed(address.split("/")) if part and not part.isdigit())
