"""The lease of a running sync, and the progress that the page shows."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from django.utils import timezone

from licensing.leases import Hold, LeaseLost
from licensing.models import Assignment, LicensedApp
from vpp_accounts.models import SyncRun, VppAccount

__all__ = ["LeaseLost", "Progress"]

SHOW_EVERY = 0.5  # seconds between two updates of the row
SECOND_LOOKS = 200  # requests in one run that ask again, by name, for what the lists left unclear


class Progress:
    """One worker's hold on one run. Every write checks that the hold is still there."""

    def __init__(self, run: SyncRun) -> None:
        self.run = run
        self.account: VppAccount = run.account
        self.began_with = self.account.assets_version
        self.counts: Counter[str] = Counter()
        self.read_only = False  # Apple lets this token read and not write
        self.origin = Assignment.Origin.APPLE  # of the assignments that this run finds
        self.reads_since = timezone.now()  # what is read now is as true as this
        self.risen: list[LicensedApp] = []  # titles of which more are available than before
        self.looks_left = SECOND_LOOKS
        self._shown_at = 0.0
        self._hold = Hold(SyncRun.objects.open().filter(pk=run.pk), run.lease_token)

    def __enter__(self) -> Self:
        self._hold.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._hold.__exit__(kind, error, trace)

    def phase(self, phase: SyncRun.Phase, *, total: int = 0) -> None:
        self.run.phase, self.run.done, self.run.total = phase, 0, total
        self._show()

    def advance(self, done: int, total: int) -> None:
        self.run.done, self.run.total = done, total
        if time.monotonic() - self._shown_at >= SHOW_EVERY:
            self._show()

    def transaction(self) -> AbstractContextManager[None]:
        """A short transaction that only the holder of the lease can commit."""
        return self._hold.transaction()

    def _show(self) -> None:
        self._shown_at = time.monotonic()
        self._hold.update(phase=self.run.phase, done=self.run.done, total=self.run.total)
