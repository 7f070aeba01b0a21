"""Doors of the worker for accounts."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

RUNS_ARE_KEPT = timedelta(days=30)


@shared_task
def forget_old_runs() -> int:
    """The history of syncs, a day's worth an account and hour, is kept for a month."""
    from vpp_accounts.models import SyncRun

    old = SyncRun.objects.using("system").filter(finished_at__lt=timezone.now() - RUNS_ARE_KEPT)
    return old.delete()[0]


@shared_task
def check_token_dates() -> None:
    """Accounts whose token has run out, or will within 30 days, say so without being asked."""
    from vpp_accounts.health import note_token_dates

    note_token_dates()
