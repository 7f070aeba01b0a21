"""When an account's next turn comes, and whether it is a whole one."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from licensing.models import BatchItem
from licensing.sync.plans import is_due_in_full, plan_retry
from users.models import VppUser
from vpp_accounts.models import AccountState, Notifications, SyncRun, VppAccount
from vpp_accounts.runs import PAUSE

POLL_EVERY = timedelta(seconds=60)


def is_waiting(account: VppAccount) -> bool:
    """Whether something is about to happen at Apple: people were invited who may accept, or somebody
    waits for a license that may be bought."""
    invited = VppUser.AppleStatus.REGISTERED
    return (
        VppUser.objects.filter(account=account, apple_status=invited).exists()
        or BatchItem.objects.waiting_in(account).exists()
    )


def is_polled(account: VppAccount) -> bool:
    """Whether asking often is the only way to hear soon of what the account waits for."""
    return account.notifications_mode != Notifications.ON and is_waiting(account)


def trigger_of(account: VppAccount) -> SyncRun.Trigger:
    """Of a run that comes by itself."""
    return SyncRun.Trigger.POLL if is_polled(account) else SyncRun.Trigger.SCHEDULE


def is_full(run: SyncRun) -> bool:
    account, now = run.account, timezone.now()
    last = account.last_full_sync_at
    return is_due_in_full(
        asked=run.is_full,
        versions=(account.assets_version, account.users_version, account.assignments_version),
        since_last=now - last if last else None,
        seconds_of_last=account.last_full_sync_seconds,
        hour=timezone.localtime(now, account.organization.zone).hour,
    )


def next_turn(account: VppAccount, now: datetime) -> datetime:
    """At least every SYNC_EVERY_MINUTES, spread out so that accounts do not march in step."""
    if is_polled(account):
        return now + POLL_EVERY
    minutes = settings.SYNC_EVERY_MINUTES * random.uniform(0.8, 1.0)  # noqa: S311  not a secret
    return now + timedelta(minutes=minutes)


def set_next_turn(account: VppAccount, now: datetime, *, began_with: str) -> None:
    """Whoever asked for a sync while one was under way came too late for it, and has another.

    Such a request shows in the version of the assets, which began as `began_with` (`ask_soon`).
    To be called in the transaction that saves the account.
    """
    account.next_sync_at = next_turn(account, now)
    locked = VppAccount.objects.select_for_update(no_key=True).filter(pk=account.pk)
    version = locked.values_list("assets_version", flat=True).get()
    if version != began_with:
        account.assets_version = version
        account.next_sync_at = min(now + PAUSE, account.next_sync_at)


def retry_at(account: VppAccount, state: AccountState, *, asked: timedelta) -> datetime:
    """When to try again after a failure that leads to `state`; Apple may have asked to wait."""
    now = timezone.now()
    failing = now - account.state_since if account.state == state else timedelta()
    return now + plan_retry(failing=failing, asked=asked)
