"""From Apple's failures to the states of items."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from licensing.batches import outcomes, people
from licensing.batches.plans import Sent
from licensing.batches.reasons import LOST, sentence_for
from licensing.models import AppleOperation, BatchItem, BatchKind, ItemState
from licensing.webhooks import tell_of_shortage
from vpp_accounts.apple import errors
from vpp_accounts.apple.events import Failure

MOST_ATTEMPTS = 5

NO_LICENSE_LEFT, EXISTS_ALREADY, UNKNOWN_USER = 9709, 9716, 9609


def plan_next_state(number: int, kind: str, attempts: int) -> ItemState:
    """What a failed task of Apple's means for the item."""
    if number == NO_LICENSE_LEFT and kind == BatchKind.GRANT:
        return ItemState.WAITING
    if (number, kind) in ((EXISTS_ALREADY, BatchKind.REGISTER), (UNKNOWN_USER, BatchKind.RETIRE)):
        return ItemState.SUCCEEDED
    if is_passing(number) and attempts < MOST_ATTEMPTS:
        return ItemState.PLANNED
    return ItemState.FAILED


def is_passing(number: int) -> bool:
    """Whether Apple only has trouble for now."""
    return issubclass(errors.class_of(number), errors.Unavailable | errors.Throttled)


def apply_failure(operation: AppleOperation, item_ids: Sequence[int], failure: Failure) -> set[int]:
    """These items failed for this reason; answers the batches. Call it with the operation locked."""
    touched: set[int] = set()
    states: defaultdict[ItemState, list[int]] = defaultdict(list)
    rows = BatchItem.objects.filter(pk__in=item_ids).values_list("pk", "kind", "attempts")
    for pk, kind, attempts in rows:
        states[plan_next_state(failure.number, kind, attempts)].append(pk)
    for state, ids in states.items():
        if state == ItemState.SUCCEEDED:
            touched |= outcomes.succeed(operation, ids)
            people.note_known(operation.account_id, ids)
            continue
        failed = state == ItemState.FAILED
        touched |= outcomes.move(
            operation,
            ids,
            state,
            number=failure.number or None if failed else None,
            message=sentence_for(failure.number, failure.text) if failed else "",
        )
        if failed:
            touched |= people.note_failures(operation.account_id, ids)
        if state == ItemState.WAITING:
            outcomes.counts_are_old(ids)
            items = BatchItem.objects.filter(pk__in=ids, state=ItemState.WAITING)
            tell_of_shortage(operation.organization_id, items)
    return touched


def send_again(operation: AppleOperation, items: Iterable[Sent]) -> set[int]:
    """Nobody knows what became of these, so they are sent once more, though not for ever."""
    ids = [item.id for item in items]
    tried = set(
        BatchItem.objects.filter(pk__in=ids, attempts__gte=MOST_ATTEMPTS).values_list(
            "pk", flat=True
        )
    )
    again = [pk for pk in ids if pk not in tried]
    touched = outcomes.move(operation, again, ItemState.PLANNED) if again else set()
    if tried:
        touched |= outcomes.move(operation, sorted(tried), ItemState.FAILED, message=LOST)
        touched |= people.note_failures(operation.account_id, sorted(tried))
    return touched
