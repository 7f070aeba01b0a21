"""Permits: never more than the rate in any second, shared by processes, closed while Apple says so."""

import os
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from vpp_accounts.apple import LocalPacer, RedisPacer, errors


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


def local(rate: float, clock: Clock, **options: Any) -> LocalPacer:
    return LocalPacer(rate, clock=clock, sleep=clock.sleep, **options)


def permits(pacer: LocalPacer | RedisPacer, clock: Clock, count: int) -> list[float]:
    times = []
    for _ in range(count):
        pacer.acquire()
        times.append(clock.now)
    return times


def most_in_a_second(times: list[float]) -> int:
    return max(sum(start <= time < start + 1 for time in times) for start in times)


@given(
    rate=st.integers(1, 60) | st.sampled_from([199, 200, 201, 350, 1000]),
    pauses=st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.004, 0.05, 0.3, 2.0]), max_size=300),
)
def test_no_second_holds_more_than_the_rate(rate: int, pauses: list[float]) -> None:
    clock = Clock()
    pacer = local(rate, clock, longest_wait=1000)
    times = []

    for pause in pauses:
        clock.now += pause
        times += permits(pacer, clock, 4)

    assert not times or most_in_a_second(times) <= rate


@pytest.mark.parametrize("rate", [1, 15, 150, 1000, 20_000])
def test_nearly_the_whole_rate_is_used(rate: int) -> None:
    clock = Clock()

    times = permits(local(rate, clock), clock, 3 * rate)

    assert 2.9 <= times[-1] - times[0] <= 3.1 or rate == 1
    assert (len(times) - 1) / (times[-1] - times[0]) >= 0.97 * rate


def test_permits_come_evenly() -> None:
    clock = Clock()

    times = permits(local(15, clock), clock, 30)

    gaps = {round(later - earlier, 6) for earlier, later in pairwise(times)}
    assert gaps == {round(1 / (15 * 0.98), 6)}


def test_a_high_rate_needs_few_sleeps() -> None:
    clock = Clock()
    sleeps: list[float] = []
    pacer = LocalPacer(10_000, clock=clock, sleep=lambda s: (sleeps.append(s), clock.sleep(s)))

    permits(pacer, clock, 10_000)

    assert len(sleeps) <= 100


def test_another_rate_is_obeyed_from_the_next_permit_on() -> None:
    clock = Clock()
    pacer = local(1, clock)
    pacer.acquire()
    pacer.set_rate(100)

    times = permits(pacer, clock, 101)

    assert times[-1] - times[0] == pytest.approx(100 / 98)


@pytest.mark.parametrize("rate", [0, -1])
def test_a_rate_is_above_zero(rate: int) -> None:
    with pytest.raises(ValueError, match="above zero"):
        LocalPacer(rate)


def test_held_means_no_permit_until_the_wait_is_over() -> None:
    clock = Clock()
    pacer = local(1000, clock)
    pacer.acquire()
    pacer.hold(20)
    pacer.hold(5)

    (at,) = permits(pacer, clock, 1)

    assert at == 1020.0


def test_held_for_too_long_is_said_and_not_sat_through() -> None:
    clock = Clock()
    pacer = local(15, clock, longest_wait=30)
    pacer.hold(31)

    with pytest.raises(errors.Throttled) as caught:
        pacer.acquire()
    clock.now += 2
    (at,) = permits(pacer, clock, 1)

    assert (caught.value.retry_after, caught.value.status) == (31.0, None)
    assert at == 1031.0


def test_who_sleeps_for_a_permit_hears_of_a_hold() -> None:
    clock = Clock()

    def sleep(seconds: float) -> None:
        if clock.now < 1001:
            pacer.hold(10)
        clock.sleep(seconds)

    pacer = LocalPacer(0.5, clock=clock, sleep=sleep)

    times = permits(pacer, clock, 2)

    assert times[0] == 1000.0
    assert times[1] >= 1010.0


def test_threads_share_one_schedule() -> None:
    clock = Clock()
    waits: list[float] = []
    pacer = LocalPacer(15, clock=clock, sleep=waits.append, longest_wait=1000)
    threads = [threading.Thread(target=permits, args=(pacer, clock, 20)) for _ in range(5)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    spacing = 1 / (15 * 0.98)
    assert sorted(waits) == pytest.approx([place * spacing for place in range(1, 100)])


class BrokenRedis:
    """Fails while it is told to, and counts how often it is asked."""

    def __init__(self) -> None:
        self.broken = True
        self.asked = 0

    def eval(self, script: str, keys: int, *arguments: object) -> str:
        self.asked += 1
        if self.broken:
            raise redis.ConnectionError("no route")
        return "0"


def test_without_redis_each_process_takes_a_quarter() -> None:
    clock = Clock()
    broken = BrokenRedis()
    pacer = RedisPacer(broken, "apple:1", 20, clock=clock, sleep=clock.sleep)

    times = permits(pacer, clock, 11)

    assert (len(times) - 1) / (times[-1] - times[0]) == pytest.approx(20 * 0.98 / 4)
    assert broken.asked == 1


def test_redis_is_asked_again_after_a_while() -> None:
    clock = Clock()
    coming_back = BrokenRedis()
    pacer = RedisPacer(coming_back, "apple:1", 20, clock=clock, sleep=clock.sleep)
    pacer.acquire()

    coming_back.broken = False
    clock.now += 5
    times = permits(pacer, clock, 3)

    assert (coming_back.asked, times) == (4, [1005.0] * 3)


def test_a_hold_counts_without_redis_too() -> None:
    clock = Clock()
    pacer = RedisPacer(BrokenRedis(), "apple:1", 20, clock=clock, sleep=clock.sleep)
    pacer.hold(20)

    (at,) = permits(pacer, clock, 1)

    assert at == 1020.0


@pytest.fixture
def server() -> Iterator[redis.Redis]:
    url = os.environ.get("REDIS_URL")
    if not url:
        pytest.skip("needs a Redis or Valkey: set REDIS_URL (./dev test does)")
    with redis.Redis.from_url(url) as client:
        yield client


@pytest.fixture
def key(server: redis.Redis) -> Iterator[str]:
    name = f"test:pacer:{os.getpid()}:{time.monotonic_ns()}"
    yield name
    server.delete(name)


def places(pacers: list[RedisPacer], waits: list[float], count: int) -> list[float]:
    """When each permit would be good, had somebody slept for it."""
    result = []
    for turn in range(count):
        waits.clear()
        started = time.monotonic()
        pacers[turn % len(pacers)].acquire()
        result.append(started + sum(waits))
    return result


def test_processes_share_one_schedule(server: redis.Redis, key: str) -> None:
    waits: list[float] = []
    pacers = [RedisPacer(server, key, 15, sleep=waits.append) for _ in range(3)]

    times = places(pacers, waits, 30)

    assert times[-1] - times[0] == pytest.approx(29 / (15 * 0.98), abs=0.1)
    assert 0 < server.pttl(key) <= 70_000


def test_processes_share_lumps_at_a_high_rate(server: redis.Redis, key: str) -> None:
    waits: list[float] = []
    pacers = [RedisPacer(server, key, 2000, sleep=waits.append) for _ in range(2)]

    times = places(pacers, waits, 400)

    assert times[-1] - times[0] >= (400 - 2 * 20) / (2000 * 0.98) - 0.05


def test_one_process_throttled_holds_them_all(server: redis.Redis, key: str) -> None:
    waits: list[float] = []
    one, other = (RedisPacer(server, key, 15, sleep=waits.append) for _ in range(2))
    one.hold(20)
    other.hold(3)

    with pytest.raises(errors.Throttled) as caught:
        RedisPacer(server, key, 15, longest_wait=5).acquire()
    (at,) = places([RedisPacer(server, key, 15, sleep=waits.append)], waits, 1)

    assert caught.value.retry_after == pytest.approx(20, abs=1)
    assert at - time.monotonic() == pytest.approx(20, abs=1)


def test_locations_do_not_wait_for_one_another(server: redis.Redis, key: str) -> None:
    waits: list[float] = []
    RedisPacer(server, key + ":busy", 0.1).hold(20)

    RedisPacer(server, key, 0.1, sleep=waits.append).acquire()

    assert waits == []
    server.delete(key + ":busy")
