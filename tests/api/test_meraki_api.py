"""Our description of the API agrees with Meraki's facts, for every operation of theirs that we serve.

`meraki_operations.json` holds them: addresses, statuses, parameters, ranges, names and types.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FACTS: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "meraki_operations.json").read_text()
)
THEIRS = pytest.mark.parametrize("name", FACTS)
RANGE = ("minimum", "maximum", "default")


@pytest.fixture
def ours(name: str, openapi: dict[str, Any]) -> dict[str, Any]:
    path = openapi["paths"].get(FACTS[name]["path"], {})
    assert FACTS[name]["method"] in path, f"nothing answers {FACTS[name]['path']}"
    return path[FACTS[name]["method"]]


@THEIRS
def test_an_operation_has_merakis_name_and_status(name: str, ours: dict[str, Any]) -> None:
    assert ours["operationId"] == name
    assert str(FACTS[name]["status"]) in ours["responses"]


@THEIRS
def test_an_operation_takes_merakis_parameters(
    name: str, ours: dict[str, Any], openapi: dict[str, Any]
) -> None:
    known = {each["name"]: each["schema"] for each in ours.get("parameters", ())}
    wanted = FACTS[name].get("query", {})

    missing = set(wanted) - set(known)
    differing = [
        (parameter, fact, known[parameter])
        for parameter, fact in wanted.items()
        if parameter not in missing and not fits(known[parameter], fact, openapi)
    ]

    assert (missing, differing) == (set(), [])


@THEIRS
def test_pages_are_as_large_as_merakis(name: str, ours: dict[str, Any]) -> None:
    fact = FACTS[name].get("query", {}).get("perPage")
    known = {each["name"]: each["schema"] for each in ours.get("parameters", ())}

    found = {limit: known["perPage"].get(limit) for limit in RANGE} if fact else None

    assert found == (fact and {limit: fact.get(limit) for limit in RANGE})


@THEIRS
def test_an_operation_takes_merakis_body(
    name: str, ours: dict[str, Any], openapi: dict[str, Any]
) -> None:
    wanted = FACTS[name].get("body")
    body = ours.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")

    assert not wanted or list(differences(body or {}, wanted, openapi, "body")) == []


@THEIRS
def test_an_answer_has_every_field_of_merakis(
    name: str, ours: dict[str, Any], openapi: dict[str, Any]
) -> None:
    wanted = FACTS[name].get("answer")
    content = ours["responses"][str(FACTS[name]["status"])].get("content", {})
    schema = content.get("application/json", {}).get("schema", {})

    assert not wanted or list(differences(schema, wanted, openapi, "answer")) == []


# --- Comparing two schemas ------------------------------------------------------------------------


def differences(
    schema: dict[str, Any], fact: dict[str, Any], openapi: dict[str, Any], where: str
) -> Iterator[str]:
    """Sentences about what is missing or of another type. What we have beside is ours."""
    found = resolved(schema, openapi)
    if not fits(found, fact, openapi):
        yield f"{where}: {fact['type']} in Meraki's, {sorted(types_of(found, openapi))} in ours"
        return
    for branch in branches(found, openapi):
        for name, inner in fact.get("properties", {}).items():
            if "properties" in branch and name not in branch["properties"]:
                yield f"{where}.{name} is missing"
            elif "properties" in branch:
                yield from differences(
                    branch["properties"][name], inner, openapi, f"{where}.{name}"
                )
        if "items" in fact and "items" in branch:
            yield from differences(branch["items"], fact["items"], openapi, f"{where}[]")


def fits(schema: dict[str, Any], fact: dict[str, Any], openapi: dict[str, Any]) -> bool:
    """Whether a value of Meraki's type may stand there; a null beside it may, too."""
    types = types_of(schema, openapi)
    return fact["type"] in types or (fact["type"] == "number" and "integer" in types)


def types_of(schema: dict[str, Any], openapi: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    for branch in branches(schema, openapi):
        kind = branch.get("type", [])
        found |= {kind} if isinstance(kind, str) else set(kind)
        found |= {"string"} if "enum" in branch and not kind else set()
    return found


def branches(schema: dict[str, Any], openapi: dict[str, Any]) -> Iterator[dict[str, Any]]:
    schema = resolved(schema, openapi)
    inner = [each for word in ("oneOf", "anyOf", "allOf") for each in schema.get(word, ())]
    if not inner:
        yield schema
    for each in inner:
        yield from branches(each, openapi)


def resolved(schema: dict[str, Any], openapi: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = openapi["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema
