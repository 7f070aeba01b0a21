"""The decisions of grants and revokes, as pure functions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.batches.calls import REVOKE_ALL, Planned, cautious, plan_calls
from licensing.batches.pauses import plan_retry
from licensing.batches.plans import (
    Holder,
    Outlook,
    Sent,
    TitleFacts,
    is_worse,
    plan_grant,
    plan_revoke,
    plan_verdict,
    runs_on,
)
from licensing.batches.reasons import Reason, sentence_for
from licensing.batches.verdicts import plan_next_state
from licensing.models import ItemState
from vpp_accounts.apple.chunks import ManageAssets, RevokeAssets
from vpp_accounts.apple.events import Failure
from vpp_accounts.apple.types import ErrorInfo, Limits

KEYNOTE, PAGES = ("361285480", "STDQ"), ("361309726", "STDQ")


def title(**given_: object) -> TitleFacts:
    facts = {
        "id": 1,
        "key": KEYNOTE,
        "platforms": frozenset({"iOS"}),
        "device_assignable": True,
        "revocable": True,
        "is_gone": False,
        "free": 10,
    }
    return TitleFacts(**{**facts, **given_})


def named(*holders: str) -> list[Holder]:
    return [Holder(holder) for holder in holders]


def test_a_grant_serves_in_order_until_none_is_left() -> None:
    plan = plan_grant(
        title(free=2), named("A", "B", "C", "D"), to_devices=True, held={"B"}, open_={}
    )

    assert (plan.go, plan.wait) == (["A", "C"], ["D"])
    assert plan.skipped == [("B", Reason.ALREADY_HELD)]


def test_an_unlimited_title_makes_nobody_wait() -> None:
    plan = plan_grant(title(free=None), named("A", "B"), to_devices=True, held=set(), open_={})

    assert (plan.go, plan.wait) == (["A", "B"], [])


@pytest.mark.parametrize(
    ("facts", "holder", "reason"),
    [
        ({"is_gone": True}, Holder("A"), Reason.TITLE_GONE),
        ({"device_assignable": False}, Holder("A"), Reason.NOT_FOR_DEVICES),
        ({}, Holder("A", "macOS"), Reason.PLATFORM),
        ({}, Holder("A", "", Reason.NETWORK), Reason.NETWORK),
        ({"is_gone": True}, Holder("A", "", Reason.NO_SERIAL), Reason.NO_SERIAL),
    ],
)
def test_a_grant_says_why_somebody_cannot_have_a_license(
    facts: dict[str, object], holder: Holder, reason: Reason
) -> None:
    plan = plan_grant(title(**facts), [holder], to_devices=True, held=set(), open_={})

    assert plan.skipped == [("A", reason)]


def test_a_grant_leaves_alone_what_another_batch_is_changing() -> None:
    plan = plan_grant(title(), named("A"), to_devices=True, held=set(), open_={"A": False})

    assert plan.skipped == [("A", Reason.IN_PROGRESS)]


def test_a_revoke_takes_what_is_held_and_ends_waiting() -> None:
    plan = plan_revoke(
        title(),
        [*named("HOLDS", "HAS NOT", "WAITS", "BUSY"), Holder("FAR", "", Reason.NOT_YOUR_NETWORK)],
        held={"HOLDS", "FAR"},
        open_={"WAITS": True, "BUSY": False},
    )

    assert (plan.go, plan.unwait) == (["HOLDS"], ["WAITS"])
    assert plan.skipped == [
        ("HAS NOT", Reason.NOT_HELD),
        ("BUSY", Reason.IN_PROGRESS),
        ("FAR", Reason.NOT_YOUR_NETWORK),
    ]


def test_a_permanent_license_is_never_taken_back() -> None:
    plan = plan_revoke(title(revocable=False), named("A"), held={"A"}, open_={})

    assert plan.skipped == [("A", Reason.IRREVOCABLE)]


@pytest.mark.parametrize(
    ("device", "platforms", "runs"),
    [
        ("iPadOS", {"iOS"}, True),
        ("visionOS", {"iOS"}, True),
        ("macOS", {"iOS"}, False),
        ("tvOS", {"iOS", "tvOS"}, True),
        ("macOS", set(), True),
        ("", {"iOS"}, True),
        ("newOS", {"iOS"}, True),
    ],
)
def test_where_a_title_runs(device: str, platforms: set[str], runs: bool) -> None:
    assert runs_on(platforms, device) is runs


@pytest.mark.parametrize(
    ("shown", "now", "is_grant", "worse"),
    [
        (Outlook(5, 0), Outlook(4, 0), True, True),
        (Outlook(5, 0), Outlook(6, 0), True, False),
        (Outlook(5, 0), Outlook(5, 1), True, True),
        (Outlook(5, 0), Outlook(6, 0), False, True),
        (Outlook(5, 0), Outlook(4, 0), False, False),
    ],
)
def test_when_a_plan_is_shown_again(
    shown: Outlook, now: Outlook, is_grant: bool, worse: bool
) -> None:
    assert is_worse(shown, now, is_grant=is_grant) is worse


# How an event ended


def sent(number: int, key: tuple[str, str] = KEYNOTE, holder: str = "A") -> Sent:
    return Sent(number, key, holder, is_device=True)


def test_failures_that_name_exactly_what_is_missing_are_believed() -> None:
    failure = Failure(9709, "", ErrorInfo(serial_numbers=("A",)))
    items = [sent(1), sent(2, PAGES), sent(3, holder="B"), sent(4, PAGES, "B")]

    verdict = plan_verdict(items, [failure], missing=2)

    assert (verdict.succeeded, verdict.unclear) == ([3, 4], [])
    assert verdict.failed == [(1, failure), (2, failure)]


def test_failures_that_name_more_than_is_missing_leave_a_question() -> None:
    failure = Failure(9709, "", ErrorInfo(serial_numbers=("A",)))

    verdict = plan_verdict([sent(1), sent(2, PAGES), sent(3, holder="B")], [failure], missing=1)

    assert (verdict.succeeded, verdict.failed) == ([3], [])
    assert verdict.unclear == [(1, failure), (2, failure)]


def test_failures_that_name_fewer_than_are_missing_say_nothing_about_anybody() -> None:
    failure = Failure(9709, "", ErrorInfo(serial_numbers=("A",)))

    verdict = plan_verdict([sent(1), sent(2, holder="B")], [failure], missing=2)

    assert verdict.unclear == [(1, failure), (2, failure)]


@pytest.mark.parametrize(
    ("number", "kind", "attempts", "state"),
    [
        (9709, "grant", 1, ItemState.WAITING),
        (9709, "revoke", 1, ItemState.FAILED),
        (9609, "grant", 1, ItemState.FAILED),
        (9716, "register", 1, ItemState.SUCCEEDED),
        (9644, "grant", 1, ItemState.PLANNED),
        (9644, "grant", 5, ItemState.FAILED),
        (9635, "register", 1, ItemState.FAILED),
        (0, "grant", 1, ItemState.FAILED),
        (12345, "grant", 1, ItemState.FAILED),
    ],
)
def test_what_a_number_of_apples_means_for_an_item(
    number: int, kind: str, attempts: int, state: ItemState
) -> None:
    assert plan_next_state(number, kind, attempts) == state


def test_an_unknown_number_is_told_in_apples_words() -> None:
    assert sentence_for(9999, "The moon is full.") == "Apple refused it: The moon is full."


@pytest.mark.parametrize(
    ("failures", "retry_after", "seconds"),
    [(0, None, 5), (1, None, 15), (4, None, 405), (5, None, 600), (99, None, 600), (3, 7, 7)],
)
def test_how_long_apple_is_left_alone(
    failures: int, retry_after: float | None, seconds: float
) -> None:
    assert plan_retry(failures, retry_after, jitter=1).total_seconds() == seconds


# Which requests carry which items


def wanted(
    pairs: list[tuple[tuple[str, str], str]], *, kind: str = "grant", takes_all: bool = False
) -> list[Planned]:
    return [
        Planned(number, kind, key, holder, is_device=True, takes_all=takes_all)
        for number, (key, holder) in enumerate(pairs)
    ]


def test_titles_and_devices_become_one_cross_product() -> None:
    items = wanted([(key, holder) for holder in "ABC" for key in (KEYNOTE, PAGES)])

    (call,) = plan_calls(items, Limits())

    assert call.work == ManageAssets((KEYNOTE, PAGES), serial_numbers=("A", "B", "C"))
    assert sorted(call.item_ids) == [0, 1, 2, 3, 4, 5]


def test_a_large_grant_takes_as_many_requests_as_the_limits_ask_for() -> None:
    items = wanted([(KEYNOTE, f"S{n}") for n in range(2500)])

    calls = plan_calls(items, Limits())

    assert [call.tasks for call in calls] == [1000, 1000, 500]


def test_taking_everything_goes_holder_by_holder_where_that_is_less() -> None:
    pairs = [((str(title), "STDQ"), f"S{n}") for n in range(10) for title in range(n + 1)]

    (call,) = plan_calls(wanted(pairs, kind="revoke", takes_all=True), Limits())

    assert call.path == REVOKE_ALL
    assert call.work == RevokeAssets(serial_numbers=tuple(f"S{n}" for n in range(10)))


def test_taking_everything_goes_title_by_title_where_that_is_less() -> None:
    items = wanted([(KEYNOTE, f"S{n}") for n in range(500)], kind="revoke", takes_all=True)

    (call,) = plan_calls(items, Limits())

    assert call.path == "assets/disassociate"


def test_after_an_unexplained_refusal_requests_get_smaller() -> None:
    assert [
        (limits.max_assets, limits.max_serial_numbers)
        for limits in (cautious(Limits(), caution) for caution in range(5))
    ] == [(25, 1000), (1, 125), (1, 15), (1, 1), (1, 1)]


@given(
    st.sets(
        st.tuples(
            st.sampled_from(["1", "2", "3"]),
            st.sampled_from("ABCDEFG"),
            st.booleans(),
            st.sampled_from(["grant", "revoke"]),
        )
    ),
    st.integers(1, 3),
    st.integers(1, 4),
    st.booleans(),
)
def test_the_requests_carry_every_item_exactly_once(
    pairs: set[tuple[str, str, bool, str]], most_assets: int, most_holders: int, takes_all: bool
) -> None:
    items = [
        Planned(number, kind, (adam_id, "STDQ"), holder, is_device, takes_all=takes_all)
        for number, (adam_id, holder, is_device, kind) in enumerate(sorted(pairs))
    ]
    limits = Limits(
        max_assets=most_assets,
        max_serial_numbers=most_holders,
        max_client_user_ids=most_holders,
        max_revoke_serial_numbers=most_holders,
        max_revoke_client_user_ids=most_holders,
    )

    calls = plan_calls(items, limits)

    assert sorted(pk for call in calls for pk in call.item_ids) == [item.id for item in items]
    assert all(len(call.holders) <= most_holders for call in calls)
    assert all(call.assets <= most_assets for call in calls)
