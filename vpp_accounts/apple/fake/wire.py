"""What goes in and comes out of the fake, whichever door it uses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import orjson

Json = dict[str, Any]

JSON_TYPE = "application/json;charset=utf-8"


class Query(dict[str, str]):
    """The parameters after the question mark; of one that is repeated, `all` knows every value."""

    def __init__(self, text: str = "") -> None:
        self._pairs = parse_qsl(text, keep_blank_values=True)
        super().__init__(self._pairs)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self._pairs if key == name]


@dataclass(slots=True)
class Request:
    """One request; header names are lower case, `base_url` is how the caller reached the fake."""

    method: str
    path: str
    query: Query = field(default_factory=Query)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base_url: str = ""
    # Events that this request called into being; they start when its answer is ready.
    begun: list[Any] = field(default_factory=list)

    @classmethod
    def from_url(cls, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Self:
        parts = urlsplit(url)
        base_url = f"{parts.scheme}://{parts.netloc}"
        query = Query(parts.query)
        return cls(method, parts.path or "/", query, headers, body, base_url)

    @property
    def stoken(self) -> str:
        """The text of the content token, from the bearer header or the metadata cookie; may be empty."""
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        return value.strip() if scheme.lower() == "bearer" else self.cookie("itvt")

    def cookie(self, name: str) -> str:
        pairs = (pair.strip().partition("=") for pair in self.headers.get("cookie", "").split(";"))
        return next((value.strip('"') for key, _, value in pairs if key == name), "")


@dataclass(slots=True)
class Answer:
    """One answer; the last four fields are accidents on the line, which each door plays in its own way."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict)
    number: int | None = None
    refused: bool = False
    slow_seconds: float = 0.0
    cut: bool = False

    @classmethod
    def json(cls, data: object, status: int = 200) -> Self:
        return cls(status, orjson.dumps(data))

    @classmethod
    def html(cls, text: str, status: int = 200) -> Self:
        return cls(status, text.encode(), "text/html; charset=utf-8")

    @classmethod
    def redirect(cls, location: str) -> Self:
        return cls(303, headers={"Location": location})


class Rejected(ValueError):
    """Something a person or a test asked of the fake itself makes no sense; the text says why."""

    status = 400


class NotHere(Rejected):
    status = 404
