"""Asking for a sync, and what becomes of the request."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Greatest, Least
from django.utils import timezone

from organizations import audit
from organizations.audit import Actor
from organizations.closing import why_closed
from vpp_accounts import hooks
from vpp_accounts.models import AccountState, SyncRun, VppAccount
from vpp_accounts.refusals import AccountStopped, AppleAskedToWait, OrganizationClosed

log = structlog.get_logger(__name__)

Trigger = SyncRun.Trigger
BY_THEMSELVES = (Trigger.SCHEDULE, Trigger.NEWS, Trigger.POLL)  # nobody asked for these runs

PAUSE = timedelta(seconds=60)  # between two syncs that notifications ask for
TO_BE_COMPARED = "to be compared"  # no version of Apple's, so that the titles are read again


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
            if trigger not in BY_THEMSELVES:
                audit.record(
                    "vpp_account.sync_requested",
                    by=by,
                    organization=account.organization,
                    target=account,
                    after={"trigger": trigger},
                )
    except IntegrityError:
        # The open one may have ended between our insert and our look: then a new one can begin.
        return _join(account, by=by, trigger=trigger, full=full) or request_sync(
            by=by, account=account, trigger=trigger, full=full
        )
    # The broker is a doorbell: if it does not ring, the sweep finds the row.
    transaction.on_commit(
        lambda: hooks.sync_requested.send(SyncRun, sync_run_id=run.pk), robust=True
    )
    return run


def _refuse_in_vain(account: VppAccount, trigger: SyncRun.Trigger) -> None:
    """Where asking Apple cannot work, or would make its block longer."""
    if why := why_closed(account.organization):
        raise OrganizationClosed(why)
    if account.is_stopped:
        raise AccountStopped(state=account.get_state_display(), reason=account.state_reason)
    wait = account.apple_asks_to_wait_until
    if wait and wait > timezone.now() and trigger in (Trigger.MANUAL, Trigger.API):
        raise AppleAskedToWait(wait)


def request_scheduled_sync(account_id: int, *, trigger: SyncRun.Trigger = Trigger.SCHEDULE) -> None:
    """One account's turn; whatever is wrong with it keeps no other account from its own."""
    account = VppAccount.objects.select_related("organization").get(pk=account_id)
    try:
        request_sync(by=Actor.system("Schedule"), account=account, trigger=trigger)
    except Exception:
        log.exception("sync.not_scheduled", account=account_id)


def ask_soon(account: VppAccount) -> None:
    """Apple told of a change: let the next scheduled sync come within a minute, and count again.

    Never later than planned, never sooner than Apple asked for, and never the version that says
    that the titles need no reading: what was told may be older than what was read last. Failing
    accounts keep to their own pauses.
    """
    soon = Greatest(
        Value(timezone.now()), F("last_synced_at") + PAUSE, F("apple_asks_to_wait_until")
    )
    late_or_sure = Q(next_sync_at__gt=soon) | ~Q(assets_version__in=("", TO_BE_COMPARED))
    asked = VppAccount.objects.filter(late_or_sure, pk=account.pk)
    asked.exclude(state=AccountState.SYNC_FAILED).update(
        next_sync_at=Least("next_sync_at", soon),
        assets_version=Case(When(assets_version="", then=Value("")), default=Value(TO_BE_COMPARED)),
    )


def _join(
    account: VppAccount, *, by: Actor, trigger: SyncRun.Trigger, full: bool
) -> SyncRun | None:
    """The open run, made a whole one if it has not begun, and theirs if it came by itself."""
    run = SyncRun.objects.open().filter(account=account).first()
    if run is None:
        return None
    still_open = SyncRun.objects.open().filter(pk=run.pk)
    if full and run.phase == SyncRun.Phase.QUEUED:
        still_open.update(is_full=True)
    if trigger not in BY_THEMSELVES:
        by_itself = still_open.filter(trigger__in=BY_THEMSELVES)
        by_itself.update(trigger=trigger, requested_by=by.admin)
    return run


def forget_uneventful(*, before: SyncRun) -> None:
    """Runs of the schedule's own that changed nothing, also not the account's state, would bury in
    the history those that did. The newest one stays, so that whoever watches it sees its end.
    """
    SyncRun.objects.filter(
        account=before.account_id,
        pk__lt=before.pk,
        trigger__in=BY_THEMSELVES,
        outcome=SyncRun.Outcome.SUCCEEDED,
        counts={},
        started_at__gt=before.account.state_since,
    ).delete()


def end_open_run(account: VppAccount, *, why: str) -> None:
    """Take the open run from its worker, which notices at its next write. Call in a transaction."""
    run = SyncRun.objects.open().select_for_update().filter(account=account).first()
    if run is None:
        return
    run.finished_at, run.phase = timezone.now(), SyncRun.Phase.DONE
    run.outcome, run.message = SyncRun.Outcome.FAILED, why
    run.save(update_fields=["finished_at", "phase", "outcome", "message"])
    hooks.sync_ended.send(SyncRun, run=run, account=account)
