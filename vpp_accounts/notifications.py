"""Apple's notifications as they come in, stored before anybody understands them."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from organizations import audit, tenancy
from organizations.audit import Actor
from vpp_accounts import hooks, lookups
from vpp_accounts.apple.notifications import Delivery
from vpp_accounts.models import Notification, VppAccount

NOTIFICATIONS_ARE_KEPT = timedelta(days=30)
NEVER_A_HASH = "-" * 64


def receiver(account_uuid: UUID, secret: str) -> tuple[VppAccount | None, bool]:
    """The account that Apple is to find at this address, and whether Apple showed its secret.

    The rest of the request works in its organization. The work is the same whatever is wrong, so that the time it takes tells nothing.
    """
    tenancy.enter(lookups.account_of_address.organization(account_uuid))
    known = VppAccount.objects.filter(uuid=account_uuid)
    account = known.only(
        "organization_id", "uid", "notification_secret_hash", "notification_new_secret_hash"
    ).first()
    hashes = (
        (account.notification_secret_hash, account.notification_new_secret_hash)
        if account
        else ("", "")
    )
    shown = hashlib.sha256(secret.encode()).hexdigest()
    matches = [hmac.compare_digest(shown, stored or NEVER_A_HASH) for stored in hashes]
    return account, any(matches)


@transaction.atomic
def store(account: VppAccount, delivery: Delivery) -> None:
    """Once for each notificationId, however often Apple sends it."""
    Notification.objects.bulk_create(
        [
            Notification(
                organization_id=account.organization_id,
                account_id=account.pk,
                notification_id=delivery.notification_id,
                kind=delivery.kind,
                payload=delivery.content,
            )
        ],
        ignore_conflicts=True,
    )
    _ring(account)


@transaction.atomic
def try_again(*, by: Actor, account: VppAccount) -> int:
    """Let a worker take up at once what could not be handled; answers how many those are."""
    failed = Notification.objects.failed().filter(account=account)
    number = failed.update(attempts=0, error="", next_attempt_at=timezone.now())
    if number:
        audit.record(
            "vpp_account.notifications_retried",
            by=by,
            organization=account.organization,
            target=account,
            after={"notifications": number},
        )
        _ring(account)
    return number


def _ring(account: VppAccount) -> None:
    """The broker is a doorbell: if it does not ring, the sweep finds the rows."""
    transaction.on_commit(
        lambda: hooks.notification_stored.send(Notification, account_id=account.pk), robust=True
    )
