"""One worker's turn at one location: the lease, the way to Apple, and what has been touched."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from licensing.batches.calls import Call
from licensing.batches.tallies import tally
from licensing.leases import Hold
from vpp_accounts.apple.client import AppleClient
from vpp_accounts.apple.types import ClientUser, Limits
from vpp_accounts.connections import client_for
from vpp_accounts.models import VppAccount

LONG_AGO = datetime.min.replace(tzinfo=UTC)
SHOW_EVERY = 0.5  # seconds between two counts of the batches


@dataclass(frozen=True, slots=True)
class ListOfPeople:
    """Apple's records of client users by their ids; reading many takes longer than they stay new."""

    asked_at: datetime = LONG_AGO
    read_at: datetime = LONG_AGO
    records: Mapping[str, ClientUser] = field(default_factory=dict)


@dataclass
class Work:
    account: VppAccount
    hold: Hold
    touched: set[int] = field(default_factory=set)  # batches whose counts have changed
    queue: deque[Call] = field(default_factory=deque)  # planned requests, not marked yet
    look_for_waiting: bool = True  # whether somebody who waits could be served by now
    # Of who is to be invited: the last item that was looked at, and when all of them had been.
    invited_up_to: int = 0
    invited_at: float = 0.0
    limits_moved: bool = False  # the last request was too large by limits that we had just read
    # Apple's client users as read lately, for all who are being registered; with the time of it.
    people: ListOfPeople = field(default_factory=ListOfPeople)
    _shown_at: float = 0.0

    @cached_property
    def client(self) -> AppleClient:
        return client_for(self.account)

    @property
    def limits(self) -> Limits:
        return self.client.service_config().limits

    def show(self, *, now: bool = False) -> None:
        """Count what changed, so that the pages move; not after every request."""
        if self.touched and (now or time.monotonic() - self._shown_at >= SHOW_EVERY):
            tally(self.touched)
            self.touched.clear()
            self._shown_at = time.monotonic()

    def close(self) -> None:
        if "client" in self.__dict__:
            self.client.close()
