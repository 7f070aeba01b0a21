"""The lease of a running sync, and the progress that the page shows."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import structlog
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from vpp_accounts.models import SyncRun, VppAccount
from vpp_accounts.models.runs import LEASE

log = structlog.get_logger(__name__)

SHOW_EVERY = 0.5  # seconds between two updates of the row


class LeaseLost(Exception):
    """Another worker has taken the run over; whatever this one still wants to write is stale."""


class Progress:
    """One worker's hold on one run. Every write checks that the hold is still there."""

    def __init__(self, run: SyncRun) -> None:
        self.run = run
        self.account: VppAccount = run.account
        self.counts: Counter[str] = Counter()
        self.read_only = False  # Apple lets this token read and not write
        self._shown_at = 0.0
        self._stop = threading.Event()
        self._heartbeat = threading.Thread(target=self._beat, daemon=True, name="sync-lease")

    def __enter__(self) -> Self:
        self._heartbeat.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()

    def phase(self, phase: SyncRun.Phase, *, total: int = 0) -> None:
        self.run.phase, self.run.done, self.run.total = phase, 0, total
        self._show()

    def advance(self, done: int, total: int) -> None:
        self.run.done, self.run.total = done, total
        if time.monotonic() - self._shown_at >= SHOW_EVERY:
            self._show()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A short transaction that only the holder of the lease can commit."""
        with transaction.atomic():
            held = (
                SyncRun.objects.open()
                .select_for_update(of=("self",))
                .filter(pk=self.run.pk, lease_token=self.run.lease_token)
            )
            if not held.exists():
                raise LeaseLost
            yield

    def _show(self) -> None:
        self._shown_at = time.monotonic()
        self._update(phase=self.run.phase, done=self.run.done, total=self.run.total)

    def _update(self, **fields: object) -> None:
        ours = SyncRun.objects.open().filter(pk=self.run.pk, lease_token=self.run.lease_token)
        if not ours.update(lease_until=timezone.now() + LEASE, **fields):
            raise LeaseLost

    def _beat(self) -> None:
        """Keep the lease through long statements and Apple's long silences."""
        while not self._stop.wait(LEASE.total_seconds() / 3):
            try:
                self._update()
            except LeaseLost:
                return
            except DatabaseError:
                log.warning("sync.heartbeat_missed", sync_run=self.run.pk)
            finally:
                connection.close()
