"""Asking for a sync, and what becomes of the request."""

from __future__ import annotations

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from organizations import audit
from organizations.audit import Actor
from vpp_accounts import hooks
from vpp_accounts.models import SyncRun, VppAccount
from vpp_accounts.refusals import AccountStopped, AppleAskedToWait

log = structlog.get_logger(__name__)

Trigger = SyncRun.Trigger


def request_sync(
    *, by: Actor, account: VppAccount, trigger: SyncRun.Trigger, full: bool = False
) -> SyncRun:
    """A run that a worker will take up; the open one if there is one already.

    `full` walks all pages even where Apple's version says that nothing changed.
    """
    _refuse_in_vain(account, trigger)
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
        # The open one may have ended between our insert and our look: then a new one can begin.
        return _join(account, full=full) or request_sync(
            by=by, account=account, trigger=trigger, full=full
        )
    # The broker is a doorbell: if it does not ring, the sweep finds the row.
    transaction.on_commit(
        lambda: hooks.sync_requested.send(SyncRun, sync_run_id=run.pk), robust=True
    )
    return run


def _refuse_in_vain(account: VppAccount, trigger: SyncRun.Trigger) -> None:
    """Where asking Apple cannot work, or would make its block longer."""
    if account.is_stopped:
        raise AccountStopped(state=account.get_state_display(), reason=account.state_reason)
    wait = account.apple_asks_to_wait_until
    if wait and wait > timezone.now() and trigger in (Trigger.MANUAL, Trigger.API):
        raise AppleAskedToWait(wait)


def request_scheduled_sync(account_id: int) -> None:
    """One account's turn; whatever is wrong with it keeps no other account from its own."""
    account = VppAccount.objects.select_related("organization").get(pk=account_id)
    try:
        request_sync(by=Actor.system("Schedule"), account=account, trigger=Trigger.SCHEDULE)
    except Exception:
        log.exception("sync.not_scheduled", account=account_id)


def _join(account: VppAccount, *, full: bool) -> SyncRun | None:
    """The open run, made a whole one if it has not begun."""
    run = SyncRun.objects.open().filter(account=account).first()
    if run is not None and full and run.phase == SyncRun.Phase.QUEUED:
        SyncRun.objects.open().filter(pk=run.pk).update(is_full=True)
    return run


def end_open_run(account: VppAccount, *, why: str) -> None:
    """Take the open run from its worker, which notices at its next write. Call in a transaction."""
    SyncRun.objects.open().filter(account=account).update(
        finished_at=timezone.now(),
        phase=SyncRun.Phase.DONE,
        outcome=SyncRun.Outcome.FAILED,
        message=why,
    )
