"""Reading one item of a list of Apple's. What is optional may be missing; what is needed is asked for.

A list never fails for one bad item: `each` turns it into an `Unreadable` and goes on.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import orjson

from vpp_accounts.apple.decoding import JsonObject, text_or_none, whole_or_none
from vpp_accounts.apple.types import Unreadable

T = TypeVar("T")

# Fields that may stand in a report: never inviteCode, e-mail or anything unknown.
_HARMLESS = ("adamId", "pricingParam", "productType", "clientUserId", "serialNumber", "status")
_LONGEST_EXCERPT = 200

# Apple documents no lengths; these are far beyond what it sends, and what a database can index.
LONGEST_HOLDER = 255
LONGEST_ADAM_ID = 20
LARGEST_COUNT = 2**31 - 1


class Unclear(ValueError):
    """An item lacks what makes it meaningful; its text says what."""


def wire_name(name: str) -> str:
    """`max_mdm_id_length` → `maxMdmIdLength`, Apple's spelling of our word."""
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def each(
    kind: str, items: list[Any], read: Callable[[JsonObject], T]
) -> tuple[list[T], list[Unreadable]]:
    """What `read` makes of every item, and the items that it found `Unclear`."""
    rows: list[T] = []
    unreadable: list[Unreadable] = []
    for item in items:
        try:
            rows.append(read(_object(item)))
        except Unclear as unclear:
            unreadable.append(Unreadable(kind, str(unclear), _excerpt(item)))
    return rows, unreadable


def _object(value: object) -> JsonObject:
    if not isinstance(value, dict):
        raise Unclear("not an object")
    return value


def _excerpt(item: object) -> str:
    if not isinstance(item, dict):
        return type(item).__name__
    shown = {key: str(item[key])[:40] for key in _HARMLESS if key in item}
    return orjson.dumps(shown).decode()[:_LONGEST_EXCERPT]


def needed(item: JsonObject, key: str) -> str:
    value = identifier(item, key)
    if value is None:
        raise Unclear(f"no {key}")
    return value


def identifier(item: JsonObject, key: str, *, longest: int = LONGEST_HOLDER) -> str | None:
    """A name for a thing, exactly as sent; one that nobody could keep whole is unclear."""
    value = item.get(key)
    if isinstance(value, str) and (len(value) > longest or "\x00" in value):
        raise Unclear(f"{key} has more than {longest} characters or a NUL")
    return text_or_none(value)


def pricing_param(item: JsonObject) -> str:
    return text_or_none(item.get("pricingParam")) or "STDQ"


def count(item: JsonObject, key: str) -> int | None:
    """A whole number, or None when missing; anything else is unclear."""
    if item.get(key) is None:
        return None
    value = whole_or_none(item[key])
    if value is None:
        raise Unclear(f"{key} is not a number")
    return value


def whole(item: JsonObject, key: str) -> int:
    """A whole number that must be there."""
    value = count(item, key)
    if value is None:
        raise Unclear(f"no {key}")
    return value


def texts(data: JsonObject, key: str) -> tuple[str, ...]:
    value = data.get(key)
    return tuple(filter(None, map(text_or_none, value))) if isinstance(value, list) else ()
