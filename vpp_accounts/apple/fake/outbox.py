"""Notifications: composed when something happens, delivered soon after, up to three times."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import orjson

from vpp_accounts.apple.fake.base import Base
from vpp_accounts.apple.fake.faults import Faults, Proceed, Situation, surrounded
from vpp_accounts.apple.fake.journal import Journal
from vpp_accounts.apple.fake.paths import NOTIFICATIONS
from vpp_accounts.apple.fake.schedule import Schedule
from vpp_accounts.apple.fake.state import Location, Subscription
from vpp_accounts.apple.fake.wire import Answer, Json, Request

ATTEMPTS = 3
# Tasks that are done together, and rows that one notification carries.
BATCH = 100

Deliver = Callable[[str, dict[str, str], bytes], int | None]


class Outbox(Base):
    deliver: Deliver
    journal: Journal
    faults: Faults
    schedule: Schedule
    # Notifications that wait until another one of their location has gone out.
    held: dict[str, list[Proceed]]

    def situation(
        self, request: Request, location: Location | None, args: Mapping[str, Any]
    ) -> Situation:
        """What a fault is told about this Apple."""
        raise NotImplementedError

    def notify(
        self, location: Location, subscription: Subscription, kind: str, notification: Json
    ) -> int | None:
        """Send one notification now and once; answers the receiver's status."""
        request = self._composed(location, subscription, kind, notification)
        return self._deliver(request, subscription.url, location.uid).status or None

    def tell(self, location: Location, kind: str, notification: Json) -> None:
        """Notify whoever the location is subscribed to, if this type is among the wanted."""
        subscription = location.subscription
        if subscription.url and kind in subscription.types:
            request = self._composed(location, subscription, kind, notification)
            self.later(0, partial(self._attempt, request, subscription.url, location, 1))

    def tell_in_parts(
        self, location: Location, kind: str, told: Json, name: str, rows: list[Json]
    ) -> None:
        for start in range(0, len(rows), BATCH):
            self.tell(location, kind, told | {name: rows[start : start + BATCH]})

    def later(self, seconds: float, action: Callable[[], object]) -> None:
        self.schedule.at(self.clock.steady() + seconds, action)

    def run_due(self) -> None:
        """Let everything happen whose time has come."""
        while action := self.schedule.next_due(self.clock.steady()):
            action()

    def _composed(
        self, location: Location, subscription: Subscription, kind: str, notification: Json
    ) -> Request:
        body = {
            "notificationId": self.ids.uuid("notification"),
            "notificationType": kind,
            "notification": notification,
            "uId": location.uid,
        }
        headers = {
            "Authorization": f"Bearer {subscription.auth_token}",
            "Content-Type": "application/json",
        }
        return Request("POST", NOTIFICATIONS + kind, headers=headers, body=orjson.dumps(body))

    def _attempt(self, request: Request, url: str, location: Location, number: int) -> None:
        # A copy, since a fault may spoil what a later attempt has to send unspoiled.
        copy = Request(
            request.method, request.path, headers=dict(request.headers), body=request.body
        )
        meeting = self.faults.meeting(copy, location)
        proceed = partial(self._deliver, copy, url, location.uid)
        answer = surrounded(proceed, meeting, partial(self.situation, copy, location))()
        if not 200 <= answer.status < 300 and number < ATTEMPTS:
            pause = location.settings(self.settings).notification_retry_seconds
            self.later(pause, partial(self._attempt, request, url, location, number + 1))
        if not answer.refused:
            self._let_go(location)

    def _deliver(self, request: Request, url: str, uid: str) -> Answer:
        """Status 0 is nobody there."""
        status = self.deliver(url, dict(request.headers), request.body)
        self.journal.sent(url, uid, request.body, status)
        return Answer(status or 0)

    def _let_go(self, location: Location) -> None:
        for proceed in self.held.pop(location.uid, []):
            proceed()
