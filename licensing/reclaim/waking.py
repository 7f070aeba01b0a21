"""Calling a worker. What stands in the rows is what counts; the bell may go unheard."""

from __future__ import annotations

from django.db import transaction
from django.dispatch import Signal

# Sent after the commit; the worker's doors listen. Both carry `organization_id`.
look_waits = Signal()  # something may be found
reclaims_wait = Signal()  # something is due


def wake_to_look(organization_id: int) -> None:
    transaction.on_commit(
        lambda: look_waits.send("reclaim", organization_id=organization_id), robust=True
    )


def wake(organization_id: int) -> None:
    transaction.on_commit(
        lambda: reclaims_wait.send("reclaim", organization_id=organization_id), robust=True
    )
