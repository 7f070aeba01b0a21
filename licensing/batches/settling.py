"""How events ended: by asking Apple, and by reading what is true where the answer got lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.utils import timezone

from licensing.batches import outcomes, steps, truth
from licensing.batches.outcomes import State
from licensing.batches.plans import Sent, plan_verdict
from licensing.batches.verdicts import apply_failure, is_passing, send_again
from licensing.batches.work import Work
from licensing.models import AppleOperation
from vpp_accounts.apple import errors
from vpp_accounts.apple.events import EventState, EventStatus, Failure
from vpp_accounts.apple.types import ErrorInfo

AT_A_TIME = 20
NEXT_POLL = timedelta(seconds=30)  # as Apple asks
WITHOUT_END = timedelta(minutes=10)  # then Apple asks to send the request again
READ_AGAIN = timedelta(seconds=5)  # what is COMPLETE may show in the lists a little later
MOST_READINGS = 4


def settle_due(work: Work) -> bool:
    """Look after the operations whose time has come; whether there were any."""
    open_ = AppleOperation.objects.filter(account=work.account, settled_at=None)
    due = list(
        open_.filter(next_poll_at__lte=timezone.now()).order_by("next_poll_at", "pk")[:AT_A_TIME]
    )
    for operation in due:
        if operation.state == State.PENDING:
            _ask(work, operation)
        else:
            _read_what_is_true(work, operation)
        steps.reached(steps.SETTLED)
        work.show()
    return bool(due)


def _ask(work: Work, operation: AppleOperation) -> None:
    try:
        status = work.client.event_status(operation.event_id)
    except errors.EventNotFound:
        _postpone(work, operation, state=State.LOST, after=timedelta())
        return
    steps.reached(steps.ASKED)
    if status.is_over:
        _conclude(work, operation, status)
        return
    started = operation.sent_at or operation.created_at
    if timezone.now() - started >= WITHOUT_END:
        _postpone(work, operation, state=State.LOST, after=timedelta())
    else:
        _postpone(work, operation, after=NEXT_POLL, completed=status.completed)


def _postpone(work: Work, operation: AppleOperation, *, after: timedelta, **facts: Any) -> None:
    with work.hold.transaction():
        AppleOperation.objects.filter(pk=operation.pk, settled_at=None).update(
            next_poll_at=timezone.now() + after, **facts
        )


def _conclude(work: Work, operation: AppleOperation, status: EventStatus) -> None:
    """The event is over: what succeeded, what failed, and what Apple's answer leaves open."""
    with work.hold.transaction():
        locked = outcomes.lock(operation.pk)
        if locked is None:
            return
        items = outcomes.all_items(locked)
        verdict = plan_verdict(items, status.failures, missing=_missing(status))
        _note(locked, status, status.failures if verdict.unclear else ())
        if not locked.is_about_people:
            work.touched |= outcomes.succeed(locked, verdict.succeeded)
        for failure in status.failures:
            ids = [pk for pk, why in verdict.failed if why is failure]
            work.touched |= apply_failure(locked, ids, failure)
        # Also those whose part notifications have settled, which count only at the end.
        work.touched |= outcomes.batches_of(locked)
        if outcomes.has_items_left(locked):
            _read_later(locked)
        else:
            outcomes.end(locked, State.DONE)
    _slow_down_after(status.failures)


def _missing(status: EventStatus) -> int:
    """How many tasks did not succeed; at least one where Apple says only that the event failed."""
    if status.failures:
        return max(0, status.requested - status.completed)
    if status.state is EventState.FAILED:
        return max(1, status.requested - status.completed)
    return 0


def _note(operation: AppleOperation, status: EventStatus, unclear: tuple[Failure, ...]) -> None:
    AppleOperation.objects.filter(pk=operation.pk).update(
        requested=status.requested,
        completed=status.completed,
        failures=[asdict(failure) for failure in unclear],
    )


def _read_later(operation: AppleOperation) -> None:
    """The rest is decided by what Apple's lists say, which `_read_what_is_true` reads next."""
    AppleOperation.objects.filter(pk=operation.pk).update(
        state=State.LOST, next_poll_at=timezone.now()
    )


def _slow_down_after(failures: tuple[Failure, ...]) -> None:
    """An event that failed since Apple is in trouble pauses the work like a refusal would."""
    passing = next((failure for failure in failures if is_passing(failure.number)), None)
    if passing is not None:
        raise errors.class_of(passing.number)(passing.text, number=passing.number)


def _read_what_is_true(work: Work, operation: AppleOperation) -> None:
    items = outcomes.sent_items(operation)
    found = truth.done_among(work, operation, items) if items else set()
    failures = [_failure(entry) for entry in operation.failures]
    with work.hold.transaction():
        locked = outcomes.lock(operation.pk)
        if locked is None:
            return
        work.touched |= outcomes.batches_of(locked)
        done = [item.id for item in items if item.id in found]
        left = [item for item in items if item.id not in found]
        work.touched |= outcomes.succeed(locked, done)
        if left and _may_show_later(locked, left):
            AppleOperation.objects.filter(pk=locked.pk).update(
                readings=locked.readings + 1, next_poll_at=timezone.now() + READ_AGAIN
            )
            return
        if left and failures:
            verdict = plan_verdict(left, failures, missing=len(left))
            for failure in failures:
                ids = [pk for pk, why in verdict.failed + verdict.unclear if why is failure]
                work.touched |= apply_failure(locked, ids, failure)
        elif left:
            work.touched |= send_again(locked, left)
        outcomes.end(locked, State.DONE)


def _may_show_later(operation: AppleOperation, left: Sequence[Sent]) -> bool:
    """Apple says that more is done than its lists show yet."""
    failed = operation.requested - operation.completed if operation.failures else 0
    return bool(operation.event_id) and operation.readings < MOST_READINGS and len(left) > failed


def _failure(entry: dict[str, Any]) -> Failure:
    """As it was stored: JSON has lists where the client has tuples."""
    info = entry["error_info"]
    return Failure(
        entry["number"],
        entry["text"],
        info
        and ErrorInfo(
            tuple((adam_id, pricing_param) for adam_id, pricing_param in info["assets"]),
            tuple(info["client_user_ids"]),
            tuple(info["serial_numbers"]),
        ),
    )
