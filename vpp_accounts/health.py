"""An account's state: what an error of Apple's means for it, and the one place that changes it."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from organizations import audit, tenancy
from organizations.audit import Actor
from organizations.crypto import CannotDecrypt
from organizations.models import OF_OPEN, EventKind
from organizations.webhooks import emit
from vpp_accounts.apple import errors
from vpp_accounts.hooks import writing_changed
from vpp_accounts.models import AccountState, VppAccount
from vpp_accounts.models.accounts import EXPIRY_WARNING

MAINTENANCE = 9644
SYSTEM = Actor.system("Account check")


def state_after(error: Exception) -> tuple[AccountState, str]:
    """What went wrong in a state and a sentence that an admin can act on."""
    match error:
        case errors.TokenExpired():
            return AccountState.EXPIRED, "The service token has expired."
        case errors.TokenDead():
            return AccountState.REVOKED, _why_dead(error)
        case errors.ClaimedByAnother():
            name = (error.mdm_info.name or error.mdm_info.id)[:200].replace("\x00", "")
            return (
                AccountState.CLAIMED,
                f"“{name}” manages this location now, and all our work for it has stopped.",
            )
        case errors.Throttled():
            return AccountState.SYNC_FAILED, "Apple asks us to slow down."
        case errors.Unavailable():
            return AccountState.SYNC_FAILED, _why_unavailable(error)
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


def _why_dead(error: errors.TokenDead) -> str:
    match error:
        case errors.LegacyToken():
            return (
                "This is a legacy token of one purchaser, which Apple's current service refuses. Use "
                "the content token of a location."
            )
        case errors.TokenNotAccepted():
            return "Apple does not accept the token as one of its own: it was changed or cut off."
    return (
        "Apple has revoked the token: a newer one was downloaded, or its manager's password was "
        "changed."
    )


def _why_unavailable(error: errors.Unavailable) -> str:
    if error.could_not_connect:
        return "Apple cannot be reached from this server."
    if error.number == MAINTENANCE:
        return "Apple's service is in maintenance."
    if error.number:
        return "Apple's service is busy or has a problem of its own."
    return "Apple, or a proxy on the way, gave no usable answer."


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
    # The row decides, not what the caller read a while ago.
    locked = VppAccount.objects.select_for_update().filter(pk=account.pk)
    before = locked.values_list("state", flat=True).get()
    account.state_reason = reason[:500]
    account.state = state
    if before == state:
        account.save(update_fields=["state_reason"])
        return
    account.state_since = timezone.now()
    account.save(update_fields=["state", "state_reason", "state_since"])
    audit.record(
        "vpp_account.state_changed",
        by=by,
        organization=account.organization,
        target=account,
        before={"state": before},
        after={"state": state, "reason": account.state_reason},
    )
    emit(
        account.organization_id,
        EventKind.ACCOUNT_STATE_CHANGED,
        {
            "vppAccountId": str(account.pk),
            "vppAccountName": account.name,
            "state": state,
            "previousState": before,
            "reason": account.state_reason,
        },
    )
    if account.takes_no_changes != VppAccount(state=before).takes_no_changes:
        writing_changed.send(VppAccount, account=account)


def note_token_dates() -> None:
    """Move accounts into Expired and Expiring when their day comes."""
    now = timezone.now()
    accounts = VppAccount.objects.using("system").filter(OF_OPEN)
    ended = Q(token_expires_at__lte=now) & ~Q(state__in=VppAccount.STOPPED)
    soon = Q(token_expires_at__lte=now + EXPIRY_WARNING, state=AccountState.IN_SYNC)
    for account in accounts.filter(ended):
        _move(account, ended, AccountState.EXPIRED, "The service token has expired.")
    for account in accounts.filter(soon):
        _move(account, soon, AccountState.EXPIRING, "")


def _move(account: VppAccount, where: Q, state: AccountState, reason: str) -> None:
    """Unless the account was renewed meanwhile."""
    with tenancy.inside(account.organization_id), transaction.atomic():
        ours = VppAccount.objects.select_related("organization").select_for_update(of=("self",))
        still = ours.filter(where, pk=account.pk).first()
        if still is not None:
            set_state(still, state, reason)
