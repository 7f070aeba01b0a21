"""/api/v1/docs: the OpenAPI description as a page of the product, for people.

Made on the server from the same description that programs read, so it works without JavaScript,
in light and dark, and under the strict content policy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from organizations.api.openapi import openapi

METHOD_COLOURS = {"GET": "info", "POST": "success", "PUT": "warning", "DELETE": "danger"}
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Field:
    """One row of a table: a parameter, or a field of a body. `name` is dotted where it is nested."""

    name: str
    type: str
    note: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[Field]
    body: list[Field]
    body_types: list[str]
    status: str
    answer: list[Field]
    answers_list: bool
    example: str  # for a shell
    example_answer: str

    @property
    def colour(self) -> str:
        return METHOD_COLOURS[self.method]


@require_safe
@gzip_page
def docs(request: HttpRequest) -> HttpResponse:
    return render(request, "api/docs.html", {"groups": described()})


@cache
def described() -> dict[str, list[Operation]]:
    """All operations by tag, in the order of the addresses."""
    schema = openapi()
    groups: dict[str, list[Operation]] = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            made = _operation(path, method, operation, schema)
            groups.setdefault(operation["tags"][0], []).append(made)
    return groups


def _operation(path: str, method: str, raw: dict[str, Any], schema: dict[str, Any]) -> Operation:
    bodies = raw.get("requestBody", {}).get("content", {})
    status, answer = next(item for item in raw["responses"].items() if item[0].startswith("2"))
    shape = answer.get("content", {}).get(JSON, {}).get("schema", {})
    # The form has all the fields of the JSON body, and the file.
    fullest = bodies.get("multipart/form-data") or bodies.get(JSON) or {}
    return Operation(
        id=raw["operationId"],
        method=method.upper(),
        path=path,
        summary=raw["summary"],
        description=raw["description"] if raw["description"] != raw["summary"] else "",
        parameters=[_parameter(parameter) for parameter in raw.get("parameters", [])],
        body=list(_fields(fullest.get("schema", {}), schema)),
        body_types=list(bodies),
        status=f"{status} {HTTPStatus(int(status)).phrase}",
        answer=list(_fields(shape, schema)),
        answers_list=shape.get("type") == "array",
        example=_curl(path, method, raw),
        example_answer=_told(answer.get("content", {}).get(JSON, {})),
    )


def _curl(path: str, method: str, raw: dict[str, Any]) -> str:
    """The request as somebody would send it, with the example's values in the address."""
    for parameter in raw.get("parameters", []):
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", str(parameter["example"]))
    lines = [f'curl "{settings.BASE_URL}/api/v1{path}"', '  -H "Authorization: Bearer $API_KEY"']
    if method != "get":
        lines.insert(1, f"  -X {method.upper()}")
    contents = raw.get("requestBody", {}).get("content", {})
    if body := _told(contents.get(JSON, {})):
        lines += ['  -H "Content-Type: application/json"', f"  -d '{body}'"]
    elif contents:
        lines.append('  -F "file=@…"')
    return " \\\n".join(lines)


def _told(content: dict[str, Any]) -> str:
    examples = content.get("examples")
    if not examples:
        return ""
    return json.dumps(examples["example"]["value"], indent=2, ensure_ascii=False)


def _parameter(raw: dict[str, Any]) -> Field:
    place = {"path": "in the address", "query": "in the query", "header": "header"}[raw["in"]]
    return Field(
        name=raw["name"],
        type=f"{_type(raw['schema'])}, {place}",
        note=raw.get("description", ""),
        required=raw.get("required", False),
    )


def _fields(shape: dict[str, Any], schema: dict[str, Any], prefix: str = "") -> Iterator[Field]:
    """The fields of an object, those of its objects after them with dotted names."""
    shape = _resolved(shape, schema)
    if shape.get("type") == "array":
        shape = _resolved(shape["items"], schema)
    for name, raw in shape.get("properties", {}).items():
        inner = _resolved(raw, schema)
        note = raw.get("description") or inner.get("description", "")
        note = note.partition("* `")[0].strip()  # the choices, which the type names already
        yield Field(prefix + name, _type(inner), note, name in shape.get("required", ()))
        deeper = _resolved(inner.get("items", inner), schema)
        if "properties" in deeper:
            step = "[]." if inner.get("type") == "array" else "."
            yield from _fields(deeper, schema, f"{prefix}{name}{step}")


def _resolved(shape: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Follow `$ref`, also where it stands alone in `allOf` or `oneOf`."""
    for several in ("allOf", "oneOf"):
        if several in shape:
            shape = shape[several][0]
    if "$ref" in shape:
        found: dict[str, Any] = schema["components"]["schemas"][shape["$ref"].rsplit("/", 1)[1]]
        return found
    return shape


def _type(shape: dict[str, Any]) -> str:
    kinds = shape.get("type", "object")
    words = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if words == "array":
        words = "list of " + _type(shape["items"]) if "type" in shape["items"] else "list"
    if choices := [str(choice) for choice in shape.get("enum", ()) if choice not in (None, "")]:
        words += f": {', '.join(choices)}"
    if "minimum" in shape and "maximum" in shape and "default" in shape:
        words += f" from {shape['minimum']} to {shape['maximum']}, default {shape['default']}"
    return words
