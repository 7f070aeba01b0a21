"""What the items of a batch add up to beyond the counts of its row: causes, and what people got."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TypeVar, cast

from django.core.cache import cache
from django.db.models import Count

from licensing.holders import USER
from licensing.models import Batch, BatchItem, BatchKind, ItemState

SHOWN_CAUSES = 20
KEPT = timedelta(hours=1)
FAILED_OR_SKIPPED = (ItemState.FAILED, ItemState.SKIPPED)

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Cause:
    """Why some items of a batch failed or were skipped, in one sentence for all of them."""

    state: str
    number: int | None  # Apple's
    sentence: str
    count: int


def causes_of(batch: Batch) -> list[Cause]:
    """The most frequent first, failures before what was skipped."""
    if not batch.failed and not batch.skipped:
        return []
    number = batch.failed + batch.skipped
    rows = remembered(batch, "causes", number, partial(_group_by_cause, batch))
    return [Cause(*row) for row in rows]


def _group_by_cause(batch: Batch) -> list[tuple[str, int | None, str, int]]:
    states = [state for state in FAILED_OR_SKIPPED if getattr(batch, state)]
    items = BatchItem.objects.filter(batch=batch, state__in=states)
    grouped = items.values_list("state", "error_number", "message").annotate(n=Count("*"))
    return list(grouped.order_by("state", "-n", "message")[:SHOWN_CAUSES])


def given_to_people(batch: Batch) -> dict[int, int]:
    """Title -> how many people have been given it."""
    if batch.kind != BatchKind.GRANT or not batch.succeeded:
        return {}
    return remembered(batch, "given", batch.succeeded, partial(_count_by_title, batch))


def _count_by_title(batch: Batch) -> dict[int, int]:
    given = BatchItem.objects.filter(batch=batch, holder_kind=USER, state=ItemState.SUCCEEDED)
    counted = given.values("licensed_app").annotate(n=Count("*")).order_by("licensed_app")
    return dict(counted.values_list("licensed_app", "n"))


def remembered(batch: Batch, what: str, number: int, find: Callable[[], Found]) -> Found:
    """Asked of 100,000 items once only: what has ended stays so, and their number tells of more."""
    key = f"batch:{batch.pk}:{batch.created_at.timestamp()}:{what}:{number}"
    return cast("Found", cache.get_or_set(key, find, KEPT.total_seconds()))
