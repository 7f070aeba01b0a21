"""Moments to come back to, documents to start from, faults that end, and ids that never repeat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.apple.fake_kit import BOOK, TITLE, Caller
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.apple.fake.persistence import StateFile, restore, snapshot

FIXTURE = {
    "organizations": [
        {
            "name": "Redwood Schools",
            "locations": [
                {
                    "name": "Oak",
                    "country": "DE",
                    "users": [{"clientUserId": "ada", "appleAccount": "ada@oak.example"}],
                    "assets": [
                        {"adamId": TITLE, "quantity": 5, "serialNumbers": ["A"], "fill": 2},
                        {
                            "adamId": BOOK,
                            "quantity": 2,
                            "pricingParam": "PLUS",
                            "clientUserIds": ["ada"],
                        },
                    ],
                    "mdmInfo": {"id": "i", "name": "Another MDM", "metadata": "m"},
                },
                {"name": "Elm"},
            ],
        }
    ]
}


@pytest.fixture
def apple() -> FakeApple:
    apple = FakeApple()
    apple.settings.limits["maxRequestPerSecond"] = 10_000
    return apple


@pytest.fixture
def caller(apple: FakeApple) -> Caller:
    return Caller(apple)


def test_a_document_makes_organizations(apple: FakeApple, caller: Caller) -> None:
    status, made = caller.control("POST", "seed", FIXTURE)

    oak = caller.control("GET", f"state/{made['locations'][0]['uId']}")[1]
    assert status == 200
    assert [each["locationName"] for each in made["locations"]] == ["Oak", "Elm"]
    assert [each["assignedCount"] for each in oak["assets"]] == [3, 1]
    assert (oak["country"], oak["orgName"], oak["mdmInfo"]["id"]) == ("DE", "Redwood Schools", "i")
    token = made["locations"][1]["token"]
    assert Caller(apple, stoken=token).get("client/config")["locationName"] == "Elm"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"organizations": "x"},
        {"organizations": [{"name": "R", "locations": [{"name": "O", "colour": "red"}]}]},
    ],
)
def test_a_document_that_makes_no_sense_is_told_so(caller: Caller, body: dict[str, Any]) -> None:
    status, told = caller.control("POST", "seed", body)

    assert (status, list(told)) == (400, ["error"])


def test_one_comes_back_to_a_moment_by_its_id_or_with_its_body(
    apple: FakeApple, caller: Caller
) -> None:
    location = apple.create_location(name="Oak")
    taken = caller.control("POST", "snapshot")[1]["id"]
    body = caller.control("GET", f"snapshots/{taken}")[1]
    found = []
    for wanted in ({"id": taken}, body):
        apple.rename(location.uid, "Elm")
        apple.purchase(location.uid, TITLE, 3)
        found.append(caller.control("POST", "restore", wanted)[1]["locations"][0])

    assert [(each["locationName"], each["titles"]) for each in found] == [("Oak", 0)] * 2
    assert caller.control("POST", "restore", {"id": "99"})[0] == 404


def test_a_broken_snapshot_changes_nothing(apple: FakeApple, caller: Caller) -> None:
    location = apple.create_location(name="Oak")
    apple.fill(location.uid, TITLE, 3)
    before = snapshot(apple)["locations"]

    status, told = caller.control("POST", "restore", {"format": 1, "seed": "x"})

    assert (status, "no snapshot" in told["error"]) == (400, True)
    assert snapshot(apple)["locations"] == before


def test_ids_of_the_future_that_was_left_do_not_come_again(apple: FakeApple) -> None:
    location = apple.create_location(name="Oak")
    caller = Caller(apple, stoken=location.issue_token())
    apple.purchase(location.uid, TITLE, 9)
    present = snapshot(apple)
    apple.assign(location.uid, TITLE, serial_numbers=["A"])
    left = caller.get("assignments")["versionId"]
    event = apple.ids.uuid("event")

    restore(apple, present)
    apple.assign(location.uid, TITLE, serial_numbers=["B"])

    assert caller.get("assignments")["versionId"] != left
    assert caller.refused("assignments", sinceVersionId=left) == (400, 9721)
    assert apple.ids.uuid("event") != event


def test_after_a_restart_the_newest_version_is_known_and_no_older(
    tmp_path: Path, apple: FakeApple
) -> None:
    location = apple.create_location(name="Oak")
    stoken = location.issue_token()
    older = Caller(apple, stoken=stoken).get("assignments")["versionId"]
    apple.fill(location.uid, TITLE, 2)
    newest = Caller(apple, stoken=stoken).get("assignments")["versionId"]
    StateFile(apple, tmp_path / "apple.json").save()
    kept = StateFile(apple, tmp_path / "apple.json")
    apple.purchase(location.uid, TITLE, 1)
    kept.save()
    again = FakeApple()
    StateFile(again, tmp_path / "apple.json").load()
    caller = Caller(again, stoken=stoken)

    again.assign(location.uid, TITLE, serial_numbers=["A"])

    added = caller.get("assignments", sinceVersionId=newest)["assignments"]
    assert [row["serialNumber"] for row in added] == ["A"]
    assert caller.refused("assignments", sinceVersionId=older) == (400, 9721)


def test_a_state_of_an_earlier_form_is_read(apple: FakeApple) -> None:
    location = apple.create_location(name="Oak", org_name="Redwood")
    stoken = location.issue_token()
    seen = Caller(apple, stoken=stoken).get("assignments")
    old = snapshot(apple)
    del old["era"]
    later = ("managers", "plans", "managed_by_apple", "unlimited_free", "subscriptions_enabled")
    for place in old["locations"]:
        place["versions"] = [number for number, _ in place["versions"][:3]]
        for name in (*later, "client_context"):
            del place[name]
    again = FakeApple()

    restore(again, old)

    assert Caller(again, stoken=stoken).get("assignments") == seen
    assert again.location(location.uid).manager().account == "manager@redwood.example"


def test_a_fault_ends_with_its_time(apple: FakeApple) -> None:
    location = apple.create_location(name="Oak")
    caller = Caller(apple, stoken=location.issue_token())
    body = {"fault": "overload", "uId": location.uid, "durationSeconds": 60}
    caller.control("POST", "faults", body)
    again = FakeApple()
    restore(again, snapshot(apple))

    refused = caller.refused("assets")
    for each in (apple, again):
        each.advance(61)

    assert refused == (503, 9729)
    assert "assets" in caller.get("assets")
    token = str(caller.session.headers["Authorization"]).removeprefix("Bearer ")
    assert "assets" in Caller(again, stoken=token).get("assets")
    assert caller.control("POST", "faults", {**body, "durationSeconds": 0})[0] == 400
