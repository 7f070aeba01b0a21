"""Reading query parameters: a value that makes no sense is refused and never ignored."""

from __future__ import annotations

from collections.abc import Collection

from rest_framework.request import Request

from organizations.refusals import Refusal

LONGEST = 500


class BadParameter(Refusal):
    code = "bad_parameter"

    def __init__(self, name: str, problem: str) -> None:
        self.field = name
        super().__init__(f"“{name}” {problem}.")


def text(request: Request, name: str) -> str:
    """The value, or "" when it was not sent."""
    return _storable(name, request.query_params.get(name, ""))


def texts(request: Request, name: str) -> list[str]:
    """All values of `name[]=a&name[]=b` (also without the brackets)."""
    sent = request.query_params
    return [_storable(name, value) for value in sent.getlist(f"{name}[]") + sent.getlist(name)]


def boolean(request: Request, name: str) -> bool | None:
    """In whatever case: the meraki SDK 3 writes Python's True."""
    word = text(request, name).lower()
    if word not in ("true", "false", ""):
        raise BadParameter(name, "must be one of true, false")
    return word == "true" if word else None


def choice(request: Request, name: str, allowed: Collection[str]) -> str:
    value = text(request, name)
    if value and value not in allowed:
        raise BadParameter(name, f"must be one of {', '.join(allowed)}")
    return value


def whole_number(request: Request, name: str, *, default: int, smallest: int, largest: int) -> int:
    value = text(request, name)
    if not value:
        return default
    in_range = value.isascii() and value.isdigit() and len(value) < 10
    if not in_range or not smallest <= int(value) <= largest:
        raise BadParameter(name, f"must be a whole number from {smallest} to {largest}")
    return int(value)


def row_id(request: Request, name: str) -> int | None:
    value = text(request, name)
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise BadParameter(name, "must be an id: digits only")
    return int(value)


def _storable(name: str, value: str) -> str:
    if "\x00" in value:
        raise BadParameter(name, "must not contain a NUL character")
    if len(value) > LONGEST:
        raise BadParameter(name, f"must not be longer than {LONGEST} characters")
    return value
