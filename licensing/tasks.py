"""Doors of the worker: ids in, one call. Every task may be delivered twice or not at all."""

from __future__ import annotations

from celery import shared_task

MOST_RUNG_AT_ONCE = 100


@shared_task
def run_sync(*, sync_run_id: int) -> None:
    from licensing import sync
    from vpp_accounts import lookups

    with lookups.sync_run.inside(sync_run_id):
        run = sync.run(sync_run_id=sync_run_id)
    if run is not None:
        fetch_metadata.delay(account_id=run.account_id)


@shared_task
def requeue_lost_syncs() -> None:
    """Runs that nobody works on: the doorbell was not heard, or their worker died.

    The oldest first and few at a time: a long queue must not be filled with more of the same.
    """
    from organizations.models import OF_OPEN
    from vpp_accounts.models import SyncRun

    lost = SyncRun.objects.using("system").overdue().filter(OF_OPEN).order_by("pk")
    lost = lost[:MOST_RUNG_AT_ONCE]
    for run_id in lost.values_list("pk", flat=True):
        run_sync.delay(sync_run_id=run_id)


@shared_task
def start_due_syncs() -> None:
    from licensing.sync.turns import trigger_of
    from organizations import tenancy
    from organizations.models import OF_OPEN
    from vpp_accounts.models import SyncRun, VppAccount
    from vpp_accounts.runs import request_scheduled_sync

    running = SyncRun.objects.using("system").open().values_list("account", flat=True)
    due = VppAccount.objects.using("system").due_for_sync().filter(OF_OPEN)
    due = due.exclude(pk__in=list(running))
    for account in due:
        with tenancy.inside(account.organization_id):
            request_scheduled_sync(account.pk, trigger=trigger_of(account))


@shared_task
def fetch_metadata(*, account_id: int) -> None:
    """Names and icons of an account's titles. Decoration: a failure blocks nothing."""
    from licensing.metadata import fetch_for_account
    from organizations.models import OF_OPEN
    from vpp_accounts import lookups
    from vpp_accounts.models import VppAccount

    with lookups.account.inside(account_id):
        account = VppAccount.objects.filter(OF_OPEN, pk=account_id).first()
        if account is not None:
            fetch_for_account(account)


@shared_task
def refresh_stale_metadata() -> None:
    from organizations.models import OF_OPEN
    from vpp_accounts.models import VppAccount

    synced = VppAccount.objects.using("system").filter(OF_OPEN).exclude(last_synced_at=None)
    for account_id in synced.values_list("pk", flat=True):
        fetch_metadata.delay(account_id=account_id)


@shared_task
def handle_notifications(*, account_id: int) -> None:
    from licensing import notifications
    from organizations.models import OF_OPEN
    from vpp_accounts import lookups
    from vpp_accounts.models import VppAccount

    with lookups.account.inside(account_id):
        account = VppAccount.objects.filter(OF_OPEN, pk=account_id).first()
        if account is not None:
            notifications.handle_waiting(account)


@shared_task
def handle_waiting_notifications() -> None:
    """Accounts with notifications whose time has come: the bell was not heard, or they failed."""
    from organizations.models import OF_OPEN
    from vpp_accounts.models import Notification

    due = Notification.objects.using("system").due().filter(OF_OPEN).order_by("account")
    for account_id in due.values_list("account", flat=True).distinct()[:MOST_RUNG_AT_ONCE]:
        handle_notifications.delay(account_id=account_id)


@shared_task
def work_on_account(*, account_id: int) -> None:
    """One turn of the batches' engine at one location."""
    from licensing import batches
    from vpp_accounts import lookups

    with lookups.account.inside(account_id):
        batches.run(account_id=account_id)


@shared_task
def ring_waiting_writers() -> None:
    """Locations with work whose bell was not heard, whose time has come, or whose worker died."""
    from licensing.batches.engine import OF_WORKING
    from licensing.models import Writer

    due = Writer.objects.using("system").due().filter(OF_WORKING).order_by("next_work_at")
    due = due[:MOST_RUNG_AT_ONCE]
    for account_id in due.values_list("account", flat=True):
        work_on_account.delay(account_id=account_id)


@shared_task
def take_licenses_back() -> int:
    """Of organizations that were deleted with that wish: a batch at a time, until all are begun."""
    from licensing.batches.taking_back import begin_all

    return begin_all()


@shared_task
def forget_old_batches() -> int:
    """Batches and plans that nobody looks at any more."""
    from licensing.batches.housekeeping import forget_old

    return forget_old()


@shared_task
def run_automation(*, organization_id: int) -> None:
    """One turn of an organization's rules."""
    from licensing.automation import engine
    from organizations import tenancy

    with tenancy.inside(organization_id):
        engine.run(organization_id)


@shared_task
def ring_due_automations() -> None:
    """Organizations with something to look at: the bell was not heard, or their worker died."""
    from licensing.models import Automation
    from organizations.models import OF_OPEN

    due = Automation.objects.using("system").due().filter(OF_OPEN).order_by("due_at")
    for organization_id in due.values_list("organization", flat=True)[:MOST_RUNG_AT_ONCE]:
        run_automation.delay(organization_id=organization_id)


@shared_task
def sweep_automation() -> None:
    """Everything of every organization with apps: graces end, and nothing stays unnoticed."""
    from apps_catalog.models import ManagedApp
    from licensing.automation.changes import SWEEP, request
    from organizations import tenancy
    from organizations.models import OF_OPEN

    apps = ManagedApp.objects.using("system").filter(OF_OPEN).order_by("organization")
    for organization_id in apps.values_list("organization", flat=True).distinct():
        with tenancy.inside(organization_id):
            request(organization_id, cause=SWEEP)


@shared_task
def look_for_reclaims() -> None:
    """Licenses that could serve somebody else: wherever it is time to look for them."""
    from licensing.reclaim import sweeping

    for organization_id in sweeping.to_look_at():
        find_reclaims.delay(organization_id=organization_id)


@shared_task
def find_reclaims(*, organization_id: int) -> None:
    from licensing import reclaim
    from organizations import tenancy

    with tenancy.inside(organization_id):
        reclaim.look(organization_id)
    take_back_due.delay(organization_id=organization_id)


@shared_task
def ring_due_reclaims() -> None:
    """Where licenses are due to be taken back, or were: the bell was not heard, or it is time."""
    from licensing.reclaim import sweeping

    for organization_id in sweeping.to_work_on()[:MOST_RUNG_AT_ONCE]:
        take_back_due.delay(organization_id=organization_id)


@shared_task
def take_back_due(*, organization_id: int) -> None:
    from licensing import reclaim
    from organizations import tenancy

    with tenancy.inside(organization_id):
        reclaim.work(organization_id)
