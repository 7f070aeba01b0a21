"""Apple's notifications about our own events, which may come before the write's own answer."""

from __future__ import annotations

from collections.abc import Sequence

from licensing.batches import outcomes
from licensing.batches.outcomes import State
from licensing.batches.tallies import tally
from licensing.batches.verdicts import apply_failure
from licensing.batches.waking import wake
from licensing.models import AppleOperation, BatchItem, ItemState
from vpp_accounts.apple.errors import AppleError
from vpp_accounts.apple.events import Failure
from vpp_accounts.apple.items import Unclear
from vpp_accounts.apple.notifications import asset_event, user_event
from vpp_accounts.apple.types import Assignment, ClientUser
from vpp_accounts.models import Notification, VppAccount

READERS = {"ASSET_MANAGEMENT": asset_event, "USER_MANAGEMENT": user_event}


def hear(
    account: VppAccount,
    event_id: str,
    *,
    assignments: Sequence[Assignment],
    users: Sequence[ClientUser],
    failure: Failure | None,
) -> None:
    """Apple told how tasks of an event ended: if it is ours, its items are settled.

    Call it in a transaction.
    """
    ours = AppleOperation.objects.filter(account=account, event_id=event_id, settled_at=None)
    found = ours.first() if event_id else None
    operation = outcomes.lock(found.pk) if found else None
    if operation is None:
        return
    _told(operation, assignments, users, failure)
    if not outcomes.has_items_left(operation):
        outcomes.end(operation, State.DONE)
        tally(outcomes.batches_of(operation))
        wake(account)  # the counts are to be read again


def last_heard(account: VppAccount) -> int:
    """The newest notification by now: what comes after it may be about what we send next."""
    told = Notification.objects.filter(account=account).order_by("-pk")
    return told.values_list("pk", flat=True).first() or 0


def hear_early_news(operation: AppleOperation, *, since: int) -> set[int]:
    """What Apple said of this event before we knew that it is ours; answers the batches.

    `since`: `last_heard` before it was sent, so that a month of notifications need not be read.
    """
    early = Notification.objects.filter(
        account=operation.account_id,
        kind__in=READERS,
        pk__gt=since,
        payload__eventId=operation.event_id,
    )
    touched: set[int] = set()
    for notification in early.order_by("pk"):
        try:
            news = READERS[notification.kind](notification.payload)
        except (AppleError, Unclear):
            continue  # its own handling says what is wrong with it
        touched |= _told(operation, news.assignments, news.users, news.failure)
    if touched and not outcomes.has_items_left(operation):
        outcomes.end(operation, State.DONE)
    return touched


def _told(
    operation: AppleOperation,
    assignments: Sequence[Assignment],
    users: Sequence[ClientUser],
    failure: Failure | None,
) -> set[int]:
    ids = _meant(operation, assignments, users)
    if not ids:
        return set()
    if failure is None:
        return outcomes.succeed(operation, ids)
    return apply_failure(operation, ids, failure)


def _meant(
    operation: AppleOperation, assignments: Sequence[Assignment], users: Sequence[ClientUser]
) -> list[int]:
    """The items that are sent with this operation and that the notification lists."""
    pairs = {
        (row.adam_id, row.pricing_param, row.client_user_id or (row.serial_number or "").upper())
        for row in assignments
    }
    people = {user.client_user_id for user in users}
    listed = [holder for _, _, holder in pairs] + list(people)
    items = BatchItem.objects.filter(
        operation=operation, state=ItemState.SENT, holder__in=listed
    ).values_list("pk", "licensed_app__adam_id", "licensed_app__pricing_param", "holder")
    return [
        pk
        for pk, adam_id, pricing_param, holder in items
        if (adam_id, pricing_param, holder) in pairs or (adam_id is None and holder in people)
    ]
