"""The client, endpoint by endpoint: what it asks, what it tells, and what it keeps to itself."""

import copy
import logging
import pickle
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError

from tests.apple.scripted import (
    BASE_URL,
    STOKEN,
    Answered,
    Apple,
    Asked,
    error,
    in_turn,
    list_page,
    serials,
)
from vpp_accounts.apple import AppleClient, LocalPacer, errors
from vpp_accounts.apple.client import ServiceConfigCache
from vpp_accounts.apple.types import Call, Limits, MdmInfo

LOCATION = {"uId": "2049025000431439", "locationName": "Lindenhof"}


class WatchedPacer(LocalPacer):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, float]] = []
        super().__init__(1_000_000)

    def acquire(self) -> None:
        self.told.append(("acquire", 1))
        super().acquire()

    def set_rate(self, per_second: float) -> None:
        self.told.append(("set_rate", per_second))
        super().set_rate(per_second)


def test_every_request_carries_the_whole_token() -> None:
    apple = Apple(in_turn(Answered(LOCATION)))

    config = apple.client.client_config()

    (asked,) = apple.asked
    assert (config.uid, config.location_name) == ("2049025000431439", "Lindenhof")
    assert (asked.method, asked.url, asked.timeout) == ("GET", BASE_URL + "client/config", (5, 30))
    assert asked.headers["Authorization"] == f"Bearer {STOKEN}"


def test_service_config_needs_no_token_and_is_kept_five_minutes() -> None:
    now = [1000.0]
    pacer = WatchedPacer()
    answers = in_turn(
        Answered({"limits": {"maxRequestPerSecond": 10}}),
        Answered({"limits": {"maxRequestPerSecond": 12}}),
    )
    apple = Apple(answers, pacer=pacer, service_configs=ServiceConfigCache(clock=lambda: now[0]))
    pacer.told.clear()

    first = apple.client.service_config()
    now[0] += 299
    again = apple.client.service_config()
    now[0] += 1
    later = apple.client.service_config()

    assert first is again
    assert (first.limits, later.limits) == (
        Limits(max_request_per_second=10),
        Limits(max_request_per_second=12),
    )
    assert [asked.path for asked in apple.asked] == ["service/config"] * 2
    assert not any("Authorization" in asked.headers for asked in apple.asked)
    assert pacer.told == [
        *[("acquire", 1), ("set_rate", 10)],
        ("set_rate", 10),
        *[("acquire", 1), ("set_rate", 12)],
    ]


def test_set_client_config_sends_what_is_given_and_only_that() -> None:
    apple = Apple(in_turn(Answered(LOCATION)))

    apple.client.set_client_config(mdm_info=MdmInfo("ours", "Dashboard", "{}"))
    apple.client.set_client_config(
        notification_url="https://mdm.example/n",
        notification_auth_token="open-sesame",
        notification_types=["ASSET_COUNT"],
    )

    claim, subscription = apple.asked
    assert (claim.method, claim.path) == ("POST", "client/config")
    assert claim.headers["Content-Type"] == "application/json"
    assert int(claim.headers["Content-Length"]) == len(claim.body)
    assert orjson.loads(claim.body) == {
        "mdmInfo": {"id": "ours", "name": "Dashboard", "metadata": "{}"}
    }
    assert orjson.loads(subscription.body) == {
        "notificationUrl": "https://mdm.example/n",
        "notificationAuthToken": "open-sesame",
        "notificationTypes": ["ASSET_COUNT"],
    }


def test_a_post_is_sent_once() -> None:
    apple = Apple(in_turn(error(9729, 503)))

    with pytest.raises(errors.Unavailable):
        apple.client.set_client_config(notification_types=[])

    assert (len(apple.asked), apple.slept) == (1, [])


def test_filters_reach_apple_under_apples_names() -> None:
    apple = Apple(in_turn(Answered({})))
    client = apple.client

    list(client.assets(product_type="App", revocable=True, min_available_count=0).rows())
    list(client.assets(unlimited=False, adam_id=None).rows())
    list(client.assignments(adam_id="1", pricing_param="STDQ", serial_number="C02+A&B").rows())
    list(client.assignments(since_version_id="v", exclude_inactive_users=True).rows())
    list(client.users(active_only=True).rows())
    list(client.users(retired_only=False, client_user_id="u1").rows())

    assert [(asked.path, asked.query) for asked in apple.asked] == [
        ("assets", {"productType": "App", "revocable": "true", "minAvailableCount": "0"}),
        ("assets", {"unlimited": "false"}),
        ("assignments", {"adamId": "1", "pricingParam": "STDQ", "serialNumber": "C02+A&B"}),
        ("assignments", {"sinceVersionId": "v", "excludeInactiveUsers": "true"}),
        ("users", {"activeOnly": "true"}),
        ("users", {"retiredOnly": "false", "clientUserId": "u1"}),
    ]


def test_an_unknown_filter_is_a_mistake_of_the_caller() -> None:
    apple = Apple(in_turn(Answered({})))

    with pytest.raises(TypeError, match="Apple has no filter colour for assets"):
        apple.client.assets(colour="red")

    assert apple.asked == []


def test_the_end_of_the_token_is_as_last_seen_on_any_answer() -> None:
    apple = Apple(in_turn(list_page("assignments", serials("C02A")), Answered(LOCATION)))
    assert apple.client.token_expires_at is None

    list(apple.client.assignments().rows())
    apple.client.client_config()

    assert apple.client.token_expires_at == datetime(2027, 5, 1, 10, 11, 12, tzinfo=UTC)


@pytest.mark.parametrize("path", ["client/config", "assets", "assignments", "users"])
def test_a_foreign_mdm_info_stops_every_call(path: str) -> None:
    theirs = {"mdmInfo": {"id": "theirs", "name": "Other MDM", "metadata": ""}, **LOCATION}
    apple = Apple(in_turn(Answered(theirs)), own_mdm_id="ours")
    calls = {
        "client/config": apple.client.client_config,
        "assets": lambda: list(apple.client.assets().rows()),
        "assignments": lambda: list(apple.client.assignments().rows()),
        "users": lambda: list(apple.client.users().rows()),
    }

    with pytest.raises(errors.ClaimedByAnother) as caught:
        calls[path]()

    assert caught.value.mdm_info == MdmInfo("theirs", "Other MDM", "")
    assert len(apple.asked) == 1


def test_whoever_has_no_id_yet_is_told_who_holds_the_location() -> None:
    theirs = {"mdmInfo": {"id": "theirs", "name": "Other MDM", "metadata": ""}, **LOCATION}

    config = Apple(in_turn(Answered(theirs))).client.client_config()

    assert config.mdm_info == MdmInfo("theirs", "Other MDM", "")


def redirect(status: int, to: str) -> Answered:
    return Answered(b"", status, {"Location": to})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("to", ["/mdm/v3/client/config", BASE_URL + "moved"])
def test_a_redirect_on_the_same_host_is_followed(status: int, to: str) -> None:
    apple = Apple(in_turn(redirect(status, to), Answered(LOCATION)))

    assert apple.client.client_config().uid == LOCATION["uId"]

    assert apple.asked[1].url.endswith(to)
    assert apple.asked[1].headers["Authorization"] == f"Bearer {STOKEN}"


@pytest.mark.parametrize(
    ("to", "host"),
    [
        ("https://elsewhere.test/mdm/v2/client/config", "elsewhere.test"),
        ("http://vpp.apple.test/mdm/v2/client/config", "vpp.apple.test"),
        ("https://vpp.apple.test:8443/mdm/v2/client/config", "vpp.apple.test"),
        ("//elsewhere.test/", "elsewhere.test"),
    ],
)
def test_a_redirect_to_another_host_never_sees_the_token(to: str, host: str) -> None:
    apple = Apple(in_turn(redirect(302, to)), retries=0)

    with pytest.raises(errors.Unavailable, match=f"redirects to {host}, which was not followed"):
        apple.client.client_config()

    assert len(apple.asked) == 1


def test_redirects_in_a_circle_end() -> None:
    apple = Apple(in_turn(redirect(302, BASE_URL + "client/config")), retries=0)

    with pytest.raises(errors.Unavailable, match="in a circle"):
        apple.client.client_config()

    assert len(apple.asked) == 4


def test_a_write_is_not_redirected() -> None:
    apple = Apple(in_turn(redirect(307, BASE_URL + "moved")))

    with pytest.raises(errors.Unavailable):
        apple.client.set_client_config(notification_types=[])

    assert len(apple.asked) == 1


def refused() -> requests.ConnectionError:
    reason = NewConnectionError(None, "Connection refused")
    return requests.ConnectionError(MaxRetryError(None, "/", reason))


@pytest.mark.parametrize(
    ("failure", "could_not_connect", "text"),
    [
        (refused(), True, "vpp.apple.test could not be reached (NewConnectionError)"),
        (
            requests.ConnectTimeout(),
            True,
            "vpp.apple.test could not be reached (ConnectTimeout)",
        ),
        (
            requests.exceptions.ProxyError(),
            True,
            "vpp.apple.test could not be reached (ProxyError)",
        ),
        (
            requests.ReadTimeout("x"),
            False,
            "vpp.apple.test gave no complete answer (ReadTimeout)",
        ),
        (
            requests.exceptions.ChunkedEncodingError("x"),
            False,
            "vpp.apple.test gave no complete answer (ChunkedEncodingError)",
        ),
        (
            requests.ConnectionError("reset"),
            False,
            "vpp.apple.test gave no complete answer (ConnectionError)",
        ),
    ],
)
def test_no_answer_says_whether_apple_was_reached(
    failure: Exception, could_not_connect: bool, text: str
) -> None:
    apple = Apple(in_turn(failure), retries=0)

    with pytest.raises(errors.Unavailable) as caught:
        apple.client.client_config()

    assert (caught.value.text, caught.value.could_not_connect) == (text, could_not_connect)
    assert (caught.value.status, caught.value.number) == (None, None)


def test_calls_are_reported_without_secrets() -> None:
    calls: list[Call] = []
    answers = in_turn(
        error(9729, 503), list_page("assignments", serials("C02A")), refused(), error(9625, 401)
    )
    apple = Apple(answers, on_call=calls.append, retries=1)

    list(apple.client.assignments(adam_id="1").rows())
    with pytest.raises(errors.TokenRevoked):
        apple.client.client_config()

    assert [
        (call.method, call.path, call.query, call.attempt, call.status, call.number, call.error)
        for call in calls
    ] == [
        ("GET", "assignments", "adamId=1", 1, 503, 9729, "Unavailable"),
        ("GET", "assignments", "adamId=1", 2, 200, None, ""),
        ("GET", "client/config", "", 1, None, None, "Unavailable"),
        ("GET", "client/config", "", 2, 401, 9625, "TokenRevoked"),
    ]
    assert [call.size > 0 for call in calls] == [True, True, False, True]
    assert all(call.seconds >= 0 for call in calls)
    assert STOKEN not in repr(calls)


def test_the_token_shows_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    quoting = {"errorNumber": 9722, "errorMessage": f"Malformed: Bearer {STOKEN}"}
    apple = Apple(in_turn(Answered(quoting, 401)))

    with pytest.raises(errors.TokenNotAccepted) as caught:
        apple.client.client_config()

    walk = apple.client.assets()
    shown = [repr(apple.client), str(apple.client), repr(walk), repr(vars(apple.client))]
    shown += [repr(vars(apple.client._transport)), caplog.text]
    shown += [str(caught.value), repr(caught.value), repr(vars(caught.value))]
    assert caught.value.text == "Malformed: Bearer ***"
    assert STOKEN not in "".join(shown)


def test_a_failed_connection_leaves_no_token_in_the_frames_of_its_error() -> None:
    apple = Apple(in_turn(refused()), retries=0)

    with pytest.raises(errors.Unavailable) as caught:
        apple.client.client_config()

    frames = [entry.frame for entry in caught.traceback if "apple" in str(entry.path)]
    shown = [repr(value) for frame in frames[2:] for value in frame.f_locals.values()]
    assert shown
    assert STOKEN not in "".join(shown)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


@pytest.mark.parametrize(
    "failure",
    [
        errors.TokenExpired("Expired", number=9621, status=401, retry_after=3.0),
        errors.Unavailable.unreached("No way"),
        errors.ClaimedByAnother(MdmInfo("theirs", "Other MDM", "")),
    ],
)
def test_errors_travel_between_processes(failure: errors.AppleError) -> None:
    for traveller in (pickle.loads(pickle.dumps(failure)), copy.copy(failure)):
        assert (type(traveller), str(traveller)) == (type(failure), str(failure))
        assert vars(traveller) == vars(failure)


def test_the_environment_is_read_once_and_netrc_never(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine vpp.apple.test login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    sent: list[object] = []

    class Noting(requests.adapters.BaseAdapter):
        def send(self, request: requests.PreparedRequest, **options: object) -> requests.Response:
            sent.append((request.headers["Authorization"], dict(options["proxies"])["https"]))
            response = requests.Response()
            response.status_code = 200
            response._content = orjson.dumps(LOCATION)
            return response

        def close(self) -> None:
            """Nothing is open."""

    session = requests.Session()
    session.mount("https://", Noting())
    client = AppleClient(base_url=BASE_URL, stoken=STOKEN, session=session)
    monkeypatch.setenv("HTTPS_PROXY", "http://another.test:3128")

    client.client_config()

    assert sent == [(f"Bearer {STOKEN}", "http://proxy.test:3128")]


def test_close_leaves_a_borrowed_session_open() -> None:
    closed: list[str] = []

    class Session(requests.Session):
        def close(self) -> None:
            closed.append("closed")

    AppleClient(base_url=BASE_URL, stoken=STOKEN, session=Session()).close()
    AppleClient(base_url=BASE_URL, stoken=STOKEN).close()

    assert closed == []


def test_a_client_needs_no_slash_at_the_end_of_its_address() -> None:
    apple = Apple(in_turn(Answered(LOCATION)), base_url=BASE_URL.rstrip("/"), stoken=STOKEN + "\n")

    apple.client.client_config()

    (asked,) = apple.asked
    assert isinstance(asked, Asked)
    assert (asked.url, asked.headers["Authorization"]) == (
        BASE_URL + "client/config",
        f"Bearer {STOKEN}",
    )


def test_what_service_config_said_can_be_forgotten() -> None:
    cache = ServiceConfigCache()
    apple = Apple(in_turn(Answered({"limits": {"maxUsers": 7}})), service_configs=cache)
    apple.client.service_config()
    kept = cache.get()

    cache.clear()

    assert kept is not None
    assert (kept.limits, cache.get()) == (Limits(max_users=7), None)


def test_a_location_that_became_ours_is_compared_from_then_on() -> None:
    theirs = {"mdmInfo": {"id": "theirs", "name": "Other MDM", "metadata": ""}, **LOCATION}
    client = Apple(in_turn(Answered(theirs))).client
    client.client_config()

    client.manage_as("ours")

    with pytest.raises(errors.ClaimedByAnother):
        client.client_config()
