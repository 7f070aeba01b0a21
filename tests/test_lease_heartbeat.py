"""A lease is renewed while its worker is busy, by a thread that works in the same organization."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from organizations import tenancy
from vpp_accounts import leases
from vpp_accounts.leases import Hold
from vpp_accounts.models import SyncRun


class Watched(Hold):
    """Tells in which organization its heartbeat writes, and stops after the first."""

    def update(self, **fields: object) -> None:
        self.seen = tenancy.current().organization
        self._stop.set()
        self.heard.set()

    seen: int | None = None
    heard: threading.Event


def test_the_heartbeat_works_where_the_worker_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "LEASE", timedelta(milliseconds=30))

    with tenancy.inside(7):
        hold = Watched(SyncRun.objects.none(), 1)
        hold.heard = threading.Event()
        with hold:
            hold.heard.wait(10)

    assert hold.seen == 7
