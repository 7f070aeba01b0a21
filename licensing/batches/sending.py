"""One request to Apple: marked in the database first, then sent, then its answer is kept.

A worker that dies in between leaves an operation that is `sending`, and the next one reads at Apple
what came of it.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from licensing.batches import outcomes, people, steps
from licensing.batches.boundaries import leave_out
from licensing.batches.calls import PATHS, REGISTER, RETIRE, UPDATE, Call
from licensing.batches.news import hear_early_news, last_heard
from licensing.batches.outcomes import State
from licensing.batches.picking import next_calls
from licensing.batches.refused import after_refusal
from licensing.batches.work import Work
from licensing.models import AppleOperation, BatchItem, ItemState
from vpp_accounts.apple import errors
from vpp_accounts.apple.chunks import ManageAssets, RevokeAssets
from vpp_accounts.apple.events import Accepted, WriteResult

FIRST_POLL = timedelta(seconds=2)
AFTER_A_LOST_ANSWER = timedelta(seconds=5)  # Apple may still be at it


class PlanIsOld(Exception):
    """Some of the items are no longer to be sent: somebody cancelled meanwhile."""


def send_next(work: Work) -> bool:
    """Send one request; False when nothing is left to be sent."""
    if not work.queue:
        work.queue.extend(next_calls(work.account, work.limits))
    if not work.queue:
        return False
    call = work.queue.popleft()
    if left_out := leave_out(work.account, call.item_ids):
        # The rest is asked for anew, and what was reserved for these serves others.
        work.touched |= left_out
        work.queue.clear()
        work.look_for_waiting = True
        return True
    try:
        operation = _mark(work, call)
    except PlanIsOld:
        work.queue.clear()
        return True
    steps.reached(steps.MARKED)
    _send(work, call, operation)
    return True


def _mark(work: Work, call: Call) -> AppleOperation:
    """From here on nobody may forget that this request may have reached Apple."""
    now = timezone.now()
    with work.hold.transaction():
        operation = AppleOperation.objects.create(
            organization_id=work.account.organization_id,
            account=work.account,
            path=call.path,
            assets=call.assets,
            holders=len(call.holders),
            next_poll_at=now,
        )
        planned = BatchItem.objects.filter(pk__in=call.item_ids, state=ItemState.PLANNED)
        marked = planned.update(
            state=ItemState.SENT,
            operation=operation,
            attempts=outcomes.ONE_MORE,
            changed_at=now,
        )
        if marked != call.tasks:
            raise PlanIsOld
        work.touched |= outcomes.count_call(operation)
    return operation


def _send(work: Work, call: Call, operation: AppleOperation) -> None:
    heard = last_heard(work.account)
    try:
        result = _post(work, call)
    except errors.LimitsMoved as error:
        if call.tasks == 1 and work.limits_moved:
            after_refusal(work, call, operation, error)  # it cannot be made any smaller
            return
        _take_back(work, operation, more_caution=work.limits_moved)
        work.client.service_config(fresh=True)
        work.limits_moved = True
        work.queue.clear()
        return
    except (errors.RequestRefused, errors.StateDrift) as error:
        after_refusal(work, call, operation, error)
        work.queue.clear()
        return
    except errors.ClaimedByAnother as error:
        if error.event_id:
            _accepted(work, operation, error.event_id, heard)
        else:
            _take_back(work, operation)
        raise
    except errors.AppleError:
        _take_back(work, operation)  # refused as a whole: nothing was done
        raise
    steps.reached(steps.ANSWERED)
    work.limits_moved = False
    if isinstance(result, Accepted):
        _accepted(work, operation, result.event_id, heard)
    else:
        _lost(work, operation, result.reason)


def _post(work: Work, call: Call) -> WriteResult:
    client, request = work.client, call.work
    if isinstance(request, RevokeAssets):
        return client.revoke_assets(request)
    if isinstance(request, ManageAssets):
        is_grant = call.path == PATHS["grant"]
        return (client.associate_assets if is_grant else client.disassociate_assets)(request)
    wanted = people.requested(work.account, call.holders, with_facts=call.path != PATHS[RETIRE])
    writes = {
        PATHS[REGISTER]: client.create_users,
        PATHS[UPDATE]: client.update_users,
        PATHS[RETIRE]: client.retire_users,
    }
    return writes[call.path](wanted)


def _accepted(work: Work, operation: AppleOperation, event_id: str, heard: int) -> None:
    now = timezone.now()
    with work.hold.transaction():
        open_ = AppleOperation.objects.filter(pk=operation.pk, settled_at=None)
        open_.update(
            state=State.PENDING, event_id=event_id, sent_at=now, next_poll_at=now + FIRST_POLL
        )
        operation.event_id = event_id
        work.touched |= hear_early_news(operation, since=heard)
    steps.reached(steps.ACCEPTED)


def _lost(work: Work, operation: AppleOperation, reason: str) -> None:
    now = timezone.now()
    with work.hold.transaction():
        AppleOperation.objects.filter(pk=operation.pk, settled_at=None).update(
            state=State.LOST,
            message=reason[:500],
            sent_at=now,
            next_poll_at=now + AFTER_A_LOST_ANSWER,
        )


def _take_back(work: Work, operation: AppleOperation, *, more_caution: bool = False) -> None:
    """Apple did nothing of it: the items are as if they had never been sent."""
    with work.hold.transaction():
        if outcomes.lock(operation.pk) is None:
            return
        ids = [item.id for item in outcomes.sent_items(operation)]
        work.touched |= outcomes.move(
            operation, ids, ItemState.PLANNED, more_caution=more_caution, unsent=True
        )
        outcomes.end(operation, State.REFUSED)
