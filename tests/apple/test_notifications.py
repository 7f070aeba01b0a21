"""Notifications as values: everything Apple may post, and everything else that may be posted."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vpp_accounts.apple.events import Failure
from vpp_accounts.apple.items import Unclear
from vpp_accounts.apple.notifications import (
    Delivery,
    asset_event,
    associated_users,
    counted_title,
    delivery,
    user_event,
)
from vpp_accounts.apple.types import Assignment, ClientUser, ErrorInfo

ENVELOPE = {
    "notificationId": "n-1",
    "notificationType": "ASSET_COUNT",
    "notification": {"adamId": "408709785", "pricingParam": "STDQ", "countDelta": -12},
    "uId": "9810602780",
}
LICENSES = {
    "eventId": "e-1",
    "type": "ASSOCIATE",
    "result": "SUCCESS",
    "assignments": [
        {"adamId": "408709785", "pricingParam": "STDQ", "serialNumber": "C02EXAMPLE01"},
        {"adamId": 408709785, "clientUserId": "0c5f"},
    ],
}


def envelope(**changes: Any) -> bytes:
    return orjson.dumps(ENVELOPE | changes)


def test_an_envelope_says_which_notification_it_is() -> None:
    assert delivery(envelope(uId=9810602780)) == Delivery(
        "n-1", "ASSET_COUNT", "9810602780", ENVELOPE["notification"]
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the body is not JSON"),
        (b'{"notificationId": ', "the body is not JSON"),
        (b'{"notificationId": "\\ud800"}', "the body is not JSON"),
        (b'{"notificationId": 1e999}', "the body is not JSON"),
        (b'{"notificationId": "\xff"}', "the body is not JSON"),
        (b"[" * 5000, "the body is not JSON"),
        (b"[]", "the body is not a JSON object"),
        (b"null", "the body is not a JSON object"),
        (envelope(uId="a\x00"), "the body has a NUL in it"),
        (envelope(notification=None), "notification is not an object"),
        (envelope(notification=[]), "notification is not an object"),
        (envelope(notificationId=""), "notificationId is not a text of 1 to 200 characters"),
        (envelope(notificationId="n" * 201), "notificationId is not a text of 1 to 200 characters"),
        (envelope(notificationType=7), "notificationType is not a text of 1 to 60 characters"),
        (
            envelope(notificationType="T" * 61),
            "notificationType is not a text of 1 to 60 characters",
        ),
    ],
)
def test_junk_is_named(body: bytes, reason: str) -> None:
    with pytest.raises(Unclear) as raised:
        delivery(body)

    assert str(raised.value) == reason


@pytest.mark.parametrize(("levels", "is_taken"), [(20, True), (21, False), (900, False)])
def test_what_is_nested_too_deep_is_junk(levels: int, is_taken: bool) -> None:
    body = envelope(notification="HERE").replace(
        b'"HERE"', b'{"a":' + b"[" * (levels - 1) + b"1" + b"]" * (levels - 1) + b"}"
    )

    if is_taken:
        assert delivery(body).kind == "ASSET_COUNT"
    else:
        with pytest.raises(Unclear, match="more than 20 levels"):
            delivery(body)


@given(st.binary() | st.recursive(st.none() | st.text(), st.lists).map(orjson.dumps))
def test_no_body_breaks_the_reading(body: bytes) -> None:
    with pytest.raises(Unclear):
        delivery(body)


def test_licenses_that_were_given() -> None:
    news = asset_event(LICENSES)

    assert (news.event_id, news.type, news.succeeded) == ("e-1", "ASSOCIATE", True)
    assert (news.failure, news.users, news.unreadable) == (None, (), ())
    assert news.assignments == (
        Assignment("408709785", "STDQ", None, "C02EXAMPLE01"),
        Assignment("408709785", "STDQ", "0c5f", None),
    )


def test_licenses_that_were_not_given_have_a_number() -> None:
    error = {"errorNumber": 9709, "errorMessage": "Not enough.", "errorInfo": {"assets": []}}

    news = asset_event(LICENSES | {"result": "FAILURE", "error": error})

    assert news.failure == Failure(9709, "Not enough.", ErrorInfo())
    assert (news.succeeded, len(news.assignments)) == (False, 2)


@pytest.mark.parametrize("error", [None, "9709", {}, {"errorInfo": {"assets": 1}}])
def test_a_failure_may_say_nothing_of_its_reason(error: Any) -> None:
    news = asset_event(LICENSES | {"result": "FAILURE", "error": error})

    assert news.failure == Failure(0, "", None)


def test_a_row_that_cannot_be_read_spares_the_others() -> None:
    rows = [{"adamId": "1"}, "?", {"adamId": "408709785", "serialNumber": "S1"}]

    news = asset_event(LICENSES | {"assignments": rows})

    assert news.assignments == (Assignment("408709785", "STDQ", None, "S1"),)
    assert [row.reason for row in news.unreadable] == [
        "needs either clientUserId or serialNumber",
        "not an object",
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"assignments": {}}, "assignments is not a list"),
        ({"type": None}, "no type"),
        ({"result": ""}, "no result"),
    ],
)
def test_an_event_without_its_facts_is_unclear(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unclear, match=reason):
        asset_event(LICENSES | changes)


def test_users_of_an_event() -> None:
    user = {"clientUserId": "u-1", "status": "Registered", "email": "a@b.c", "inviteCode": "ff"}
    event = {"eventId": "e-2", "type": "CREATE", "result": "SUCCESS", "users": [user, {}]}

    news = user_event(event)

    assert news.users == (ClientUser("u-1", "Registered", "a@b.c", "ff", None),)
    assert [row.reason for row in news.unreadable] == ["no clientUserId"]


def test_users_of_a_failure_have_no_status() -> None:
    event = {"type": "CREATE", "result": "FAILURE", "users": [{"clientUserId": "u-1"}]}

    news = user_event(event | {"error": {"errorNumber": 9716}})

    assert (news.event_id, news.users) == ("", (ClientUser("u-1", "", None, None, None),))
    assert news.failure == Failure(9716, "", None)


def test_users_who_accepted() -> None:
    user = {"clientUserId": "u-1", "status": "Associated", "idHash": "aGFzaA=="}

    assert associated_users({"associatedUsers": [user]}) == [
        ClientUser("u-1", "Associated", None, None, "aGFzaA==")
    ]
    assert associated_users({}) == []


def test_a_title_whose_count_moved() -> None:
    assert counted_title({"adamId": 408709785, "countDelta": 3}) == ("408709785", "STDQ")
    with pytest.raises(Unclear, match="no adamId"):
        counted_title({"countDelta": 3})
