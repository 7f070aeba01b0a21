"""Asking for a sync, and what becomes of the request."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from organizations import audit
from organizations.audit import Actor
from vpp_accounts import hooks
from vpp_accounts.models import SyncRun, VppAccount
from vpp_accounts.refusals import AccountStopped

Trigger = SyncRun.Trigger


def request_sync(
    *, by: Actor, account: VppAccount, trigger: SyncRun.Trigger, full: bool = False
) -> SyncRun:
    """A run that a worker will take up; the open one if there is one already.

    `full` walks all pages even where Apple's version says that nothing changed.
    """
    if account.is_stopped:
        raise AccountStopped(state=account.get_state_display(), reason=account.state_reason)
    try:
        with transaction.atomic():
            run = SyncRun.objects.create(
                organization_id=account.organization_id,
                account=account,
                trigger=trigger,
                requested_by=by.admin,
                is_full=full,
            )
            if trigger != Trigger.SCHEDULE:
                audit.record(
                    "vpp_account.sync_requested",
                    by=by,
                    organization=account.organization,
                    target=account,
                    after={"trigger": trigger},
                )
    except IntegrityError:
        run = SyncRun.objects.open().get(account=account)
        if full and run.phase == SyncRun.Phase.QUEUED:
            SyncRun.objects.open().filter(pk=run.pk).update(is_full=True)
        return run
    # The broker is a doorbell: if it does not ring, the sweep finds the row.
    transaction.on_commit(
        lambda: hooks.sync_requested.send(SyncRun, sync_run_id=run.pk), robust=True
    )
    return run
