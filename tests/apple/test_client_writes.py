"""Writing: what is sent, what is refused, and what nobody knows after an answer was lost."""

import pickle
import ssl
from collections.abc import Callable

import orjson
import pytest
import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError, SSLError

from tests.apple.scripted import STOKEN, Answered, Apple, EagerPacer, error, in_turn
from tests.apple.test_decoding import NUMBERS
from vpp_accounts.apple import (
    Accepted,
    AnswerLost,
    AppleClient,
    EventState,
    EventStatus,
    Failure,
    ManageAssets,
    ManageSubscriptions,
    ManageUsers,
    RequestUser,
    RevokeAssets,
    WriteResult,
    errors,
)
from vpp_accounts.apple.types import Call, ErrorInfo, MdmInfo

LOCATION = {"uId": "2049025000431439", "tokenExpirationDate": "2027-05-01T10:11:12+0000"}
YES = Answered({"eventId": "e1", **LOCATION})
TITLE = ("361309726", "STDQ")
BOTH = ManageAssets((TITLE, ("1", "PLUS")), ("u1",), ("C02A", "C02B"))
BOTH_SENT = {
    "assets": [
        {"adamId": "361309726", "pricingParam": "STDQ"},
        {"adamId": "1", "pricingParam": "PLUS"},
    ],
    "clientUserIds": ["u1"],
    "serialNumbers": ["C02A", "C02B"],
}
PEOPLE = ManageUsers(
    (RequestUser("u1", "ada@example.org", "ada@school.example"), RequestUser("u2"))
)
PEOPLE_SENT = {
    "users": [
        {
            "clientUserId": "u1",
            "email": "ada@example.org",
            "managedAppleId": "ada@school.example",
        },
        {"clientUserId": "u2"},
    ]
}
SEATS = ManageSubscriptions((12345,), ("u1", "u2"))
SEATS_SENT = {"adamIds": [12345], "clientUserIds": ["u1", "u2"]}

Write = Callable[[AppleClient], WriteResult]


def associate(client: AppleClient) -> WriteResult:
    return client.associate_assets(BOTH)


WRITES: dict[str, tuple[Write, object]] = {
    "assets/associate": (associate, BOTH_SENT),
    "assets/disassociate": (lambda client: client.disassociate_assets(BOTH), BOTH_SENT),
    "assets/revoke": (
        lambda client: client.revoke_assets(RevokeAssets(serial_numbers=("C02A",))),
        {"serialNumbers": ["C02A"]},
    ),
    "users/create": (lambda client: client.create_users(PEOPLE), PEOPLE_SENT),
    "users/update": (lambda client: client.update_users(PEOPLE), PEOPLE_SENT),
    "users/retire": (
        lambda client: client.retire_users(ManageUsers((RequestUser("u2"),))),
        {"users": [{"clientUserId": "u2"}]},
    ),
    "subscriptions/associate": (
        lambda client: client.associate_subscriptions(SEATS, renewing=True),
        {**SEATS_SENT, "renewing": True},
    ),
    "subscriptions/disassociate": (
        lambda client: client.disassociate_subscriptions(SEATS, deferred=True),
        {**SEATS_SENT, "deferred": True},
    ),
}

every_write = pytest.mark.parametrize("path", WRITES)


@every_write
def test_a_write_sends_what_it_is_given_and_names_its_event(path: str) -> None:
    write, sent = WRITES[path]
    apple = Apple(in_turn(YES))

    assert write(apple.client) == Accepted("e1")

    (asked,) = apple.asked
    assert (asked.method, asked.path, orjson.loads(asked.body)) == ("POST", path, sent)
    assert asked.headers["Content-Type"] == "application/json"
    assert asked.headers["Authorization"] == f"Bearer {STOKEN}"
    assert apple.client.token_expires_at is not None


# Refusals: nothing was done


TEMPORARY = (errors.Unavailable, errors.Throttled)


@pytest.mark.parametrize("status", [200, 503])
@pytest.mark.parametrize(
    ("number", "kind"), [(number, kind) for kind, group in NUMBERS.items() for number in group]
)
def test_every_number_is_a_refusal_of_its_class(
    number: int, kind: type[errors.AppleError], status: int
) -> None:
    apple = Apple(in_turn(error(number, status)), retries=1, pacer=EagerPacer())

    with pytest.raises(errors.AppleError) as caught:
        associate(apple.client)

    tries = 2 if kind in TEMPORARY else 1
    assert (type(caught.value), caught.value.number) == (kind, number)
    assert len(apple.asked) == tries


def refused_connection() -> requests.ConnectionError:
    return requests.ConnectionError(
        MaxRetryError(None, "/", NewConnectionError(None, "Connection refused"))
    )


def wrong_certificate() -> requests.exceptions.SSLError:
    reason = SSLError(ssl.SSLCertVerificationError("self-signed certificate"))
    return requests.exceptions.SSLError(MaxRetryError(None, "/", reason))


@every_write
@pytest.mark.parametrize(
    "trouble",
    [
        error(9603, 500),
        error(9644, 503),
        error(9729, 503, **{"Retry-After": "3"}),
        error(9646, 429),
        error(9646, 200),
        Answered(b"slow down", 429),
        refused_connection(),
        requests.ConnectTimeout(),
        wrong_certificate(),
    ],
)
def test_a_write_that_was_certainly_not_done_is_sent_again(
    path: str, trouble: Answered | Exception
) -> None:
    apple = Apple(in_turn(trouble, trouble, YES), pacer=EagerPacer())

    assert WRITES[path][0](apple.client) == Accepted("e1")

    bodies = {asked.body for asked in apple.asked}
    assert (len(apple.asked), len(bodies), len(apple.slept)) == (3, 1, 2)


@pytest.mark.parametrize(
    "failure", [refused_connection(), wrong_certificate(), requests.ConnectTimeout()]
)
def test_a_connection_that_never_came_about_is_said_to_be_one(failure: Exception) -> None:
    apple = Apple(in_turn(failure), retries=0)

    with pytest.raises(errors.Unavailable) as caught:
        associate(apple.client)

    assert (caught.value.could_not_connect, caught.value.may_be_done) == (True, False)


def test_a_long_wait_goes_up_with_the_refusal() -> None:
    apple = Apple(in_turn(error(9729, 503, **{"Retry-After": "120"})))

    with pytest.raises(errors.Unavailable) as caught:
        associate(apple.client)

    assert (caught.value.retry_after, caught.value.may_be_done) == (120.0, False)
    assert len(apple.asked) == 1


# Lost answers: a state, not an exception


@every_write
@pytest.mark.parametrize(
    ("trouble", "reason", "status"),
    [
        (
            requests.ReadTimeout(),
            "vpp.apple.test gave no complete answer (ReadTimeout)",
            None,
        ),
        (
            requests.ConnectionError("reset"),
            "vpp.apple.test gave no complete answer (ConnectionError)",
            None,
        ),
        (
            requests.exceptions.ChunkedEncodingError("cut"),
            "vpp.apple.test gave no complete answer (ChunkedEncodingError)",
            None,
        ),
        (
            Answered(b"<html>Bad Gateway</html>", 502),
            "The answer (HTTP 502) is not Apple's: it holds no complete JSON object",
            502,
        ),
        (
            Answered(b'{"eventId": "e', 200),
            "The answer (HTTP 200) is not Apple's: it holds no complete JSON object",
            200,
        ),
        (
            Answered({"message": "upstream timed out"}, 504),
            "The answer is an error that gives no reason",
            504,
        ),
        (
            Answered(LOCATION),
            "Apple's answer names no event, so what came of the request is unknown",
            None,
        ),
        (
            Answered(b"", 307, {"Location": "https://vpp.apple.test/mdm/v3/"}),
            "Apple's service redirects to vpp.apple.test, which was not followed;"
            " check the base URL and the network's proxies",
            307,
        ),
    ],
)
def test_a_lost_answer_is_a_result_and_is_not_sent_again(
    path: str, trouble: Answered | Exception, reason: str, status: int | None
) -> None:
    write, sent = WRITES[path]
    apple = Apple(in_turn(trouble, YES))

    assert write(apple.client) == AnswerLost(path, sent, reason, status)

    assert (len(apple.asked), apple.slept) == (1, [])


def test_a_lost_answer_after_refusals_is_the_result() -> None:
    apple = Apple(in_turn(error(9729, 503), requests.ReadTimeout(), YES))

    assert isinstance(associate(apple.client), AnswerLost)

    assert len(apple.asked) == 2


def test_a_lost_answer_names_nobody_in_its_repr_and_travels() -> None:
    lost = Apple(in_turn(requests.ReadTimeout())).client.create_users(PEOPLE)

    assert "ada" not in repr(lost)
    assert pickle.loads(pickle.dumps(lost)) == lost


def test_tries_are_counted_in_the_report_of_calls() -> None:
    calls: list[Call] = []
    apple = Apple(in_turn(error(9729, 503), requests.ReadTimeout()), on_call=calls.append)

    associate(apple.client)

    assert [(call.method, call.path, call.attempt, call.number, call.error) for call in calls] == [
        ("POST", "assets/associate", 1, 9729, "Unavailable"),
        ("POST", "assets/associate", 2, None, "Unavailable"),
    ]


# Who manages the location


@every_write
def test_a_foreign_mdm_info_on_the_answer_to_a_write_tells_the_event_too(path: str) -> None:
    theirs = {"mdmInfo": {"id": "theirs", "name": "Other MDM", "metadata": "m"}}
    apple = Apple(in_turn(Answered({"eventId": "e1", **theirs})), own_mdm_id="ours")

    with pytest.raises(errors.ClaimedByAnother) as caught:
        WRITES[path][0](apple.client)

    traveller = pickle.loads(pickle.dumps(caught.value))
    for claim in (caught.value, traveller):
        assert claim.mdm_info == MdmInfo("theirs", "Other MDM", "m")
        assert claim.event_id == "e1"
    assert len(apple.asked) == 1


def test_our_own_mdm_info_is_no_conflict() -> None:
    ours = {"eventId": "e1", "mdmInfo": {"id": "ours", "name": "Dashboard", "metadata": ""}}

    assert associate(Apple(in_turn(Answered(ours)), own_mdm_id="ours").client) == Accepted("e1")


# Events


def status_of(body: dict[str, object]) -> EventStatus:
    return Apple(in_turn(Answered({**body, **LOCATION}))).client.event_status("e1")


def test_an_event_is_asked_for_by_its_id() -> None:
    body = {"eventStatus": "PENDING", "eventType": "RETIRE", "numRequested": 16, "numCompleted": 3}
    apple = Apple(in_turn(Answered(body)))

    status = apple.client.event_status("e 1&")

    (asked,) = apple.asked
    assert (asked.method, asked.path, asked.query) == ("GET", "status", {"eventId": "e 1&"})
    assert status == EventStatus("e 1&", "RETIRE", EventState.PENDING, 16, 3, ())
    assert not status.is_over


def test_a_failed_event_has_done_the_rest() -> None:
    status = status_of(
        {
            "eventStatus": "FAILED",
            "eventType": "ASSOCIATE",
            "numRequested": 16,
            "numCompleted": 14,
            "failures": [
                {
                    "errorNumber": 9609,
                    "errorMessage": "Not registered.",
                    "errorInfo": {
                        "assets": [{"adamId": "1"}, {"adamId": 2, "pricingParam": "PLUS"}],
                        "clientUserIds": ["u1"],
                    },
                },
                {"errorNumber": "9709"},
                {"errorMessage": "No number"},
                "junk",
            ],
        }
    )

    assert status.is_over
    assert status == EventStatus(
        event_id="e1",
        type="ASSOCIATE",
        state=EventState.FAILED,
        requested=16,
        completed=14,
        failures=(
            Failure(
                9609,
                "Not registered.",
                ErrorInfo(assets=(("1", "STDQ"), ("2", "PLUS")), client_user_ids=("u1",)),
            ),
            Failure(9709, "", None),
            Failure(0, "No number", None),
        ),
    )


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (9603, errors.Unavailable),
        (9644, errors.Unavailable),
        (9609, errors.StateDrift),
        (9635, errors.StateDrift),
        (9641, errors.StateDrift),
        (9709, errors.StateDrift),
        (9716, errors.StateDrift),
        (9999, errors.RequestRefused),
        (0, errors.RequestRefused),
    ],
)
def test_the_number_of_a_failure_has_its_class_without_a_status(
    number: int, kind: type[errors.AppleError]
) -> None:
    assert errors.class_of(number) is kind


def test_a_state_of_tomorrow_is_not_an_end() -> None:
    assert status_of({"eventStatus": "PAUSED"}) == EventStatus(
        "e1", "", EventState.PENDING, 0, 0, ()
    )
    assert status_of({"eventStatus": "COMPLETE"}).is_over


def test_an_answer_without_a_state_is_trouble_on_the_way() -> None:
    apple = Apple(in_turn(Answered(LOCATION)), retries=1)

    with pytest.raises(errors.Unavailable, match="does not say how the event stands"):
        apple.client.event_status("e1")

    assert len(apple.asked) == 2


def test_an_event_that_apple_does_not_know() -> None:
    apple = Apple(in_turn(error(9708)))

    with pytest.raises(errors.EventNotFound):
        apple.client.event_status("e1")
