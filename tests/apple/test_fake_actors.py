"""Who else acts in a location: another MDM, an older one, the managers, and Apple itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.apple.fake_kit import BOOK, OTHER, TITLE, Caller
from tests.apple.test_fake_writes import ASSET, TYPES, Receiver, held
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.apple.fake.state import Location

MAIL, REUSED = "1098840317", "1122360947"
CLAIM = {"id": "other", "name": "Another MDM", "metadata": "m"}


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def apple(receiver: Receiver) -> FakeApple:
    apple = FakeApple(deliver=receiver)
    apple.settings.limits["maxRequestPerSecond"] = 10_000
    return apple


@pytest.fixture
def location(apple: FakeApple) -> Location:
    location = apple.create_location(name="Oak Elementary", org_name="Redwood Schools")
    for adam_id in (TITLE, OTHER, BOOK):
        apple.purchase(location.uid, adam_id, 3)
    apple.add_users(location.uid, [{"clientUserId": "ada"}])
    return location


@pytest.fixture
def caller(apple: FakeApple, location: Location, receiver: Receiver) -> Iterator[Caller]:
    caller = Caller(apple, stoken=location.issue_token())
    where = {"notificationUrl": "https://dash.example/n", "notificationAuthToken": "secret"}
    types = [*TYPES, "UNLIMITED_ASSET"]
    caller.post("client/config", {**where, "notificationTypes": types})
    receiver.raw.clear()
    return caller


def other(caller: Caller, location: Location, path: str, body: Any) -> tuple[int, dict[str, Any]]:
    return caller.control("POST", f"locations/{location.uid}/mdm/{path}", body)


# Another MDM


def test_another_mdm_works_by_the_same_rules_and_our_url_hears_of_it(
    apple: FakeApple, location: Location, caller: Caller, receiver: Receiver
) -> None:
    calls = len(apple.journal)
    claimed = other(caller, location, "client/config", {"mdmInfo": CLAIM})
    created = other(caller, location, "users/create", {"users": [{"clientUserId": "bob"}]})
    given = other(caller, location, "assets/associate", {"assets": [ASSET], "serialNumbers": ["A"]})
    apple.advance(60)
    revoked = other(caller, location, "assets/revoke", {"serialNumbers": ["A"]})
    apple.advance(60)

    assert [each[0] for each in (claimed, created, given, revoked)] == [200] * 4
    assert caller.get("assets")["mdmInfo"] == CLAIM
    assert [(kind, told["type"], told["result"]) for kind, told in receiver.told] == [
        ("USER_MANAGEMENT", "CREATE", "SUCCESS"),
        ("ASSET_MANAGEMENT", "ASSOCIATE", "SUCCESS"),
        ("ASSET_MANAGEMENT", "REVOKE", "SUCCESS"),
    ]
    ours = [entry for entry in list(apple.journal)[calls:] if entry.kind == "request"]
    assert [entry.path for entry in ours] == ["/mdm/v2/assets"]


def test_another_mdm_is_refused_as_everybody_is(location: Location, caller: Caller) -> None:
    body = {"assets": [{"adamId": BOOK}], "serialNumbers": ["A"]}

    status, refused = other(caller, location, "assets/associate", body)

    assert (status, refused["errorNumber"]) == (400, 9707)
    assert other(caller, location, "assets/explode", {})[0] == 404


def test_what_the_control_api_assigns_is_told_in_hundreds(
    apple: FakeApple, location: Location, caller: Caller, receiver: Receiver
) -> None:
    apple.purchase(location.uid, TITLE, 147)
    apple.run_due()
    receiver.raw.clear()

    apple.assign(location.uid, TITLE, serial_numbers=[f"S{n}" for n in range(150)])
    apple.unassign(location.uid, TITLE, serial_numbers=["S0"])
    apple.add_users(location.uid, [{"clientUserId": "bob"}])
    apple.run_due()

    told = [told for _, told in receiver.told]
    assert [len(each.get("assignments") or each["users"]) for each in told] == [100, 50, 1, 1]
    assert [each["type"] for each in told] == ["ASSOCIATE"] * 2 + ["DISASSOCIATE", "CREATE"]


# An older one, on v1


def v1(caller: Caller, name: str, **body: Any) -> dict[str, Any]:
    stoken = str(caller.session.headers["Authorization"]).removeprefix("Bearer ")
    response = caller.ask("POST", f"/mdm/{name}", json={"sToken": stoken, **body})
    assert response.status_code == 200
    return response.json()


def test_an_older_mdm_registers_gives_and_takes(
    apple: FakeApple, location: Location, caller: Caller, receiver: Receiver
) -> None:
    user = v1(caller, "registerVPPUserSrv", clientUserIdStr="bob", email="bob@oak.example")
    again = v1(caller, "registerVPPUserSrv", clientUserIdStr="bob")
    given = v1(
        caller,
        "manageVPPLicensesByAdamIdSrv",
        adamIdStr=TITLE,
        associateSerialNumbers=["A", "B"],
    )
    moved = v1(
        caller,
        "manageVPPLicensesByAdamIdSrv",
        adamIdStr=TITLE,
        disassociateSerialNumbers=["A", "X"],
        associateClientUserIdStrs=["bob", "nobody"],
    )
    apple.run_due()

    assert user["user"] == again["user"]
    assert user["uId"] == location.uid
    assert (given["status"], moved["status"]) == (0, -3)
    numbers = [row.get("errorNumber") for row in moved["disassociations"] + moved["associations"]]
    assert numbers == [None, 9619, None, 9609]
    assert held(caller) == [(TITLE, "B"), (TITLE, "bob")]
    assert [told["type"] for kind, told in receiver.told] == [
        "CREATE",
        "ASSOCIATE",
        "DISASSOCIATE",
        "ASSOCIATE",
    ]


def test_an_older_mdm_leaves_a_note_until_v2_is_used(
    apple: FakeApple, location: Location, caller: Caller
) -> None:
    noted = v1(caller, "VPPClientConfigSrv", clientContext="ours")
    caller.post("client/config", {"mdmInfo": CLAIM})

    later = v1(caller, "VPPClientConfigSrv")
    urls = caller.ask("GET", "/mdm/VPPServiceConfigSrv").json()

    assert (noted["clientContext"], noted["location"]["locationName"]) == ("ours", "Oak Elementary")
    assert "v2" in later["clientContext"]
    assert urls["manageVPPLicensesByAdamIdSrvUrl"].endswith("/mdm/manageVPPLicensesByAdamIdSrv")
    assert "(secret)" in str(apple.journal.since(0))


@pytest.mark.parametrize(
    ("name", "body", "number"),
    [
        ("registerVPPUserSrv", {}, 9600),
        ("VPPClientConfigSrv", {"clientContext": "x" * 256}, 9602),
        ("VPPClientConfigSrv", {"sToken": "nonsense"}, 9622),
        ("manageVPPLicensesByAdamIdSrv", {"adamIdStr": "1"}, 9602),
        ("manageVPPLicensesByAdamIdSrv", {"adamIdStr": TITLE, "associateSerialNumbers": "A"}, 9602),
    ],
)
def test_an_older_mdm_is_refused_with_200(
    caller: Caller, name: str, body: dict[str, Any], number: int
) -> None:
    refused = v1(caller, name, **body)

    assert (refused["status"], refused["errorNumber"]) == (-1, number)


# Managers, and Apple


def test_a_new_password_ends_the_tokens_of_that_manager(
    apple: FakeApple, location: Location, caller: Caller
) -> None:
    path = f"locations/{location.uid}"
    caller.control("POST", f"{path}/managers", {"account": "ann@redwood.example"})
    hers = caller.control("POST", f"{path}/tokens", {"manager": "ann@redwood.example"})[1]["token"]

    revoked = caller.control("POST", f"{path}/password", {"manager": "ann@redwood.example"})

    assert revoked == (200, {"revoked": 1})
    assert Caller(apple, stoken=hers).refused("assets") == (401, 9625)
    assert "assets" in caller.get("assets")
    apple.settings.guesses.password_change_number = 9601
    apple.change_password(location.uid)
    assert caller.refused("assets") == (401, 9601)


def test_a_manager_who_may_only_read_cannot_write(
    apple: FakeApple, location: Location, caller: Caller
) -> None:
    apple.add_manager(location.uid, location.manager().account, may_write=False)

    refused = caller.post("assets/associate", {})

    assert refused["errorNumber"] == 9637
    assert "assets" in caller.get("assets")
    assert caller.control("POST", f"locations/{location.uid}/managers", {"account": "x"})[0] == 400


def test_one_token_can_be_revoked(apple: FakeApple, location: Location, caller: Caller) -> None:
    first = Caller(apple, stoken=location.tokens[0].text)

    caller.control("DELETE", f"locations/{location.uid}/tokens/0")

    assert first.refused("assets") == (401, 9625)
    assert "assets" in caller.get("assets")
    assert caller.control("DELETE", f"locations/{location.uid}/tokens/9")[0] == 404


def test_what_apple_manages_itself_can_only_be_read(location: Location, caller: Caller) -> None:
    caller.control("POST", f"locations/{location.uid}/options", {"managedByApple": True})

    assert caller.post("assets/associate", {})["errorNumber"] == 9645
    assert "assets" in caller.get("assets")


def test_free_apps_become_unlimited_and_limited_again(
    apple: FakeApple, location: Location, caller: Caller, receiver: Receiver
) -> None:
    apple.purchase(location.uid, REUSED, 2)
    apple.purchase(location.uid, MAIL, 0)
    apple.fill(location.uid, MAIL, 4)
    path = f"locations/{location.uid}/options"

    caller.control("POST", path, {"unlimitedFreeApps": True})
    unlimited = caller.get("assets", adamId=REUSED)["assets"][0]["totalCount"]
    caller.control("POST", path, {"unlimitedFreeApps": False})
    apple.run_due()

    assert unlimited == 2147483647
    assert caller.get("assets", adamId=REUSED)["assets"][0]["totalCount"] == 2
    assert caller.get("assets", adamId=MAIL)["assets"][0]["totalCount"] == 4
    assert caller.get("assets", adamId=TITLE)["assets"][0]["totalCount"] == 3
    told = [told for kind, told in receiver.told if kind == "UNLIMITED_ASSET"]
    assert [(each["adamId"], each["unlimited"]) for each in told] == [
        (REUSED, True),
        (REUSED, False),
        (MAIL, False),
    ]


# Guesses about people


def test_books_of_a_user_who_was_retired_twice_count_twice(
    apple: FakeApple, location: Location, caller: Caller
) -> None:
    for _ in range(2):
        apple.assign(location.uid, BOOK, client_user_ids=["ada"])
        apple.retire(location, [user for user in location.users if user.is_active])
        apple.add_users(location.uid, [{"clientUserId": "ada"}])
    apple.assign(location.uid, BOOK, client_user_ids=["ada"])

    (asset,) = caller.get("assets", adamId=BOOK)["assets"]
    listed = caller.get("assignments", adamId=BOOK, includeUserState="true")["assignments"]

    counts = [asset[f"{name}Count"] for name in ("total", "available", "assigned", "retired")]
    assert counts == [3, 0, 1, 2]
    assert [row["userStatus"] for row in listed] == ["Registered", "Retired", "Retired"]
    assert [user["status"] for user in caller.get("users", clientUserId="ada")["users"]] == [
        "Retired",
        "Retired",
        "Registered",
    ]


def test_unknown_users_may_be_refused_at_once(apple: FakeApple, caller: Caller) -> None:
    apple.settings.guesses.unknown_users_are_refused = True

    refused = caller.post("users/retire", {"users": [{"clientUserId": "nobody"}]})

    assert refused["errorNumber"] == 9609
    assert refused["errorInfo"] == {"clientUserIds": ["nobody"]}


def test_retiring_the_retired_may_count_as_done(apple: FakeApple, caller: Caller) -> None:
    apple.settings.guesses.retiring_the_retired = "complete"
    body = {"users": [{"clientUserId": "ada"}]}
    events = []
    for _ in range(2):
        events.append(caller.post("users/retire", body)["eventId"])
        apple.advance(60)

    statuses = [caller.get("status", eventId=event) for event in events]

    assert [(each["eventStatus"], each["numCompleted"]) for each in statuses] == [
        ("COMPLETE", 1)
    ] * 2


def test_holding_may_need_an_apple_account(apple: FakeApple, caller: Caller) -> None:
    apple.settings.guesses.registered_users_can_hold = False

    event = caller.post("assets/associate", {"assets": [ASSET], "clientUserIds": ["ada"]})
    apple.advance(60)

    failures = caller.get("status", eventId=event["eventId"])["failures"]
    assert [each["errorNumber"] for each in failures] == [9609]


def test_null_may_clear_the_claim_and_the_receiver(apple: FakeApple, caller: Caller) -> None:
    caller.post("client/config", {"mdmInfo": CLAIM})
    kept = caller.post("client/config", {"mdmInfo": None})
    apple.settings.guesses.null_clears_config = True

    cleared = caller.post("client/config", {"mdmInfo": None, "notificationUrl": None})

    assert kept["mdmInfo"] == CLAIM
    assert "mdmInfo" not in cleared
    assert "notificationUrl" not in cleared
