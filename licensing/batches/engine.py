"""One worker's turn at one location: settle what is due, serve who waits, send what is planned.

Nothing that has to be remembered is only in memory: the worker may die anywhere, and the next turn
goes on from the rows (steps.py names the places, tests/test_batches_crashes.py kills it at each).
"""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.db.models import DateTimeField, F, Min, Q, Value
from django.db.models.functions import Least
from django.utils import timezone

from licensing.batches import inviting, people, retiring, steps, waiting
from licensing.batches.pauses import LOOK_AGAIN, pause, pause_after, reason_to_stop, resume
from licensing.batches.registering import register, update
from licensing.batches.sending import send_next
from licensing.batches.settling import settle_due
from licensing.batches.waking import ring
from licensing.batches.work import Work
from licensing.counts import refresh_titles
from licensing.leases import Hold, LeaseLost
from licensing.models import AppleOperation, Batch, LicensedApp, Writer
from organizations.audit import Actor
from organizations.crypto import CannotDecrypt
from vpp_accounts.apple.errors import AppleError
from vpp_accounts.models import VppAccount
from vpp_accounts.models.runs import LEASE

log = structlog.get_logger(__name__)

SYSTEM = Actor.system("Batches")
# Of a deleted organization only what it was deleted with is left to be done: taking licenses back.
OF_WORKING = Q(organization__suspended_at=None)
SUSPENDED = "The organization is suspended."
COUNTS_MAY_BE_OLD = timedelta(seconds=10)  # while events are still under way


def run(*, account_id: int) -> None:
    """Do what there is to do for this location now; leave at once where somebody else does."""
    accounts = VppAccount.objects.filter(OF_WORKING).select_related("organization")
    account = accounts.filter(pk=account_id).first()
    token = _claim(account_id) if account else None
    if token is None or account is None:
        return
    rows = Writer.objects.filter(account=account_id)
    with Hold(rows, token) as hold:
        work = Work(account, hold, touched=_unfinished(account))
        try:
            _work(work)
            _leave(work)
        except LeaseLost:
            log.warning("batches.lease_lost", account=account_id)
        finally:
            work.close()


def _work(work: Work) -> None:
    try:
        _drain(work)
    except (AppleError, CannotDecrypt) as error:
        log.warning("batches.paused", account=work.account.pk, error=str(error))
        work.show(now=True)
        pause_after(work.account, error)
        inviting.send_all(work)  # mail needs no Apple


def _claim(account_id: int) -> int | None:
    """The token of our lease; None while another worker has it. One conditional statement."""
    now = timezone.now()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    # Who rings from now on is heard when we leave.
    claimed = Writer.objects.filter(free, account=account_id).update(
        lease_until=now + LEASE, lease_token=F("lease_token") + 1, next_work_at=None
    )
    if not claimed:
        return None
    return Writer.objects.values_list("lease_token", flat=True).get(account=account_id)


def _unfinished(account: VppAccount) -> set[int]:
    """A worker that died has perhaps not counted what it had settled."""
    unfinished = Batch.objects.filter(account=account, finished_at=None)
    return set(unfinished.values_list("pk", flat=True))


def _drain(work: Work) -> None:
    """Steps at Apple, and steps of mail between them, so that neither holds up the other."""
    work.touched |= inviting.settle_all(work.account.pk)
    while _step(work):
        inviting.send_next(work)
        work.show()
    inviting.send_all(work)


def _step(work: Work) -> bool:
    """One thing at Apple; False where there is none, or where nothing may be done there now."""
    if _must_wait(work):
        return False
    work.account.refresh_from_db()
    if nothing_goes := _why_nothing_goes(work.account):
        pause(work.account, nothing_goes, until=timezone.now() + LOOK_AGAIN)
        return False
    if settle_due(work):
        resume(work.account)
    elif _refresh_counts(work):
        resume(work.account)
        work.look_for_waiting = True
    elif stop := reason_to_stop(work.account):
        pause(work.account, stop, until=timezone.now() + LOOK_AGAIN)
        return False
    elif work.look_for_waiting and work.account.organization.is_open:
        work.look_for_waiting = False
        waiting.serve(work.account)
        steps.reached(steps.SERVED)
        retiring.retire_the_unknown(work)
        _tell_of_the_forgotten(work)
    elif send_next(work):
        resume(work.account)
    else:
        resume(work.account)  # nothing is held up any more, if only since it was cancelled
        return False
    return True


def _why_nothing_goes(account: VppAccount) -> str:
    """Why not even what was sent is asked about; empty where it is."""
    if account.organization.suspended_at:
        return SUSPENDED
    return reason_to_stop(account) if account.is_stopped else ""


def _tell_of_the_forgotten(work: Work) -> None:
    if unknown := people.unregistered_but_wanted(work.account):
        register(by=SYSTEM, account=work.account, users=unknown)
    if changed := people.to_be_told_again(work.account):
        update(by=SYSTEM, account=work.account, users=changed)


def _refresh_counts(work: Work) -> bool:
    """Read the counts again of titles that our own writes have changed; whether there were any."""
    changed = LicensedApp.objects.filter(
        account=work.account, gone_at=None, touched_at__gt=F("counts_as_of")
    )
    busy = AppleOperation.objects.filter(account=work.account, settled_at=None).exists()
    if busy or work.queue:
        changed = changed.filter(counts_as_of__lt=timezone.now() - COUNTS_MAY_BE_OLD)
    keys = list(changed.values_list("adam_id", "pricing_param"))
    if keys:
        began = timezone.now()
        work.show(now=True)
        refresh_titles(work.account, keys)
        # Those that Apple did not list are the next sync's to find out about.
        changed.filter(touched_at__lt=began).update(touched_at=None, unread_grants=0)
    return bool(keys)


def _must_wait(work: Work) -> bool:
    writer = Writer.objects.get(account=work.account)
    return writer.not_before is not None and writer.not_before > timezone.now()


def _leave(work: Work) -> None:
    """Give the lease back, and have us called again when there is something to do."""
    work.show(now=True)
    writer = Writer.objects.get(account=work.account)
    open_ = AppleOperation.objects.filter(account=work.account, settled_at=None)
    # Who is paused asks nothing before the pause is over, however long ago it was due.
    polled = None if writer.paused_reason else open_.aggregate(at=Min("next_poll_at"))["at"]
    mails = inviting.look_again_at(work.account.pk)
    times = [at for at in (polled, writer.not_before, mails) if at is not None]
    turn = min(times, default=None)
    # In one statement, since somebody may be ringing just now. The token, so that our heartbeat does
    # not take the lease again that nobody works under.
    work.hold.update(
        lease_until=None,
        lease_token=F("lease_token") + 1,
        next_work_at=Least("next_work_at", Value(turn, DateTimeField())),
    )
    called = Writer.objects.values_list("next_work_at", flat=True).get(account=work.account)
    if called is not None:
        ring(work.account.pk, seconds=max(0.0, (called - timezone.now()).total_seconds()))
