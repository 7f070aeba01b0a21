"""Every address of the URLconf, by the name under which the table speaks of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")
CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")
API = "api/v1/"


@dataclass(frozen=True)
class Address:
    name: str  # "licensing:mdm", or "/networks/{networkId}"
    pattern: str
    methods: tuple[str, ...]  # of an endpoint; none where only the view itself knows

    def __str__(self) -> str:
        return self.name

    @property
    def is_rest(self) -> bool:
        return bool(self.methods)

    @property
    def arguments(self) -> list[str]:
        return [argument_of(name) for name in ARGUMENT.findall(self.pattern)]

    @property
    def names_an_organization(self) -> bool:
        return "organization_id" in self.arguments

    @property
    def names_a_row(self) -> bool:
        """Something that another organization may have, beside the organization itself."""
        return bool(set(self.arguments) - {"organization_id", "role_id"})  # roles are everybody's

    def url(self, rows: Mapping[str, Any]) -> str:
        missing = [name for name in self.arguments if name not in rows]
        assert not missing, (
            f"{self.name}: tests/sweep/world.py has no row for {', '.join(missing)}."
            " Make one there, or name one in the line's `rows`."
        )
        return "/" + ARGUMENT.sub(lambda match: str(rows[argument_of(match[1])]), self.pattern)


def path_of(pattern: str) -> str:
    """As the API's own description writes it."""
    return "/" + ARGUMENT.sub(r"{\1}", pattern.removeprefix(API))


def argument_of(name: str) -> str:
    """Endpoints and pages call the same row by two names."""
    snake = CAPITAL.sub("_", name).lower()
    return {"vpp_account_id": "account_id"}.get(snake, snake)


def addresses() -> list[Address]:
    return [_address(prefix, name, pattern) for prefix, name, pattern in _walk(get_resolver())]


def _address(prefix: str, namespace: str, entry: URLPattern) -> Address:
    pattern = prefix + str(entry.pattern)
    view = getattr(entry.callback, "cls", None)
    methods = [verb for verb in getattr(view, "http_method_names", ()) if hasattr(view, verb)]
    name = namespace + entry.name if entry.name else path_of(pattern)
    return Address(name, pattern, tuple(verb.upper() for verb in methods))


def _walk(
    resolver: URLResolver, prefix: str = "", namespace: str = ""
) -> Iterator[tuple[str, str, URLPattern]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from _walk(entry, prefix + str(entry.pattern), inner)
        else:
            yield prefix, namespace, entry
