"""Subscriptions through both doors of the fake. Never at Apple: they are switched on first."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.apple.scripted import BASE_URL, EagerPacer
from vpp_accounts.apple import (
    Accepted,
    AppleClient,
    EventState,
    ManageSubscriptions,
    WriteResult,
    errors,
)
from vpp_accounts.apple.fake import FakeApple, FakeAppleAdapter, serving
from vpp_accounts.apple.seats import Seats, SubscriptionAdmin, SubscriptionAssignment

PLAN, PARENT = 12345, 54321
ADA = ManageSubscriptions((PLAN,), ("ada",))


class Meeting:
    """A location with a plan of three renewing seats and two that expire, on pages of one row."""

    def __init__(self) -> None:
        self.apple = FakeApple()
        self.apple.change_settings(
            {"pageSize": 1, "maxRequestPerSecond": 10_000, "subscriptions": True}
        )
        self.uid = self.apple.create_location(name="Lindenhof").uid
        people = [
            {"clientUserId": name, "appleAccount": f"{name}@x.example"} for name in ("ada", "bob")
        ]
        self.apple.add_users(self.uid, [*people, {"clientUserId": "eve"}])
        self.client: AppleClient

    def connect(self, base_url: str, session: requests.Session | None) -> None:
        self.client = AppleClient(
            base_url=base_url,
            stoken=self.apple.issue_token(self.uid),
            session=session,
            pacer=EagerPacer(),
        )
        self.client.enable_subscriptions()
        self.apple.buy_seats(self.uid, PLAN, parent_adam_id=PARENT, renewing=3, expiring=2)
        self.apple.buy_seats(self.uid, PLAN + 1, renewing=1)

    def state(self, result: WriteResult) -> tuple[str, EventState, list[int]]:
        assert isinstance(result, Accepted)
        self.apple.advance(60)
        status = self.client.event_status(result.event_id)
        return status.type, status.state, [failure.number for failure in status.failures]


@pytest.fixture(params=["in process", "http"])
def meeting(request: pytest.FixtureRequest) -> Iterator[Meeting]:
    made = Meeting()
    if request.param == "in process":
        session = requests.Session()
        session.mount("https://", FakeAppleAdapter(made.apple))
        made.connect(BASE_URL, session)
        yield made
    else:
        with serving(made.apple) as server:
            made.connect(server.url.rstrip("/") + "/mdm/v2/", None)
            yield made
            made.client.close()


def test_subscriptions_are_listed_by_cursor(meeting: Meeting) -> None:
    walk = meeting.client.subscriptions()

    found = {row.adam_id: row for row in walk.rows()}

    plan = found[PLAN]
    assert (sorted(found), walk.unreadable, walk.is_stable) == ([PLAN, PLAN + 1], [], True)
    assert walk.pages_done >= 2
    assert (plan.parent_adam_id, plan.status) == (PARENT, "ACTIVE")
    assert (plan.assigned, plan.available, plan.total) == (Seats(), Seats(3, 2), Seats(3, 2))
    assert [row.adam_id for row in meeting.client.subscriptions(adam_id=PLAN).rows()] == [PLAN]


def test_a_seat_goes_out_and_comes_back(meeting: Meeting) -> None:
    client = meeting.client

    given = meeting.state(client.associate_subscriptions(ADA, renewing=True))
    held = list(client.subscription_assignments(client_user_id="ada").rows())
    taken = meeting.state(client.disassociate_subscriptions(ADA))

    assert given == ("ASSOCIATE", EventState.COMPLETE, [])
    assert held == [SubscriptionAssignment(PLAN, "ada", renewing=True)]
    assert taken == ("DISASSOCIATE", EventState.COMPLETE, [])
    assert list(client.subscription_assignments().rows()) == []


def test_who_is_not_associated_gets_no_seat(meeting: Meeting) -> None:
    nobody = ManageSubscriptions((PLAN,), ("eve",))

    with pytest.raises(errors.StateDrift) as caught:
        meeting.client.associate_subscriptions(nobody, renewing=True)

    assert caught.value.number == 9814


def test_admins_are_added_and_removed_at_once(meeting: Meeting) -> None:
    client = meeting.client

    added = client.add_subscription_admins(ADA)
    (admin,) = client.subscription_admins(adam_ids=(PLAN,), include_user_state=True).rows()
    removed = client.remove_subscription_admins(ADA)

    assert added != removed
    assert admin == SubscriptionAdmin(PLAN, "ada", admin.id_hash, "Associated")
    assert admin.id_hash
    assert list(client.subscription_admins().rows()) == []


def test_subscriptions_stay_enabled_while_there_are_any(meeting: Meeting) -> None:
    with pytest.raises(errors.RequestRefused) as caught:
        meeting.client.disable_subscriptions()

    assert caught.value.number == 9818


def test_a_cursor_of_nobody_is_refused(meeting: Meeting) -> None:
    with pytest.raises(errors.RequestRefused) as caught:
        meeting.client._read("subscriptions", [("cursor", "bm9uZQ==")], lambda data: data)

    assert caught.value.number == 9812
