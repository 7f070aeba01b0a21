"""Adding and editing accounts, renewing their tokens, taking locations over."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from organizations.audit import Actor
from organizations.crypto import CannotDecrypt
from organizations.models import Organization
from vpp_accounts import hooks, stoken
from vpp_accounts.apple.types import MdmInfo
from vpp_accounts.claims import other_mdm
from vpp_accounts.health import set_state
from vpp_accounts.models import AccountState, Notifications, SyncRun, VppAccount
from vpp_accounts.refusals import (
    AnotherMdmThanShown,
    AppleDidNotAnswer,
    HolderUnknown,
    NothingToTakeOver,
    UnreadableToken,
    WrongLocation,
)
from vpp_accounts.runs import end_open_run, request_sync
from vpp_accounts.services.rights import Rights, facts, record, set_rights
from vpp_accounts.services.tokens import (
    MDM_ID,
    adopt_token,
    ask_apple,
    consent_to_take_over,
    preview_token,
    refuse_location_in_use,
    refuse_same_file,
    unless_taken,
)

NOT_ANSWERED = "Apple did not answer when the token was added. It is asked again by itself."


def add_account(
    *,
    by: Actor,
    organization: Organization,
    name: str,
    email: str,
    token_text: str | bytes,
    rights: Rights,
    take_over: bool = False,
) -> VppAccount:
    """Add a location and ask for its first sync. Apple silent: saved as *Not verified*."""
    token = preview_token(token_text)
    refuse_same_file(organization, token)
    config = ask_apple(token)
    account = VppAccount(organization=organization, name=name, email=email)
    if config:
        refuse_location_in_use(organization, config)
        account.take_over_from = consent_to_take_over(account, config, take_over)
        account.adopt(config)
    account.state = AccountState.SYNCING if config else AccountState.NOT_VERIFIED
    account.state_reason = "" if config else NOT_ANSWERED
    adopt_token(account, token)
    with unless_taken(organization, config):
        account.save()
        set_rights(account, rights)
        record("vpp_account.added", by, account, after=facts(account))
        request_sync(by=by, account=account, trigger=SyncRun.Trigger.ADDED, full=True)
    return account


@transaction.atomic
def edit_account(
    *,
    by: Actor,
    account: VppAccount,
    name: str | None = None,
    email: str | None = None,
    rights: Rights | None = None,
) -> None:
    """Change what is given; None leaves as it is what somebody else may be changing just now."""
    VppAccount.objects.select_for_update().filter(pk=account.pk).get()
    account.refresh_from_db()
    before = facts(account)
    account.name, account.email = name or account.name, email or account.email
    account.save(update_fields=["name", "email"])
    if rights is not None:
        set_rights(account, rights)
        hooks.rights_changed.send(VppAccount, account=account)
    after = facts(account)
    if after != before:
        record("vpp_account.edited", by, account, before=before, after=after)


def renew_token(
    *, by: Actor, account: VppAccount, token_text: str | bytes, take_over: bool = False
) -> VppAccount:
    """Put a new token in the place of the old one: same location, nothing else changes."""
    token = preview_token(token_text)
    config = ask_apple(token)
    if config is None:
        raise AppleDidNotAnswer
    if account.uid and config.uid != account.uid:
        raise WrongLocation(found=config.location_name, expected=account.location_name)
    if not account.uid:
        refuse_location_in_use(account.organization, config)
    account.take_over_from = consent_to_take_over(account, config, take_over)
    before = {"expires": account.token_expires_at.isoformat()}
    # Only what a renewal changes: the account may have been edited while Apple was asked.
    fields = [*account.adopt(config), *adopt_token(account, token), "take_over_from"]
    account.token_renewed_at = timezone.now()
    # The next sync then subscribes anew, with a secret that only the new token's call has carried.
    account.notifications_mode, account.notifications_reason = Notifications.NOT_SET_UP, ""
    fields += ["token_renewed_at", "notifications_mode", "notifications_reason"]
    with unless_taken(account.organization, config):
        account.save(update_fields=fields)
        # A sync under way still uses the old token, and its failure would stop the new one.
        end_open_run(account, why="The token was renewed meanwhile.")
        record(
            "vpp_account.renewed",
            by,
            account,
            before=before,
            after={"expires": account.token_expires_at.isoformat()},
        )
        set_state(account, AccountState.SYNCING, by=by)
        request_sync(by=by, account=account, trigger=SyncRun.Trigger.RENEWED, full=True)
    return account


def holder_of(account: VppAccount) -> MdmInfo | None:
    """Who manages the location just now, by Apple's own word; None for nobody but us."""
    try:
        config = ask_apple(stoken.parse(account.stoken))
    except CannotDecrypt:
        raise UnreadableToken from None
    if config is None:
        raise HolderUnknown
    return other_mdm(account, config.mdm_info)


def take_over(*, by: Actor, account: VppAccount, shown_id: str = "") -> None:
    """Resume an account that another MDM claimed: a person's decision, carried out by the sync.

    `shown_id` is the MDM that the person saw and means to displace; any other one stays.
    """
    if account.state != AccountState.CLAIMED:
        raise NothingToTakeOver(account.name)
    holder = holder_of(account)
    if holder and holder.id[:MDM_ID] != shown_id:
        raise AnotherMdmThanShown(holder)
    account.take_over_from = shown_id if holder else ""
    with transaction.atomic():
        account.save(update_fields=["take_over_from"])
        end_open_run(account, why="The location was taken over meanwhile.")
        record(
            "vpp_account.taken_over", by, account, before={"mdm": holder.name if holder else None}
        )
        set_state(account, AccountState.SYNCING, by=by)
        request_sync(by=by, account=account, trigger=SyncRun.Trigger.MANUAL, full=True)
