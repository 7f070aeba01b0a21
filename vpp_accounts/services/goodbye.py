"""After an account's removal: ask Apple to send its notifications here no longer.

The removed account's token lives on for this alone, and no longer than it takes: each outcome
empties it, and Organization > Activity tells which one it was.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from organizations import audit, tenancy
from organizations.audit import APPLE
from organizations.crypto import CannotDecrypt
from vpp_accounts import lookups
from vpp_accounts.apple import errors
from vpp_accounts.apple.types import ClientConfig, MdmInfo
from vpp_accounts.claims import describe
from vpp_accounts.connections import client_for_new_token
from vpp_accounts.health import READ_ONLY_REASON, state_after
from vpp_accounts.models import FormerClaim, VppAccount

log = structlog.get_logger(__name__)

TRIED_FOR = timedelta(hours=24)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=2), timedelta(hours=1)
# Whatever went wrong: no token is kept longer without an account.
TOKENS_ARE_KEPT = timedelta(days=7)
TRANSIENT = (errors.Unavailable, errors.Throttled)
WHAT_TO_DO = (
    "Nothing needs to be done here: what Apple still sends is turned away. Another MDM puts its own "
    "address in the place of ours. To end it from here, add the account again with a new token and "
    "remove it once more."
)


def say_goodbye(*, former_claim_id: int) -> None:
    """One attempt, if its time has come and nobody else is at it."""
    former = _claimed(former_claim_id)
    if former is None:
        return
    try:
        refused = _unsubscribe(former)
    except TRANSIENT as error:
        _try_later(former, error)
    except (errors.AppleError, CannotDecrypt) as error:
        _end(former, why_not=_in_words(error))
    else:
        _end(former, why_not=refused)


def forget_old_tokens() -> None:
    """The backstop, should no attempt have come to an end in all that time."""
    old = timezone.now() - TOKENS_ARE_KEPT
    kept = FormerClaim.objects.using("system").exclude(token_ciphertext="")
    late = kept.filter(released_at__lt=old).values_list("pk", "organization")
    for former_id, organization_id in late:
        with tenancy.inside(organization_id):
            _end(
                FormerClaim.objects.get(pk=former_id),
                why_not="It was not tried in time, and the token is not kept for longer.",
            )


def is_leaving(mdm_id: str) -> bool:
    """Whether Apple may still knock at a removed account's address: it tries the address before it
    accepts any change, the end of the subscription included."""
    return bool(lookups.leaving_claim_of_mark.all(mdm_id))


def _claimed(former_claim_id: int) -> FormerClaim | None:
    """The row with its next attempt put off, so that a worker that dies is followed by another."""
    now = timezone.now()
    due = FormerClaim.objects.filter(pk=former_claim_id, next_attempt_at__lte=now)
    former = due.select_related("organization").first()
    if former is None:
        return None
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(former.attempts, 10))
    mine = due.filter(attempts=former.attempts).update(
        next_attempt_at=now + pause, attempts=former.attempts + 1
    )
    return former if mine else None


def _unsubscribe(former: FormerClaim) -> str:
    """Switch the notifications off if they come here; answers why that was not ours to do."""
    client = client_for_new_token(former.stoken)
    try:
        config = client.client_config()
        if former.mdm_id not in (config.notification_url or ""):
            return ""  # they go elsewhere already
        if config.mdm_info and not _is_ours(config.mdm_info, former, config):
            return f"“{describe(config.mdm_info)}” manages the location now."
        if config.notification_types:
            client.set_client_config(notification_types=())
    finally:
        client.close()
    return ""


def _is_ours(holder: MdmInfo, former: FormerClaim, config: ClientConfig) -> bool:
    """Also when the location has been added again meanwhile."""
    if holder.id == former.mdm_id:
        return True
    again = lookups.account_of_location.first(config.uid)
    return again is not None and again == lookups.account_of_mark(holder.id)


def _try_later(former: FormerClaim, error: errors.AppleError) -> None:
    now = timezone.now()
    if now - former.released_at >= TRIED_FOR:
        _end(former, why_not=f"{_in_words(error)} It was tried for 24 hours.")
    elif error.retry_after:
        # Asking again sooner would make Apple's block longer.
        until = now + min(TRIED_FOR, timedelta(seconds=error.retry_after))
        waiting = FormerClaim.objects.filter(pk=former.pk, next_attempt_at__lt=until)
        waiting.update(next_attempt_at=until)


def _end(former: FormerClaim, *, why_not: str) -> None:
    """Empty the token and tell the outcome; once, whoever comes second finds nothing to do."""
    with transaction.atomic():
        kept = FormerClaim.objects.filter(pk=former.pk).exclude(token_ciphertext="")
        if not kept.update(token_ciphertext="", next_attempt_at=None):
            return
        if why_not:
            told = {"reason": why_not, "whatToDo": WHAT_TO_DO}
            _record("vpp_account.notifications_not_ended", former, told)
        else:
            _record("vpp_account.notifications_ended", former)
    log.info("goodbye.ended", mdm_id=former.mdm_id, why_not=why_not)


def _record(action: str, former: FormerClaim, told: dict[str, Any] | None = None) -> None:
    if former.organization:
        gone = VppAccount(name=former.name)
        audit.record(action, by=APPLE, organization=former.organization, target=gone, after=told)


def _in_words(error: Exception) -> str:
    """Without Apple's own text, which may quote what it was sent."""
    number = getattr(error, "number", None)
    numbered = f" Apple's number {number}." if number else ""
    match error:
        case errors.ReadOnly():
            return READ_ONLY_REASON + numbered
        case errors.TokenDead() | errors.Unavailable() | errors.Throttled() | CannotDecrypt():
            return state_after(error)[1] + numbered
    return f"Apple refused to switch them off.{numbered}"
