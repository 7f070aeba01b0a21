"""One account's waiting notifications, in the order in which they came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

import structlog
from django.db import transaction
from django.utils import timezone

from licensing.batches.waking import wake_if_needed
from licensing.counts import refresh_titles
from licensing.notifications.effects import take_effect
from organizations.crypto import CannotDecrypt
from vpp_accounts.apple.discreet import without_people
from vpp_accounts.apple.errors import AppleError
from vpp_accounts.apple.items import Unclear
from vpp_accounts.apple.notifications import counted_title
from vpp_accounts.health import state_after
from vpp_accounts.models import Notification, SyncRun, VppAccount
from vpp_accounts.models.notifications import MOST_ATTEMPTS
from vpp_accounts.runs import ask_soon

log = structlog.get_logger(__name__)

COUNTS = "ASSET_COUNT"
OF_PEOPLE = ("USER_MANAGEMENT", "USER_ASSOCIATED")
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
# Apple is asked in this time, or the worker is dead and another one may ask.
READING = timedelta(minutes=2)
AFTER_A_SYNC = timedelta(seconds=60)


def handle_waiting(account: VppAccount) -> None:
    """Everything whose time has come. Another worker's turn is left alone: it sees to the rest."""
    if account.is_stopped:
        _set_aside(account)
        return
    _read_counts(account)
    while _handle_next(account):
        pass


def _set_aside(account: VppAccount) -> None:
    """Nothing is done for the location; once it is ours again, a whole sync reads everything."""
    waiting = Notification.objects.waiting().filter(account=account)
    _forget_people(waiting.filter(kind__in=OF_PEOPLE))
    waiting.update(handled_at=timezone.now(), error="")


def _read_counts(account: VppAccount) -> None:
    """Apple says by how much counts moved; once for all that it said so of, we read what they are."""
    claimed = _claim_counts(account)
    if not claimed:
        return
    try:
        told = {counted_title(notification.payload) for notification in claimed}
        if refresh_titles(account, told):
            wake_if_needed(account)
    except Exception as error:  # noqa: BLE001  said on the page, and tried again
        _fail(account, claimed, error)
    else:
        _done([notification.pk for notification in claimed])


@transaction.atomic
def _claim_counts(account: VppAccount) -> list[Notification]:
    """Nobody else takes them up while we ask; those that name no title fail at once."""
    asked = account.apple_asks_to_wait_until
    if asked and asked > timezone.now():
        return []
    due = Notification.objects.due().filter(account=account, kind=COUNTS).order_by("pk")
    claimed: list[Notification] = []
    for notification in due.select_for_update(skip_locked=True):
        try:
            counted_title(notification.payload)
        except Unclear as unclear:
            _fail(account, [notification], unclear)
        else:
            claimed.append(notification)
    _later([notification.pk for notification in claimed], READING)
    return claimed


@transaction.atomic
def _handle_next(account: VppAccount) -> bool:
    """The oldest one that is due; False when there is none, or another worker is at it."""
    # The account is the lock, so that two workers cannot change the order. Storing goes on meanwhile.
    accounts = VppAccount.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
    locked = accounts.select_related("organization").filter(pk=account.pk).first()
    due = Notification.objects.due().filter(account=account).exclude(kind=COUNTS)
    notification = due.order_by("pk").first() if locked else None
    if locked is None or notification is None:
        return False
    if locked.is_stopped:
        _set_aside(locked)
        return False
    try:
        with transaction.atomic():
            take_effect(locked, notification)
    except Exception as error:  # noqa: BLE001  said on the page, and tried again
        _fail(locked, [notification], error)
        return True
    if _is_syncing(locked):
        # The sync may have read Apple's lists before this, and undo it: once more after its end.
        _later([notification.pk], AFTER_A_SYNC)
    else:
        if notification.kind in OF_PEOPLE:
            _forget_people([notification])
        _done([notification.pk])
    return True


def _forget_people(told: Iterable[Notification]) -> None:
    """Who they are stands in their own records, their codes encrypted: not in here for a month."""
    for notification in told:
        notification.payload = without_people(notification.payload)
        notification.save(update_fields=["payload"])


def _is_syncing(account: VppAccount) -> bool:
    return SyncRun.objects.open().filter(account=account, lease_until__gte=timezone.now()).exists()


def _done(ids: list[int]) -> None:
    waiting = Notification.objects.waiting().filter(pk__in=ids)
    waiting.update(handled_at=timezone.now(), error="")


def _later(ids: list[int], pause: timedelta) -> None:
    waiting = Notification.objects.waiting().filter(pk__in=ids)
    waiting.update(next_attempt_at=timezone.now() + pause)


def _fail(account: VppAccount, notifications: Sequence[Notification], error: Exception) -> None:
    """Keep them with the reason, and try again later; what cannot be understood never gets better."""
    for notification in notifications:
        notification.attempts += 1
        if isinstance(error, Unclear):
            notification.attempts = MOST_ATTEMPTS
        notification.error = reason_of(error)[:500]
        notification.next_attempt_at = timezone.now() + pause_after(notification.attempts)
    Notification.objects.bulk_update(notifications, ["attempts", "error", "next_attempt_at"])
    # What they told of is found by a sync all the same.
    ask_soon(account)
    log.warning(
        "notification.failed",
        account=account.pk,
        notifications=[notification.pk for notification in notifications],
        exc_info=None if isinstance(error, AppleError | Unclear) else error,
    )


def pause_after(attempts: int) -> timedelta:
    """30 s, 1 min, 2 min … an hour."""
    return min(FIRST_PAUSE * (1 << (attempts - 1)), LONGEST_PAUSE)


def reason_of(error: Exception) -> str:
    if isinstance(error, Unclear):
        return f"Apple's notification cannot be understood: {error}."
    if isinstance(error, AppleError | CannotDecrypt):
        return state_after(error)[1]
    return "Handling it failed by an error of ours; it is in the server's log."
