"""Cutting work to Apple's limits: nothing lost, nothing twice, nothing too large."""

from collections.abc import Iterator

import orjson
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from tests.apple.scripted import Answered, Apple, Asked, error
from vpp_accounts.apple import (
    Accepted,
    AnswerLost,
    ManageAssets,
    ManageSubscriptions,
    ManageUsers,
    RequestUser,
    RevokeAssets,
    chunks_of,
    cross_products,
    errors,
    send_in_chunks,
)
from vpp_accounts.apple.types import Assignment, Limits

APPLES = Limits()
SMALL = Limits(
    max_assets=2,
    max_client_user_ids=3,
    max_serial_numbers=2,
    max_revoke_client_user_ids=2,
    max_revoke_serial_numbers=1,
    max_users=2,
    max_subscriptions=2,
    max_subscription_client_user_ids=1,
)


def titles(count: int) -> tuple[tuple[str, str], ...]:
    return tuple((str(number), "STDQ") for number in range(count))


def names(letter: str, count: int) -> tuple[str, ...]:
    return tuple(f"{letter}{number}" for number in range(count))


def test_users_and_serial_numbers_go_apart() -> None:
    work = ManageAssets(titles(2), names("u", 2), names("S", 1))

    assert list(work.within(APPLES)) == [
        ManageAssets(titles(2), client_user_ids=names("u", 2)),
        ManageAssets(titles(2), serial_numbers=names("S", 1)),
    ]


def test_a_cross_product_is_cut_in_both_directions() -> None:
    work = ManageAssets(titles(3), client_user_ids=names("u", 4))

    assert list(chunks_of([work], SMALL)) == [
        ManageAssets(titles(3)[:2], client_user_ids=("u0", "u1", "u2")),
        ManageAssets(titles(3)[:2], client_user_ids=("u3",)),
        ManageAssets(titles(3)[2:], client_user_ids=("u0", "u1", "u2")),
        ManageAssets(titles(3)[2:], client_user_ids=("u3",)),
    ]


def test_apples_documented_limits_are_the_default() -> None:
    large = ManageAssets(titles(26), names("u", 1001), names("S", 1000))

    sizes = [
        (len(chunk.assets), len(chunk.client_user_ids), len(chunk.serial_numbers))
        for chunk in large.within(APPLES)
    ]
    assert sizes == [
        (25, 1000, 0),
        (25, 1, 0),
        (25, 0, 1000),
        (1, 1000, 0),
        (1, 1, 0),
        (1, 0, 1000),
    ]


def test_a_revocation_has_limits_of_its_own() -> None:
    work = RevokeAssets(names("u", 3), names("S", 2))

    assert list(work.within(SMALL)) == [
        RevokeAssets(client_user_ids=("u0", "u1")),
        RevokeAssets(client_user_ids=("u2",)),
        RevokeAssets(serial_numbers=("S0",)),
        RevokeAssets(serial_numbers=("S1",)),
    ]
    assert len(list(RevokeAssets(names("u", 101), names("S", 100)).within(APPLES))) == 3


def test_users_and_subscriptions_are_cut() -> None:
    people = tuple(map(RequestUser, names("u", 3)))
    seats = ManageSubscriptions((1, 2, 3), ("u0", "u1"))

    assert list(ManageUsers(people).within(SMALL)) == [
        ManageUsers(people[:2]),
        ManageUsers(people[2:]),
    ]
    assert list(seats.within(SMALL)) == [
        ManageSubscriptions((1, 2), ("u0",)),
        ManageSubscriptions((1, 2), ("u1",)),
        ManageSubscriptions((3,), ("u0",)),
        ManageSubscriptions((3,), ("u1",)),
    ]


def test_repetitions_are_dropped_since_apple_refuses_them() -> None:
    work = ManageAssets(titles(1) * 2, ("u0", "u0"), ("S0", "S0"))

    assert list(work.within(APPLES)) == [
        ManageAssets(titles(1), client_user_ids=("u0",)),
        ManageAssets(titles(1), serial_numbers=("S0",)),
    ]


@pytest.mark.parametrize(
    "work",
    [
        ManageAssets((), ("u0",)),
        ManageAssets(titles(1)),
        RevokeAssets(),
        ManageUsers(()),
        ManageSubscriptions((), ("u0",)),
        ManageSubscriptions((1,), ()),
    ],
)
def test_no_work_is_no_request(work: ManageAssets) -> None:
    assert list(work.within(APPLES)) == []


sizes = st.integers(0, 7)
limits = st.builds(
    Limits,
    max_assets=st.integers(1, 4),
    max_client_user_ids=st.integers(1, 4),
    max_serial_numbers=st.integers(1, 4),
)


def cells(work: ManageAssets) -> Iterator[Assignment]:
    for asset in work.assets:
        yield from (Assignment(*asset, user, None) for user in work.client_user_ids)
        yield from (Assignment(*asset, None, serial) for serial in work.serial_numbers)


def fits(chunk: ManageAssets, limit: Limits) -> bool:
    return (
        0 < len(chunk.assets) <= limit.max_assets
        and len(chunk.client_user_ids) <= limit.max_client_user_ids
        and len(chunk.serial_numbers) <= limit.max_serial_numbers
        and bool(chunk.client_user_ids) != bool(chunk.serial_numbers)
    )


@given(sizes, sizes, sizes, limits, limits)
def test_chunks_hold_every_pair_once_also_when_cut_again(
    assets: int, users: int, serials: int, limit: Limits, moved: Limits
) -> None:
    work = ManageAssets(titles(assets), names("u", users), names("S", serials))

    chunks = list(chunks_of([work], limit))
    again = list(chunks_of(chunks, moved))

    assert all(fits(chunk, limit) for chunk in chunks)
    assert all(fits(chunk, moved) for chunk in again)
    for cut in (chunks, again):
        held = [cell for chunk in cut for cell in cells(chunk)]
        assert (len(held), set(held)) == (len(set(held)), set(cells(work)))


pairs = st.builds(
    lambda adam_id, holder, is_user: Assignment(
        str(adam_id), "STDQ", f"u{holder}" if is_user else None, None if is_user else f"S{holder}"
    ),
    st.integers(0, 4),
    st.integers(0, 4),
    st.booleans(),
)


@given(st.lists(pairs, max_size=40))
def test_cross_products_hold_exactly_the_pairs(wanted: list[Assignment]) -> None:
    held = [cell for work in cross_products(wanted) for cell in cells(work)]

    assert (len(held), set(held)) == (len(set(held)), set(wanted))


def test_what_is_alike_goes_together() -> None:
    full = [Assignment(title, "STDQ", None, name) for title in "123" for name in ("A", "B")]
    apart = [Assignment("4", "STDQ", None, "A"), Assignment("1", "STDQ", "u1", None)]

    assert cross_products(full + apart) == [
        ManageAssets((("1", "STDQ"),), client_user_ids=("u1",)),
        ManageAssets(tuple((title, "STDQ") for title in "123"), serial_numbers=("A", "B")),
        ManageAssets((("4", "STDQ"),), serial_numbers=("A",)),
    ]


def test_many_titles_for_few_holders_are_grouped_by_holder() -> None:
    ladder = [Assignment(str(title), "STDQ", None, "A") for title in range(5)]
    ladder += [Assignment(str(title), "STDQ", None, f"B{title}") for title in range(1)]
    steps = [Assignment(str(title), "STDQ", name, None) for title in range(9) for name in "ab"]
    steps = [step for step in steps if (int(step.adam_id) % 2 == 0) or step.client_user_id == "a"]

    assert cross_products(ladder + steps) == [
        ManageAssets(tuple((str(t), "STDQ") for t in range(0, 9, 2)), client_user_ids=("a", "b")),
        ManageAssets(tuple((str(t), "STDQ") for t in range(1, 9, 2)), client_user_ids=("a",)),
        ManageAssets((("0", "STDQ"),), serial_numbers=("A", "B0")),
        ManageAssets(tuple((str(t), "STDQ") for t in range(1, 5)), serial_numbers=("A",)),
    ]


def test_different_holders_of_many_titles_need_one_request_each() -> None:
    wanted = [
        Assignment(str(title), "STDQ", None, name)
        for name, shares in (("A", (1, 3, 5, 7)), ("B", (2, 3, 6, 7)), ("C", (4, 5, 6, 7)))
        for title in shares
    ]

    assert [work.serial_numbers for work in cross_products(wanted)] == [("A",), ("B",), ("C",)]


# Sending


class Limited:
    """An Apple with limits that may change, which notes how large the requests were."""

    def __init__(self, *max_assets: int) -> None:
        self.announced = list(max_assets)
        self.allowed = max_assets[0]
        self.sent: list[int] = []

    def __call__(self, asked: Asked) -> Answered:
        if asked.path == "service/config":
            limit = self.announced.pop(0) if len(self.announced) > 1 else self.announced[0]
            return Answered({"limits": {"maxAssets": limit}})
        count = len(orjson.loads(asked.body)["assets"])
        if count > self.allowed:
            return error(9700)
        self.sent.append(count)
        return Answered({"eventId": f"e{len(self.sent)}"})


WORK = ManageAssets(titles(6), serial_numbers=("S0",))


def test_results_come_chunk_by_chunk_and_nothing_is_sent_ahead() -> None:
    limited = Limited(2)
    client = Apple(limited).client
    announced: list[ManageAssets] = []

    results = send_in_chunks(client, client.associate_assets, [WORK], before=announced.append)
    first = next(results)
    sent_by_then = (list(limited.sent), list(announced))
    rest = list(results)

    chunks = list(WORK.within(Limits(max_assets=2)))
    assert first == (chunks[0], Accepted("e1"))
    assert sent_by_then == ([2], chunks[:1])
    assert rest == [(chunks[1], Accepted("e2")), (chunks[2], Accepted("e3"))]
    assert announced == chunks


def test_a_caller_who_stops_sends_no_more() -> None:
    limited = Limited(2)
    client = Apple(limited).client

    results = send_in_chunks(client, client.associate_assets, [WORK])
    next(results)
    results.close()

    assert limited.sent == [2]


def test_limits_that_moved_are_read_again_and_the_rest_is_cut_again() -> None:
    limited = Limited(4, 1)
    client = Apple(limited).client
    results = send_in_chunks(client, client.associate_assets, [WORK])

    first = next(results)
    limited.allowed = 1
    rest = list(results)

    assert first == (ManageAssets(titles(4), serial_numbers=("S0",)), Accepted("e1"))
    assert [chunk.assets for chunk, _ in rest] == [titles(6)[4:5], titles(6)[5:]]
    assert limited.sent == [4, 1, 1]
    assert client.service_config().limits.max_assets == 1


def test_limits_may_move_again_later() -> None:
    limited = Limited(4, 2, 1)
    client = Apple(limited).client
    limited.allowed = 2
    results = send_in_chunks(client, client.associate_assets, [WORK])

    next(results)
    limited.allowed = 1
    list(results)

    assert limited.sent == [2, 1, 1, 1, 1]


def test_a_second_refusal_in_a_row_is_raised() -> None:
    limited = Limited(4, 3)
    limited.allowed = 1
    apple = Apple(limited)

    with pytest.raises(errors.LimitsMoved):
        list(send_in_chunks(apple.client, apple.client.associate_assets, [WORK]))

    assert limited.sent == []
    assert [asked.path for asked in apple.asked] == [
        *("service/config", "assets/associate"),
        *("service/config", "assets/associate"),
    ]


def test_a_lost_answer_is_a_result_among_others() -> None:
    limited = Limited(3)

    def losing(asked: Asked) -> Answered | Exception:
        answer = limited(asked)
        return requests.ReadTimeout() if limited.sent == [3] else answer

    client = Apple(losing).client

    lost, accepted = (
        result for _, result in send_in_chunks(client, client.associate_assets, [WORK])
    )

    assert isinstance(lost, AnswerLost)
    assert accepted == Accepted("e2")
