"""The store's description of titles: Apple's contentMetadataLookup (protocol reference 4.1).

The license service knows only ids. Names, icons and bundle ids come from here, in the location's
own country; the token as a cookie shows custom apps and titles no longer sold. An id that is not
answered is a normal case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson
import requests
import structlog

log = structlog.get_logger(__name__)

IDS_PER_REQUEST = 50
TIMEOUT = (5, 20)
HIGHEST_PRICE = 10_000_000
ICON = 128  # pixels; shown at 40 and 64

PLATFORMS = {"iphone": "iOS", "ipad": "iOS", "ipod": "iOS", "mac": "macOS", "tvos": "tvOS"} | {
    "watch": "watchOS",
    "realitydevice": "visionOS",
}


class MetadataUnavailable(Exception):
    """The store did not answer, or not with metadata. Nothing depends on it; ask again later."""


@dataclass(frozen=True, slots=True)
class Metadata:
    adam_id: str
    name: str
    kind: str = ""
    bundle_id: str = ""
    seller: str = ""
    genre: str = ""
    platforms: tuple[str, ...] = ()
    minimum_os: str = ""
    version: str = ""
    price: Decimal | None = None
    price_text: str = ""
    icon_url: str = ""
    store_url: str = ""
    is_custom: bool = False


def lookup(
    adam_ids: Sequence[str],
    *,
    url: str,
    country: str,
    platform: str,
    stoken: str,
    session: requests.Session,
) -> dict[str, Metadata]:
    """What the store says, by Adam ID; at most IDS_PER_REQUEST ids. Raises MetadataUnavailable."""
    try:
        response = session.get(
            url,
            params={
                "version": "2",
                "id": ",".join(adam_ids),
                "p": "mdm-lockup",
                "caller": "MDM",
                "platform": platform,
                "cc": country.lower(),
                "l": "en",
            },
            # As a header: a cookie jar would quote the token's Base64 padding.
            headers={"Cookie": f"itvt={stoken}"},
            timeout=TIMEOUT,
        )
    except requests.RequestException as error:
        raise MetadataUnavailable(type(error).__name__) from None
    if response.status_code != requests.codes.ok:
        raise MetadataUnavailable(f"HTTP {response.status_code}")
    return _read(response.content)


def _read(body: bytes) -> dict[str, Metadata]:
    try:
        results = orjson.loads(body)["results"]
    except (ValueError, KeyError, TypeError):
        raise MetadataUnavailable("the answer is not metadata") from None
    if not isinstance(results, dict):
        return {}
    found: dict[str, Metadata] = {}
    for adam_id, item in results.items():
        if not isinstance(item, dict) or not item.get("name"):
            continue
        try:
            found[str(adam_id)] = read_item(str(adam_id), item)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            log.warning("metadata.unreadable", adam_id=str(adam_id), error=type(error).__name__)
    return found


def read_item(adam_id: str, item: Mapping[str, Any]) -> Metadata:
    """One title; every field but the name may be missing."""
    offer = _first(item.get("offers"))
    version = offer.get("version")
    return Metadata(
        adam_id=adam_id,
        name=_text(item, "name", 300),
        kind=_text(item, "kind", 30),
        bundle_id=_text(item, "bundleId", 255),
        seller=_text(item, "artistName", 300),
        genre=_clean((item.get("genreNames") or [""])[0], 100),
        platforms=_platforms(item),
        minimum_os=_text(item, "minimumOSVersion", 20),
        version=_text(version, "display", 50) if isinstance(version, dict) else "",
        price=_price(offer.get("price")),
        price_text=_text(offer, "priceFormatted", 30),
        icon_url=icon_of(item.get("artwork")),
        store_url=_text(item, "url", 500),
        is_custom=bool(item.get("isB2BCustomApp")),
    )


def icon_of(artwork: object) -> str:
    """Apple sends two shapes: a list of finished pictures, or one template with {w}, {h}, {f}."""
    if isinstance(artwork, list):
        fitting = [one for one in artwork if isinstance(one, dict) and one.get("url")]
        fitting.sort(key=lambda one: abs(int(one.get("width") or 0) - ICON))
        return str(fitting[0]["url"])[:500] if fitting else ""
    if isinstance(artwork, dict):
        url = str(artwork.get("url") or "")
        for name, value in {"w": ICON, "h": ICON, "f": "png", "c": "bb"}.items():
            url = url.replace("{" + name + "}", str(value))
        return url[:500]
    return ""


def _text(item: Mapping[str, Any], name: str, longest: int) -> str:
    return _clean(item.get(name) or "", longest)


def _clean(value: object, longest: int) -> str:
    """PostgreSQL's texts hold no NUL."""
    return str(value).replace("\x00", "")[:longest]


def _first(items: object) -> Mapping[str, Any]:
    return items[0] if isinstance(items, list) and items and isinstance(items[0], dict) else {}


def _platforms(item: Mapping[str, Any]) -> tuple[str, ...]:
    families: Iterable[Any] = item.get("deviceFamilies") or ()
    return tuple(
        sorted({PLATFORMS[str(f).lower()] for f in families if str(f).lower() in PLATFORMS})
    )


def _price(value: object) -> Decimal | None:
    if value is None:
        return None
    price = Decimal(str(value))
    return price.quantize(Decimal("0.01")) if 0 <= price < HIGHEST_PRICE else None
