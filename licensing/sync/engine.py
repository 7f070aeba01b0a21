"""One run from its claim to its end."""

from __future__ import annotations

import time
from datetime import timedelta

import structlog
from django.utils import timezone

from licensing import low, unknown
from licensing.batches.waking import wake_if_needed
from licensing.sync import turns
from licensing.sync.account import LocationChanged, check_account
from licensing.sync.assets import sync_assets
from licensing.sync.assignments import sync_assignments
from licensing.sync.drift import settle_drift
from licensing.sync.people import sync_users
from licensing.sync.progress import LeaseLost, Progress
from licensing.sync.titles import record_todays_counts, titles_of
from licensing.webhooks import tell_of_sync
from organizations import audit
from organizations.audit import APPLE
from organizations.crypto import CannotDecrypt
from organizations.models import Organization
from vpp_accounts.apple.client import AppleClient
from vpp_accounts.apple.errors import AppleError, Throttled, TokenExpired, Unavailable
from vpp_accounts.connections import client_for
from vpp_accounts.health import READ_ONLY_REASON, healthy_state, set_state, state_after
from vpp_accounts.models import AccountState, SyncRun, VppAccount
from vpp_accounts.runs import forget_uneventful

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 3  # of a run whose worker died or broke; then a person should look


def run(*, sync_run_id: int) -> SyncRun | None:
    """Carry out a run; None when somebody else has it or it is over."""
    # Not by a join: the claim is one conditional statement (see `claim`).
    of_open = SyncRun.objects.filter(organization__in=Organization.objects.open())
    claimed = of_open.claim(sync_run_id)
    if claimed is None:
        return None
    with Progress(claimed) as progress:
        try:
            _attempt(progress)
        except LeaseLost:
            log.warning("sync.lease_lost", sync_run=claimed.pk)
            return None
        except (AppleError, CannotDecrypt, LocationChanged) as error:
            _fail(progress, error)
        except BaseException:
            # Ours to mend, so let it be loud; the sweep tries again soon, but not for ever.
            SyncRun.objects.open().filter(pk=claimed.pk, lease_token=claimed.lease_token).update(
                lease_until=timezone.now()
            )
            raise
    return claimed


def _attempt(progress: Progress) -> None:
    if progress.run.attempts > MOST_ATTEMPTS:
        _fail(progress, RuntimeError("The sync was stopped several times."))
        return
    client = client_for(progress.account)
    try:
        _walk(client, progress)
    finally:
        client.close()


def _walk(client: AppleClient, progress: Progress) -> None:
    client.service_config()  # also sets the pace that Apple asks for today
    full = turns.is_full(progress.run)
    check_account(client, progress, full=full)
    _read_lists(client, progress, full=full)
    _succeed(progress, full=full)
    unknown.renew(progress.account.organization_id)


def _read_lists(client: AppleClient, progress: Progress, *, full: bool) -> None:
    account = progress.account
    before = account.assets_version, account.assignments_version
    account.assets_version = sync_assets(client, progress, full=full)
    account.users_version = sync_users(client, progress, full=full)
    titles = titles_of(account)
    reading = sync_assignments(client, progress, titles, full=full)
    account.assignments_version = reading.version
    if full or before != (account.assets_version, account.assignments_version):
        settle_drift(client, progress, titles.values(), reading.listed)
        account.unconfirmed_removals = progress.counts["unconfirmed"]


def _succeed(progress: Progress, *, full: bool) -> None:
    account, run, now = progress.account, progress.run, timezone.now()
    changed = {name: count for name, count in progress.counts.items() if count}
    account.last_synced_at = now
    if full:
        account.last_full_sync_at = now
        account.last_full_sync_seconds = round((now - (run.started_at or now)).total_seconds())
    if run.trigger in (SyncRun.Trigger.MANUAL, SyncRun.Trigger.API):
        account.last_force_synced_at = now
    account.apple_asks_to_wait_until = None
    with progress.transaction():
        turns.set_next_turn(account, now, began_with=progress.began_with)
        account.save(update_fields=_SYNCED_FIELDS)
        state = healthy_state(account, read_only=progress.read_only)
        reason = READ_ONLY_REASON if state == AccountState.READ_ONLY else ""
        set_state(account, state, reason, by=APPLE)
        record_todays_counts(account)
        low.watch(account)
        wake_if_needed(account)
        _finish(progress, SyncRun.Outcome.SUCCEEDED, counts=changed)
        forget_uneventful(before=run)
        if changed:
            audit.record(
                "vpp_account.synced",
                by=APPLE,
                organization=account.organization,
                target=account,
                after=changed,
            )


_SYNCED_FIELDS = [
    "assets_version",
    "users_version",
    "assignments_version",
    "last_synced_at",
    "last_full_sync_at",
    "last_full_sync_seconds",
    "last_force_synced_at",
    "unconfirmed_removals",
    "next_sync_at",
    "apple_asks_to_wait_until",
]


def _fail(progress: Progress, error: Exception) -> None:
    account = (
        VppAccount.objects.select_related("organization").filter(pk=progress.account.pk).first()
    )
    if account is None:  # removed while we read it
        return
    state, reason = state_after(error)
    if isinstance(error, LocationChanged):
        reason = str(error)
    if account.uid is None and isinstance(error, Unavailable | Throttled):
        state = AccountState.NOT_VERIFIED
    asked = timedelta(seconds=getattr(error, "retry_after", None) or 0)
    account.next_sync_at = turns.retry_at(account, state, asked=asked)
    account.apple_asks_to_wait_until = timezone.now() + asked if asked else None
    if isinstance(error, TokenExpired):
        account.token_expires_at = min(account.token_expires_at, timezone.now())
    with progress.transaction():
        account.save(update_fields=["next_sync_at", "apple_asks_to_wait_until", "token_expires_at"])
        set_state(account, state, reason, by=APPLE)
        _finish(
            progress,
            SyncRun.Outcome.FAILED,
            counts={name: count for name, count in progress.counts.items() if count},
            message=reason[:500],
            error_number=getattr(error, "number", None),
        )
    log.warning("sync.failed", account=account.pk, state=state, error=str(error))


def _finish(progress: Progress, outcome: SyncRun.Outcome, **fields: object) -> None:
    run = progress.run
    run.outcome, run.phase, run.finished_at = outcome, SyncRun.Phase.DONE, timezone.now()
    if outcome == SyncRun.Outcome.SUCCEEDED:
        run.done = run.total
    for name, value in fields.items():
        setattr(run, name, value)
    run.save(
        update_fields=["outcome", "phase", "done", "finished_at", *fields],
    )
    tell_of_sync(run, progress.account)


def wait_for(sync_run: SyncRun, *, seconds: float = 3600) -> SyncRun:
    """The run once it is over, whoever carries it out; takes it over if its worker dies."""
    deadline = time.monotonic() + seconds
    while sync_run.is_open and time.monotonic() < deadline:
        time.sleep(0.2)
        if SyncRun.objects.unattended().filter(pk=sync_run.pk).exists():
            run(sync_run_id=sync_run.pk)
        sync_run.refresh_from_db()
    return sync_run
