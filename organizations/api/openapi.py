"""Describing the API for programs: /api/v1/openapi.json.

Each handler is described by `operation(…)` beside it; what all of them share is added here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import condition
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    inline_serializer,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from organizations.api import csv_answers, idempotency
from organizations.api.paging import PageSize
from organizations.api.wire import AlwaysJson, JsonRenderer

Handler = TypeVar("Handler", bound=Callable[..., Any])


# Every refusal: at least one sentence for people, and a stable word for programs.
ERRORS = inline_serializer(
    "Errors",
    {
        "errors": serializers.ListField(child=serializers.CharField(), min_length=1),
        "code": serializers.CharField(help_text="A stable word for the reason."),
    },
)


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "organizations.api.authentication.ApiKeyAuthentication"
    name = ["bearer", "merakiHeader"]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[Any]]]:
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        return [
            {"type": "http", "scheme": "bearer", "description": "An API key of an admin."},
            {"type": "apiKey", "in": "header", "name": "X-Cisco-Meraki-API-Key"},
        ]


def query(
    name: str,
    description: str,
    *,
    type: Any = OpenApiTypes.STR,
    enum: Sequence[str] | None = None,
    many: bool = False,
) -> OpenApiParameter:
    return OpenApiParameter(name, type, description=description, enum=enum, many=many)


def paged(size: PageSize) -> list[OpenApiParameter]:
    """What every paged list takes, and the `Link` header that it answers with."""
    number = {
        "type": "integer",
        "minimum": size.smallest,
        "maximum": size.largest,
        "default": size.default,
    }
    return [
        OpenApiParameter("perPage", number, description="How many entries a page has."),
        query("startingAfter", "The token of the entry before the page, from a `Link` header."),
        query("endingBefore", "The token of the entry after the page; `end` means the last page."),
        OpenApiParameter(
            "Link",
            str,
            OpenApiParameter.HEADER,
            response=[200],
            description="Where to go on: first, prev, next, last.",
        ),
    ]


IDEMPOTENCY_KEY = OpenApiParameter(
    idempotency.HEADER,
    {"type": "string", "maxLength": idempotency.LONGEST},
    OpenApiParameter.HEADER,
    description="Same key, same body: the first answer again, and nothing is done twice. Kept for a day.",
)


def operation(
    operation_id: str,
    summary: str,
    *,
    tag: str,
    answers: dict[int, Any],
    body: Any = None,
    parameters: Sequence[OpenApiParameter] = (),
    description: str = "",
    deprecated: bool | None = None,
) -> Callable[[Handler], Handler]:
    """Describe one handler. `answers`: status → serializer, or None for an empty body."""
    refused = OpenApiResponse(ERRORS, description="Refused; the sentences say why.")

    def describe(handler: Handler) -> Handler:
        shared = [IDEMPOTENCY_KEY] if handler.__name__ == "post" else []
        decorate: Callable[[Handler], Handler] = extend_schema(
            operation_id=operation_id,
            summary=summary,
            description=description or summary,
            tags=[tag],
            request=body,
            parameters=[*parameters, *shared],
            responses={**answers, "4XX": refused},
            deprecated=deprecated,
        )
        described = decorate(handler)
        setattr(described, csv_answers.ANSWERS, answers)
        return described

    return describe


def openapi() -> dict[str, Any]:
    """The description as a plain object."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    return dict(generator.get_schema(request=None, public=True))  # type: ignore[no-untyped-call]


@cache
def _written() -> bytes:
    """Made once in a process: it takes a third of a second."""
    return OpenApiJsonRenderer().render(openapi(), renderer_context={})


def _etag(request: HttpRequest) -> str:
    return f'"{hashlib.sha256(_written()).hexdigest()[:32]}"'


@method_decorator([gzip_page, condition(etag_func=_etag)], name="dispatch")
class OpenApiView(APIView):
    """Readable without a key."""

    schema = None
    authentication_classes = ()
    permission_classes = ()
    renderer_classes = (JsonRenderer,)
    content_negotiation_class = AlwaysJson
    http_method_names = ("get", "head")

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(_written(), content_type="application/json")
