"""Walking lists: every page once, five at a time, and the truth about what moved meanwhile."""

import itertools
import threading
from collections.abc import Callable

import pytest

from tests.apple.scripted import Answered, Apple, Asked, error, list_page, serials
from vpp_accounts.apple import Traversal, errors
from vpp_accounts.apple.types import Unreadable


def pages_of(total: int, version: Callable[[int], str] = lambda index: "v1") -> Callable:
    def answer(asked: Asked) -> Answered:
        name = f"C{asked.page:03}"
        return list_page(
            "assignments",
            serials(name + "A", name + "B"),
            index=asked.page,
            total=total,
            version=version(asked.page),
        )

    return answer


def expected(total: int) -> list[str]:
    return [f"C{index:03}{letter}" for index in range(total) for letter in "AB"]


def slow_clock() -> Callable[[], float]:
    """A clock by which every answer takes a second, so that threads pay."""
    ticks = itertools.count()
    return lambda: float(next(ticks))


def walk(apple: Apple, *, slowly: bool) -> Traversal:
    traversal = apple.client.assignments()
    traversal._clock = slow_clock() if slowly else (lambda: 0.0)
    return traversal


def test_nothing_is_asked_before_the_first_use() -> None:
    apple = Apple(pages_of(3))

    traversal = apple.client.assignments()

    assert (apple.asked, traversal.pages_done, traversal.unreadable) == ([], 0, [])
    assert (traversal.version_id, traversal.total_pages, len(apple.asked)) == ("v1", 3, 1)


@pytest.mark.parametrize("slowly", [True, False])
@pytest.mark.parametrize("total", [1, 2, 5, 6, 7, 23])
def test_every_page_once(total: int, slowly: bool) -> None:
    apple = Apple(pages_of(total))
    traversal = walk(apple, slowly=slowly)

    rows = list(traversal.rows())

    assert sorted(row.serial_number for row in rows) == expected(total)
    assert sorted(asked.page for asked in apple.asked) == list(range(total))
    assert (traversal.is_stable, traversal.pages_done, traversal.total_pages) == (
        True,
        total,
        total,
    )
    assert "pageIndex" not in apple.asked[0].query


def test_a_quick_service_is_walked_without_threads() -> None:
    threads = set()

    def answer(asked: Asked) -> Answered:
        threads.add(threading.current_thread())
        return pages_of(20)(asked)

    list(walk(Apple(answer), slowly=False).rows())

    assert threads == {threading.main_thread()}


def test_a_service_that_turns_slow_gets_threads_and_back() -> None:
    seconds = iter([*[0.001] * 3, *[0.2] * 30, *[0.001] * 1000])
    threads: list[bool] = []
    lock = threading.Lock()

    def answer(asked: Asked) -> Answered:
        with lock:
            threads.append(threading.current_thread() is threading.main_thread())
        return pages_of(100)(asked)

    traversal = Apple(answer).client.assignments()
    traversal._timed = lambda index: (traversal._fetch(index, traversal._stopped), next(seconds))

    rows = list(traversal.rows())

    assert len(rows) == 200
    assert threads[:10] == [True] * 10
    assert False in threads
    assert threads[-30:] == [True] * 30


def test_five_requests_are_in_flight_and_never_six() -> None:
    gate = threading.Condition()
    flying = 0
    most = 0

    def answer(asked: Asked) -> Answered:
        nonlocal flying, most
        if asked.page == 0:
            return pages_of(31)(asked)
        with gate:
            flying += 1
            most = max(most, flying)
            gate.notify_all()
            # Nobody leaves before five have come; the last pages may be fewer.
            gate.wait_for(lambda: most >= 5, timeout=10)
            flying -= 1
        return pages_of(31)(asked)

    apple = Apple(answer)

    rows = list(walk(apple, slowly=True).rows())

    assert (most, len(rows)) == (5, 62)


def test_two_walks_of_one_client_share_the_five() -> None:
    gate = threading.Condition()
    flying = 0
    most = 0

    def answer(asked: Asked) -> Answered:
        nonlocal flying, most
        with gate:
            flying += 1
            most = max(most, flying)
            gate.notify_all()
            gate.wait_for(lambda: most >= 5 or asked.page == 0, timeout=10)
            flying -= 1
        return pages_of(11)(asked)

    apple = Apple(answer)
    walks = [walk(apple, slowly=True) for _ in range(2)]

    both = list(zip(walks[0].pages(), walks[1].pages(), strict=True))

    assert (most, len(both)) == (5, 11)


def test_a_list_that_grows_is_walked_to_its_new_end() -> None:
    apple = Apple(lambda asked: pages_of(3 if asked.page < 2 else 6)(asked))
    traversal = walk(apple, slowly=True)

    rows = list(traversal.rows())

    assert sorted(row.serial_number for row in rows) == expected(6)
    assert (traversal.total_pages, traversal.is_stable) == (6, True)


@pytest.mark.parametrize("slowly", [True, False])
def test_a_list_that_shrinks_ends_and_is_not_stable(slowly: bool) -> None:
    def answer(asked: Asked) -> Answered:
        return pages_of(9)(asked) if asked.page < 4 else error(9650)

    traversal = walk(Apple(answer), slowly=slowly)

    rows = list(traversal.rows())

    assert sorted(row.serial_number for row in rows) == expected(4)
    assert (traversal.is_stable, traversal.pages_done, traversal.total_pages) == (False, 4, 4)


def test_an_old_answer_does_not_make_a_shrunken_list_long_again() -> None:
    ended = threading.Event()

    def answer(asked: Asked) -> Answered:
        if asked.page == 2:
            ended.set()
            return error(9650)
        if asked.page == 1:
            ended.wait(10)
        return pages_of(50)(asked)

    apple = Apple(answer)
    traversal = walk(apple, slowly=True)

    rows = list(traversal.rows())

    assert {row.serial_number for row in rows} >= set(expected(2))
    assert traversal.total_pages == 2
    assert max(asked.page for asked in apple.asked) < 10


def test_a_first_page_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(errors.PageOutOfRange):
        list(Apple(lambda asked: error(9650)).client.assignments().rows())


@pytest.mark.parametrize("changed", [1, 4])
def test_a_version_that_changes_makes_the_walk_unstable(changed: int) -> None:
    apple = Apple(pages_of(5, version=lambda index: "v2" if index >= changed else "v1"))
    traversal = walk(apple, slowly=True)

    rows = list(traversal.rows())

    assert sorted(row.serial_number for row in rows) == expected(5)
    assert (traversal.is_stable, traversal.version_id) == (False, "v1")


def test_a_list_without_versions_is_never_stable() -> None:
    traversal = Apple(lambda asked: Answered({"assignments": []})).client.assignments()

    assert list(traversal.rows()) == []
    assert (traversal.is_stable, traversal.version_id) == (False, "")


def test_next_page_index_is_enough_where_totals_are_missing() -> None:
    def answer(asked: Asked) -> Answered:
        full = pages_of(4)(asked).body
        return Answered({key: full[key] for key in full if key != "totalPages"})

    rows = list(Apple(answer).client.assignments().rows())

    assert sorted(row.serial_number for row in rows) == expected(4)


def test_unreadable_items_are_collected_and_the_rest_goes_on() -> None:
    def answer(asked: Asked) -> Answered:
        return list_page("assignments", [{"adamId": str(asked.page)}], index=asked.page, total=3)

    traversal = Apple(answer).client.assignments()

    assert list(traversal.rows()) == []
    assert sorted(traversal.unreadable, key=str) == [
        Unreadable(
            "assignment",
            "needs either clientUserId or serialNumber",
            f'{{"adamId":"{index}"}}',
        )
        for index in range(3)
    ]
    assert traversal.is_stable


@pytest.mark.parametrize("slowly", [True, False])
def test_an_error_in_one_page_stops_the_walk(slowly: bool) -> None:
    def answer(asked: Asked) -> Answered:
        return pages_of(500)(asked) if asked.page < 3 else error(9625, 401)

    apple = Apple(answer)

    with pytest.raises(errors.TokenRevoked):
        list(walk(apple, slowly=slowly).rows())

    assert len(apple.asked) <= 3 + 6


def test_an_error_does_not_wait_for_the_pages_beside_it() -> None:
    released = threading.Event()
    beside = threading.Event()

    def answer(asked: Asked) -> Answered:
        if asked.page == 1:
            beside.set()
            released.wait(10)
        if asked.page == 2:
            beside.wait(10)
            return error(9621, 401)
        return pages_of(9)(asked)

    apple = Apple(answer)

    with pytest.raises(errors.TokenExpired):
        list(walk(apple, slowly=True).rows())

    assert not released.is_set()
    released.set()


def test_pages_that_wait_for_another_try_are_not_asked_after_the_end() -> None:
    sleeping = threading.Event()
    wake = threading.Event()

    def sleep(seconds: float) -> None:
        sleeping.set()
        wake.wait(10)

    def answer(asked: Asked) -> Answered:
        if asked.page == 1:
            return error(9729, 503)
        if asked.page == 2:
            sleeping.wait(10)
            return error(9621, 401)
        return pages_of(3)(asked)

    apple = Apple(answer, sleep=sleep)
    traversal = walk(apple, slowly=True)

    with pytest.raises(errors.TokenExpired):
        list(traversal.rows())
    wake.set()
    traversal._pool.shutdown(wait=True)

    assert sorted(asked.page for asked in apple.asked) == [0, 1, 2]


@pytest.mark.parametrize("slowly", [True, False])
def test_a_walk_left_early_asks_no_more(slowly: bool) -> None:
    apple = Apple(pages_of(500))
    pages = walk(apple, slowly=slowly).pages()

    next(pages)
    next(pages)
    pages.close()

    assert len(apple.asked) <= 2 + 6


def test_a_list_is_walked_once() -> None:
    traversal = Apple(pages_of(2)).client.assignments()
    list(traversal.rows())

    with pytest.raises(RuntimeError, match="walked already"):
        traversal.pages()


def test_a_first_page_that_failed_can_be_asked_again() -> None:
    answers = iter([error(9602), list_page("assignments", serials("C02A"))])
    traversal = Apple(lambda asked: next(answers)).client.assignments()

    with pytest.raises(errors.RequestRefused):
        traversal.version_id  # noqa: B018

    assert traversal.version_id == "v1"
    assert [row.serial_number for row in traversal.rows()] == ["C02A"]
