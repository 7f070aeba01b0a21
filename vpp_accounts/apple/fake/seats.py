"""Seats of in-app subscriptions: bought, given, and what the end of a period does (2.15)."""

from collections.abc import Iterable
from datetime import date, timedelta
from functools import partial
from typing import Any

from vpp_accounts.apple.fake.base import change
from vpp_accounts.apple.fake.clock import apple_date, seconds_of
from vpp_accounts.apple.fake.outbox import Outbox
from vpp_accounts.apple.fake.people import People
from vpp_accounts.apple.fake.plans import STATUSES, Plan, Seat
from vpp_accounts.apple.fake.state import Location
from vpp_accounts.apple.fake.tasks import Event, Outcome
from vpp_accounts.apple.fake.wire import Json, Rejected

PERIOD = timedelta(days=30)


class Seats(Outbox, People):
    @change
    def buy_seats(
        self,
        uid: str,
        adam_id: int,
        *,
        parent_adam_id: int | None = None,
        renewing: int = 0,
        expiring: int = 0,
        period_end: str | None = None,
        status: str = "ACTIVE",
    ) -> Plan:
        """Buy more seats of a subscription, or give some back with a negative number.

        `period_end` is a day (YYYY-MM-DD), thirty days from now unless given.
        """
        location = self.location(uid)
        if not location.subscriptions_enabled:
            raise Rejected(
                "Nobody can buy subscriptions here before the location's MDM has enabled them."
            )
        _check_seats(adam_id, renewing, expiring, status)
        plan = location.plans.get(adam_id) or Plan(
            adam_id, parent_adam_id, self._period_end(period_end)
        )
        left = plan.available
        if left["renewing"] + renewing < 0 or left["expiring"] + expiring < 0:
            raise Rejected("Only seats that nobody holds can be given back.")
        plan.renewing, plan.expiring, plan.status = (
            plan.renewing + renewing,
            plan.expiring + expiring,
            status,
        )
        if adam_id not in location.plans:
            location.plans[adam_id] = plan
            self.await_period(location, plan)
        self._seats_counted(location, plan)
        return plan

    def await_period(self, location: Location, plan: Plan) -> None:
        seconds = seconds_of(plan.period_end) - self.clock.now()
        self.later(max(0.0, seconds), partial(self._end_period, location.uid, plan))

    def seats_done(self, location: Location, event: Event, tasks: list[Json]) -> Outcome:
        outcome = Outcome([], {})
        for task in tasks:
            number = self._seat_done(location, event, task, outcome.done)
            if number:
                outcome.failed.setdefault(number, []).append(task)
        if outcome.done:
            location.subscription_versions.bump()
        return outcome

    def _seat_done(
        self, location: Location, event: Event, task: Json, done: list[Any]
    ) -> int | None:
        """Do one task, or answer the number that says why not."""
        plan = location.plans[task["adamId"]]
        name = task["clientUserId"]
        if event.type == "ASSOCIATE":
            return _give(location, plan, task, done)
        seat = plan.seats.get(name)
        if seat and task["deferred"]:
            seat.ends_with = event.id
            done.append(seat.wire(plan, name) | {"deferred": True})
        else:
            taken = plan.seats.pop(name, None) or Seat()
            done.append(taken.wire(plan, name))
        return None

    def _end_period(self, uid: str, plan: Plan) -> None:
        """Expiring licenses go with whoever holds them; expiring assignments end, their seats stay."""
        with self.lock:
            location = self.locations.get(uid)
            if location is None or location.plans.get(plan.adam_id) is not plan:
                return
            self.revision += 1
            ending = {name: seat for name, seat in plan.seats.items() if seat.ends_with_period}
            plan.seats = {n: seat for n, seat in plan.seats.items() if n not in ending}
            shrinks, plan.expiring = plan.expiring > 0, 0
            plan.period_end = str(date.fromisoformat(plan.period_end) + PERIOD)
            location.subscription_versions.bump()
            self._deferred_told(location, plan, ending.items())
            if shrinks:
                self._seats_counted(location, plan)
            self.await_period(location, plan)

    def _deferred_told(
        self, location: Location, plan: Plan, ending: Iterable[tuple[str, Seat]]
    ) -> None:
        by_event: dict[str, list[Json]] = {}
        for name, seat in ending:
            if seat.ends_with:
                by_event.setdefault(seat.ends_with, []).append(seat.wire(plan, name))
        for event_id, rows in by_event.items():
            told = {"eventId": event_id, "type": "DISASSOCIATE", "result": "SUCCESS"}
            self.tell_in_parts(location, "SUBSCRIPTION_MANAGEMENT", told, "assignments", rows)

    def _seats_counted(self, location: Location, plan: Plan) -> None:
        location.subscription_versions.bump()
        counts = plan.counts()
        del counts["assigned"]
        told = {"parentAdamId": plan.parent_adam_id, "adamId": plan.adam_id, "counts": counts}
        self.tell(location, "SUBSCRIPTION_COUNT", told)

    def _period_end(self, period_end: str | None) -> str:
        if period_end is None:
            return apple_date(self.clock.now() + PERIOD.total_seconds())[:10]
        try:
            return str(date.fromisoformat(period_end))
        except (TypeError, ValueError):
            raise Rejected(f"{period_end!r} is not a day such as 2027-05-01.") from None


def _give(location: Location, plan: Plan, task: Json, done: list[Any]) -> int | None:
    name, renewing = task["clientUserId"], task["renewing"]
    if location.active_user(name) is None:
        return 9609
    if name in plan.seats:
        plan.seats[name].renewing = renewing
    else:
        of_renewing = plan.license_for(renewing=renewing)
        if of_renewing is None:
            return 9709
        plan.seats[name] = Seat(renewing, of_renewing)
    done.append(plan.seats[name].wire(plan, name))
    return None


def _check_seats(adam_id: object, renewing: object, expiring: object, status: str) -> None:
    if not isinstance(adam_id, int) or adam_id <= 0:
        raise Rejected("adamId of a subscription is a whole number above zero.")
    if not isinstance(renewing, int) or not isinstance(expiring, int):
        raise Rejected("renewing and expiring are whole numbers of seats.")
    if status not in STATUSES:
        raise Rejected(f"status is one of {', '.join(STATUSES)}.")
