"""Licenses and users change through events, and whoever is subscribed hears of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import requests

from tests.apple.fake_kit import BOOK, OTHER, TITLE, Caller, rows
from vpp_accounts.apple.fake import FakeApple, serving
from vpp_accounts.apple.fake.persistence import restore, snapshot
from vpp_accounts.apple.fake.state import Location

TYPES = ["ASSET_MANAGEMENT", "ASSET_COUNT", "USER_MANAGEMENT", "USER_ASSOCIATED"]
ASSET = {"adamId": TITLE, "pricingParam": "STDQ"}


class Receiver:
    def __init__(self) -> None:
        self.statuses: list[int | None] = []
        self.raw: list[tuple[str, bytes]] = []

    def __call__(self, url: str, headers: dict[str, str], body: bytes) -> int | None:
        self.raw.append((headers["Authorization"], body))
        return self.statuses.pop(0) if self.statuses else 200

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [orjson.loads(body) for _, body in self.raw]

    @property
    def told(self) -> list[tuple[str, dict[str, Any]]]:
        return [(body["notificationType"], body["notification"]) for body in self.bodies]


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def apple(receiver: Receiver) -> FakeApple:
    apple = FakeApple(deliver=receiver)
    apple.settings.limits["maxRequestPerSecond"] = 10_000
    apple.settings.event_delay_seconds = 5
    return apple


@pytest.fixture
def location(apple: FakeApple) -> Location:
    location = apple.create_location(name="Oak Elementary", org_name="Redwood")
    apple.purchase(location.uid, TITLE, 3)
    apple.purchase(location.uid, OTHER, 3)
    apple.purchase(location.uid, BOOK, 3)
    apple.add_users(location.uid, [{"clientUserId": "ada"}, {"clientUserId": "bob"}])
    return location


@pytest.fixture
def caller(apple: FakeApple, location: Location, receiver: Receiver) -> Iterator[Caller]:
    caller = Caller(apple, stoken=location.issue_token())
    where = {"notificationUrl": "https://dash.example/n", "notificationAuthToken": "secret"}
    caller.post("client/config", {**where, "notificationTypes": TYPES})
    receiver.raw.clear()
    return caller


def settled(apple: FakeApple, caller: Caller, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The status of the event once its time has passed."""
    accepted = caller.post(path, body)
    apple.advance(60)
    return status(caller, accepted["eventId"])


def status(caller: Caller, event_id: str) -> dict[str, Any]:
    shown = caller.get("status", eventId=event_id)
    envelope = ("uId", "tokenExpirationDate")
    return {name: value for name, value in shown.items() if name not in envelope}


def held(caller: Caller) -> list[tuple[str, str]]:
    listed = rows(caller.walk("assignments"), "assignments")
    return [(row["adamId"], row.get("serialNumber") or row["clientUserId"]) for row in listed]


def test_an_association_is_pending_and_then_complete(
    apple: FakeApple, location: Location, caller: Caller, receiver: Receiver
) -> None:
    accepted = caller.post(
        "assets/associate", {"assets": [ASSET], "serialNumbers": ["A"], "clientUserIds": ["ada"]}
    )
    early, held_early = status(caller, accepted["eventId"]), held(caller)
    apple.advance(5)

    late = status(caller, accepted["eventId"])

    assert set(accepted) == {"eventId", "tokenExpirationDate", "uId"}
    assert early == {
        "eventStatus": "PENDING",
        "eventType": "ASSOCIATE",
        "numRequested": 2,
        "numCompleted": 0,
    }
    assert late == {**early, "eventStatus": "COMPLETE", "numCompleted": 2}
    assert (held_early, held(caller)) == ([], [(TITLE, "A"), (TITLE, "ada")])
    (body,) = receiver.bodies
    assert body.pop("notificationId")
    assert body == {
        "notificationType": "ASSET_MANAGEMENT",
        "uId": location.uid,
        "notification": {
            "eventId": accepted["eventId"],
            "type": "ASSOCIATE",
            "result": "SUCCESS",
            "assignments": [{**ASSET, "serialNumber": "A"}, {**ASSET, "clientUserId": "ada"}],
        },
    }


def test_a_shortage_serves_the_first_and_names_the_rest(
    apple: FakeApple, caller: Caller, receiver: Receiver
) -> None:
    body = {"assets": [ASSET], "serialNumbers": list("ABCDE")}

    shown = settled(apple, caller, "assets/associate", body)

    assert (shown["eventStatus"], shown["numRequested"], shown["numCompleted"]) == ("FAILED", 5, 3)
    (failure,) = shown["failures"]
    assert (failure["errorNumber"], failure["errorInfo"]) == (
        9709,
        {"assets": [ASSET], "serialNumbers": ["D", "E"]},
    )
    results = [(told["result"], len(told["assignments"])) for _, told in receiver.told]
    assert results == [("SUCCESS", 3), ("FAILURE", 2)]
    assert receiver.told[1][1]["error"]["errorNumber"] == 9709


def test_a_shortage_may_serve_nobody(apple: FakeApple, caller: Caller) -> None:
    apple.settings.guesses.shortage_is_partial = False

    shown = settled(
        apple, caller, "assets/associate", {"assets": [ASSET], "serialNumbers": list("ABCDE")}
    )

    assert (shown["numCompleted"], held(caller)) == (0, [])


def test_what_is_held_already_counts_as_done(apple: FakeApple, caller: Caller) -> None:
    body = {"assets": [{"adamId": TITLE}], "serialNumbers": ["A"]}

    shown = [settled(apple, caller, "assets/associate", body) for _ in range(2)]
    gone = [settled(apple, caller, "assets/disassociate", body) for _ in range(2)]

    assert [each["eventStatus"] for each in shown + gone] == ["COMPLETE"] * 4
    assert [each["numCompleted"] for each in shown + gone] == [1] * 4
    assert held(caller) == []


def test_unknown_users_fail_and_serials_are_not_checked(apple: FakeApple, caller: Caller) -> None:
    body = {"assets": [ASSET], "clientUserIds": ["eve"], "serialNumbers": ["no such device"]}

    shown = settled(apple, caller, "assets/associate", body)

    told = [(each["errorNumber"], each["errorInfo"]) for each in shown["failures"]]
    assert told == [(9609, {"assets": [ASSET], "clientUserIds": ["eve"]})]
    assert held(caller) == [(TITLE, "no such device")]


def test_a_revocation_takes_all_that_can_be_taken(
    apple: FakeApple, location: Location, caller: Caller
) -> None:
    for adam_id in (TITLE, OTHER, BOOK):
        apple.assign(location.uid, adam_id, client_user_ids=["ada", "bob"])

    shown = settled(apple, caller, "assets/revoke", {"clientUserIds": ["ada"]})

    assert (shown["eventType"], shown["numRequested"], shown["numCompleted"]) == ("REVOKE", 2, 2)
    left = [(TITLE, "bob"), (OTHER, "bob"), (BOOK, "ada"), (BOOK, "bob")]
    assert held(caller) == left


def test_large_events_run_and_are_told_in_hundreds(
    apple: FakeApple, location: Location, caller: Caller, receiver: Receiver
) -> None:
    apple.purchase(location.uid, TITLE, 1000)
    apple.run_due()
    receiver.raw.clear()
    apple.settings.event_batch_seconds = 1
    serials = [f"S{number}" for number in range(250)]
    accepted = caller.post("assets/associate", {"assets": [ASSET], "serialNumbers": serials})
    seen = []

    for _ in range(3):
        apple.advance(5 if not seen else 1)
        shown = status(caller, accepted["eventId"])
        seen.append((shown["eventStatus"], shown["numCompleted"]))

    assert seen == [("PENDING", 100), ("PENDING", 200), ("COMPLETE", 250)]
    assert [len(told["assignments"]) for _, told in receiver.told] == [100, 100, 50]


@pytest.mark.parametrize(
    ("path", "body", "number"),
    [
        ("assets/associate", {"serialNumbers": ["A"]}, 9718),
        ("assets/associate", {"assets": [ASSET]}, 9719),
        ("assets/associate", {"assets": [{}], "serialNumbers": ["A"]}, 9602),
        ("assets/associate", {"assets": "all", "serialNumbers": ["A"]}, 9602),
        ("assets/associate", {"assets": [ASSET], "serialNumbers": "A"}, 9602),
        ("assets/associate", {"assets": [ASSET], "serialNumbers": [""]}, 9602),
        ("assets/associate", {"assets": [{"adamId": "77"}], "serialNumbers": ["A"]}, 9602),
        (
            "assets/associate",
            {"assets": [{"adamId": str(n)} for n in range(26)], "serialNumbers": ["A"]},
            9700,
        ),
        ("assets/associate", {"assets": [ASSET], "clientUserIds": list("x" * 1001)}, 9701),
        ("assets/associate", {"assets": [ASSET], "serialNumbers": list("x" * 1001)}, 9702),
        ("assets/associate", {"assets": [ASSET, ASSET], "serialNumbers": ["A"]}, 9703),
        ("assets/associate", {"assets": [ASSET], "clientUserIds": ["ada", "ada"]}, 9704),
        ("assets/associate", {"assets": [ASSET], "serialNumbers": ["A", "A"]}, 9705),
        ("assets/associate", {"assets": [{"adamId": BOOK}], "serialNumbers": ["A"]}, 9707),
        ("assets/disassociate", {"assets": [{"adamId": BOOK}], "clientUserIds": ["ada"]}, 9706),
        ("assets/revoke", {}, 9719),
        ("assets/revoke", {"serialNumbers": [f"S{n}" for n in range(101)]}, 9702),
        ("users/create", {}, 9720),
        ("users/create", {"users": [{"email": "a@b.example"}]}, 9602),
        ("users/create", {"users": [{"clientUserId": f"u{n}"} for n in range(101)]}, 9714),
        ("users/create", {"users": [{"clientUserId": "x"}, {"clientUserId": "x"}]}, 9715),
        ("users/create", {"users": [{"clientUserId": "x", "email": "nobody"}]}, 9717),
    ],
)
def test_a_refusal_does_nothing(
    apple: FakeApple, caller: Caller, path: str, body: dict[str, Any], number: int
) -> None:
    answer = caller.post(path, body)

    assert answer["errorNumber"] == number
    assert apple.events == {}


def test_an_asset_that_is_not_owned_may_fail_later(apple: FakeApple, caller: Caller) -> None:
    apple.settings.guesses.unknown_asset_number = 9709

    shown = settled(
        apple, caller, "assets/associate", {"assets": [{"adamId": "77"}], "serialNumbers": ["A"]}
    )

    assert (shown["eventStatus"], shown["failures"][0]["errorNumber"]) == ("FAILED", 9709)


def test_an_event_belongs_to_its_location(
    apple: FakeApple, location: Location, caller: Caller
) -> None:
    accepted = caller.post("assets/associate", {"assets": [ASSET], "serialNumbers": ["A"]})
    stranger = Caller(apple, stoken=apple.create_location(name="Elm").issue_token())

    assert stranger.refused("status", eventId=accepted["eventId"]) == (400, 9708)
    assert caller.refused("status", eventId="nonsense") == (400, 9708)
    assert caller.refused("status") == (400, 9602)


def test_users_are_created_updated_and_retired(
    apple: FakeApple, location: Location, caller: Caller, receiver: Receiver
) -> None:
    eve = {"clientUserId": "eve", "email": "eve@oak.example"}

    created = settled(apple, caller, "users/create", {"users": [eve]})
    (registered,) = caller.get("users", clientUserId="eve")["users"]
    settled(
        apple,
        caller,
        "users/update",
        {"users": [{"clientUserId": "eve", "managedAppleId": "eve@redwood.example"}]},
    )
    (associated,) = caller.get("users", clientUserId="eve")["users"]
    settled(apple, caller, "users/retire", {"users": [{"clientUserId": "eve"}]})

    assert (created["eventType"], created["eventStatus"]) == ("CREATE", "COMPLETE")
    assert (registered["status"], registered["email"]) == ("Registered", "eve@oak.example")
    assert (associated["status"], "inviteCode" in associated) == ("Associated", False)
    assert caller.get("users", clientUserId="eve", activeOnly="true")["users"] == []
    told = [(kind, note["type"], note["users"][0]["status"]) for kind, note in receiver.told]
    assert told == [
        ("USER_MANAGEMENT", "CREATE", "Registered"),
        ("USER_MANAGEMENT", "UPDATE", "Associated"),
        ("USER_MANAGEMENT", "RETIRE", "Retired"),
    ]


@pytest.mark.parametrize(
    ("path", "user", "number"),
    [
        ("users/create", {"clientUserId": "ada"}, 9716),
        ("users/update", {"clientUserId": "eve"}, 9609),
        ("users/retire", {"clientUserId": "eve"}, 9609),
        ("users/create", {"clientUserId": "eve", "managedAppleId": "eve@icloud.example"}, 9635),
        ("users/create", {"clientUserId": "eve", "managedAppleId": "Taken@redwood.example"}, 9641),
    ],
)
def test_a_user_can_fail_alone(
    apple: FakeApple, location: Location, caller: Caller, path: str, user: Any, number: int
) -> None:
    apple.settings.managed_domains = ("redwood.example",)
    taken = {"clientUserId": "zoe", "appleAccount": "taken@redwood.example"}
    apple.add_users(location.uid, [taken])
    good = {"clientUserId": "new" if path == "users/create" else "bob"}

    shown = settled(apple, caller, path, {"users": [user, good]})

    assert (shown["eventStatus"], shown["numCompleted"]) == ("FAILED", 1)
    assert [each["errorNumber"] for each in shown["failures"]] == [number]
    assert shown["failures"][0]["errorInfo"] == {"clientUserIds": [user["clientUserId"]]}


def test_a_retirement_may_tell_the_freed_licenses(
    apple: FakeApple, location: Location, caller: Caller, receiver: Receiver
) -> None:
    apple.assign(location.uid, TITLE, client_user_ids=["ada"])
    apple.settings.guesses.retire_tells_freed_licenses = True
    apple.run_due()
    receiver.raw.clear()

    settled(apple, caller, "users/retire", {"users": [{"clientUserId": "ada"}]})

    assert [kind for kind, _ in receiver.told] == ["ASSET_MANAGEMENT", "USER_MANAGEMENT"]
    assert held(caller) == []


def test_purchases_transfers_and_acceptances_are_told(
    apple: FakeApple, location: Location, caller: Caller, receiver: Receiver
) -> None:
    other = apple.create_location(name="Elm")
    ada = location.active_user("ada")
    assert ada

    apple.purchase(location.uid, TITLE, 7)
    apple.purchase(location.uid, TITLE, -2)
    apple.transfer(location.uid, other.uid, TITLE, 3)
    apple.accept_invitation(ada.invite_code, "ada@icloud.example")
    apple.run_due()

    assert receiver.told[:3] == [
        ("ASSET_COUNT", {**ASSET, "countDelta": 7}),
        ("ASSET_COUNT", {**ASSET, "countDelta": -2}),
        ("ASSET_COUNT", {**ASSET, "countDelta": -3}),
    ]
    kind, note = receiver.told[3]
    assert (kind, note["associatedUsers"][0]["status"]) == ("USER_ASSOCIATED", "Associated")


def test_only_wanted_types_are_told(
    apple: FakeApple, location: Location, caller: Caller, receiver: Receiver
) -> None:
    caller.post("client/config", {"notificationTypes": ["USER_MANAGEMENT"]})
    receiver.raw.clear()

    apple.purchase(location.uid, TITLE, 7)
    apple.run_due()

    assert receiver.raw == []


@pytest.mark.parametrize(
    ("statuses", "attempts"), [([500, None, 500, 200], 3), ([500, 200], 2), ([204], 1)]
)
def test_a_notification_is_tried_three_times(
    apple: FakeApple,
    location: Location,
    caller: Caller,
    receiver: Receiver,
    statuses: list[int | None],
    attempts: int,
) -> None:
    receiver.statuses = statuses
    apple.purchase(location.uid, TITLE, 7)

    for _ in range(5):
        apple.advance(60)

    assert len(receiver.raw) == attempts
    assert len({body["notificationId"] for body in receiver.bodies}) == 1


# Faults


def accept(caller: Caller, *serials: str) -> str:
    body = {"assets": [ASSET], "serialNumbers": serials or ("A",)}
    event_id: str = caller.post("assets/associate", body)["eventId"]
    return event_id


def test_maintenance_fails_the_event(apple: FakeApple, caller: Caller) -> None:
    apple.set_fault("maintenance_async")

    event_id = accept(caller)
    apple.advance(5)

    assert status(caller, event_id)["failures"][0]["errorNumber"] == 9644
    assert held(caller) == []


def test_somebody_takes_licenses_in_between(apple: FakeApple, caller: Caller) -> None:
    apple.set_fault("shortage", args={"licenses": 2})

    event_id = accept(caller, "A", "B")
    apple.advance(5)

    shown = status(caller, event_id)
    assert (shown["eventStatus"], shown["numCompleted"]) == ("FAILED", 1)


@pytest.mark.parametrize(
    ("fault", "states"),
    [
        ("slow_event", ["PENDING", "COMPLETE", "COMPLETE"]),
        ("stuck_event", ["PENDING", "PENDING", "PENDING"]),
        ("completed_not_visible", ["COMPLETE", "COMPLETE", "COMPLETE"]),
    ],
)
def test_an_event_takes_its_time(
    apple: FakeApple, caller: Caller, fault: str, states: list[str]
) -> None:
    apple.set_fault(fault)
    event_id = accept(caller)
    seen = []

    for seconds in (5, 60, 3600):
        apple.advance(seconds)
        seen.append((status(caller, event_id)["eventStatus"], len(held(caller))))

    assert [state for state, _ in seen] == states
    assert [count for _, count in seen] == ([0, 0, 0] if fault == "stuck_event" else [0, 1, 1])


def test_an_event_is_forgotten_and_done(apple: FakeApple, caller: Caller) -> None:
    apple.set_fault("event_lost")

    event_id = accept(caller)
    apple.advance(5)

    assert caller.refused("status", eventId=event_id) == (400, 9708)
    assert held(caller) == [(TITLE, "A")]


def test_an_answer_is_lost_and_the_event_done(apple: FakeApple, caller: Caller) -> None:
    apple.set_fault("answer_lost", times=1)

    with pytest.raises(requests.ConnectionError):
        accept(caller)
    apple.advance(5)

    assert held(caller) == [(TITLE, "A")]


def test_the_notification_comes_before_the_answer(
    apple: FakeApple, caller: Caller, receiver: Receiver
) -> None:
    apple.set_fault("notification_before_answer")

    event_id = accept(caller)

    assert [told["eventId"] for _, told in receiver.told] == [event_id]
    assert status(caller, event_id)["eventStatus"] == "COMPLETE"


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ("notification_loss", [2]),
        ("notification_duplicate", [1, 1, 2]),
        ("notification_delay", [2, 1]),
        ("notification_reorder", [2, 1]),
    ],
)
def test_notifications_go_astray(
    apple: FakeApple,
    location: Location,
    caller: Caller,
    receiver: Receiver,
    fault: str,
    seen: list[int],
) -> None:
    apple.set_fault(fault, times=1)

    apple.purchase(location.uid, TITLE, 1)
    apple.purchase(location.uid, TITLE, 2)
    for seconds in (0, 60, 60):
        apple.advance(seconds)

    assert [note["countDelta"] for _, note in receiver.told] == seen


def test_notifications_are_spoiled(
    apple: FakeApple, location: Location, caller: Caller, receiver: Receiver
) -> None:
    for fault in ("wrong_bearer", "unknown_type", "malformed"):
        apple.set_fault(f"notification_{fault}", times=1, path="ASSET_COUNT")
        apple.purchase(location.uid, TITLE, 1)
        apple.run_due()

    (wrong, _), (_, unknown), (_, malformed) = receiver.raw
    assert wrong != "Bearer secret"
    assert orjson.loads(unknown)["notificationType"] == "TYPE_OF_TOMORROW"
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(malformed)


def test_a_spoiled_notification_is_sent_again_unspoiled(
    apple: FakeApple, location: Location, caller: Caller, receiver: Receiver
) -> None:
    receiver.statuses = [401, 200]
    apple.set_fault("notification_wrong_bearer", times=1)
    apple.purchase(location.uid, TITLE, 1)

    apple.advance(60)

    assert [bearer == "Bearer secret" for bearer, _ in receiver.raw] == [False, True]


def test_events_survive_a_restart(apple: FakeApple, location: Location, caller: Caller) -> None:
    done = accept(caller, "A", "B", "C", "D")
    apple.advance(5)
    pending = caller.post("users/create", {"users": [{"clientUserId": "eve"}]})["eventId"]
    before = status(caller, done)
    saved = orjson.loads(orjson.dumps(snapshot(apple)))

    again = FakeApple(deliver=Receiver())
    restore(again, saved)
    again.advance(5)

    after = Caller(again, stoken=location.tokens[-1].text)
    assert status(after, done) == before
    assert status(after, pending)["eventStatus"] == "COMPLETE"


def test_over_http_events_run_by_themselves(apple: FakeApple, location: Location) -> None:
    apple.settings.event_delay_seconds = 0
    with serving(apple) as server:
        caller = Caller(apple, stoken=location.issue_token(), url=server.url)
        event_id = accept(caller)

        shown = [status(caller, event_id)["eventStatus"] for _ in range(500)]
        caller.session.close()

    assert shown[-1] == "COMPLETE"
