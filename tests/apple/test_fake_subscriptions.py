"""Seats of subscriptions: behind a switch, in cursor pages, with periods that end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.apple.fake_kit import Caller
from tests.apple.test_fake_writes import Receiver
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.apple.fake.persistence import restore, snapshot
from vpp_accounts.apple.fake.state import Location

PLAN, OTHER_PLAN, PARENT = 12345, 12346, 54321
TYPES = ["SUBSCRIPTION_MANAGEMENT", "SUBSCRIPTION_COUNT", "USER_MANAGEMENT"]
DAY = 86_400
PEOPLE = ("ada", "bob", "cyd")


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def apple(receiver: Receiver) -> FakeApple:
    apple = FakeApple(deliver=receiver)
    apple.settings.limits["maxRequestPerSecond"] = 10_000
    apple.settings.subscriptions = True
    return apple


@pytest.fixture
def location(apple: FakeApple) -> Location:
    location = apple.create_location(name="Oak Elementary")
    users = [{"clientUserId": name, "appleAccount": f"{name}@oak.example"} for name in PEOPLE]
    apple.add_users(location.uid, [*users, {"clientUserId": "eve"}])
    return location


@pytest.fixture
def caller(apple: FakeApple, location: Location, receiver: Receiver) -> Iterator[Caller]:
    caller = Caller(apple, stoken=location.issue_token())
    where = {"notificationUrl": "https://dash.example/n", "notificationAuthToken": "secret"}
    caller.post("client/config", {**where, "notificationTypes": TYPES})
    caller.ask("POST", "/mdm/v2/subscriptions/enable")
    receiver.raw.clear()
    return caller


@pytest.fixture
def seats(apple: FakeApple, location: Location, caller: Caller, receiver: Receiver) -> None:
    apple.buy_seats(location.uid, PLAN, parent_adam_id=PARENT, renewing=1, expiring=1)
    apple.buy_seats(location.uid, OTHER_PLAN, renewing=5)
    apple.run_due()
    receiver.raw.clear()


def walk(caller: Caller, name: str, **query: Any) -> list[list[dict[str, Any]]]:
    """The rows of every page, up to the one without a cursor."""
    pages, cursor = [], None
    while True:
        body = caller.get(name, **query, **({"cursor": cursor} if cursor else {}))
        pages.append(body[name.rpartition("/")[2]])
        cursor = body.get("nextCursor")
        if cursor is None:
            return pages


def change(caller: Caller, apple: FakeApple, path: str, **body: Any) -> dict[str, Any]:
    """The status of the event once it is over."""
    accepted = caller.post(f"subscriptions/{path}", body)
    apple.advance(60)
    return caller.get("status", eventId=accepted["eventId"])


def counts(caller: Caller) -> dict[str, Any]:
    return caller.get("subscriptions", adamId=PLAN)["subscriptions"][0]["counts"]


def test_without_the_switch_there_are_no_such_endpoints(apple: FakeApple, caller: Caller) -> None:
    apple.settings.subscriptions = False

    assert caller.ask("GET", "/mdm/v2/subscriptions").status_code == 404


def test_enabling_comes_before_buying(apple: FakeApple, location: Location, caller: Caller) -> None:
    disabled = caller.ask("POST", "/mdm/v2/subscriptions/disable").json()
    path = f"locations/{location.uid}/subscriptions"

    early = caller.control("POST", path, {"adamId": PLAN, "renewing": 2})
    enabled = caller.ask("POST", "/mdm/v2/subscriptions/enable").json()
    bought = caller.control(
        "POST", path, {"adamId": PLAN, "renewing": 2, "periodEnd": "2099-01-31"}
    )
    late = caller.ask("POST", "/mdm/v2/subscriptions/disable")

    assert (disabled["mdmInfo"], disabled["subscriptionManagement"]) == (None, False)
    assert early[0] == 400
    assert enabled["subscriptionManagement"] is True
    assert bought == (
        200,
        {
            "parentAdamId": None,
            "adamId": PLAN,
            "status": "ACTIVE",
            "periodEndDate": "2099-01-31",
            "counts": {
                "assigned": {"renewing": 0, "expiring": 0},
                "available": {"renewing": 2, "expiring": 0},
                "total": {"renewing": 2, "expiring": 0},
            },
        },
    )
    assert (late.status_code, late.json()["errorNumber"]) == (400, 9818)


@pytest.mark.usefixtures("seats")
def test_a_seat_counts_by_its_own_mode_and_its_licenses(
    apple: FakeApple, caller: Caller, receiver: Receiver
) -> None:
    done = change(caller, apple, "associate", adamIds=[PLAN], clientUserIds=["ada"], renewing=False)
    also = change(caller, apple, "associate", adamIds=[PLAN], clientUserIds=["bob"], renewing=False)
    full = change(caller, apple, "associate", adamIds=[PLAN], clientUserIds=["cyd"], renewing=True)

    assert [each["eventStatus"] for each in (done, also, full)] == ["COMPLETE"] * 2 + ["FAILED"]
    assert full["failures"][0]["errorNumber"] == 9709
    assert counts(caller) == {
        "assigned": {"renewing": 0, "expiring": 2},
        "available": {"renewing": 0, "expiring": 0},
        "total": {"renewing": 1, "expiring": 1},
    }
    kind, told = receiver.told[0]
    assert kind == "SUBSCRIPTION_MANAGEMENT"
    assert told["assignments"] == [{"adamId": PLAN, "clientUserId": "ada", "renewing": False}]


@pytest.mark.usefixtures("seats")
def test_the_end_of_a_period_takes_what_expires(
    apple: FakeApple, caller: Caller, receiver: Receiver
) -> None:
    change(caller, apple, "associate", adamIds=[PLAN], clientUserIds=["ada"], renewing=False)
    change(caller, apple, "associate", adamIds=[PLAN], clientUserIds=["bob"], renewing=True)
    receiver.raw.clear()

    apple.advance(31 * DAY)

    assert counts(caller) == {
        "assigned": {"renewing": 1, "expiring": 0},
        "available": {"renewing": 0, "expiring": 0},
        "total": {"renewing": 1, "expiring": 0},
    }
    assert receiver.told == [
        (
            "SUBSCRIPTION_COUNT",
            {
                "parentAdamId": PARENT,
                "adamId": PLAN,
                "counts": {
                    "available": {"renewing": 0, "expiring": 0},
                    "total": {"renewing": 1, "expiring": 0},
                },
            },
        )
    ]


@pytest.mark.usefixtures("seats")
def test_a_deferred_disassociation_is_told_when_the_period_ends(
    apple: FakeApple, caller: Caller, receiver: Receiver
) -> None:
    change(caller, apple, "associate", adamIds=[OTHER_PLAN], clientUserIds=["ada", "bob"])
    at_once = {"adamIds": [OTHER_PLAN], "clientUserIds": ["bob"]}
    change(caller, apple, "disassociate", **at_once)
    receiver.raw.clear()

    asked = {"adamIds": [OTHER_PLAN], "clientUserIds": ["ada"], "deferred": True}
    done = change(caller, apple, "disassociate", **asked)
    before, told_before = walk(caller, "subscriptions/assignments"), list(receiver.told)
    apple.advance(31 * DAY)

    assert done["eventStatus"] == "COMPLETE"
    row = {"adamId": OTHER_PLAN, "clientUserId": "ada", "renewing": True}
    assert (before, told_before) == ([[row], []], [])
    assert walk(caller, "subscriptions/assignments") == [[]]
    assert [told["assignments"] for kind, told in receiver.told if kind == TYPES[0]] == [[row]]


@pytest.mark.usefixtures("seats")
def test_pages_end_with_an_empty_one_unless_guessed_otherwise(
    apple: FakeApple, caller: Caller
) -> None:
    apple.settings.page_size = 2
    asked = {"adamIds": [OTHER_PLAN], "clientUserIds": list(PEOPLE)}
    change(caller, apple, "associate", **asked)

    extra = walk(caller, "subscriptions/assignments")
    apple.settings.guesses.subscriptions_end_with_empty_page = False
    exact = walk(caller, "subscriptions/assignments")

    assert [len(rows) for rows in extra] == [2, 1, 0]
    assert [len(rows) for rows in exact] == [2, 1]
    assert walk(caller, "subscriptions/assignments", clientUserId="bob") == [[extra[0][1]]]
    assert [row["adamId"] for row in walk(caller, "subscriptions", parentAdamId=PARENT)[0]] == [
        PLAN
    ]


@pytest.mark.usefixtures("seats")
def test_a_cursor_belongs_to_its_list(caller: Caller) -> None:
    cursor = caller.get("subscriptions")["nextCursor"]

    assert caller.refused("subscriptions/admins", cursor=cursor) == (400, 9812)
    assert caller.refused("subscriptions", cursor="nonsense") == (400, 9812)
    assert "mdmInfo" not in caller.get("subscriptions")


@pytest.mark.usefixtures("seats")
def test_administrators_are_added_and_removed_at_once(caller: Caller) -> None:
    asked = {"adamIds": [PLAN, OTHER_PLAN], "clientUserIds": ["ada"]}

    added = caller.post("subscriptions/admins/add", asked)
    listed = caller.get("subscriptions/admins", adamId=[PLAN, OTHER_PLAN], includeUserState="true")
    removed = caller.post("subscriptions/admins/remove", {**asked, "adamIds": [PLAN]})

    assert set(added) == {"uId", "tokenExpirationDate", "versionId"}
    assert [row["adamId"] for row in listed["admins"]] == [PLAN, OTHER_PLAN]
    assert listed["admins"][0]["userStatus"] == "Associated"
    assert added["versionId"] != removed["versionId"]
    assert len(caller.get("subscriptions/admins")["admins"]) == 1


@pytest.mark.usefixtures("seats")
@pytest.mark.parametrize(
    ("path", "body", "number"),
    [
        ("associate", {"clientUserIds": ["ada"]}, 9811),
        ("associate", {"adamIds": ["12345"], "clientUserIds": ["ada"]}, 9811),
        ("associate", {"adamIds": [PLAN, PLAN], "clientUserIds": ["ada"]}, 9811),
        ("associate", {"adamIds": [PLAN], "clientUserIds": ["ada"], "renewing": 1}, 9811),
        ("associate", {"adamIds": [1], "clientUserIds": ["ada"]}, 9813),
        ("associate", {"adamIds": list(range(1, 27)), "clientUserIds": ["ada"]}, 9816),
        ("associate", {"adamIds": [PLAN], "clientUserIds": [str(n) for n in range(1001)]}, 9701),
        ("associate", {"adamIds": [PLAN], "clientUserIds": ["eve"]}, 9814),
        ("associate", {"adamIds": [PLAN], "clientUserIds": ["nobody"]}, 9814),
        ("disassociate", {"adamIds": [PLAN], "clientUserIds": ["ada"]}, 9815),
        ("admins/add", {"adamIds": [PLAN], "clientUserIds": ["eve"]}, 9814),
    ],
)
def test_what_makes_no_sense_is_refused(
    caller: Caller, path: str, body: dict[str, Any], number: int
) -> None:
    assert caller.post(f"subscriptions/{path}", body)["errorNumber"] == number


@pytest.mark.usefixtures("seats")
def test_a_retired_user_holds_no_seat(apple: FakeApple, caller: Caller) -> None:
    change(caller, apple, "associate", adamIds=[PLAN], clientUserIds=["ada"])

    caller.post("users/retire", {"users": [{"clientUserId": "ada"}]})
    apple.advance(60)

    assert walk(caller, "subscriptions/assignments") == [[]]


@pytest.mark.usefixtures("seats")
def test_seats_survive_a_restart_and_their_periods_go_on(apple: FakeApple, caller: Caller) -> None:
    change(caller, apple, "associate", adamIds=[PLAN], clientUserIds=["ada"], renewing=False)
    seen = caller.get("subscriptions")
    again = FakeApple()
    restore(again, snapshot(apple))
    stoken = str(caller.session.headers["Authorization"]).removeprefix("Bearer ")
    after = Caller(again, stoken=stoken)

    kept = after.get("subscriptions")
    again.advance(31 * DAY)

    assert kept == seen
    assert walk(after, "subscriptions/assignments") == [[]]
