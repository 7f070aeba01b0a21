"""Doors of the worker for the tenant: its mail, and housekeeping of its tables."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

ANSWERS_ARE_KEPT = timedelta(days=1)
MAIL_IS_KEPT = timedelta(days=90)


@shared_task
def send_mail() -> int:
    """The doorbell of the outbox, and the sweep that hears what the doorbell did not."""
    from organizations import outbox

    return outbox.send_due()


@shared_task
def forget_old_records() -> int:
    """Old sessions, the answers kept for `Idempotency-Key`, and mail: the system role's work."""
    from django.core.management import call_command

    from organizations.models import IdempotentAnswer, OutgoingMail

    call_command("clearsessions")
    now = timezone.now()
    answers = IdempotentAnswer.objects.using("system").filter(created_at__lt=now - ANSWERS_ARE_KEPT)
    mails = OutgoingMail.objects.using("system").filter(created_at__lt=now - MAIL_IS_KEPT)
    return answers.delete()[0] + mails.delete()[0]
