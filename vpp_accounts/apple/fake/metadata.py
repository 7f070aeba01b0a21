"""Metadata lookup, store lookup, store search, icons (protocol reference 4.1, 4.3)."""

import re
from typing import TYPE_CHECKING

from vpp_accounts.apple.fake import icons
from vpp_accounts.apple.fake.state import Location
from vpp_accounts.apple.fake.titles import Title
from vpp_accounts.apple.fake.wire import Answer, Json, Request

if TYPE_CHECKING:
    from vpp_accounts.apple.fake.fake import FakeApple

_ICON = re.compile(r"/icons/(\d+)/(\d+)x\d+[a-z]*\.(?:png|jpg|webp)")
_EURO_COUNTRIES = ("DE", "FR", "IT", "ES", "NL", "AT", "IE", "FI", "PT", "BE")


def lookup(apple: "FakeApple", request: Request) -> Answer:
    """Owners of a custom app see it with their content token as the cookie `itvt`; nobody else does."""
    country = request.query.get("cc", "us").upper()
    titles = _wanted(apple, request, country, apple.whose(request))
    results = {title.adam_id: _lookup_item(apple, request, title, country) for title in titles}
    storefront = {"id": "143441-1,29", "cc": country.lower()}
    language = {"tag": request.query.get("l", "en")}
    return Answer.json(
        {
            "results": results,
            "version": 2,
            "isAuthenticated": False,
            "meta": {"storefront": storefront, "language": language},
        }
    )


def store_lookup(apple: "FakeApple", request: Request) -> Answer:
    """By Adam IDs or bundle ids, as many as are named."""
    country = request.query.get("country", "us").upper()
    bundle_ids = request.query.get("bundleId", "").split(",")
    titles = _wanted(apple, request, country, None) or [
        title
        for title in apple.titles.values()
        if title.bundle_id and title.bundle_id in bundle_ids and _is_public(title, country)
    ]
    found = [_store_item(apple, request, title, country) for title in titles]
    return Answer.json({"resultCount": len(found), "results": found})


def store_search(apple: "FakeApple", request: Request) -> Answer:
    ask = request.query
    country = ask.get("country", "us").upper()
    words = ask.get("term", "").lower().split()
    limit = int(ask["limit"]) if ask.get("limit", "").isdigit() else 50
    found = [
        _store_item(apple, request, title, country)
        for title in apple.titles.values()
        if _is_public(title, country)
        and _is_of(title, ask.get("entity", ""), ask.get("media", ""))
        and words
        and all(word in f"{title.name} {title.developer}".lower() for word in words)
    ]
    found = found[: min(200, max(1, limit))]
    return Answer.json({"resultCount": len(found), "results": found})


def icon(apple: "FakeApple", request: Request) -> Answer:
    match = _ICON.fullmatch(request.path)
    if match is None:
        return Answer.json({"errorMessage": "There is no such picture."}, 404)
    adam_id, size = match[1], int(match[2][:5])
    title = apple.titles.get(adam_id)
    picture = icons.png(adam_id, title.glyph if title else "star", min(size, icons.LARGEST))
    return Answer(200, picture, "image/png", {"Cache-Control": "public, max-age=86400"})


def _wanted(
    apple: "FakeApple", request: Request, country: str, owner: Location | None
) -> list[Title]:
    ids = request.query.get("id", "").split(",")
    titles = [apple.titles[adam_id] for adam_id in dict.fromkeys(ids) if adam_id in apple.titles]
    return [title for title in titles if _is_shown(title, country, owner)]


def _is_shown(title: Title, country: str, owner: Location | None) -> bool:
    if title.custom and title.listed and owner:
        return any(key.adam_id == title.adam_id for key in owner.assets)
    return _is_public(title, country)


def _is_public(title: Title, country: str) -> bool:
    return title.listed and not title.custom and title.is_sold_in(country)


def _is_of(title: Title, entity: str, media: str) -> bool:
    if entity == "ebook" or media == "ebook":
        return title.is_book
    platforms = {"macSoftware": {"macOS"}, "tvSoftware": {"tvOS"}}.get(entity, {"iOS", "visionOS"})
    return not title.is_book and not platforms.isdisjoint(title.platforms)


def _lookup_item(apple: "FakeApple", request: Request, title: Title, country: str) -> Json:
    item: Json = {
        "id": title.adam_id,
        "name": title.name,
        "nameRaw": title.name,
        "kind": title.kind,
        "artistName": title.developer,
        "artwork": _artwork(apple, request, title),
        "genreNames": [title.genre],
        "url": _page_url(title, country),
        "releaseDate": title.released,
        "description": {"standard": f"{title.name} by {title.developer}."},
        "offers": [_offer(title, country)],
    }
    return item if title.is_book else item | _app_fields(title)


def _app_fields(title: Title) -> Json:
    return {
        "bundleId": title.bundle_id,
        "deviceFamilies": title.device_families,
        "minimumOSVersion": title.minimum_os,
        "latestVersionReleaseDate": title.released,
        "isB2BCustomApp": title.custom,
        "isVppDeviceBasedLicensingEnabled": title.device_assignable,
        "softwareInfo": {"seller": title.developer, "languagesDisplayString": "English"},
    }


def _offer(title: Title, country: str) -> Json:
    return {
        "type": "get" if title.price == 0 else "buy",
        "price": title.price,
        "priceFormatted": _price(title.price, country),
        "version": {"display": title.version, "externalId": int(title.adam_id) % 10**9},
    }


def _artwork(apple: "FakeApple", request: Request, title: Title) -> object:
    base = _icons_of(apple, request, title)
    if apple.settings.artwork_shape == "array":
        sizes = (60, 100, 512)
        return [{"width": s, "height": s, "url": f"{base}/{s}x{s}bb.png"} for s in sizes]
    return {"width": 1024, "height": 1024, "url": base + "/{w}x{h}bb.{f}", "bgColor": "ffffff"}


def _store_item(apple: "FakeApple", request: Request, title: Title, country: str) -> Json:
    icon_url = _icons_of(apple, request, title)
    kinds = {"ebook": "ebook", "macSoftware": "mac-software", "iosSoftware": "software"}
    item: Json = {
        "trackId": int(title.adam_id),
        "trackName": title.name,
        "kind": kinds[title.kind],
        "artistName": title.developer,
        **{f"artworkUrl{size}": f"{icon_url}/{size}x{size}bb.png" for size in (60, 100, 512)},
        "price": title.price,
        "formattedPrice": _price(title.price, country),
        "currency": "EUR" if country in _EURO_COUNTRIES else "USD",
        "genres": [title.genre],
        "primaryGenreName": title.genre,
        "trackViewUrl": _page_url(title, country),
        "description": f"{title.name} by {title.developer}.",
    }
    if title.is_book:
        return item
    shots = {"iOS": "screenshotUrls", "tvOS": "appletvScreenshotUrls"}
    shown = {
        name: [f"{icon_url}/392x392bb.png"] for p, name in shots.items() if p in title.platforms
    }
    return item | {name: [] for name in shots.values()} | shown | _store_app_fields(title)


def _icons_of(apple: "FakeApple", request: Request, title: Title) -> str:
    return f"{apple.settings.public_url or request.base_url}/icons/{title.adam_id}"


def _store_app_fields(title: Title) -> Json:
    return {
        "bundleId": title.bundle_id,
        "wrapperType": "software",
        "sellerName": title.developer,
        "version": title.version,
        "minimumOsVersion": title.minimum_os,
        "fileSizeBytes": str(20_000_000 + int(title.adam_id) % 90_000_000),
        "currentVersionReleaseDate": f"{title.released}T08:00:00Z",
        "isVppDeviceBasedLicensingEnabled": title.device_assignable,
    }


def _price(price: float, country: str) -> str:
    if price == 0:
        return "Free" if country not in _EURO_COUNTRIES else "0,00 €"
    return f"{price:.2f} €".replace(".", ",") if country in _EURO_COUNTRIES else f"${price:.2f}"


def _page_url(title: Title, country: str) -> str:
    shelf = "book" if title.is_book else "app"
    return f"https://apps.apple.com/{country.lower()}/{shelf}/id{title.adam_id}"
