"""Doors of the worker for accounts."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

RUNS_ARE_KEPT = timedelta(days=30)


@shared_task
def forget_old_runs() -> int:
    """The history of syncs, a day's worth an account and hour, is kept for a month."""
    from vpp_accounts.models import SyncRun

    old = SyncRun.objects.using("system").filter(finished_at__lt=timezone.now() - RUNS_ARE_KEPT)
    return old.delete()[0]


@shared_task
def forget_old_notifications() -> int:
    """Long after Apple could send one of them again."""
    from vpp_accounts.models import Notification
    from vpp_accounts.notifications import NOTIFICATIONS_ARE_KEPT

    before = timezone.now() - NOTIFICATIONS_ARE_KEPT
    return Notification.objects.using("system").filter(received_at__lt=before).delete()[0]


@shared_task
def check_token_dates() -> None:
    """Accounts whose token has run out, or will within 30 days, say so without being asked."""
    from vpp_accounts.health import note_token_dates

    note_token_dates()


@shared_task
def raise_alarms() -> int:
    """Mail about accounts that need a person, each occasion once."""
    from vpp_accounts import alarms

    return alarms.raise_alarms()


@shared_task
def check_claimed_accounts() -> None:
    """Does the other MDM still hold the location? Only the banner changes; a person resumes."""
    from organizations.models import OF_OPEN
    from vpp_accounts.models import AccountState, VppAccount

    claimed = VppAccount.objects.using("system").filter(OF_OPEN, state=AccountState.CLAIMED)
    for account_id in claimed.values_list("pk", flat=True):
        check_claimed_account.delay(account_id=account_id)


@shared_task
def check_claimed_account(*, account_id: int) -> None:
    from organizations.models import OF_OPEN
    from vpp_accounts import lookups
    from vpp_accounts.claims import check_claim
    from vpp_accounts.models import VppAccount

    with lookups.account.inside(account_id):
        account = VppAccount.objects.filter(OF_OPEN, pk=account_id).first()
        if account is not None:
            check_claim(account)


@shared_task
def say_goodbye(*, former_claim_id: int) -> None:
    from vpp_accounts import lookups
    from vpp_accounts.services import goodbye

    with lookups.former_claim.inside(former_claim_id):
        goodbye.say_goodbye(former_claim_id=former_claim_id)


@shared_task
def say_due_goodbyes() -> None:
    """Those whose doorbell was not heard, whose worker died, or whose next try has come."""
    from vpp_accounts.models import FormerClaim
    from vpp_accounts.services.goodbye import forget_old_tokens

    forget_old_tokens()
    due = FormerClaim.objects.using("system").filter(next_attempt_at__lte=timezone.now())
    for former_claim_id in due.values_list("pk", flat=True):
        say_goodbye.delay(former_claim_id=former_claim_id)
