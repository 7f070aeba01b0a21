"""Steps of installations that nobody looks at any more."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from apps_catalog.models import InstallationStep

STEPS_ARE_KEPT = timedelta(days=365)
AT_A_TIME = 50_000


def forget_old_steps() -> int:
    """Of all organizations: the system role's work. The table of installations keeps how it ended."""
    steps = InstallationStep.objects.using("system")
    old = steps.filter(at__lt=timezone.now() - STEPS_ARE_KEPT).order_by("pk")
    ids = list(old.values_list("pk", flat=True)[:AT_A_TIME])
    steps.filter(pk__in=ids)._raw_delete(using="system")
    return len(ids)
