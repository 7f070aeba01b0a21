"""An account's state: what an error of Apple's means for it, and the one place that changes it."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from organizations import audit
from organizations.audit import Actor
from vpp_accounts.apple import errors
from vpp_accounts.crypto import CannotDecrypt
from vpp_accounts.models import AccountState, VppAccount
from vpp_accounts.models.accounts import EXPIRY_WARNING

SYSTEM = Actor.system("Account check")


def state_after(error: Exception) -> tuple[AccountState, str]:
    """What went wrong in a state and a sentence that an admin can act on."""
    match error:
        case errors.TokenExpired():
            return AccountState.EXPIRED, "The service token has expired."
        case errors.TokenDead():
            return (
                AccountState.REVOKED,
                "Apple no longer accepts the token: a newer one was downloaded, or its manager's "
                "password was changed.",
            )
        case errors.ClaimedByAnother():
            name = error.mdm_info.name or error.mdm_info.id
            return (
                AccountState.CLAIMED,
                f"“{name}” manages this location now, and all our work for it has stopped.",
            )
        case errors.Throttled():
            return (
                AccountState.SYNC_FAILED,
                "Apple asks us to slow down; the sync goes on by itself.",
            )
        case errors.Unavailable():
            return (
                AccountState.SYNC_FAILED,
                "Apple cannot be reached; the sync is tried again by itself.",
            )
        case errors.AppleError():
            return AccountState.SYNC_FAILED, f"Apple refused the sync: {error.text[:300]}"
        case CannotDecrypt():
            return (
                AccountState.SYNC_FAILED,
                "The stored token cannot be decrypted: a key of FIELD_ENCRYPTION_KEYS is missing. "
                "Restore the key, or renew the token.",
            )
    return (
        AccountState.SYNC_FAILED,
        "The sync stopped by an error of ours; it is in the server's log.",
    )


READ_ONLY_REASON = (
    "Apple lets this token read but not change anything: its manager lost the right, or Apple's own "
    "device management holds the location."
)


def healthy_state(account: VppAccount, *, read_only: bool = False) -> AccountState:
    """The state of an account that Apple has just answered for."""
    if account.token_expires_at <= timezone.now():
        return AccountState.EXPIRED
    if read_only:
        return AccountState.READ_ONLY
    return AccountState.EXPIRING if account.is_expiring else AccountState.IN_SYNC


def set_state(
    account: VppAccount, state: AccountState, reason: str = "", *, by: Actor = SYSTEM
) -> None:
    """Change the state with its audit event; `state_since` moves only when the state does.

    Call it in a transaction.
    """
    before = account.state
    account.state_reason = reason[:500]
    if before == state:
        account.save(update_fields=["state_reason"])
        return
    account.state, account.state_since = state, timezone.now()
    account.save(update_fields=["state", "state_reason", "state_since"])
    audit.record(
        "vpp_account.state_changed",
        by=by,
        organization=account.organization,
        target=account,
        before={"state": before},
        after={"state": state, "reason": account.state_reason},
    )


def note_token_dates() -> None:
    """Move accounts into Expired and Expiring when their day comes."""
    now = timezone.now()
    accounts = VppAccount.objects.using("system")
    for account in accounts.filter(token_expires_at__lte=now).exclude(state__in=VppAccount.STOPPED):
        _move(account, AccountState.EXPIRED, "The service token has expired.")
    soon = accounts.filter(token_expires_at__lte=now + EXPIRY_WARNING, state=AccountState.IN_SYNC)
    for account in soon.filter(token_expires_at__gt=now):
        _move(account, AccountState.EXPIRING, "")


def _move(account: VppAccount, state: AccountState, reason: str) -> None:
    with transaction.atomic():
        ours = VppAccount.objects.select_related("organization").select_for_update(of=("self",))
        set_state(ours.get(pk=account.pk), state, reason)
