"""What docs/api.md tells programs to ask is there: every address, method and operation of the SDK."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from organizations.api import openapi
from organizations.webhooks import bodies

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs" / "api.md").read_text()
FENCED = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
# BATCH=$ACCOUNT/batches/17, also after `export`.
ASSIGNED = re.compile(r"\b([A-Z]+)=(\$?\w*(?:https://\S+?)?/\S*)")
ADDRESS = re.compile(r"\$([A-Z]+)(/[^\s\"'`?]*)?")
IN_PROSE = re.compile(r"`(?:(GET|POST|PUT|DELETE) )?\$([A-Z]+)(/[^\s`?]*)?`")
WITH_BODY = re.compile(
    r"\b(post|put) \$([A-Z]+)(/[^\s\"'?]*)? -d '(\{.*?\})'(?=\s|$)", re.DOTALL | re.MULTILINE
)
METHODS = {"api": "get", "post": "post", "put": "put"}


def blocks(language: str) -> list[str]:
    return [text for kind, text in FENCED.findall(TEXT) if kind == language]


def variables() -> dict[str, str]:
    """What each variable of the recipes stands for, from below /api/v1 on."""
    found = {"BASE": ""}
    for name, value in ASSIGNED.findall("\n".join(blocks("sh"))):
        if name not in found:
            found[name] = ADDRESS.sub(lambda match: found[match[1]] + (match[2] or ""), value)
    return found


def requests_of_shell() -> list[tuple[str, str]]:
    """Method and path of each call of `api`, `post` and `put`."""
    known, found = variables(), []
    for block in blocks("sh"):
        for line in block.replace("\\\n", " ").splitlines():
            for call, rest in re.findall(r"\b(api|post|put) ((?:(?![|)#]).)*)", line):
                address = next((each for each in ADDRESS.finditer(rest) if each[1] in known), None)
                if address is None:
                    continue  # the definition of the helper itself
                said = re.search(r"-X (\w+)", rest)
                method = said[1].lower() if said else METHODS[call]
                found.append((method, known[address[1]] + (address[2] or "")))
    return found


def bodies_of_shell() -> list[tuple[str, str, dict[str, Any]]]:
    """Method, path and body of each call that brings its body along."""
    known = variables()
    return [
        (METHODS[call], known[name] + (tail or ""), json.loads(body))
        for block in blocks("sh")
        for call, name, tail, body in WITH_BODY.findall(block)
    ]


def requests_of_prose() -> list[tuple[str, str]]:
    known, prose = variables(), FENCED.sub("", TEXT)
    return [
        ((method or "GET").lower(), known[name] + (tail or ""))
        for method, name, tail in IN_PROSE.findall(prose)
    ]


def requests_of_python() -> list[tuple[str, str]]:
    return [
        (method, path)
        for block in blocks("python")
        for method, path in re.findall(
            r"requests\.(\w+)\(\s*\"https://[^/]+/api/v1(/[^\"]+)\"", block
        )
    ]


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return openapi.openapi()


def test_the_recipes_are_read() -> None:
    assert len(requests_of_shell()) > 25
    assert len(requests_of_prose()) > 4
    assert len(requests_of_python()) == 1
    assert variables()["HOOK"] == "/organizations/1/webhooks/1"


@pytest.mark.parametrize(
    ("method", "path"),
    sorted({*requests_of_shell(), *requests_of_prose(), *requests_of_python()}),
)
def test_what_is_asked_for_is_there(method: str, path: str, described: dict[str, Any]) -> None:
    answering = [
        template
        for template, methods in described["paths"].items()
        if method in methods and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
    ]

    assert answering, f"nothing answers {method.upper()} {path}"


def test_fields_of_bodies_are_there(described: dict[str, Any]) -> None:
    wrong = [
        (path, sorted(set(body) - fields_taken(described, method, path)))
        for method, path, body in bodies_of_shell()
        if set(body) - fields_taken(described, method, path)
    ]

    assert len([body for _, _, body in bodies_of_shell() if body]) >= 6
    assert wrong == []


def fields_taken(described: dict[str, Any], method: str, path: str) -> set[str]:
    operation = next(
        methods[method]
        for template, methods in described["paths"].items()
        if method in methods and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
    )
    content = operation.get("requestBody", {}).get("content", {})
    named = content.get("application/json", {}).get("schema", {}).get("$ref", "/")
    component = described["components"]["schemas"].get(named.rsplit("/", 1)[1], {})
    return set(component.get("properties", ()))


def test_operations_of_the_sdk_are_there(described: dict[str, Any]) -> None:
    named = set(re.findall(r"dashboard\.\w+\.(\w+)\(", TEXT))
    named |= set(re.findall(r"`((?:get|create|update|delete)[A-Z]\w+)`", TEXT))

    ours = {
        operation["operationId"]
        for methods in described["paths"].values()
        for operation in methods.values()
        if isinstance(operation, dict) and "operationId" in operation
    }

    assert len(named) > 5
    assert named - ours == set()


def test_links_lead_somewhere() -> None:
    files = re.findall(r"\]\(([\w-]+\.md)\)", TEXT)
    headings = re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}

    assert [file for file in files if not (ROOT / "docs" / file).exists()] == []
    assert set(re.findall(r"\]\(#([\w-]+)\)", TEXT)) <= anchors


def test_python_of_the_recipes_is_python() -> None:
    for block in blocks("python"):
        compile(block, "docs/api.md", "exec")


def test_a_signature_is_checked_as_the_recipe_says() -> None:
    (recipe,) = (block for block in blocks("python") if "is_genuine" in block)
    names: dict[str, Any] = {}
    exec(compile(recipe, "docs/api.md", "exec"), names)
    sent = str(int(names["time"].time()))
    secret, body = bodies.new_secret(), b'{"id":"evt_1"}'
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": sent,
        "webhook-signature": " ".join(
            bodies.signature(key, "evt_1", int(sent), body) for key in (bodies.new_secret(), secret)
        ),
    }

    answers = [
        names["is_genuine"](secret, headers, body),
        names["is_genuine"](secret, headers, body + b" "),
        names["is_genuine"](bodies.new_secret(), headers, body),
        names["is_genuine"](secret, headers | {"webhook-timestamp": str(int(sent) - 301)}, body),
    ]

    assert answers == [True, False, False, False]
