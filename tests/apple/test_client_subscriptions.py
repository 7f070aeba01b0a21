"""Subscriptions: cursors one after the other, integers for ids, and what is done at once."""

from datetime import date

import orjson
import pytest
import requests

from tests.apple.scripted import Answered, Apple, Asked, error, in_turn
from vpp_accounts.apple import AnswerLost, CursorTraversal, ManageSubscriptions, errors
from vpp_accounts.apple.seats import (
    AdminsChanged,
    Seats,
    Subscription,
    SubscriptionAdmin,
    SubscriptionAssignment,
    SubscriptionSupport,
)
from vpp_accounts.apple.types import Unreadable

FULL = {
    "parentAdamId": 54321,
    "adamId": 12345,
    "status": "ACTIVE",
    "periodEndDate": "2026-12-31",
    "counts": {
        "assigned": {"renewing": 1, "expiring": 2},
        "available": {"renewing": 3, "expiring": 4},
        "total": {"renewing": 5, "expiring": 5},
    },
}
SEATS = ManageSubscriptions((12345, 67890), ("u1",))


def page(key: str, items: list[object], cursor: str | None = None, version: str = "v1") -> Answered:
    body = {key: items, "versionId": version, "uId": "1", "mdmInfo": None}
    return Answered(body | ({"nextCursor": cursor} if cursor else {}))


def test_a_subscription_with_every_field() -> None:
    apple = Apple(in_turn(page("subscriptions", [FULL])))

    (found,) = apple.client.subscriptions(parent_adam_id=54321, adam_id=12345).rows()

    (asked,) = apple.asked
    assert (asked.path, asked.query) == (
        "subscriptions",
        {"parentAdamId": "54321", "adamId": "12345"},
    )
    assert found == Subscription(
        parent_adam_id=54321,
        adam_id=12345,
        status="ACTIVE",
        period_ends_on=date(2026, 12, 31),
        assigned=Seats(1, 2),
        available=Seats(3, 4),
        total=Seats(5, 5),
    )


@pytest.mark.parametrize(
    "item",
    [
        {"adamId": 12345},
        {"adamId": "12345", "parentAdamId": None, "periodEndDate": "soon", "counts": None},
        {"adamId": 12345, "periodEndDate": 20261231, "counts": {"total": 7, "assigned": {}}},
    ],
)
def test_all_but_the_id_may_be_missing(item: dict[str, object]) -> None:
    (found,) = Apple(in_turn(page("subscriptions", [item]))).client.subscriptions().rows()

    assert found == Subscription(None, 12345, "", None, Seats(), Seats(), Seats())


def test_assignments_and_admins() -> None:
    assignments = Apple(
        in_turn(page("assignments", [{"adamId": 1, "clientUserId": "u1", "renewing": True}]))
    )
    admin = {"adamId": 1, "clientUserId": "u1", "idHash": "h", "userStatus": "Associated"}
    admins = Apple(in_turn(page("admins", [admin, {"adamId": 2, "clientUserId": "u2"}])))

    held = assignments.client.subscription_assignments(client_user_id="u1", adam_id=1)
    administered = admins.client.subscription_admins(adam_ids=(1, 2), include_user_state=True)

    assert list(held.rows()) == [SubscriptionAssignment(1, "u1", renewing=True)]
    assert list(administered.rows()) == [
        SubscriptionAdmin(1, "u1", "h", "Associated"),
        SubscriptionAdmin(2, "u2", None, None),
    ]
    assert assignments.asked[0].url.endswith("subscriptions/assignments?adamId=1&clientUserId=u1")
    assert admins.asked[0].url.endswith(
        "subscriptions/admins?adamId=1&adamId=2&includeUserState=true"
    )


def test_broken_items_are_reported_and_the_rest_goes_on() -> None:
    broken = [{"clientUserId": "u1"}, {"adamId": "x", "clientUserId": "u1"}, {"adamId": 1}]
    walk = Apple(in_turn(page("admins", [*broken, {"adamId": 1, "clientUserId": "u"}])))
    admins = walk.client.subscription_admins()

    assert list(admins.rows()) == [SubscriptionAdmin(1, "u", None, None)]
    assert admins.unreadable == [
        Unreadable("subscription admin", "no adamId", '{"clientUserId":"u1"}'),
        Unreadable(
            "subscription admin", "adamId is not a number", '{"adamId":"x","clientUserId":"u1"}'
        ),
        Unreadable("subscription admin", "no clientUserId", '{"adamId":"1"}'),
    ]


# Cursors


def three_pages(asked: Asked) -> Answered:
    """Two pages of one, and the empty one that Apple's examples lead to."""
    cursor = asked.query.get("cursor")
    following = {None: "a&b", "a&b": "c", "c": None}[cursor]
    items = [] if cursor == "c" else [{"adamId": 1 if cursor is None else 2}]
    return page("subscriptions", items, following)


def adam_ids(walk: CursorTraversal[Subscription]) -> list[int]:
    return [row.adam_id for row in walk.rows()]


def test_cursors_are_followed_to_the_end() -> None:
    apple = Apple(three_pages)
    walk = apple.client.subscriptions(adam_id=7)
    before = (walk.is_stable, len(apple.asked), walk.version_id, len(apple.asked))

    assert adam_ids(walk) == [1, 2]

    assert before == (False, 0, "v1", 1)
    assert (walk.is_stable, walk.pages_done, walk.version_id) == (True, 3, "v1")
    assert [asked.query for asked in apple.asked] == [
        {"adamId": "7"},
        {"adamId": "7", "cursor": "a&b"},
        {"adamId": "7", "cursor": "c"},
    ]


@pytest.mark.parametrize(
    ("versions", "stable"), [(("v1", "v1"), True), (("v1", "v2"), False), (("", ""), False)]
)
def test_a_walk_is_stable_while_its_version_is(versions: tuple[str, str], stable: bool) -> None:
    first, second = versions
    apple = Apple(
        in_turn(page("subscriptions", [], "a", first), page("subscriptions", [], None, second))
    )
    walk = apple.client.subscriptions()

    assert (adam_ids(walk), walk.is_stable) == ([], stable)


def test_cursors_that_lead_in_a_circle_end() -> None:
    apple = Apple(in_turn(page("subscriptions", [FULL], "a")))

    with pytest.raises(errors.Unavailable, match="leads back to a page that was read already"):
        adam_ids(apple.client.subscriptions())

    assert len(apple.asked) == 2


def test_a_list_is_walked_once_and_an_error_stops_it() -> None:
    walk = Apple(in_turn(page("subscriptions", [FULL], "a"), error(9812))).client.subscriptions()

    with pytest.raises(errors.RequestRefused) as caught:
        adam_ids(walk)
    with pytest.raises(RuntimeError, match="walked already"):
        walk.pages()

    assert (caught.value.number, walk.pages_done) == (9812, 1)


# What is done at once


@pytest.mark.parametrize("name", ["enable", "disable"])
def test_the_switch_has_no_body(name: str) -> None:
    apple = Apple(in_turn(Answered({"subscriptionManagement": name == "enable", "uId": "1"})))
    call = getattr(apple.client, f"{name}_subscriptions")

    assert call() == SubscriptionSupport(name == "enable")

    (asked,) = apple.asked
    assert (asked.method, asked.path, asked.body) == ("POST", f"subscriptions/{name}", b"")
    assert asked.headers["Content-Length"] == "0"


def test_the_switch_is_refused_or_its_answer_lost() -> None:
    lost = AnswerLost(
        "subscriptions/disable",
        {},
        "Apple's answer does not say whether subscriptions are enabled",
    )

    with pytest.raises(errors.RequestRefused):
        Apple(in_turn(error(9818))).client.disable_subscriptions()
    assert Apple(in_turn(Answered({"uId": "1"}))).client.disable_subscriptions() == lost


@pytest.mark.parametrize("name", ["add", "remove"])
def test_admins_change_at_once(name: str) -> None:
    apple = Apple(in_turn(Answered({"uId": "1", "versionId": "v2"}), requests.ReadTimeout()))
    call = getattr(apple.client, f"{name}_subscription_admins")

    done, lost = call(SEATS), call(SEATS)

    sent = {"adamIds": [12345, 67890], "clientUserIds": ["u1"]}
    assert done == AdminsChanged("v2")
    assert lost == AnswerLost(
        f"subscriptions/admins/{name}",
        sent,
        "vpp.apple.test gave no complete answer (ReadTimeout)",
    )
    assert {(asked.path, orjson.loads(asked.body)["adamIds"][0]) for asked in apple.asked} == {
        (f"subscriptions/admins/{name}", 12345)
    }
