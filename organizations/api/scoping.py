"""Scopes on the wire, as Meraki writes them: the operator first, then names of tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from organizations.api import parameters
from organizations.api.openapi import query
from organizations.api.parameters import BadParameter
from organizations.models import Organization
from organizations.scopes import Operator, Scope, TagUnknown, checked_scope
from organizations.tags import tags_called

MOST_TAGS = 200
OPERATORS = ", ".join(Operator.values)
SCOPE = {"type": "array", "items": {"type": "string"}, "minItems": 1}


@extend_schema_field({"oneOf": [{"type": "string"}, SCOPE]})
class ScopeField(serializers.Field[list[str], Any, list[str], Any]):
    """“withAny,tag1,tag2” as a text, or the same as a list: the operator, then names of tags."""

    def to_internal_value(self, data: Any) -> list[str]:
        parts = data.split(",") if isinstance(data, str) else data
        is_list = isinstance(parts, list) and all(isinstance(part, str) for part in parts)
        words = _words(parts) if is_list else []
        if problem := _problem(words):
            raise serializers.ValidationError(f"{problem}.")
        return words


def scope_parameter() -> OpenApiParameter:
    return query(
        "scope[]",
        f"The operator ({OPERATORS}), then names of tags: scope[]=withAny&scope[]=tag1, or the same"
        " as one text with commas.",
        many=True,
    )


def scope_asked_for(request: Request, organization: Organization) -> Scope | None:
    """What `scope[]` of a list names; None where it was not sent."""
    sent = parameters.texts(request, "scope")
    if not sent:
        return None
    words = _words(part for text in sent for part in text.split(","))
    if problem := _problem(words):
        raise BadParameter("scope[]", problem)
    return checked_scope(scope_from(words, organization), organization.pk)


def scope_from(words: Sequence[str], organization: Organization) -> Scope:
    operator, *names = words
    known = tags_called(organization, names)
    if missing := [name for name in names if name not in known]:
        raise TagUnknown(missing)
    return Scope(Operator(operator), tuple(known[name].pk for name in names))


def scope_text(scope: Scope, names: Mapping[int, str]) -> str:
    return ",".join([scope.operator, *scope_tags(scope, names)])


def scope_tags(scope: Scope, names: Mapping[int, str]) -> list[str]:
    return [names[pk] for pk in scope.tag_ids if pk in names]


def _words(parts: Any) -> list[str]:
    return [part.strip() for part in parts if part.strip()]


def _problem(words: Sequence[str]) -> str:
    if not words or words[0] not in Operator.values:
        return f"must begin with one of {OPERATORS}, followed by tags"
    if "\0" in "".join(words):
        return "has a NUL character, which no tag has"
    if len(words) > MOST_TAGS + 1:
        return f"takes at most {MOST_TAGS} tags"
    return ""
