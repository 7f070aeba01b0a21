"""Every fault does what its name says, to whom and as often as it was told."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from tests.apple.fake_kit import APPLE, OTHER, TITLE, Caller, rows
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.apple.fake.state import Location
from vpp_accounts.apple.fake.trouble import KINDS
from vpp_accounts.apple.fake.wire import Rejected


@pytest.fixture
def apple() -> FakeApple:
    apple = FakeApple()
    apple.settings.page_size = 3
    apple.settings.limits["maxRequestPerSecond"] = 10_000
    return apple


@pytest.fixture
def location(apple: FakeApple) -> Location:
    location = apple.create_location(name="Oak Elementary")
    apple.fill(location.uid, TITLE, 7)
    return location


@pytest.fixture
def caller(apple: FakeApple, location: Location) -> Caller:
    return Caller(apple, stoken=location.issue_token())


@pytest.mark.parametrize(
    ("fault", "status", "number"),
    [
        ("overload", 503, 9729),
        ("overload_date", 503, 9729),
        ("rate_limit", 429, 9646),
        ("rate_limit_200", 200, 9646),
        ("internal", 500, 9603),
        ("maintenance_sync", 503, 9644),
        ("token_expired", 401, 9621),
        ("token_revoked", 401, 9625),
        ("token_malformed", 401, 9722),
        ("token_error_200", 200, 9625),
        ("legacy_token", 403, 9647),
        ("withdrawn", 410, 9634),
    ],
)
def test_a_fault_refuses(
    apple: FakeApple, caller: Caller, fault: str, status: int, number: int
) -> None:
    fault_id = apple.set_fault(fault)

    refused = caller.refused("assets")
    apple.faults.remove(fault_id)

    assert refused == (status, number)
    assert [entry.faults for entry in apple.journal] == [[fault]]
    assert "assets" in caller.get("assets")


def test_overload_says_when_to_come_back(apple: FakeApple, caller: Caller) -> None:
    apple.set_fault("overload", times=1, args={"retryAfter": 7})
    in_seconds = caller.ask("GET", "/mdm/v2/assets").headers["Retry-After"]
    apple.set_fault("overload_date", args={"retryAfter": 60})

    as_date = caller.ask("GET", "/mdm/v2/assets").headers["Retry-After"]

    assert in_seconds == "7"
    left = parsedate_to_datetime(as_date).timestamp() - apple.clock.now()
    assert 58 < left <= 60


def test_a_proxy_answers_with_html(apple: FakeApple, caller: Caller) -> None:
    apple.set_fault("proxy_html")

    response = caller.ask("GET", "/mdm/v2/assets")

    assert (response.status_code, response.headers["Content-Type"]) == (
        502,
        "text/html; charset=utf-8",
    )
    assert "Retry-After" not in response.headers


@pytest.mark.parametrize(("fault", "number"), [("read_only", 9637), ("apple_managed", 9645)])
def test_a_fault_refuses_writes_only(
    apple: FakeApple, caller: Caller, fault: str, number: int
) -> None:
    apple.set_fault(fault)

    assert caller.post("client/config", {})["errorNumber"] == number
    assert "assets" in caller.get("assets")


def test_service_config_answers_to_a_dead_token(apple: FakeApple, caller: Caller) -> None:
    apple.set_fault("token_revoked")

    assert "limits" in caller.get("service/config")


def test_a_fault_meets_only_whom_it_is_for(apple: FakeApple, caller: Caller) -> None:
    other = apple.create_location(name="Elm")
    apple.set_fault("internal", uid=other.uid)
    apple.set_fault("withdrawn", path="/users")

    assert caller.ask("GET", "/mdm/v2/assets").status_code == 200
    assert caller.refused("users") == (410, 9634)
    assert Caller(apple, stoken=other.issue_token()).refused("assets") == (500, 9603)


def test_after_and_times_choose_the_calls(apple: FakeApple, caller: Caller) -> None:
    apple.set_fault("internal", after=1, times=2)

    statuses = [caller.ask("GET", "/mdm/v2/assets").status_code for _ in range(5)]

    assert statuses == [200, 500, 500, 200, 200]


def test_probability_is_chance_that_repeats() -> None:
    def statuses() -> list[int]:
        apple = FakeApple()
        caller = Caller(apple, stoken=apple.create_location(name="Oak").issue_token())
        apple.set_fault("internal", probability=0.5)
        return [caller.ask("GET", "/mdm/v2/service/config").status_code for _ in range(40)]

    first, second = statuses(), statuses()

    assert first == second
    assert 8 < first.count(500) < 32


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("no_such_fault", {}),
        ("internal", {"times": 0}),
        ("internal", {"after": -1}),
        ("internal", {"probability": 1.5}),
        ("internal", {"args": {"retryAfter": 1}}),
        ("overload", {"args": {"retryAfter": "soon"}}),
        ("internal", {"uid": "1"}),
    ],
)
def test_a_fault_that_makes_no_sense_is_rejected(
    apple: FakeApple, name: str, given: dict[str, Any]
) -> None:
    with pytest.raises(Rejected):
        apple.set_fault(name, **given)

    assert apple.faults.active == []


def test_another_mdm_takes_over_at_the_second_call(apple: FakeApple, caller: Caller) -> None:
    apple.set_fault("takeover", after=1, args={"name": "Rival"})

    first, second, third = (caller.get("assets") for _ in range(3))

    assert "mdmInfo" not in first
    assert second["mdmInfo"]["name"] == third["mdmInfo"]["name"] == "Rival"


def test_limits_change(apple: FakeApple, caller: Caller) -> None:
    apple.set_fault("limits_change", args={"limits": {"maxAssets": 5}})

    assert caller.get("service/config")["limits"]["maxAssets"] == 5


def test_the_version_changes_between_pages(apple: FakeApple, caller: Caller) -> None:
    apple.set_fault("version_changes", path="assignments", after=1, times=1)

    versions = [page["versionId"] for page in caller.walk("assignments")]

    assert versions[0] == versions[1] != versions[2]


@pytest.mark.parametrize("name", ["assets", "assignments", "users"])
def test_pages_grow(apple: FakeApple, location: Location, caller: Caller, name: str) -> None:
    for adam_id in (OTHER, "1264077130", "1299413582"):
        apple.fill(location.uid, adam_id, 4, "user")
    apple.set_fault("pages_grow", path=name)

    pages = caller.walk(name)

    assert len(pages) == pages[1]["totalPages"] == pages[0]["totalPages"] + 1
    assert pages[0]["versionId"] != pages[1]["versionId"]


@pytest.mark.parametrize("name", ["assets", "assignments", "users"])
def test_pages_shrink_below_the_next_one(
    apple: FakeApple, location: Location, caller: Caller, name: str
) -> None:
    for adam_id in (OTHER, "1264077130", "1299413582"):
        apple.fill(location.uid, adam_id, 4, "user")
    apple.set_fault("pages_shrink", path=name, args={"rows": 30})

    first = caller.get(name, activeOnly="true")

    assert caller.refused(name, pageIndex=first["nextPageIndex"], activeOnly="true") == (400, 9650)


@pytest.mark.parametrize(("how", "missing", "twice"), [("missed", 1, 0), ("twice", 0, 1)])
def test_a_row_slips_between_pages(
    apple: FakeApple, caller: Caller, how: str, missing: int, twice: int
) -> None:
    held = {row["serialNumber"] for row in rows(caller.walk("assignments"), "assignments")}
    apple.set_fault("item_slips", path="assignments", args={"how": how})

    seen = [row["serialNumber"] for row in rows(caller.walk("assignments"), "assignments")]

    assert len(held - set(seen)) == missing
    assert len(seen) - len(set(seen)) == twice


@pytest.mark.parametrize("name", ["assets", "users"])
@pytest.mark.parametrize("how", ["missed", "twice"])
def test_a_row_slips_in_every_list(
    apple: FakeApple, location: Location, caller: Caller, name: str, how: str
) -> None:
    apple.fill(location.uid, OTHER, 6, "user")
    before = caller.walk(name, activeOnly="true")
    apple.set_fault("item_slips", path=name, args={"how": how})
    caller.get(name, activeOnly="true")

    after = caller.walk(name, activeOnly="true")

    change = 1 if how == "twice" else -1
    assert len(rows(after, name)) == len(rows(before, name)) + change
    assert rows(after, name)[0] != rows(before, name)[0]


def test_a_delta_can_be_rejected(apple: FakeApple, caller: Caller) -> None:
    version = caller.get("assignments")["versionId"]
    apple.set_fault("since_rejected")

    assert caller.refused("assignments", sinceVersionId=version) == (400, 9721)
    assert "assignments" in caller.get("assignments")


def test_fields_can_be_missing(apple: FakeApple, caller: Caller) -> None:
    apple.set_fault("fields_missing", args={"fields": ["tokenExpirationDate", "pricingParam"]})

    page, empty = caller.get("assignments"), caller.get("users")

    assert "tokenExpirationDate" not in page
    assert set(page["assignments"][0]) == {"adamId", "serialNumber"}
    assert "users" not in empty


def test_fields_can_be_unknown(apple: FakeApple, caller: Caller) -> None:
    apple.set_fault("fields_unknown")

    page = caller.get("assignments")

    assert page["assignments"][0]["adamId"] == int(TITLE)
    assert "fieldOfTomorrow" in page
    assert "fieldOfTomorrow" in page["assignments"][0]


def test_the_line_can_be_refused(apple: FakeApple, caller: Caller) -> None:
    apple.set_fault("refused_connection", times=1)

    with pytest.raises(requests.ConnectionError):
        caller.get("assets")

    assert [entry.status for entry in apple.journal] == [None]
    assert "assets" in caller.get("assets")


def test_a_lost_answer_is_done_all_the_same(
    apple: FakeApple, location: Location, caller: Caller
) -> None:
    apple.set_fault("answer_lost")
    claim = {"id": "i", "name": "n", "metadata": "m"}

    with pytest.raises(requests.ConnectionError):
        caller.post("client/config", {"mdmInfo": claim})

    assert location.mdm_info == claim


@pytest.mark.parametrize(("seconds", "too_slow"), [(60, True), (1, False)])
def test_a_slow_body_is_too_slow_for_the_impatient(
    apple: FakeApple, caller: Caller, seconds: float, too_slow: bool
) -> None:
    apple.set_fault("slow_body", args={"seconds": seconds})

    try:
        answer: object = caller.get("assets")["size"]
    except requests.ReadTimeout:
        answer = requests.ReadTimeout

    assert answer == (requests.ReadTimeout if too_slow else 1)


def test_json_can_be_truncated(apple: FakeApple, caller: Caller) -> None:
    apple.set_fault("truncated_json", times=1)
    response = caller.ask("GET", "/mdm/v2/assets")
    apple.set_fault("truncated_json", args={"dropConnection": True})

    with pytest.raises(requests.exceptions.JSONDecodeError):
        response.json()
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        caller.ask("GET", "/mdm/v2/assets")


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [("metadata_forbidden", 403, "40300"), ("metadata_throttled", 429, "42900")],
)
def test_metadata_can_be_refused(
    apple: FakeApple, caller: Caller, fault: str, status: int, code: str
) -> None:
    apple.set_fault(fault)

    response = caller.session.get(
        f"{APPLE}/WebObjects/MZStorePlatform.woa/wa/lookup", params={"id": TITLE}
    )

    assert response.status_code == status
    assert response.json()["errors"][0]["code"] == code


def test_metadata_can_be_empty(apple: FakeApple, caller: Caller) -> None:
    apple.set_fault("metadata_empty")

    response = caller.session.get(
        f"{APPLE}/WebObjects/MZStorePlatform.woa/wa/lookup", params={"id": TITLE}
    )

    assert response.json()["results"] == {}


def test_every_fault_is_listed_with_its_arguments(apple: FakeApple) -> None:
    apple.set_fault("overload", times=2, args={"retryAfter": 5})

    listed = apple.faults.wire()

    assert {kind["fault"] for kind in listed["kinds"]} == set(KINDS)
    assert listed["set"] == [
        {
            "id": "1",
            "fault": "overload",
            "uId": None,
            "path": None,
            "times": 2,
            "after": 0,
            "probability": 1.0,
            "until": None,
            "args": {"retryAfter": 5},
            "happened": 0,
        }
    ]
