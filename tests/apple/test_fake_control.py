"""The control API, as programs and acceptance checks use it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apple.fake_kit import BOOK, OTHER, TITLE, Caller
from vpp_accounts.apple.fake import FakeApple


@pytest.fixture
def apple() -> FakeApple:
    return FakeApple()


@pytest.fixture
def caller(apple: FakeApple) -> Caller:
    return Caller(apple)


@pytest.fixture
def uid(caller: Caller) -> str:
    _, location = caller.control("POST", "locations", {"name": "Oak"})
    uid: str = location["uId"]
    caller.control("POST", "settings", {"maxRequestPerSecond": 1000})
    return uid


def state(caller: Caller, uid: str) -> dict[str, Any]:
    return caller.control("GET", f"state/{uid}")[1]


def test_a_location_comes_with_a_token_that_works(apple: FakeApple, caller: Caller) -> None:
    status, location = caller.control(
        "POST",
        "locations",
        {
            "name": "Oak",
            "orgName": "Redwood",
            "country": "GB",
            "platform": "enterprisestore",
            "expires": "2031-05-01",
        },
    )

    assert (status, set(location)) == (200, {"uId", "locationName", "token"})
    config = Caller(apple, stoken=location["token"]).get("client/config")
    assert config["uId"] == location["uId"]
    assert config["websiteURL"] == "https://business.apple.com"
    assert config["tokenExpirationDate"] == "2031-05-01T00:00:00+0000"


def test_a_renewal_may_revoke_the_older(apple: FakeApple, caller: Caller, uid: str) -> None:
    old = apple.location(uid).tokens[0].text

    _, beside = caller.control("POST", f"locations/{uid}/tokens")
    _, alone = caller.control("POST", f"locations/{uid}/tokens", {"revokeOlder": True})

    tokens = [old, beside["token"], alone["token"]]
    statuses = [
        Caller(apple, stoken=text).ask("GET", "/mdm/v2/assets").status_code for text in tokens
    ]
    assert statuses == [401, 401, 200]


def test_all_tokens_can_be_revoked(caller: Caller, uid: str) -> None:
    assert caller.control("DELETE", f"locations/{uid}/tokens") == (200, {"revoked": 1})
    assert [token["revoked"] for token in state(caller, uid)["tokens"]] == [True]


def test_a_purchase_takes_what_is_not_said_from_the_catalogue(caller: Caller, uid: str) -> None:
    path = f"locations/{uid}/purchase"

    _, book = caller.control("POST", path, {"adamId": BOOK, "pricingParam": "PLUS", "quantity": 3})
    _, unlimited = caller.control("POST", path, {"adamId": "1098840317", "quantity": 1})
    _, unknown = caller.control(
        "POST",
        path,
        {
            "adamId": "42",
            "quantity": 5,
            "deviceAssignable": False,
            "supportedPlatforms": ["tvOS"],
            "name": "Forty-two",
        },
    )

    assert (book["productType"], book["revocable"], book["totalCount"]) == ("Book", False, 3)
    assert (unlimited["unlimited"], unlimited["totalCount"]) == (True, 2147483647)
    assert (unknown["deviceAssignable"], unknown["supportedPlatforms"]) == (False, ["tvOS"])
    found = caller.session.get(f"{caller.url}/lookup", params={"id": "42"}).json()
    assert [item["trackName"] for item in found["results"]] == ["Forty-two"]


def test_a_refund_takes_unassigned_licenses_only(caller: Caller, uid: str) -> None:
    path = f"locations/{uid}"
    caller.control("POST", f"{path}/purchase", {"adamId": TITLE, "quantity": 5})
    caller.control("POST", f"{path}/assign", {"adamId": TITLE, "serialNumbers": ["A", "B"]})

    status, refused = caller.control("POST", f"{path}/purchase", {"adamId": TITLE, "quantity": -4})
    _, asset = caller.control("POST", f"{path}/purchase", {"adamId": TITLE, "quantity": -3})

    assert status == 400
    assert refused == {"error": "Only 3 licenses are unassigned and can be refunded."}
    assert (asset["totalCount"], asset["availableCount"]) == (2, 0)


def test_filling_buys_what_is_missing(caller: Caller, uid: str) -> None:
    body = {"adamId": TITLE, "assignments": 5, "holder": "user"}

    answers = [caller.control("POST", f"locations/{uid}/fill", body) for _ in range(2)]

    assert answers == [(200, {"assigned": 5})] * 2
    told = state(caller, uid)
    assert [(a["totalCount"], a["assignedCount"]) for a in told["assets"]] == [(10, 10)]
    assert len(told["assignments"]) == len(told["users"]) == 10


def test_a_share_can_be_replaced(caller: Caller, uid: str) -> None:
    caller.control("POST", f"locations/{uid}/fill", {"adamId": TITLE, "assignments": 10})

    answer = caller.control("POST", f"locations/{uid}/replace", {"adamId": TITLE, "fraction": 0.3})

    assert answer == (200, {"replaced": 3})
    assert len(state(caller, uid)["assignments"]) == 10


def test_licenses_move_between_locations(caller: Caller, uid: str) -> None:
    _, other = caller.control("POST", "locations", {"name": "Elm"})
    caller.control("POST", f"locations/{uid}/purchase", {"adamId": TITLE, "quantity": 5})
    body = {"from": uid, "to": other["uId"], "adamId": TITLE, "quantity": 2}

    assert caller.control("POST", "transfer", body) == (200, {"transferred": 2})
    assert caller.control("POST", "transfer", {**body, "quantity": 4})[0] == 400
    assert caller.control("POST", "transfer", {**body, "to": uid})[0] == 400
    totals = [state(caller, each)["assets"][0]["totalCount"] for each in (uid, other["uId"])]
    assert totals == [3, 2]


def test_another_mdm_assigns_and_unassigns(caller: Caller, uid: str) -> None:
    path = f"locations/{uid}"
    caller.control("POST", f"{path}/purchase", {"adamId": TITLE, "quantity": 2})
    caller.control("POST", f"{path}/users", {"users": [{"clientUserId": "ada"}]})
    both = {"adamId": TITLE, "serialNumbers": ["A"], "clientUserIds": ["ada"]}

    first = caller.control("POST", f"{path}/assign", both)
    again = caller.control("POST", f"{path}/assign", both)
    too_many = caller.control("POST", f"{path}/assign", {"adamId": TITLE, "serialNumbers": ["B"]})
    stranger = caller.control("POST", f"{path}/assign", {"adamId": TITLE, "clientUserIds": ["eve"]})
    gone = caller.control("POST", f"{path}/unassign", {"adamId": TITLE, "serialNumbers": ["A"]})

    assert (first, again) == ((200, {"assigned": 2}), (200, {"assigned": 0}))
    assert (too_many[0], stranger[0]) == (400, 400)
    assert gone == (200, {"unassigned": 1})
    assert state(caller, uid)["assignments"] == [
        {"adamId": TITLE, "pricingParam": "STDQ", "clientUserId": "ada"}
    ]


def test_books_go_to_users_and_stay(caller: Caller, uid: str) -> None:
    path = f"locations/{uid}"
    caller.control("POST", f"{path}/purchase", {"adamId": BOOK, "quantity": 2})
    caller.control("POST", f"{path}/users", {"users": [{"clientUserId": "ada"}]})
    caller.control("POST", f"{path}/assign", {"adamId": BOOK, "clientUserIds": ["ada"]})

    to_device = caller.control("POST", f"{path}/assign", {"adamId": BOOK, "serialNumbers": ["A"]})
    back = caller.control("POST", f"{path}/unassign", {"adamId": BOOK, "clientUserIds": ["ada"]})

    assert (to_device[0], back[0]) == (400, 400)


def test_a_claim_and_a_name_change(caller: Caller, uid: str) -> None:
    other = {"id": "other", "name": "Other MDM", "metadata": "since 2024"}

    assert caller.control("POST", f"locations/{uid}/claim", {"id": "x"})[0] == 400
    assert caller.control("POST", f"locations/{uid}/claim", other)[1]["mdmInfo"] == other
    assert caller.control("DELETE", f"locations/{uid}/claim")[1]["mdmInfo"] is None
    _, renamed = caller.control("POST", f"locations/{uid}/rename", {"name": "Elm"})
    assert renamed["locationName"] == "Elm"
    assert [
        each["locationName"] for each in caller.control("GET", "locations")[1]["locations"]
    ] == ["Elm"]


def test_an_invitation_is_accepted_once_and_by_one_account(caller: Caller, uid: str) -> None:
    users = {"users": [{"clientUserId": "ada"}, {"clientUserId": "bob", "email": "b@oak.example"}]}
    _, added = caller.control("POST", f"locations/{uid}/users", users)
    ada, bob = (f"invitations/{user['inviteCode']}/accept" for user in added["users"])
    account = {"appleAccount": "Ada@icloud.example"}

    status, accepted = caller.control("POST", ada, account)

    assert (status, accepted["status"]) == (200, "Associated")
    assert caller.control("POST", ada, account)[0] == 404
    assert caller.control("POST", bob, {"appleAccount": "ada@icloud.example"})[0] == 400
    assert caller.control("POST", bob, {"appleAccount": "nobody"})[0] == 400
    switch = {"guesses": {"sameAppleAccountTwice": True}}
    caller.control("POST", "settings", switch)
    assert caller.control("POST", bob, {"appleAccount": "ada@icloud.example"})[0] == 200


def test_settings_for_all_and_for_one(apple: FakeApple, caller: Caller, uid: str) -> None:
    _, other = caller.control("POST", "locations", {"name": "Elm"})
    caller.control("POST", "settings", {"pageSize": 7, "limits": {"maxAssets": 9}})
    caller.control("POST", "settings", {"uId": uid, "pageSize": 2, "maxRequestPerSecond": 3})

    _, common = caller.control("GET", "settings")
    _, own = caller.control("GET", f"settings?uId={uid}")
    _, others = caller.control("GET", f"settings?uId={other['uId']}")

    assert (common["pageSize"], common["limits"]["maxAssets"]) == (7, 9)
    assert (own["pageSize"], own["maxRequestPerSecond"], own["limits"]["maxAssets"]) == (2, 3, 9)
    assert others == common


@pytest.mark.parametrize(
    "body",
    [
        {"pageSize": 0},
        {"pageSize": "many"},
        {"pagesize": 5},
        {"latencyMs": -1},
        {"limits": {"maxAssets": "x"}},
        {"limits": 5},
        {"guesses": {"unheardOf": True}},
        {"guesses": {"emptyTotalPages": 7}},
        {"artworkShape": "round"},
    ],
)
def test_wrong_settings_change_nothing(caller: Caller, body: dict[str, Any]) -> None:
    before = caller.control("GET", "settings")

    status, answer = caller.control("POST", "settings", {"eventDelaySeconds": 9, **body})

    assert (status, set(answer)) == (400, {"error"})
    assert caller.control("GET", "settings") == before


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "locations", {}, 400),
        ("POST", "locations", {"name": "Oak", "colour": "red"}, 400),
        ("POST", "locations", {"name": " "}, 400),
        ("POST", "locations", {"name": 7}, 400),
        ("POST", "locations", {"name": "Oak", "country": "Germany"}, 400),
        ("POST", "locations", {"name": "Oak", "expires": "soon"}, 400),
        ("POST", "locations", [], 400),
        ("POST", "locations/1/purchase", {"adamId": TITLE, "quantity": 1}, 404),
        ("POST", "faults", {"fault": "unheard_of"}, 400),
        ("POST", "faults", {"fault": "internal", "times": "often"}, 400),
        ("DELETE", "faults/7", None, 404),
        ("POST", "clock", {"advanceSeconds": -5}, 400),
        ("POST", "clock", {"advanceSeconds": "soon"}, 400),
        ("PUT", "clock", {}, 400),
        ("GET", "nothing", None, 404),
        ("POST", "invitations/nocode/accept", {"appleAccount": "a@b.example"}, 404),
    ],
)
def test_nonsense_gets_a_sentence(
    caller: Caller, method: str, path: str, body: Any, status: int
) -> None:
    answered, answer = caller.control(method, path, body)

    assert (answered, set(answer)) == (status, {"error"})
    assert answer["error"].endswith(".")


@pytest.mark.parametrize(
    "body",
    [
        {"adamId": 7, "quantity": 1},
        {"adamId": "x7", "quantity": 1},
        {"adamId": TITLE, "quantity": "ten"},
        {"adamId": TITLE, "quantity": 1, "pricingParam": "GOLD"},
        {"adamId": TITLE, "quantity": 1, "productType": "Song"},
        {"adamId": TITLE, "quantity": 1, "unlimited": "yes"},
        {"adamId": TITLE, "quantity": 1, "supportedPlatforms": ["BeOS"]},
        {"adamId": TITLE, "quantity": -1},
    ],
)
def test_a_purchase_that_makes_no_sense_buys_nothing(
    caller: Caller, uid: str, body: dict[str, Any]
) -> None:
    assert caller.control("POST", f"locations/{uid}/purchase", body)[0] == 400
    assert state(caller, uid)["assets"] == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("fill", {"adamId": TITLE, "assignments": 1, "holder": "school"}),
        ("fill", {"adamId": TITLE, "assignments": -1}),
        ("fill", {"adamId": BOOK, "assignments": 1, "holder": "serial"}),
        ("replace", {"adamId": TITLE, "fraction": 2}),
        ("assign", {"adamId": TITLE, "serialNumbers": "A"}),
        ("users", {"users": [{"clientUserId": ""}]}),
        ("users", {"users": [{"clientUserId": "ada"}, {"clientUserId": "ada"}]}),
        ("rename", {"name": " "}),
    ],
)
def test_what_makes_no_sense_changes_nothing(
    caller: Caller, uid: str, path: str, body: dict[str, Any]
) -> None:
    caller.control("POST", f"locations/{uid}/purchase", {"adamId": TITLE, "quantity": 1})
    before = state(caller, uid)

    status, answer = caller.control("POST", f"locations/{uid}/{path}", body)

    assert (status, set(answer)) == (400, {"error"})
    assert state(caller, uid) == before


def test_faults_are_set_listed_and_removed(caller: Caller, uid: str) -> None:
    _, first = caller.control("POST", "faults", {"fault": "internal", "uId": uid, "times": 2})
    caller.control("POST", "faults", {"fault": "overload", "args": {"retryAfter": 3}})

    _, listed = caller.control("GET", "faults")
    caller.control("DELETE", f"faults/{first['id']}")
    _, left = caller.control("GET", "faults")
    caller.control("DELETE", "faults")

    assert [fault["fault"] for fault in listed["set"]] == ["internal", "overload"]
    assert [fault["fault"] for fault in left["set"]] == ["overload"]
    assert caller.control("GET", "faults")[1]["set"] == []


def test_the_clock_advances(apple: FakeApple, caller: Caller) -> None:
    before = apple.clock.now()

    _, clock = caller.control("POST", "clock", {"advanceSeconds": 86400})

    assert clock["advancedSeconds"] == 86400
    assert 86400 <= apple.clock.now() - before < 86460
    assert caller.control("GET", "clock")[1]["advancedSeconds"] == 86400


def test_the_journal_goes_on_from_where_one_read_last(
    apple: FakeApple, caller: Caller, uid: str
) -> None:
    reader = Caller(apple, stoken=apple.issue_token(uid))
    reader.get("assets")
    _, first = caller.control("GET", "journal")
    reader.get("users")

    _, second = caller.control("GET", f"journal?since={first['entries'][-1]['seq']}")
    caller.control("DELETE", "journal")

    assert [entry["path"] for entry in first["entries"]] == ["/mdm/v2/assets"]
    assert [entry["path"] for entry in second["entries"]] == ["/mdm/v2/users"]
    assert caller.control("GET", "journal")[1]["entries"] == []


def test_a_reset_forgets_everything(apple: FakeApple, caller: Caller, uid: str) -> None:
    caller.control("POST", "faults", {"fault": "internal"})
    caller.control("POST", f"locations/{uid}/fill", {"adamId": OTHER, "assignments": 3})

    caller.control("POST", "reset")

    assert caller.control("GET", "locations")[1]["locations"] == []
    assert caller.control("GET", "faults")[1]["set"] == []
    assert caller.control("GET", "settings")[1]["maxRequestPerSecond"] == 15
    assert caller.control("GET", f"state/{uid}")[0] == 404
