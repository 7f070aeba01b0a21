"""When the client asks again, how long it waits, and when it leaves that to somebody else."""

import pytest
import requests

from tests.apple.scripted import Answered, Apple, EagerPacer, error, in_turn
from vpp_accounts.apple import LocalPacer, errors
from vpp_accounts.apple.retrying import RetryPolicy

WELL = Answered({"uId": "1"})


@pytest.mark.parametrize(
    "trouble",
    [
        error(9603, 500),
        error(9729, 503),
        error(9644, 503),
        error(9646, 429, **{"Retry-After": "0"}),
        error(9646, 200, **{"Retry-After": "0"}),
        error(9999, 500),
        Answered(b"<html>Bad Gateway</html>", 502),
        Answered(b'{"uId": "1', 200),
        Answered({"locationName": "whose?"}),
        requests.ReadTimeout(),
        requests.ConnectTimeout(),
        requests.ConnectionError("reset"),
    ],
)
def test_what_can_get_better_is_asked_again(trouble: Answered | Exception) -> None:
    apple = Apple(in_turn(trouble, trouble, WELL))

    assert apple.client.client_config().uid == "1"

    assert (len(apple.asked), len(apple.slept)) == (3, 2)


@pytest.mark.parametrize(
    ("number", "status", "kind"),
    [
        (9601, 401, errors.TokenNotAccepted),
        (9621, 401, errors.TokenExpired),
        (9622, 200, errors.TokenNotAccepted),
        (9625, 200, errors.TokenRevoked),
        (9647, 403, errors.LegacyToken),
        (9722, 401, errors.TokenNotAccepted),
        (9637, 403, errors.ReadOnly),
        (9645, 403, errors.AppleManaged),
        (9602, 400, errors.RequestRefused),
        (9721, 400, errors.VersionNotFound),
        (9634, 410, errors.ServiceWithdrawn),
        (9700, 400, errors.LimitsMoved),
        (9999, 400, errors.RequestRefused),
    ],
)
def test_what_cannot_get_better_is_not(
    number: int, status: int, kind: type[errors.AppleError]
) -> None:
    apple = Apple(in_turn(error(number, status), WELL))

    with pytest.raises(kind):
        apple.client.client_config()

    assert (len(apple.asked), apple.slept) == (1, [])


def test_it_gives_up_after_its_retries_and_says_when_to_come_back() -> None:
    apple = Apple(in_turn(error(9603, 500)), retries=2)

    with pytest.raises(errors.Unavailable) as caught:
        apple.client.client_config()

    assert (len(apple.asked), len(apple.slept)) == (3, 2)
    assert caught.value.retry_after is not None


def test_the_wait_apple_asks_for_is_kept_to_the_second() -> None:
    date = {
        "Date": "Sun, 22 Nov 2026 12:00:00 GMT",
        "Retry-After": "Sun, 22 Nov 2026 12:00:07 GMT",
    }
    answers = in_turn(error(9729, 503, **{"Retry-After": "20"}), error(9729, 503, **date), WELL)
    apple = Apple(answers)

    apple.client.client_config()

    assert apple.slept == [20.0, 7.0]


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_is_too_long_for_a_worker_goes_up_at_once(status: int) -> None:
    apple = Apple(in_turn(error(9646, status, **{"Retry-After": "120"}), WELL), longest_wait=30.0)

    with pytest.raises(errors.Throttled) as caught:
        apple.client.client_config()

    assert (caught.value.retry_after, apple.slept, len(apple.asked)) == (120.0, [], 1)


def test_throttling_makes_the_whole_location_wait() -> None:
    pacer = EagerPacer()
    answers = in_turn(
        error(9646, 429, **{"Retry-After": "5"}),
        error(9729, 503, **{"Retry-After": "6"}),
        error(9646, 200, **{"Retry-After": "600"}),
    )
    apple = Apple(answers, pacer=pacer)

    with pytest.raises(errors.Throttled):
        apple.client.client_config()

    assert (apple.slept, pacer.held) == ([5.0, 6.0], [5.0, 600.0])


def test_a_location_that_is_held_is_not_asked() -> None:
    pacer = LocalPacer(1_000_000, longest_wait=30.0)
    pacer.hold(100)
    apple = Apple(in_turn(WELL), pacer=pacer)

    with pytest.raises(errors.Throttled) as caught:
        apple.client.client_config()

    assert (apple.asked, apple.slept) == ([], [])
    assert 99 < caught.value.retry_after <= 100


@pytest.mark.parametrize(
    ("kind", "longest"),
    [
        (errors.Throttled, [5.0, 15.0, 45.0, 135.0, 405.0, 600.0, 600.0]),
        (errors.Unavailable, [0.5, 1.5, 4.5, 13.5, 40.5, 121.5, 364.5]),
    ],
)
def test_waits_grow_with_full_jitter(kind: type[errors.AppleError], longest: list[float]) -> None:
    def waits(jitter: float) -> list[float]:
        policy = RetryPolicy(jitter=lambda: jitter)
        return [policy.wait_after(kind("x"), attempt) for attempt in range(1, 8)]

    assert waits(1.0) == longest
    assert waits(0.5) == [wait / 2 for wait in longest]
    assert waits(0.0) == [0.0] * 7
