"""Requests made from the API's own description: none is answered with an error of ours, and every
answer fits what the description says of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import requests
import schemathesis
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
)

from organizations.api.openapi import openapi
from tests.api.conftest import ApiClient

SERVER = "http://testserver"
SCHEMA = schemathesis.openapi.from_dict(openapi())
OPERATIONS = {found.ok().label: found.ok() for found in SCHEMA.get_all_operations()}
PROMISES = [not_a_server_error, content_type_conformance, response_schema_conformance]
# Few of each, since there are many operations; the same ones each time.
BOUNDED = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


class Undone(Exception):
    pass


@contextmanager
def undone() -> Iterator[None]:
    """What a request has changed is not kept for the next one."""
    with suppress(Undone), transaction.atomic():
        yield
        raise Undone


@pytest.mark.parametrize("label", OPERATIONS)
def test_no_request_breaks_a_promise(
    label: str, rows: dict[str, object], owner_api: ApiClient
) -> None:
    operation = OPERATIONS[label]

    @given(case=operation.as_strategy(), is_ours=st.integers(0, 5).map(bool))
    @BOUNDED
    def ask(case: schemathesis.Case, is_ours: bool) -> None:
        if is_ours:
            case.path_parameters = {name: str(rows[name]) for name in case.path_parameters}
        with undone():
            case.validate_response(answered(case, owner_api), checks=PROMISES)

    ask()


BODIES = [
    pytest.param(operation, id=operation.label)
    for operation in OPERATIONS.values()
    if any(body.media_type == "application/json" for body in operation.body)
]


@pytest.mark.parametrize("operation", BODIES)
def test_the_example_of_every_request_is_understood(
    operation: schemathesis.APIOperation,
    rows: dict[str, object],
    owner_api: ApiClient,
    openapi: dict,
) -> None:
    """It may be refused for what is there, and never for what it is."""
    described = openapi["paths"][operation.path][operation.method]
    content = described["requestBody"]["content"]["application/json"]
    address = operation.path.format(**rows)

    answer = owner_api.send(operation.method, address, content["examples"]["example"]["value"])

    assert answer.status_code < 500
    if answer.status_code == 400:
        assert answer.json()["code"] not in ("invalid", "malformed"), answer.json()["errors"]


def answered(case: schemathesis.Case, api: ApiClient) -> schemathesis.Response:
    """What our door answers, as a client of HTTP would see it."""
    sent: Any = requests.Request(**case.as_transport_kwargs(base_url=SERVER)).prepare()
    body = sent.body.encode() if isinstance(sent.body, str) else sent.body or b""
    kind = sent.headers.get("Content-Type", "application/json")
    found = api.generic(case.method, sent.path_url, body, kind)
    return schemathesis.Response(
        status_code=found.status_code,
        headers={name.lower(): [value] for name, value in found.items()},
        content=found.getvalue(),
        request=sent,
        elapsed=0.0,
        verify=False,
    )
