"""When nothing can be sent: the batches say why, and go on by themselves when that is over."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from licensing.models import Batch, BatchKind, BatchState, Writer
from organizations.audit import APPLE
from organizations.crypto import CannotDecrypt
from vpp_accounts.apple import errors
from vpp_accounts.health import READ_ONLY_REASON, set_state, state_after
from vpp_accounts.models import AccountState, VppAccount

LOOK_AGAIN = timedelta(minutes=1)  # for an account that waits for a person
LONGEST = timedelta(minutes=10)
STOPPING = (errors.TokenDead, errors.ClaimedByAnother, errors.ReadOnly, CannotDecrypt)


def plan_retry(failures: int, retry_after: float | None, *, jitter: float) -> timedelta:
    """How long to leave Apple alone: as long as it asks, else 5 s, 15 s, 45 s … 10 minutes."""
    if retry_after is not None:
        return timedelta(seconds=max(1.0, retry_after))
    return min(LONGEST, timedelta(seconds=5 * 3 ** min(failures, 6))) * jitter


def reason_to_stop(account: VppAccount) -> str:
    """Why this account's location must not be written to now; empty where it may."""
    if account.takes_no_changes:
        return account.state_reason or account.get_state_display()
    return ""


def pause_after(account: VppAccount, error: Exception) -> None:
    """Apple, or the way to it, does not let us go on."""
    state, reason = state_after(error)
    if isinstance(error, errors.ReadOnly):
        state, reason = AccountState.READ_ONLY, READ_ONLY_REASON
    if isinstance(error, STOPPING):
        with transaction.atomic():
            set_state(account, state, reason, by=APPLE)
        pause(account, reason, until=timezone.now() + LOOK_AGAIN)
        return
    writer = Writer.objects.get(account=account)
    jitter = random.uniform(0.8, 1.2)  # noqa: S311  not a secret
    wait = plan_retry(writer.failures, getattr(error, "retry_after", None), jitter=jitter)
    until = timezone.now() + wait
    pause(account, f"{reason} It goes on by itself.", until=until)
    Writer.objects.filter(account=account).update(not_before=until)


@transaction.atomic
def pause(account: VppAccount, reason: str, *, until: datetime) -> None:
    writer = Writer.objects.select_for_update().get(account=account)
    writer.paused_since = writer.paused_since or timezone.now()
    writer.paused_reason, writer.next_work_at = reason[:500], until
    writer.failures = min(writer.failures + 1, 20)
    writer.save(update_fields=["paused_since", "paused_reason", "next_work_at", "failures"])
    going = Batch.objects.filter(account=account, finished_at=None, state__in=Batch.UNFINISHED)
    # Mail that is written needs no Apple.
    going.exclude(kind=BatchKind.INVITE, planned=0).update(
        state=BatchState.PAUSED, reason=reason[:500]
    )


@transaction.atomic
def resume(account: VppAccount) -> None:
    """Apple answers again."""
    paused = Writer.objects.filter(account=account).exclude(paused_reason="", failures=0)
    if paused.update(paused_reason="", paused_since=None, not_before=None, failures=0):
        Batch.objects.filter(account=account, state=BatchState.PAUSED).update(
            state=BatchState.RUNNING, reason=""
        )
