"""What is true at Apple about items of which nobody heard how they ended."""

from __future__ import annotations

from collections.abc import Sequence

from licensing.batches import people
from licensing.batches.plans import Sent, TitleKey
from licensing.batches.work import Work
from licensing.models import AppleOperation, BatchItem, BatchKind, LicensedApp
from vpp_accounts.apple.types import Assignment

PAGE = 500  # about how many assignments one request brings


def done_among(work: Work, operation: AppleOperation, items: Sequence[Sent]) -> set[int]:
    """The ids of the items whose aim is reached at Apple now."""
    if operation.is_about_people:
        sent_at = operation.sent_at or operation.created_at
        return people.done_among(work, items, sent_at=sent_at)
    held, is_sure = held_among(work, items)
    kind = BatchItem.objects.filter(pk=items[0].id).values_list("kind", flat=True).get()
    if kind == BatchKind.GRANT:
        return {item.id for item in items if (item.key, item.holder) in held}
    # Of a list that moved while we read it, what is missing may have slipped from page to page.
    return {item.id for item in items if (item.key, item.holder) not in held} if is_sure else set()


def held_among(work: Work, items: Sequence[Sent]) -> tuple[set[tuple[TitleKey | None, str]], bool]:
    """Which of these pairs Apple lists, and whether it lists no others for certain.

    Asked title by title or holder by holder, as is cheaper.
    """
    keys = list(dict.fromkeys(item.key for item in items if item.key))
    holders = list(dict.fromkeys((item.holder, item.is_device) for item in items))
    adam_ids = [adam_id for adam_id, _ in keys]
    titles = LicensedApp.objects.filter(account=work.account, adam_id__in=adam_ids)
    pages = sum(1 + title.assigned_count // PAGE for title in titles)
    found: set[tuple[TitleKey | None, str]] = set()
    is_sure = True
    if pages <= len(holders):
        for adam_id, pricing_param in keys:
            traversal = work.client.assignments(adam_id=adam_id, pricing_param=pricing_param)
            found |= {_pair(row) for row in traversal.rows()}
            is_sure = is_sure and traversal.is_stable
        return found, is_sure
    for holder, is_device in holders:
        traversal = work.client.assignments(
            serial_number=holder if is_device else None,
            client_user_id=None if is_device else holder,
        )
        found |= {_pair(row) for row in traversal.rows()}
        is_sure = is_sure and traversal.is_stable
    return found, is_sure


def _pair(row: Assignment) -> tuple[TitleKey, str]:
    holder = row.client_user_id or (row.serial_number or "").upper()
    return (row.adam_id, row.pricing_param), holder
