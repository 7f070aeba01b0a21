"""What is forgotten after a while: plans after a day, batches after half a year."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from licensing.models import AppleOperation, Batch, BatchItem, BatchPlan, ItemState

PLANS_ARE_KEPT = timedelta(days=1)
BATCHES_ARE_KEPT = timedelta(days=180)
AT_A_TIME = 100  # batches; each may have a hundred thousand items


def forget_old() -> int:
    """Of all organizations: the system role's work. Batches in which somebody waits are kept."""
    now = timezone.now()
    BatchPlan.objects.using("system").filter(created_at__lt=now - PLANS_ARE_KEPT).delete()
    before = now - BATCHES_ARE_KEPT
    items = BatchItem.objects.using("system")
    waited_in = items.filter(state=ItemState.WAITING).values("batch")
    old = Batch.objects.using("system").filter(finished_at__lt=before).exclude(pk__in=waited_in)
    ids = list(old.order_by("pk").values_list("pk", flat=True)[:AT_A_TIME])
    items.filter(batch__in=ids)._raw_delete(using="system")
    Batch.objects.using("system").filter(pk__in=ids).delete()
    AppleOperation.objects.using("system").filter(settled_at__lt=before)._raw_delete(using="system")
    return len(ids)
