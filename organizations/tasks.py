"""Housekeeping of the tenant's tables."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

ANSWERS_ARE_KEPT = timedelta(days=1)


@shared_task
def forget_old_records() -> int:
    """Old sessions, and the answers kept for `Idempotency-Key`: the system role's work."""
    from django.core.management import call_command

    from organizations.models import IdempotentAnswer

    call_command("clearsessions")
    old = IdempotentAnswer.objects.using("system").filter(
        created_at__lt=timezone.now() - ANSWERS_ARE_KEPT
    )
    return old.delete()[0]
