"""The fake Apple: an object with state and rules, asked through `respond`."""

import random
import time
from collections.abc import Mapping
from functools import partial
from threading import RLock
from typing import Any

from vpp_accounts.apple.fake import delivery, doors
from vpp_accounts.apple.fake.base import change
from vpp_accounts.apple.fake.call import secret_in
from vpp_accounts.apple.fake.catalogue import CATALOGUE
from vpp_accounts.apple.fake.clock import Clock
from vpp_accounts.apple.fake.errors import Refused
from vpp_accounts.apple.fake.events import Events
from vpp_accounts.apple.fake.faults import Faults, Proceed, Situation, surrounded
from vpp_accounts.apple.fake.ids import Ids
from vpp_accounts.apple.fake.journal import Entry, Journal
from vpp_accounts.apple.fake.libraries import Libraries
from vpp_accounts.apple.fake.locations import Locations
from vpp_accounts.apple.fake.outbox import Deliver
from vpp_accounts.apple.fake.schedule import Schedule
from vpp_accounts.apple.fake.settings import Settings
from vpp_accounts.apple.fake.snapshots import Snapshots
from vpp_accounts.apple.fake.state import Location, Subscription, Token
from vpp_accounts.apple.fake.throttle import Throttle
from vpp_accounts.apple.fake.trouble import KINDS
from vpp_accounts.apple.fake.wire import Answer, Json, Request


class FakeApple(Locations, Libraries, Events):
    """One Apple with any number of organizations and locations.

    `deliver` hands a notification to its receiver: (url, headers, body) -> status, None if unreachable.
    """

    def __init__(self, seed: str = "apple", deliver: Deliver = delivery.post) -> None:
        self.lock = RLock()
        self.deliver = deliver
        self.clock = Clock()
        self.revision = 0
        # Somebody else, such as a server's thread, calls run_due().
        self.has_ticker = False
        self.snapshots = Snapshots(self)
        self._forget(seed)

    def _forget(self, seed: str) -> None:
        self.ids = Ids(seed)
        self.settings = Settings()
        self.locations = {}
        self.tokens = {}
        self.titles = dict(CATALOGUE)
        self.journal = Journal(self.clock)
        self.throttle = Throttle(self.clock)
        self.schedule = Schedule()
        self.events, self.held = {}, {}
        # Seeded, since chance has to be the same on every run too.
        self.faults = Faults(KINDS, random.Random(seed), self.clock)  # noqa: S311

    @change
    def reset(self) -> None:
        """Forget everything, also settings and the clock's advance."""
        allowed = self.settings.allow_http_notification_urls
        self.clock.offset = 0.0
        self._forget(self.ids.seed)
        self.settings.allow_http_notification_urls = allowed

    @change
    def change_settings(self, wire: Json, uid: str | None = None) -> None:
        """Settings as the control API spells them, for one location or for all."""
        if uid is None:
            self.settings.change(wire)
        else:
            location = self.location(uid)
            own = location.settings(self.settings).read(wire)
            limits = location.overrides.get("limits", {}) | own.get("limits", {})
            location.overrides = location.overrides | own | ({"limits": limits} if limits else {})

    def advance(self, seconds: float) -> None:
        """Let time pass: tokens end, limits refill, events and notifications fall due."""
        # What is due already happens at its own time and not at the later one.
        self.run_due()
        with self.lock:
            self.revision += 1
            self.clock.advance(seconds)
        self.run_due()

    @change
    def set_fault(
        self,
        name: str,
        *,
        uid: str | None = None,
        path: str | None = None,
        times: int | None = None,
        after: int = 0,
        probability: float = 1.0,
        duration_seconds: float | None = None,
        args: Json | None = None,
    ) -> str:
        """Let a fault of `trouble.KINDS` happen; answers the id that `faults.remove` takes."""
        if uid is not None:
            self.location(uid)
        return self.faults.set(
            name,
            uid=uid,
            path=path,
            times=times,
            after=after,
            probability=probability,
            duration_seconds=duration_seconds,
            args=args,
        )

    @change
    def configure(
        self, location: Location, mdm_info: dict[str, str] | None, subscription: Subscription
    ) -> None:
        location.mdm_info, location.subscription = mdm_info, subscription

    def token_of(self, stoken: str) -> tuple[Location, Token]:
        """Refused with 9722 unless it is the whole text of a token that this Apple issued."""
        secret = secret_in(stoken)
        if secret not in self.tokens:
            raise Refused(9722)
        return self.tokens[secret]

    def whose(self, request: Request) -> Location | None:
        try:
            return self.token_of(request.stoken)[0]
        except Refused:
            return None

    def respond(self, request: Request) -> Answer:
        """Answer one request, whichever door it came through. Never raises."""
        if not self.has_ticker:
            self.run_due()
        door = doors.door_to(request.path)
        if not door.is_apples:
            return door.answer(self, request)
        location = self.whose(request)
        with self.journal.watch(request, location.uid if location else None) as entry:
            answer = self._answered(partial(door.answer, self, request), request, location, entry)
            for event in request.begun:
                self.start(event)
            entry.status = None if answer.refused else answer.status
            entry.number = answer.number
            self._wait(location)
        return answer

    def _answered(
        self, proceed: Proceed, request: Request, location: Location | None, entry: Entry
    ) -> Answer:
        with self.lock:
            meeting = self.faults.meeting(request, location)
        entry.faults = [fault.kind.name for fault in meeting]
        return surrounded(proceed, meeting, partial(self.situation, request, location))()

    def situation(
        self, request: Request, location: Location | None, args: Mapping[str, Any]
    ) -> Situation:
        return Situation(self, request, location, args)

    def _wait(self, location: Location | None) -> None:
        settings = location.settings(self.settings) if location else self.settings
        if settings.latency_ms:
            time.sleep(settings.latency_ms / 1000)
