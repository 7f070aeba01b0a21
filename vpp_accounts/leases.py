"""One worker's hold on one row: renewed while it works, checked by everything that it writes.

The row has `lease_until` and `lease_token`. Whoever claims it raises the token, so that a worker
that was thought dead and comes back finds that its token is an old one: its writes fail.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import structlog
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from organizations import tenancy
from vpp_accounts.models.runs import LEASE

log = structlog.get_logger(__name__)


class LeaseLost(Exception):
    """Another worker has taken over; whatever this one still wants to write is stale."""


class Hold:
    """`rows` selects the row as long as it is ours to hold, without its token."""

    def __init__(self, rows: QuerySet[Any], token: int) -> None:
        self._rows = rows
        self._token = token
        self._organization_id = tenancy.current().organization
        self._stop = threading.Event()
        self._heartbeat = threading.Thread(target=self._beat, daemon=True, name="lease")

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

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A short transaction that only the holder of the lease can commit."""
        with transaction.atomic():
            if not self._ours().select_for_update(of=("self",)).exists():
                raise LeaseLost
            yield

    def update(self, **fields: object) -> None:
        """Change the row and renew the lease with it."""
        if not self._ours().update(**{"lease_until": timezone.now() + LEASE, **fields}):
            raise LeaseLost

    def _ours(self) -> QuerySet[Any]:
        return self._rows.filter(lease_token=self._token)

    def _beat(self) -> None:
        """Keep the lease through long statements and Apple's long silences."""
        # A thread begins nowhere, and would see no row.
        with tenancy.inside(self._organization_id):
            while not self._stop.wait(LEASE.total_seconds() / 3):
                if not self._renewed():
                    return

    def _renewed(self) -> bool:
        try:
            self.update()
        except LeaseLost:
            return False
        except DatabaseError:
            log.warning("lease.heartbeat_missed")
        finally:
            connection.close()
        return True
