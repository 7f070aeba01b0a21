"""Whether Apple has confirmed the license: the request, its event, and the number of its error."""

from __future__ import annotations

from django.urls import reverse

from apps_catalog.reasons import Reason, Stage
from licensing.models import BatchItem, BatchKind, BatchState, ItemState
from licensing.why.cases import Case
from licensing.why.steps import Detail, Fix, Step, Verdict

NOTHING = "Apple is not asked, since no license is needed."
FOUND = "Apple lists the license; nobody asked for it here."
CONFIRMED = "Apple has confirmed the license."
BEING_TAKEN_BACK = "The license is being taken back."
TO_BE_SENT = "The request waits for its turn."
RETRY = "Look at the batch, and retry it there."
ASK = "Ask an admin of the VPP account to look at the batch."
ACCEPTED = (
    "Apple has accepted the request and has not confirmed it yet; Apple is asked again by itself."
)


def apple_step(case: Case) -> Step:
    if not case.app.needs_license:
        return Step(Stage.APPLE, Verdict.OK, NOTHING)
    item = case.item
    if case.assignment:
        return _listed(case, item)
    if item is None:  # cannot be: the step before would have stopped
        return Step(Stage.APPLE, Verdict.UNKNOWN, "What Apple was asked is no longer known.")
    if item.state == ItemState.FAILED:
        return _refused(case, item)
    return _under_way(case, item)


def _listed(case: Case, item: BatchItem | None) -> Step:
    if item and item.kind == BatchKind.REVOKE and item.state in (ItemState.PLANNED, ItemState.SENT):
        return _step(case, item, Verdict.WAITS, BEING_TAKEN_BACK)
    if item and item.kind == BatchKind.GRANT and item.state == ItemState.SUCCEEDED:
        return _step(case, item, Verdict.OK, CONFIRMED)
    since = case.assignment.since if case.assignment else None
    return Step(Stage.APPLE, Verdict.OK, FOUND, as_of=since)


def _under_way(case: Case, item: BatchItem) -> Step:
    if item.batch.state == BatchState.PAUSED:
        reason = item.batch.reason or "Its batch is paused."
        return _step(case, item, Verdict.WRONG, f"The request cannot be sent. {reason}")
    sentence = ACCEPTED if item.state == ItemState.SENT else TO_BE_SENT
    return _step(case, item, Verdict.WAITS, sentence)


def _refused(case: Case, item: BatchItem) -> Step:
    is_open = item.account_id in case.open_ids
    said = f" {item.message}" if is_open else ""
    fix = Fix(RETRY, _url(item), "Open the batch") if is_open else Fix(ASK)
    return _step(case, item, Verdict.WRONG, case.told(Reason.LICENSE_FAILED) + said, fix)


def _step(
    case: Case, item: BatchItem, verdict: Verdict, sentence: str, fix: Fix | None = None
) -> Step:
    details = _details(item) if item.account_id in case.open_ids else ()
    return Step(Stage.APPLE, verdict, sentence, item.changed_at, fix, details)


def _url(item: BatchItem) -> str:
    return reverse("licensing:batch_detail", args=[item.organization_id, item.batch_id])


def _details(item: BatchItem) -> tuple[Detail, ...]:
    """Only for whom the account is open to."""
    told = [Detail(f"{item.batch}, by {item.batch.actor_name}", item.batch.created_at, _url(item))]
    operation = item.operation
    if operation and operation.event_id:
        told.append(Detail(f"Apple's event {operation.event_id}", operation.sent_at))
    if item.error_number:
        told.append(Detail(f"Apple's error {item.error_number}"))
    return tuple(told)
