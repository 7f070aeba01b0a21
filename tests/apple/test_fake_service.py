"""Who is let in, and what client/config keeps."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import orjson
import pytest

from tests.apple.fake_kit import APPLE, TITLE, Caller
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.apple.fake.state import Location

MDM_INFO = {"id": "our-id", "name": "Our Dashboard", "metadata": "v1"}


class Receiver:
    """Where notifications go: answers with `status` and remembers what came."""

    def __init__(self) -> None:
        self.status: int | None = 204
        self.received: list[tuple[str, dict[str, str], dict[str, Any]]] = []

    def __call__(self, url: str, headers: dict[str, str], body: bytes) -> int | None:
        self.received.append((url, headers, orjson.loads(body)))
        return self.status


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def apple(receiver: Receiver) -> FakeApple:
    return FakeApple(deliver=receiver)


@pytest.fixture
def location(apple: FakeApple) -> Location:
    return apple.create_location(name="Oak Elementary", org_name="Redwood Schools", country="de")


@pytest.fixture
def caller(apple: FakeApple, location: Location) -> Iterator[Caller]:
    return Caller(apple, stoken=location.issue_token())


def test_a_token_reads_as_apples_does(apple: FakeApple, location: Location) -> None:
    content = orjson.loads(base64.b64decode(location.issue_token()))

    assert set(content) == {"token", "expDate", "orgName"}
    assert content["orgName"] == "Redwood Schools"
    ends = datetime.strptime(content["expDate"], "%Y-%m-%dT%H:%M:%S%z").timestamp()
    assert 364 * 86400 < ends - apple.clock.now() <= 365 * 86400


def test_service_config_needs_no_token_and_points_to_this_host(apple: FakeApple) -> None:
    apple.settings.limits["maxAssets"] = 7

    config = Caller(apple).get("service/config")

    assert config["limits"]["maxAssets"] == 7
    assert config["limits"]["maxRequestPerSecond"] == 15
    assert config["urls"]["getAssignments"] == f"{APPLE}/mdm/v2/assignments"
    assert config["urls"]["invitationEmail"].endswith("?inviteCode=%25inviteCode%25&mt=8")
    assert {"errorNumber", "errorMessage"} == set(config["errorCodes"][0])


def test_client_config_tells_the_location(caller: Caller, location: Location) -> None:
    config = caller.get("client/config")

    assert config.pop("tokenExpirationDate").endswith("+0000")
    assert config == {
        "countryISO2ACode": "DE",
        "defaultPlatform": "volumestore",
        "locationName": "Oak Elementary",
        "subscribedNotificationTypes": [],
        "uId": location.uid,
        "websiteURL": "https://school.apple.com",
    }
    assert len(location.uid) == 18


def test_the_same_seed_gives_the_same_ids() -> None:
    first, second = (FakeApple().create_location(name="Oak") for _ in range(2))

    assert first.uid == second.uid
    assert first.tokens[0].secret == second.tokens[0].secret


@pytest.mark.parametrize(
    ("header", "number"),
    [
        (None, 9601),
        ("Basic abc", 9722),
        ("Bearer", 9722),
        ("Bearer not base64!", 9722),
        ("Bearer " + base64.b64encode(b"[]").decode(), 9722),
        ("Bearer " + base64.b64encode(b'{"token":"unknown"}').decode(), 9722),
        ("Bearer " + base64.b64encode(b'{"token":7}').decode(), 9722),
    ],
)
def test_a_wrong_header_is_refused(apple: FakeApple, header: str | None, number: int) -> None:
    caller = Caller(apple)
    if header:
        caller.session.headers["Authorization"] = header

    assert caller.refused("client/config") == (401, number)


def test_the_token_inside_is_not_the_token(apple: FakeApple, location: Location) -> None:
    caller = Caller(apple, stoken=location.tokens[0].secret)

    assert caller.refused("client/config") == (401, 9722)


def test_an_expired_token_is_refused_when_its_time_has_come(
    apple: FakeApple, caller: Caller
) -> None:
    assert "uId" in caller.get("client/config")

    apple.advance(366 * 86400)

    assert caller.refused("client/config") == (401, 9621)
    assert "limits" in caller.get("service/config")


def test_a_revoked_token_is_refused_and_a_newer_one_is_not(
    apple: FakeApple, location: Location, caller: Caller
) -> None:
    newer = Caller(apple, stoken=apple.issue_token(location.uid, revoke_older=True))

    assert caller.refused("assets") == (401, 9625)
    assert newer.get("client/config")["uId"] == location.uid


def test_a_legacy_token_is_refused(apple: FakeApple, location: Location) -> None:
    caller = Caller(apple, stoken=apple.issue_token(location.uid, legacy=True))

    assert caller.refused("assets") == (403, 9647)


def test_the_end_of_a_token_may_be_told_only_near_it(apple: FakeApple, caller: Caller) -> None:
    apple.settings.guesses.expiry_shown = "only_within_15_days"
    early = caller.get("client/config")
    apple.advance(355 * 86400)

    late = caller.get("client/config")

    assert ("tokenExpirationDate" in early, "tokenExpirationDate" in late) == (False, True)


def test_more_requests_than_allowed_in_a_second_are_refused(
    apple: FakeApple, caller: Caller
) -> None:
    apple.settings.limits["maxRequestPerSecond"] = 2
    answers = [caller.ask("GET", "/mdm/v2/assets").status_code for _ in range(4)]

    apple.advance(1)

    assert answers == [200, 200, 429, 429]
    assert "assets" in caller.get("assets")
    statuses = [(entry.status, entry.number) for entry in apple.journal]
    assert statuses == [(200, None), (200, None), (429, 9646), (429, 9646), (200, None)]


@pytest.mark.parametrize(
    ("method", "path", "given", "refused"),
    [
        ("DELETE", "assets", {}, (405, 9726)),
        ("POST", "assets", {"json": {}}, (405, 9726)),
        ("POST", "service/config", {"json": {}}, (405, 9726)),
        ("POST", "client/config", {"data": "x=1"}, (415, 9727)),
        (
            "POST",
            "client/config",
            {"data": "{", "headers": {"Content-Type": "application/json"}},
            (400, 9602),
        ),
        ("POST", "client/config", {"json": []}, (400, 9602)),
    ],
)
def test_what_is_not_understood_is_refused(
    caller: Caller, method: str, path: str, given: dict[str, Any], refused: tuple[int, int]
) -> None:
    response = caller.ask(method, f"/mdm/v2/{path}", **given)

    assert (response.status_code, response.json()["errorNumber"]) == refused


def test_an_unknown_path_is_not_found(caller: Caller) -> None:
    assert caller.ask("GET", "/mdm/v2/nothing").status_code == 404


def test_mdm_info_is_kept_and_stands_on_every_answer(caller: Caller) -> None:
    answer = caller.post("client/config", {"mdmInfo": MDM_INFO})

    assert answer["mdmInfo"] == MDM_INFO
    for name in ("client/config", "assets", "assignments", "users"):
        assert caller.get(name)["mdmInfo"] == MDM_INFO


@pytest.mark.parametrize(
    ("body", "number"),
    [
        ({"mdmInfo": {"id": "x", "name": "y"}}, 9723),
        ({"mdmInfo": {**MDM_INFO, "name": ""}}, 9723),
        ({"mdmInfo": {**MDM_INFO, "name": 7}}, 9602),
        ({"mdmInfo": "x"}, 9602),
        ({"mdmInfo": {**MDM_INFO, "id": "x" * 101}}, 9724),
        ({"mdmInfo": {**MDM_INFO, "name": "x" * 101}}, 9725),
        ({"mdmInfo": {**MDM_INFO, "metadata": "x" * 256}}, 9713),
        ({"notificationUrl": "https://a.example/n"}, 9710),
        ({"notificationAuthToken": "secret"}, 9710),
        ({"notificationUrl": "https://a.example/" + "n" * 512, "notificationAuthToken": "s"}, 9711),
        ({"notificationUrl": "https://a.example/n", "notificationAuthToken": "s" * 513}, 9711),
        ({"notificationUrl": "http://a.example/n", "notificationAuthToken": "s"}, 9712),
        ({"notificationUrl": "https://a.example/n?x=1", "notificationAuthToken": "s"}, 9712),
        ({"notificationUrl": "https:///n", "notificationAuthToken": "s"}, 9712),
        ({"notificationUrl": "https://a.example:port/", "notificationAuthToken": "s"}, 9712),
        ({"notificationUrl": 7, "notificationAuthToken": "s"}, 9602),
        ({"notificationTypes": ["UNHEARD_OF"]}, 9602),
        ({"notificationTypes": "ASSET_COUNT"}, 9602),
    ],
)
def test_a_wrong_configuration_is_refused_and_nothing_kept(
    caller: Caller, receiver: Receiver, body: dict[str, Any], number: int
) -> None:
    before = caller.get("client/config")

    answer = caller.post("client/config", body)

    assert answer["errorNumber"] == number
    assert caller.get("client/config") == before
    assert receiver.received == []


def test_a_receiver_is_tried_and_then_kept(
    caller: Caller, receiver: Receiver, location: Location
) -> None:
    wanted = {
        "notificationUrl": "https://dash.example/n",
        "notificationAuthToken": "secret",
        "notificationTypes": ["ASSET_COUNT", "USER_ASSOCIATED"],
    }

    answer = caller.post("client/config", wanted)

    ((url, headers, body),) = receiver.received
    assert (url, headers["Authorization"]) == ("https://dash.example/n", "Bearer secret")
    assert body.pop("notificationId")
    assert body == {
        "notificationType": "TEST_NOTIFICATION",
        "notification": {},
        "uId": location.uid,
    }
    assert answer["subscribedNotificationTypes"] == ["ASSET_COUNT", "USER_ASSOCIATED"]
    assert (answer["notificationUrl"], answer["notificationAuthToken"]) == (url, "secret")


@pytest.mark.parametrize("status", [None, 401, 302, 500])
def test_a_receiver_that_does_not_take_the_test_is_not_kept(
    caller: Caller, receiver: Receiver, status: int | None
) -> None:
    receiver.status = status

    answer = caller.post(
        "client/config",
        {
            "mdmInfo": MDM_INFO,
            "notificationUrl": "https://a.example/",
            "notificationAuthToken": "s",
        },
    )

    assert answer["errorNumber"] == 9728
    assert "notificationUrl" not in caller.get("client/config")
    assert "mdmInfo" not in caller.get("client/config")


def test_http_receivers_are_for_development(
    apple: FakeApple, caller: Caller, receiver: Receiver
) -> None:
    apple.settings.allow_http_notification_urls = True

    answer = caller.post(
        "client/config", {"notificationUrl": "http://a.example/", "notificationAuthToken": "s"}
    )

    assert answer["notificationUrl"] == "http://a.example/"


@pytest.mark.parametrize(("stay", "kept"), [(True, MDM_INFO), (False, None)])
def test_fields_that_are_left_out_stay_or_go(
    apple: FakeApple, caller: Caller, stay: bool, kept: dict[str, str] | None
) -> None:
    apple.settings.guesses.omitted_config_fields_stay = stay
    caller.post("client/config", {"mdmInfo": MDM_INFO})

    answer = caller.post("client/config", {"notificationTypes": ["ASSET_COUNT"]})

    assert answer.get("mdmInfo") == kept
    assert answer["subscribedNotificationTypes"] == ["ASSET_COUNT"]


def test_the_journal_tells_calls_and_keeps_secrets(
    apple: FakeApple, caller: Caller, location: Location
) -> None:
    body = {"notificationUrl": "https://a.example/", "notificationAuthToken": "s3cret"}
    caller.get("assets", adamId=TITLE)
    caller.post("client/config", body)

    entries = apple.journal.since(0)

    told = [(e["kind"], e["method"], e["path"], e["query"], e["status"]) for e in entries]
    assert told == [
        ("request", "GET", "/mdm/v2/assets", {"adamId": TITLE}, 200),
        ("request", "POST", "/mdm/v2/client/config", {}, 200),
        ("notification", "POST", "https://a.example/", {}, 204),
    ]
    assert entries[1]["body"] == {**body, "notificationAuthToken": "(secret)"}
    assert {e["uId"] for e in entries} == {location.uid}
    stoken = str(caller.session.headers["Authorization"])
    assert stoken.removeprefix("Bearer ") not in str(entries)
