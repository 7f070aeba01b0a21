"""A request that Apple refused as a whole: nothing of it was done, and somebody in it is the reason."""

from __future__ import annotations

from collections.abc import Sequence

from licensing.batches import outcomes
from licensing.batches.calls import Call
from licensing.batches.outcomes import State
from licensing.batches.plans import Sent, is_meant_by
from licensing.batches.verdicts import apply_failure
from licensing.batches.work import Work
from licensing.models import AppleOperation, ItemState
from vpp_accounts.apple import errors
from vpp_accounts.apple.events import Failure


def after_refusal(
    work: Work, call: Call, operation: AppleOperation, error: errors.AppleError
) -> None:
    """Those whom Apple names fail; where it names nobody, smaller requests find out who it is."""
    failure = Failure(error.number or 0, error.text, error.error_info)
    with work.hold.transaction():
        if outcomes.lock(operation.pk) is None:
            return
        items = outcomes.sent_items(operation)
        named = guilty(items, failure)
        rest = [item.id for item in items if item.id not in set(named)]
        work.touched |= apply_failure(operation, named, failure)
        work.touched |= outcomes.move(
            operation, rest, ItemState.PLANNED, more_caution=not named, unsent=True
        )
        outcomes.end(operation, State.REFUSED, error_number=error.number, message=error.text[:500])


def guilty(items: Sequence[Sent], failure: Failure) -> list[int]:
    """The items that a refusal can only mean; nobody where it could be any of several."""
    if len(items) == 1:
        return [items[0].id]
    info = failure.error_info
    if info is None or not (info.assets or info.serial_numbers or info.client_user_ids):
        return []
    return [item.id for item in items if is_meant_by(failure)(item)]
