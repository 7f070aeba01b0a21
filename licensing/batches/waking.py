"""Calling a worker to a location's work. The row is what counts; the bell may go unheard."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.dispatch import Signal
from django.utils import timezone

from licensing.models import BatchItem, Writer
from vpp_accounts.models import VppAccount

# `work_waits(account_id, seconds)`: sent after the commit; the worker's door listens.
work_waits = Signal()


def wake(account: VppAccount) -> None:
    """There is something to do for this location now. Call it in the transaction that made it so.

    The worker's transactions begin with this row, so nobody may wait for it who holds anything else:
    it is changed after the commit. Should that be lost, the sweep finds the planned items.
    """
    Writer.objects.get_or_create(
        account=account, defaults={"organization_id": account.organization_id}
    )
    # Not a partial: Django's line about a failure wants the name of a function.
    transaction.on_commit(lambda: _call(account.pk), robust=True)


def _call(account_id: int) -> None:
    now = timezone.now()
    later = Q(next_work_at=None) | Q(next_work_at__gt=now)
    Writer.objects.filter(later, account=account_id).update(next_work_at=now)
    ring(account_id)


def wake_if_needed(account: VppAccount) -> None:
    """Something changed that batches may be waiting for: counts, or the state of the account."""
    items = BatchItem.objects
    if items.waiting_in(account).exists() or items.to_send(account).exists():
        wake(account)


def ring(account_id: int, *, seconds: float = 0) -> None:
    transaction.on_commit(
        lambda: work_waits.send(Writer, account_id=account_id, seconds=seconds), robust=True
    )
