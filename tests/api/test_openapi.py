"""The description of the API is complete, valid, and can be read by anybody."""

import re
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from jsonschema import Draft202012Validator

from organizations.api import docs
from organizations.api.examples import UNNAMED
from tests.api.routes import Route, routes

INLINE = re.compile(r"<style|style=|<script>|\son\w+=")


def test_the_schema_is_made_without_a_warning() -> None:
    call_command("spectacular", fail_on_warn=True, validate=True, stdout=StringIO())


def test_the_schema_is_readable_without_a_key(client: Client) -> None:
    answer = client.get("/api/v1/openapi.json", headers={"Accept": "text/html"})

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json()["openapi"].startswith("3.1")
    assert answer.json()["servers"] == [{"url": "http://127.0.0.1:8000/api/v1"}]
    assert set(answer.json()["components"]["securitySchemes"]) == {"bearer", "merakiHeader"}


def test_the_schema_is_sent_small_and_only_if_it_has_changed(client: Client) -> None:
    first = client.get("/api/v1/openapi.json", headers={"Accept-Encoding": "gzip"})

    known = {"If-None-Match": first.headers["ETag"], "Accept-Encoding": "gzip"}
    again = client.get("/api/v1/openapi.json", headers=known)

    assert (first.status_code, first.headers["Content-Encoding"]) == (200, "gzip")
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("route", routes(), ids=str)
def test_every_operation_is_described(route: Route, openapi: dict) -> None:
    described = openapi["paths"][route.template]

    assert set(described) == set(route.methods)
    for operation in described.values():
        assert operation["operationId"]
        assert operation["summary"]
        assert operation["tags"]
        assert operation["security"] == [{"bearer": []}, {"merakiHeader": []}]
        refused = operation["responses"]["4XX"]["content"]["application/json"]["schema"]
        assert refused == {"$ref": "#/components/schemas/Errors"}
        assert any(status.startswith("2") for status in operation["responses"])


@pytest.mark.parametrize("route", routes(), ids=str)
def test_every_post_can_be_repeated_safely(route: Route, openapi: dict) -> None:
    described = openapi["paths"][route.template]

    named = {
        method: "Idempotency-Key" in [each["name"] for each in operation.get("parameters", [])]
        for method, operation in described.items()
    }
    assert named == {method: method == "post" for method in route.methods}


def test_operation_ids_are_unique(openapi: dict) -> None:
    ids = [
        operation["operationId"]
        for path in openapi["paths"].values()
        for operation in path.values()
    ]

    assert len(ids) == len(set(ids))


def test_the_documentation_shows_every_operation_without_a_script(
    client: Client, openapi: dict
) -> None:
    page = client.get("/api/v1/docs")

    text = page.content.decode()
    assert page.status_code == 200
    for path in openapi["paths"].values():
        for operation in path.values():
            assert f'id="{operation["operationId"]}"' in text
    assert not INLINE.search(text)
    assert "unsafe" not in page.headers["Content-Security-Policy"]


def test_the_documentation_unfolds_bodies_and_answers() -> None:
    groups = docs.described()

    accounts = {operation.id: operation for operation in groups["VPP accounts"]}
    created = accounts["createOrganizationSmVppAccount"]
    assert (created.method, created.status) == ("POST", "201 Created")
    assert created.body_types == ["application/json", "multipart/form-data"]
    assert {"file", "contentToken"} < {field.name for field in created.body}
    assert docs.Field("parsedToken.expiresAt", "string", "", True) in created.answer
    assert [field.name for field in created.body if field.required] == ["name", "email"]


def test_the_documentation_says_what_a_page_size_may_be() -> None:
    [listing] = docs.described()["Assignments"]

    size = next(field for field in listing.parameters if field.name == "perPage")
    assert size.type == "integer from 3 to 1000, default 1000, in the query"


def examples(openapi: dict) -> Iterator[tuple[str, dict, Any]]:
    """What is meant, its schema, and the example."""
    for path in openapi["paths"].values():
        for operation in path.values():
            name = operation["operationId"]
            for parameter in operation.get("parameters", ()):
                if parameter["in"] != "header":
                    told = f"{name} {parameter['name']}"
                    yield told, parameter["schema"], parameter["example"]
            bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
            for body in bodies:
                if content := body.get("content", {}).get("application/json"):
                    yield name, content["schema"], content["examples"]["example"]["value"]


def test_every_example_fits_its_schema(openapi: dict) -> None:
    components = {"components": openapi["components"]}

    wrong = [
        (told, error.message)
        for told, schema, value in examples(openapi)
        for error in Draft202012Validator(schema | components).iter_errors(value)
    ]

    assert wrong == []


def test_every_text_of_an_example_says_something(openapi: dict) -> None:
    """A field that fails here wants its word in organizations/api/examples.py, VALUES."""
    unnamed = [told for told, _, value in examples(openapi) if UNNAMED in texts(value)]

    assert unnamed == []


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, str):
        yield value
