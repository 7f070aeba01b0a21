"""The store's answer as results: plain values, as they are kept with the search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, TypedDict

import structlog

from apps_catalog.models import ManagedPlatform

log = structlog.get_logger(__name__)

HIGHEST_PRICE = 10_000_000
KINDS = {"software": "iosSoftware", "mac-software": "macSoftware"}


class Result(TypedDict):
    """One app of the store. `platforms`: those that the answer names; there may be more."""

    adam_id: str
    name: str
    kind: str
    bundle_id: str
    seller: str
    genre: str
    minimum_os: str
    version: str
    price: str | None
    price_text: str
    icon_url: str
    store_url: str
    platforms: list[str]


def read_results(items: Iterable[Any], platform: str, *, is_of_platform: bool) -> list[Result]:
    """What can be read of it; books and music are left out. `is_of_platform`: all of them run
    there, since the store was asked for these alone.
    """
    results: dict[str, Result] = {}
    for item in items:
        try:
            if item.get("kind") in KINDS and (result := _read(item)):
                named = {platform} if is_of_platform else set()
                result["platforms"] = sorted({*result["platforms"], *named})
                results.setdefault(result["adam_id"], result)
        except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
            log.warning("store.unreadable", error=type(error).__name__)
    return list(results.values())


def _read(item: Mapping[str, Any]) -> Result | None:
    adam_id, name = _text(item, "trackId", 20), _text(item, "trackName", 300)
    if not (adam_id.isascii() and adam_id.isdigit() and name):
        return None
    price = _price(item.get("price"))
    return Result(
        adam_id=adam_id,
        name=name,
        kind=KINDS[item["kind"]],
        bundle_id=_text(item, "bundleId", 255),
        seller=_text(item, "sellerName", 300) or _text(item, "artistName", 300),
        genre=_text(item, "primaryGenreName", 100),
        minimum_os=_text(item, "minimumOsVersion", 20),
        version=_text(item, "version", 50),
        price=None if price is None else str(price),
        price_text=_text(item, "formattedPrice", 30),
        icon_url=_url(item, "artworkUrl100"),
        store_url=_url(item, "trackViewUrl"),
        platforms=_platforms(item),
    )


def _platforms(item: Mapping[str, Any]) -> list[str]:
    """The store names a Mac app's kind; of all others it shows pictures of where they run."""
    if item["kind"] == "mac-software":
        return [ManagedPlatform.MACOS.value]
    on_tv = bool(item.get("appletvScreenshotUrls"))
    shown = bool(item.get("screenshotUrls") or item.get("ipadScreenshotUrls"))
    found = [ManagedPlatform.IOS.value] if shown or not on_tv else []
    return [*found, ManagedPlatform.TVOS.value] if on_tv else found


def _text(item: Mapping[str, Any], name: str, longest: int) -> str:
    """PostgreSQL's texts hold no NUL."""
    return str(item.get(name) or "").replace("\x00", "")[:longest]


def _url(item: Mapping[str, Any], name: str) -> str:
    url = _text(item, name, 501)
    return url if url.startswith(("https://", "http://")) and len(url) <= 500 else ""


def _price(value: object) -> Decimal | None:
    try:
        price = Decimal(str(value))
    except InvalidOperation:
        return None
    in_range = price.is_finite() and 0 <= price < HIGHEST_PRICE
    return price.quantize(Decimal("0.01")) if in_range else None
