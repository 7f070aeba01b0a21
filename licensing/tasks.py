"""Doors of the worker: ids in, one call. Every task may be delivered twice or not at all."""

from __future__ import annotations

from celery import shared_task

MOST_RUNG_AT_ONCE = 100


@shared_task
def run_sync(*, sync_run_id: int) -> None:
    from licensing import sync

    run = sync.run(sync_run_id=sync_run_id)
    if run is not None:
        fetch_metadata.delay(account_id=run.account_id)


@shared_task
def requeue_lost_syncs() -> None:
    """Runs that nobody works on: the doorbell was not heard, or their worker died.

    The oldest first and few at a time: a long queue must not be filled with more of the same.
    """
    from vpp_accounts.models import SyncRun

    lost = SyncRun.objects.using("system").overdue().order_by("pk")[:MOST_RUNG_AT_ONCE]
    for run_id in lost.values_list("pk", flat=True):
        run_sync.delay(sync_run_id=run_id)


@shared_task
def start_due_syncs() -> None:
    from licensing.sync.turns import trigger_of
    from vpp_accounts.models import SyncRun, VppAccount
    from vpp_accounts.runs import request_scheduled_sync

    running = SyncRun.objects.using("system").open().values_list("account", flat=True)
    due = VppAccount.objects.using("system").due_for_sync().exclude(pk__in=list(running))
    for account in due:
        request_scheduled_sync(account.pk, trigger=trigger_of(account))


@shared_task
def fetch_metadata(*, account_id: int) -> None:
    """Names and icons of an account's titles. Decoration: a failure blocks nothing."""
    from licensing.metadata import fetch_for_account
    from vpp_accounts.models import VppAccount

    account = VppAccount.objects.filter(pk=account_id).first()
    if account is not None:
        fetch_for_account(account)


@shared_task
def refresh_stale_metadata() -> None:
    from vpp_accounts.models import VppAccount

    synced = VppAccount.objects.using("system").exclude(last_synced_at=None)
    for account_id in synced.values_list("pk", flat=True):
        fetch_metadata.delay(account_id=account_id)


@shared_task
def handle_notifications(*, account_id: int) -> None:
    from licensing import notifications
    from vpp_accounts.models import VppAccount

    account = VppAccount.objects.filter(pk=account_id).first()
    if account is not None:
        notifications.handle_waiting(account)


@shared_task
def handle_waiting_notifications() -> None:
    """Accounts with notifications whose time has come: the bell was not heard, or they failed."""
    from vpp_accounts.models import Notification

    due = Notification.objects.using("system").due().order_by("account")
    for account_id in due.values_list("account", flat=True).distinct()[:MOST_RUNG_AT_ONCE]:
        handle_notifications.delay(account_id=account_id)


@shared_task
def work_on_account(*, account_id: int) -> None:
    """One turn of the batches' engine at one location."""
    from licensing import batches

    batches.run(account_id=account_id)


@shared_task
def ring_waiting_writers() -> None:
    """Locations with work whose bell was not heard, whose time has come, or whose worker died."""
    from licensing.models import Writer

    due = Writer.objects.using("system").due().order_by("next_work_at")[:MOST_RUNG_AT_ONCE]
    for account_id in due.values_list("account", flat=True):
        work_on_account.delay(account_id=account_id)


@shared_task
def forget_old_batches() -> int:
    """Batches and plans that nobody looks at any more."""
    from licensing.batches.housekeeping import forget_old

    return forget_old()
