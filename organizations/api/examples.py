"""Examples for every operation of the OpenAPI description, made from the names of its fields.

Nobody has to write one, and none can be out of date: tests/api/test_openapi.py holds each to its
schema. A text whose name says nothing yet gets its word in
`VALUES` (example_values.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from organizations.api.example_values import MOMENT, NEVER_KNOWN, OF_BODY, VALUES

JSON = "application/json"
UNNAMED = "text"

Schema = dict[str, Any]

# Of requests: what is sent only in the place of something else.
LEFT_OUT = {"planId", "mdmId", "dryRun", "takeOver", "confirmIrrevocable", "file"}
BY_FORMAT = {
    "date-time": MOMENT,
    "date": "2026-11-23",
    "email": "ann.lee@example.org",
    "uri": "https://vpp.example.org/organizations/1/",
    "uuid": "b7f2c1d4-8a53-4e0f-9c66-1f0a2d3e4b5c",
}
BY_END = {"Id": "12", "At": MOMENT}
SOME = 3
TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}


def add_examples(
    result: Schema, generator: object, request: object, public: bool
) -> Schema:  # a hook of drf-spectacular
    maker = Maker(result.get("components", {}).get("schemas", {}))
    for operation in _operations(result):
        for parameter in operation.get("parameters", ()):
            if parameter["in"] != "header":
                parameter["example"] = maker.parameter(parameter)
        sent = operation.get("requestBody", {}).get("content", {}).get(JSON)
        if sent:
            sent["examples"] = {"example": {"value": maker.of(sent["schema"], is_sent=True)}}
        for answer in operation["responses"].values():
            given = answer.get("content", {}).get(JSON)
            if given:
                given["examples"] = {"example": {"value": maker.of(given["schema"])}}
    return result


def _operations(result: Schema) -> Iterator[Schema]:
    for path in result["paths"].values():
        yield from path.values()


class Maker:
    def __init__(self, components: dict[str, Schema]) -> None:
        self.components = components

    def parameter(self, parameter: Schema) -> Any:
        return self.of(parameter["schema"], name=parameter["name"].removesuffix("[]"))

    def of(self, schema: Schema, *, name: str = "", body: str = "", is_sent: bool = False) -> Any:
        """A value of this schema for the field `name` of the component `body`."""
        schema, body = self._resolved(schema, body)
        if schema.get("examples"):
            return schema["examples"][0]
        known = OF_BODY.get((body, name), VALUES.get(name, ...))
        if known is not ... and fits(known, schema):
            return known
        if "enum" in schema:
            return next(choice for choice in schema["enum"] if choice is not None)
        kind = _kind(schema)
        if kind == "object":
            return self._object(schema, body, is_sent=is_sent)
        if kind == "array" and name in NEVER_KNOWN:
            return []
        if kind == "array":
            singular = name.removesuffix("[]").removesuffix("s")
            return [self.of(schema["items"], name=singular, body=body, is_sent=is_sent)]
        return _plain(schema, kind, name)

    def _object(self, schema: Schema, body: str, *, is_sent: bool) -> dict[str, Any]:
        fields = schema.get("properties", {})
        return {
            name: self.of(field, name=name, body=body, is_sent=is_sent)
            for name, field in fields.items()
            if not (is_sent and (name in LEFT_OUT or field.get("readOnly")))
        }

    def _resolved(self, schema: Schema, body: str) -> tuple[Schema, str]:
        for several in ("allOf", "oneOf", "anyOf"):
            if several in schema:
                return self._resolved(schema[several][0], body)
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            return self._resolved(self.components[name], name)
        return schema, body


def fits(value: Any, schema: Schema) -> bool:
    """As far as types and choices say; bool is no integer."""
    if "enum" in schema:
        return value in schema["enum"]
    if isinstance(value, bool):
        return "boolean" in _kinds(schema)
    if isinstance(value, list) and value:
        return "array" in _kinds(schema) and fits(value[0], schema.get("items", {}))
    return any(isinstance(value, TYPES[kind]) for kind in _kinds(schema))


def _kinds(schema: Schema) -> list[str]:
    kinds = schema.get("type", "object")
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _kind(schema: Schema) -> str:
    return next(kind for kind in _kinds(schema) if kind != "null")


def _plain(schema: Schema, kind: str, name: str) -> Any:
    if "default" in schema:
        return schema["default"]
    if kind == "boolean":
        return True
    if kind in ("integer", "number"):
        return max(schema.get("minimum", 0), min(SOME, schema.get("maximum", SOME)))
    if name in NEVER_KNOWN:
        return ""
    nothing = None if "null" in _kinds(schema) else UNNAMED
    by_name = next((value for end, value in BY_END.items() if name.endswith(end)), nothing)
    return BY_FORMAT.get(schema.get("format", ""), by_name)
