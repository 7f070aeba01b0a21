"""The store's side of the fake: metadata, search, pictures, and the pages for people."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from typing import Any

import pytest
import requests

from tests.apple.fake_kit import APPLE, BOOK, OTHER, TITLE, Caller
from vpp_accounts.apple.fake import CATALOGUE, FakeApple
from vpp_accounts.apple.fake.icons import png
from vpp_accounts.apple.fake.state import Location

CUSTOM, UNLISTED, US_ONLY, MAC = "1702258834", "984420117", "1740095528", "1512209973"


@pytest.fixture
def apple() -> FakeApple:
    return FakeApple()


@pytest.fixture
def location(apple: FakeApple) -> Location:
    return apple.create_location(name="Oak <Elementary>")


@pytest.fixture
def caller(apple: FakeApple) -> Caller:
    return Caller(apple)


def lookup(caller: Caller, ids: str, stoken: str = "", **query: str) -> dict[str, Any]:
    response = caller.session.get(
        f"{APPLE}/WebObjects/MZStorePlatform.woa/wa/lookup",
        params={"version": "2", "id": ids, "p": "mdm-lockup", "caller": "MDM", "cc": "us"} | query,
        cookies={"itvt": stoken} if stoken else None,
    )
    body: dict[str, Any] = response.json()
    return body


def test_the_shelf_has_what_a_district_owns() -> None:
    titles = CATALOGUE.values()
    platforms = Counter(platform for title in titles for platform in title.platforms)

    assert len(titles) >= 45
    assert all(
        title.adam_id == adam_id and adam_id.isdigit() for adam_id, title in CATALOGUE.items()
    )
    assert platforms.keys() == {"iOS", "macOS", "tvOS", "visionOS"}
    assert len({title.name for title in titles}) == len(titles)
    assert {("STDQ",), ("STDQ", "PLUS")} == {title.editions for title in titles if title.is_book}
    assert any(title.custom for title in titles)
    assert any(not title.listed for title in titles)
    assert any(title.unlimited for title in titles)
    assert any(not title.device_assignable and not title.is_book for title in titles)


def test_a_title_is_looked_up(caller: Caller) -> None:
    answer = lookup(caller, TITLE)

    assert (answer["version"], answer["isAuthenticated"]) == (2, False)
    item = answer["results"][TITLE]
    assert item["artwork"] == {
        "width": 1024,
        "height": 1024,
        "url": f"{APPLE}/icons/{TITLE}/" + "{w}x{h}bb.{f}",
        "bgColor": "ffffff",
    }
    assert {key: item[key] for key in ("id", "name", "kind", "bundleId", "deviceFamilies")} == {
        "id": TITLE,
        "name": "Tidepool Math",
        "kind": "iosSoftware",
        "bundleId": "com.tidepoollearning.math",
        "deviceFamilies": ["iphone", "ipad", "ipod"],
    }
    assert item["offers"][0]["priceFormatted"] == "$4.99"
    assert {
        "artistName",
        "genreNames",
        "minimumOSVersion",
        "latestVersionReleaseDate",
        "url",
    } <= set(item)


def test_artwork_has_a_second_shape(apple: FakeApple, caller: Caller) -> None:
    apple.settings.artwork_shape = "array"

    artwork = lookup(caller, TITLE)["results"][TITLE]["artwork"]

    assert [(each["width"], each["url"][-11:]) for each in artwork][1] == (
        100,
        "100x100bb.png"[-11:],
    )


def test_browsers_may_need_another_address(apple: FakeApple, caller: Caller) -> None:
    apple.settings.public_url = "http://127.0.0.1:8700"

    artwork = lookup(caller, TITLE)["results"][TITLE]["artwork"]
    urls = caller.get("service/config")["urls"]

    assert artwork["url"].startswith("http://127.0.0.1:8700/icons/")
    assert urls["invitationEmail"].startswith("http://127.0.0.1:8700/WebObjects/")
    assert urls["getAssets"].startswith(APPLE)


def test_only_known_titles_of_the_country_are_there(caller: Caller) -> None:
    ids = f"{TITLE},{BOOK},{US_ONLY},{UNLISTED},{MAC},1"

    american, german = lookup(caller, ids), lookup(caller, ids, cc="de")

    assert set(american["results"]) == {TITLE, BOOK, US_ONLY, MAC}
    assert set(german["results"]) == {TITLE, BOOK, MAC}
    assert german["results"][TITLE]["offers"][0]["priceFormatted"] == "4,99 €"
    kinds = [american["results"][each]["kind"] for each in (BOOK, MAC)]
    assert kinds == ["ebook", "macSoftware"]


def test_a_custom_app_shows_itself_to_its_owner_only(
    apple: FakeApple, location: Location, caller: Caller
) -> None:
    stranger = apple.create_location(name="Elm")
    apple.purchase(location.uid, CUSTOM, 5)

    owners = lookup(caller, CUSTOM, location.issue_token())

    assert owners["results"][CUSTOM]["isB2BCustomApp"] is True
    assert lookup(caller, CUSTOM)["results"] == {}
    assert lookup(caller, CUSTOM, stranger.issue_token())["results"] == {}


def test_the_store_looks_up_and_searches(caller: Caller) -> None:
    def store(path: str, **query: str) -> list[Any]:
        body = caller.session.get(f"{APPLE}{path}", params=query).json()
        assert body["resultCount"] == len(body["results"])
        return [item["trackName"] for item in body["results"]]

    assert store("/lookup", id=f"{TITLE},{CUSTOM},1") == ["Tidepool Math"]
    assert store("/search", term="wordgrove spelling", entity="software") == ["Wordgrove Spelling"]
    assert store("/search", term="lumen", entity="macSoftware") == ["Lumen Layout"]
    assert store("/search", term="algebra", media="ebook") == ["Algebra, Step by Step"]
    assert len(store("/search", term="a", limit="2")) == 2
    assert store("/search", term="") == []


@pytest.mark.parametrize("size", [40, 128])
def test_a_picture_is_a_png_of_that_size(caller: Caller, size: int) -> None:
    response = caller.session.get(f"{APPLE}/icons/{TITLE}/{size}x{size}bb.png")

    picture = response.content
    assert response.headers["Content-Type"] == "image/png"
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", picture[16:24]) == (size, size)
    length = struct.unpack(">I", picture[33:37])[0]
    assert len(zlib.decompress(picture[41 : 41 + length])) == size * (3 * size + 1)


def test_pictures_differ_and_repeat(caller: Caller) -> None:
    assert png(TITLE, "plus", 40) != png(OTHER, "leaf", 40)
    assert caller.session.get(f"{APPLE}/icons/x/40x40bb.png").status_code == 404


def form(caller: Caller, path: str, **fields: str) -> requests.Response:
    return caller.session.post(f"{APPLE}{path}", data=fields)


def test_people_create_a_location_and_download_its_token(apple: FakeApple, caller: Caller) -> None:
    page = form(caller, "/portal/locations", name="Elm High", org_name="Redwood")
    (location,) = apple.locations.values()

    token = form(caller, f"/portal/locations/{location.uid}/token")

    assert "Elm High" in page.text
    assert token.headers["Content-Disposition"] == (
        'attachment; filename="sToken_for_Elm_High.vpptoken"'
    )
    assert Caller(apple, stoken=token.text).get("client/config")["locationName"] == "Elm High"


def test_people_buy_refund_and_transfer(
    apple: FakeApple, location: Location, caller: Caller
) -> None:
    other = apple.create_location(name="Elm High")
    path = f"/portal/locations/{location.uid}"
    title = f"{BOOK}/PLUS"

    pages = [
        form(caller, f"{path}/buy", title=title, quantity="10"),
        form(caller, f"{path}/refund", title=title, quantity="2"),
        form(caller, f"{path}/transfer", title=title, quantity="3", to=other.uid),
        form(caller, f"{path}/refund", title=title, quantity="9"),
        form(caller, f"{path}/buy", title=title, quantity="lots"),
    ]

    said = ["Bought 10.", "Refunded 2.", "Transferred 3 to Elm High.", "Only 5", "The quantity is"]
    assert [words in page.text for words, page in zip(said, pages, strict=True)] == [True] * 5
    assert location.asset(BOOK, "PLUS").total == 5
    assert other.asset(BOOK, "PLUS").total == 3


def test_people_rename_and_revoke(location: Location, caller: Caller) -> None:
    path = f"/portal/locations/{location.uid}"

    form(caller, f"{path}/rename", name="Elm & Oak")
    page = form(caller, f"{path}/revoke")

    assert "Elm &amp; Oak" in page.text
    assert "All content tokens of this location are revoked." in page.text
    assert [token.revoked for token in location.tokens] == [True] * len(location.tokens)


def test_an_invited_person_accepts_or_declines(
    apple: FakeApple, location: Location, caller: Caller
) -> None:
    (user,) = apple.add_users(location.uid, [{"clientUserId": "ada", "email": "ada@oak.example"}])
    link = caller.get("service/config")["urls"]["invitationEmail"]
    path = link.removeprefix(APPLE).replace("%25inviteCode%25", user.invite_code)

    declined = form(caller, path, choice="decline")
    opened = caller.session.get(APPLE + path)
    accepted = form(caller, path, choice="accept", apple_account="ada@icloud.example")

    assert "Declined" in declined.text
    assert "ada@oak.example" in opened.text
    assert "now receives" in accepted.text
    assert user.status == "Associated"
    assert caller.session.get(APPLE + path).status_code == 404


def test_pages_escape_what_people_wrote(
    apple: FakeApple, location: Location, caller: Caller
) -> None:
    apple.claim(location.uid, {"id": "x", "name": "<b>MDM</b>", "metadata": ""})
    apple.add_users(location.uid, [{"clientUserId": "<i>", "email": '"@x'}])
    apple.purchase(location.uid, "42", 1, name="<script>")

    pages = [
        caller.session.get(f"{APPLE}{path}").text
        for path in ("/?said=<u>", f"/portal/locations/{location.uid}?said=<u>", "/no/<page>")
    ]

    for page in pages:
        assert not any(tag in page for tag in ("<b>", "<i>", "<script>", "<u>", "<Elementary>"))
    assert "&lt;script&gt;" in pages[1]


def test_a_page_that_is_not_there(caller: Caller, location: Location) -> None:
    paths = ("/nothing", "/portal/locations/1", f"/portal/locations/{location.uid}/buy")

    assert [caller.session.get(APPLE + path).status_code for path in paths] == [404, 404, 404]
    assert caller.session.get(f"{APPLE}/portal.css").headers["Content-Type"].startswith("text/css")


def test_people_look_after_managers_and_their_tokens(
    apple: FakeApple, location: Location, caller: Caller
) -> None:
    path = f"/portal/locations/{location.uid}"

    added = form(caller, f"{path}/manager", account="ann@redwood.example", may="read")
    token = form(caller, f"{path}/token", manager="ann@redwood.example").text
    one = form(caller, f"{path}/revoke", number="0")
    changed = form(caller, f"{path}/password", manager="ann@redwood.example")
    unknown = form(caller, f"{path}/password", manager="nobody@redwood.example")

    pages = [page.text for page in (added, one, changed, unknown)]
    said = ["may only read", "token is revoked", "ended with it: 1", "has no manager"]
    assert [words in page for words, page in zip(said, pages, strict=True)] == [True] * 4
    assert Caller(apple, stoken=token).refused("assets") == (401, 9625)
    assert location.tokens[0].revoked


def test_people_turn_what_apple_turns(apple: FakeApple, location: Location, caller: Caller) -> None:
    path = f"/portal/locations/{location.uid}"
    apple.purchase(location.uid, "1122360947", 2)

    early = form(caller, f"{path}/seats", adam_id="12345", quantity="3")
    location.subscriptions_enabled = True
    pages = [
        form(caller, f"{path}/managed", managed="yes"),
        form(caller, f"{path}/free", unlimited="yes"),
        form(caller, f"{path}/seats", adam_id="12345", quantity="3"),
        form(caller, f"{path}/seats", adam_id="²", quantity="3"),
    ]

    said = ["managed by Apple", "Saved.", "Bought 3 seats.", "is a number"]
    assert "before the location" in early.text
    assert [words in page.text for words, page in zip(said, pages, strict=True)] == [True] * 4
    assert location.asset("1122360947").unlimited
    assert location.plans[12345].renewing == 3


def test_the_wrong_account_is_told_so(apple: FakeApple, location: Location, caller: Caller) -> None:
    wanted = [
        {"clientUserId": "ada", "appleAccount": "ada@icloud.example"},
        {"clientUserId": "bob"},
    ]
    _, bob = apple.add_users(location.uid, wanted)
    path = (
        f"/WebObjects/MZFinance.woa/wa/associateVPPUserWithITSAccount?inviteCode={bob.invite_code}"
    )

    refused = form(caller, path, choice="accept", apple_account="Ada@icloud.example")

    assert (refused.status_code, "already belongs" in refused.text) == (400, True)
    assert bob.status == "Registered"
