"""Assets, assignments and users of the fake: filters, pages, deltas."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apple.fake_kit import BOOK, OTHER, TITLE, Caller, rows
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.apple.fake.state import Location

UNLIMITED = 2147483647


@pytest.fixture
def apple() -> FakeApple:
    apple = FakeApple()
    apple.settings.page_size = 3
    apple.settings.limits["maxRequestPerSecond"] = 10_000
    return apple


@pytest.fixture
def location(apple: FakeApple) -> Location:
    return apple.create_location(name="Oak Elementary")


@pytest.fixture
def caller(apple: FakeApple, location: Location) -> Caller:
    return Caller(apple, stoken=location.issue_token())


def serials(pages: list[dict[str, Any]]) -> list[str]:
    return [row["serialNumber"] for row in rows(pages, "assignments")]


def test_an_asset_is_listed_with_every_field(
    apple: FakeApple, location: Location, caller: Caller
) -> None:
    apple.purchase(location.uid, TITLE, 10)
    apple.assign(location.uid, TITLE, serial_numbers=["C02A", "C02B"])

    page = caller.get("assets")

    assert page["assets"] == [
        {
            "adamId": TITLE,
            "pricingParam": "STDQ",
            "productType": "App",
            "assignedCount": 2,
            "availableCount": 8,
            "retiredCount": 0,
            "totalCount": 10,
            "deviceAssignable": True,
            "revocable": True,
            "supportedPlatforms": ["iOS"],
        }
    ]
    assert {key: page[key] for key in ("currentPageIndex", "size", "totalPages", "uId")} == {
        "currentPageIndex": 0,
        "size": 1,
        "totalPages": 1,
        "uId": location.uid,
    }
    assert "nextPageIndex" not in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"adamId": BOOK}, [(BOOK, "STDQ"), (BOOK, "PLUS")]),
        ({"adamId": BOOK, "pricingParam": "PLUS"}, [(BOOK, "PLUS")]),
        ({"productType": "App"}, [(TITLE, "STDQ"), (OTHER, "STDQ")]),
        ({"revocable": "false"}, [(BOOK, "STDQ"), (BOOK, "PLUS")]),
        ({"deviceAssignable": "true"}, [(TITLE, "STDQ"), (OTHER, "STDQ")]),
        ({"minAvailableCount": 3, "maxAvailableCount": 8}, [(TITLE, "STDQ"), (BOOK, "STDQ")]),
        ({"minAssignedCount": 2}, [(TITLE, "STDQ")]),
        ({"maxAssignedCount": 1}, [(OTHER, "STDQ"), (BOOK, "STDQ"), (BOOK, "PLUS")]),
    ],
)
def test_assets_are_filtered(
    apple: FakeApple,
    location: Location,
    caller: Caller,
    query: dict[str, Any],
    found: list[tuple[str, str]],
) -> None:
    apple.purchase(location.uid, TITLE, 10)
    apple.assign(location.uid, TITLE, serial_numbers=["C02A", "C02B"])
    apple.purchase(location.uid, OTHER, 2)
    apple.purchase(location.uid, BOOK, 3)
    apple.purchase(location.uid, BOOK, 20, "PLUS")

    listed = rows(caller.walk("assets", **query), "assets")

    assert [(row["adamId"], row["pricingParam"]) for row in listed] == found


def test_unlimited_assets_stand_where_they_were_asked_for(
    apple: FakeApple, location: Location, caller: Caller
) -> None:
    apple.purchase(location.uid, TITLE, 10)
    apple.purchase(location.uid, "1098840317")
    apple.assign(location.uid, "1098840317", serial_numbers=["C02A"])

    unasked, apart, without = (
        caller.get("assets"),
        caller.get("assets", unlimited="true"),
        caller.get("assets", unlimited="false"),
    )

    counts = {
        row["adamId"]: (row["totalCount"], row["availableCount"]) for row in unasked["assets"]
    }
    assert counts == {TITLE: (10, 10), "1098840317": (UNLIMITED, UNLIMITED - 1)}
    assert [row["adamId"] for row in apart["assets"]] == [TITLE]
    assert apart["unlimitedAssets"] == [
        {
            "adamId": "1098840317",
            "pricingParam": "STDQ",
            "productType": "App",
            "assignedCount": 1,
            "deviceAssignable": True,
            "revocable": True,
            "supportedPlatforms": ["iOS"],
        }
    ]
    assert [row["adamId"] for row in without["assets"]] == [TITLE]
    assert "unlimitedAssets" not in without


def test_pages_follow_each_other_and_hold_every_row_once(
    apple: FakeApple, location: Location, caller: Caller
) -> None:
    apple.fill(location.uid, TITLE, 4)
    apple.fill(location.uid, OTHER, 4, "user")

    pages = caller.walk("assignments")

    assert [(page["currentPageIndex"], page["size"], page["totalPages"]) for page in pages] == [
        (0, 3, 3),
        (1, 3, 3),
        (2, 2, 3),
    ]
    assert len({page["versionId"] for page in pages}) == 1
    held = rows(pages, "assignments")
    assert [row["adamId"] for row in held] == [TITLE] * 4 + [OTHER] * 4
    assert len({tuple(row.values()) for row in held}) == 8
    assert all(set(row) == {"adamId", "pricingParam", "serialNumber"} for row in held[:4])
    assert all(set(row) == {"adamId", "pricingParam", "clientUserId"} for row in held[4:])


def test_odd_names_of_holders_survive(apple: FakeApple, location: Location, caller: Caller) -> None:
    names = ['a","b', "back\\slash", 'quo"te', "größe", "\\"]
    apple.purchase(location.uid, TITLE, 10)
    apple.assign(location.uid, TITLE, serial_numbers=names)

    pages = caller.walk("assignments")

    assert serials(pages) == names


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ({"pageIndex": 2}, 9650),
        ({"pageIndex": -1}, 9602),
        ({"pageIndex": "x"}, 9602),
        ({"pageIndex": 2**31}, 9602),
        ({"pricingParam": "GOLD"}, 9602),
        ({"excludeInactiveUsers": "yes"}, 9602),
        ({"sinceVersionId": "nonsense"}, 9721),
    ],
)
def test_bad_parameters_are_refused(
    apple: FakeApple, location: Location, caller: Caller, query: dict[str, Any], number: int
) -> None:
    apple.fill(location.uid, TITLE, 6)

    assert caller.refused("assignments", **query) == (400, number)


def test_an_empty_list_has_a_first_page(caller: Caller) -> None:
    page = caller.get("assignments", pageIndex=0)

    assert (page["assignments"], page["size"], page["totalPages"]) == ([], 0, 1)
    assert caller.refused("assignments", pageIndex=1) == (400, 9650)


def test_an_empty_list_may_be_missing(apple: FakeApple, caller: Caller) -> None:
    apple.settings.guesses.empty_list_is_present = False
    apple.settings.guesses.empty_total_pages = 0

    page = caller.get("assignments")

    assert "assignments" not in page
    assert page["totalPages"] == 0


def test_unknown_parameters_are_ignored_unless_guessed_otherwise(
    apple: FakeApple, caller: Caller
) -> None:
    assert caller.get("users", managedAppleId="x")["users"] == []

    apple.settings.guesses.unknown_parameters = "refuse"

    assert caller.refused("users", managedAppleId="x") == (400, 9602)


def test_assignments_are_found_by_holder_and_title(
    apple: FakeApple, location: Location, caller: Caller
) -> None:
    apple.purchase(location.uid, TITLE, 10)
    apple.purchase(location.uid, OTHER, 10)
    apple.add_users(location.uid, [{"clientUserId": "ada"}, {"clientUserId": "bob"}])
    for adam_id in (TITLE, OTHER):
        apple.assign(location.uid, adam_id, serial_numbers=["C02A"], client_user_ids=["ada"])
    apple.assign(location.uid, OTHER, client_user_ids=["bob"])

    by_serial = caller.walk("assignments", serialNumber="C02A")
    by_user = caller.walk("assignments", clientUserId="ada", adamId=OTHER)

    assert [row["adamId"] for row in rows(by_serial, "assignments")] == [TITLE, OTHER]
    assert rows(by_user, "assignments") == [
        {"adamId": OTHER, "pricingParam": "STDQ", "clientUserId": "ada"}
    ]
    assert rows(caller.walk("assignments", serialNumber="nobody"), "assignments") == []


def test_the_state_of_users_can_be_asked_for(
    apple: FakeApple, location: Location, caller: Caller
) -> None:
    apple.purchase(location.uid, BOOK, 10)
    users = apple.add_users(
        location.uid,
        [{"clientUserId": "ada", "appleAccount": "ada@oak.example"}, {"clientUserId": "bob"}],
    )
    apple.assign(location.uid, BOOK, client_user_ids=["ada", "bob"])
    apple.retire(location, users[1:])

    told = rows(caller.walk("assignments", includeUserState="true"), "assignments")
    active = rows(caller.walk("assignments", excludeInactiveUsers="true"), "assignments")

    states = [(row["clientUserId"], row["userStatus"], row.get("idHash")) for row in told]
    assert states == [("ada", "Associated", users[0].id_hash), ("bob", "Retired", None)]
    assert [row["clientUserId"] for row in active] == ["ada"]


def test_a_book_stays_with_a_retired_user_and_comes_back_with_the_account(
    apple: FakeApple, location: Location, caller: Caller
) -> None:
    apple.purchase(location.uid, BOOK, 5)
    apple.purchase(location.uid, TITLE, 5)
    (ada,) = apple.add_users(
        location.uid, [{"clientUserId": "ada", "appleAccount": "ada@oak.example"}]
    )
    for adam_id in (BOOK, TITLE):
        apple.assign(location.uid, adam_id, client_user_ids=["ada"])

    apple.retire(location, [ada])
    counts = {row["adamId"]: row for row in caller.get("assets")["assets"]}
    apple.add_users(location.uid, [{"clientUserId": "ada", "appleAccount": "ada@oak.example"}])
    later = {row["adamId"]: row for row in caller.get("assets")["assets"]}

    assert (counts[BOOK]["assignedCount"], counts[BOOK]["retiredCount"]) == (0, 1)
    assert (counts[TITLE]["assignedCount"], counts[TITLE]["availableCount"]) == (0, 5)
    assert (later[BOOK]["assignedCount"], later[BOOK]["retiredCount"]) == (1, 0)
    statuses = [user["status"] for user in caller.get("users", clientUserId="ada")["users"]]
    assert statuses == ["Retired", "Associated"]


def test_users_are_filtered_by_state(apple: FakeApple, location: Location, caller: Caller) -> None:
    users = apple.add_users(location.uid, [{"clientUserId": "ada"}, {"clientUserId": "bob"}])
    apple.retire(location, users[:1])

    def names(**query: str) -> list[str]:
        return [user["clientUserId"] for user in caller.get("users", **query)["users"]]

    assert names() == ["ada", "bob"]
    assert names(activeOnly="true") == names(includeRetired="0") == ["bob"]
    assert names(retiredOnly="true") == ["ada"]
    assert caller.refused("users", activeOnly="perhaps") == (400, 9602)


def test_a_user_shows_what_belongs_to_the_state(
    apple: FakeApple, location: Location, caller: Caller
) -> None:
    apple.add_users(location.uid, [{"clientUserId": "ada", "email": "ada@oak.example"}])
    (registered,) = caller.get("users")["users"]

    apple.accept_invitation(registered["inviteCode"], "ada@icloud.example")
    (associated,) = caller.get("users")["users"]

    assert set(registered) == {"clientUserId", "email", "status", "inviteCode"}
    assert len(registered["inviteCode"]) == 32
    assert set(associated) == {"clientUserId", "email", "status", "idHash"}
    assert (registered["status"], associated["status"]) == ("Registered", "Associated")


def test_a_delta_of_assignments_shows_what_came_and_not_what_went(
    apple: FakeApple, location: Location, caller: Caller
) -> None:
    apple.purchase(location.uid, TITLE, 10)
    apple.assign(location.uid, TITLE, serial_numbers=["OLD", "GONE"])
    before = caller.get("assignments")["versionId"]
    apple.assign(location.uid, TITLE, serial_numbers=["NEW", "BRIEF"])
    apple.unassign(location.uid, TITLE, serial_numbers=["GONE", "BRIEF"])

    delta = caller.walk("assignments", sinceVersionId=before)

    assert serials(delta) == ["NEW"]
    assert delta[0]["versionId"] == caller.get("assignments")["versionId"] != before
    assert serials(caller.walk("assignments", sinceVersionId=delta[0]["versionId"])) == []


def test_a_delta_of_users_shows_the_retired(
    apple: FakeApple, location: Location, caller: Caller
) -> None:
    users = apple.add_users(location.uid, [{"clientUserId": "ada"}, {"clientUserId": "bob"}])
    before = caller.get("users")["versionId"]
    apple.retire(location, users[:1])
    apple.add_users(location.uid, [{"clientUserId": "ada"}])

    (delta,) = caller.walk("users", sinceVersionId=before)

    shown = [(user["clientUserId"], user["status"]) for user in delta["users"]]
    assert shown == [("ada", "Retired"), ("ada", "Registered")]


def test_version_ids_are_per_list_and_end_after_a_thousand(
    apple: FakeApple, location: Location, caller: Caller
) -> None:
    of_users = caller.get("users")["versionId"]
    first = caller.get("assignments")["versionId"]
    for _ in range(1001):
        location.assignment_versions.bump()

    assert caller.refused("assignments", sinceVersionId=of_users) == (400, 9721)
    assert caller.refused("assignments", sinceVersionId=first) == (400, 9721)


@pytest.mark.parametrize(
    ("change", "moved"),
    [
        (lambda apple, uid: apple.purchase(uid, TITLE, 1), {"assets"}),
        (
            lambda apple, uid: apple.assign(uid, TITLE, serial_numbers=["C02A"]),
            {"assets", "assignments"},
        ),
        (lambda apple, uid: apple.add_users(uid, [{"clientUserId": "ada"}]), {"users"}),
        (lambda apple, uid: apple.rename(uid, "Elm Elementary"), set()),
    ],
)
def test_a_change_moves_the_versions_it_touches(
    apple: FakeApple, location: Location, caller: Caller, change: Any, moved: set[str]
) -> None:
    apple.purchase(location.uid, TITLE, 5)
    lists = ("assets", "assignments", "users")
    before = {name: caller.get(name)["versionId"] for name in lists}

    change(apple, location.uid)

    after = {name: caller.get(name)["versionId"] for name in lists}
    assert {name for name in lists if before[name] != after[name]} == moved


def test_replacing_a_share_keeps_the_counts(
    apple: FakeApple, location: Location, caller: Caller
) -> None:
    apple.fill(location.uid, TITLE, 20)
    before = serials(caller.walk("assignments"))

    replaced = apple.replace(location.uid, TITLE, 0.1)

    after = serials(caller.walk("assignments"))
    assert (replaced, len(after), len(set(before) - set(after))) == (2, 20, 2)
    assert all(name[0] == "F" and len(name) == 12 for name in after)
