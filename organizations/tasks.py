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
def send_webhooks() -> int:
    """The doorbell of the webhooks, and the sweep that hears what the doorbell did not."""
    from organizations.webhooks import sending

    return sending.send_due()


@shared_task
def give_up_webhooks() -> int:
    """What could not be sent within a day."""
    from organizations.webhooks import settling

    return settling.give_up_old()


@shared_task
def forget_old_webhook_events() -> int:
    """After a month nobody looks at what was sent any more."""
    from organizations.webhooks import settling

    return settling.forget_old()


@shared_task
def remind_of_deletions() -> int:
    """Mail full admins of deleted organizations 7 days and 1 day before those are gone for good."""
    from organizations import closing

    return closing.remind_of_deletions()


@shared_task
def erase_deleted() -> int:
    """Organizations whose days to undo their deletion are over."""
    from organizations.closing import erasing

    return erasing.erase_deleted()


@shared_task
def forget_old_records() -> int:
    """Old sessions, answers kept for `Idempotency-Key`, mail, and people who never came.

    The system role's work.
    """
    from django.core.management import call_command

    from organizations.admins.forgetting import forget_newcomers
    from organizations.models import IdempotentAnswer, OutgoingMail

    call_command("clearsessions")
    now = timezone.now()
    answers = IdempotentAnswer.objects.using("system").filter(created_at__lt=now - ANSWERS_ARE_KEPT)
    mails = OutgoingMail.objects.using("system").filter(created_at__lt=now - MAIL_IS_KEPT)
    return answers.delete()[0] + mails.delete()[0] + forget_newcomers()


@shared_task
def expire_audit_events() -> int:
    """What an organization wants to keep for a time only: the system role's work."""
    from organizations.audit_log import retention

    return retention.remove_expired()


@shared_task
def tell_of_expiring_keys() -> int:
    from organizations import keys

    return keys.tell_of_expiry()


@shared_task
def forget_sign_ins() -> int:
    """Failed sign-ins that make nobody wait any more, and sessions that are over."""
    from organizations.signin import lockout, sessions

    return lockout.forget_old() + sessions.forget_ended()


@shared_task
def remind_of_certificates() -> int:
    """A month before a provider of single sign-on signs with a certificate that has ended."""
    from organizations.signin import providers, reminders

    providers.forget_orphans()
    return reminders.remind_of_certificates()


@shared_task
def work_on_device_import(*, import_id: str) -> None:
    """Whichever stage is next: both leave at once where there is nothing to do."""
    from organizations import lookups
    from organizations.devices import importing

    with lookups.device_import.inside(import_id):
        importing.check(import_id)
        importing.apply(import_id)


@shared_task
def ring_waiting_device_imports() -> None:
    """Imports whose bell was not heard, or whose worker died."""
    from organizations.devices import importing

    for import_id in importing.waiting():
        work_on_device_import.delay(import_id=str(import_id))


@shared_task
def forget_old_device_imports() -> int:
    """After a week nobody looks at the rows of a file any more."""
    from organizations.devices import importing

    return importing.forget_old()
