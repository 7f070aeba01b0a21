"""What admins do with VPP accounts: add, edit, renew, take over, remove.

Refusals carry the sentence that a person reads; nothing is stored when one is raised.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from organizations import audit
from organizations.audit import Actor
from organizations.models import Admin, Network, Organization
from vpp_accounts import hooks, stoken
from vpp_accounts.apple import errors
from vpp_accounts.apple.types import ClientConfig
from vpp_accounts.claims import Claim, plan_claim, was_ours
from vpp_accounts.connections import SECONDS_OF_A_PAGE, client_for_new_token, within
from vpp_accounts.crypto import CannotDecrypt
from vpp_accounts.health import set_state
from vpp_accounts.models import AccountState, FormerClaim, SyncRun, VppAccount
from vpp_accounts.refusals import (
    AddedAlready,
    AppleDidNotAnswer,
    ClaimedByAnotherMdm,
    InUseElsewhere,
    NameNotTyped,
    NothingToTakeOver,
    RefusedByApple,
    TokenExpired,
    TokenExpiredAtApple,
    TokenLegacy,
    TokenMalformed,
    TokenRevoked,
    UnreadableToken,
    WrongLocation,
)
from vpp_accounts.runs import end_open_run, request_sync
from vpp_accounts.stoken import ParsedToken

MDM_ID = 100  # Apple's longest mdmInfo.id
NOT_ANSWERED = "Apple did not answer when the token was added. It is asked again by itself."


@dataclass(frozen=True, slots=True)
class Rights:
    """Who may manage an account's users and licenses, and which networks it may serve."""

    allowed_admins: str = "all"
    named_admins: Sequence[Admin] = ()
    allowed_networks: Sequence[Network] = ()
    assignable_networks: str = "all"
    assignable_network_list: Sequence[Network] = ()


@dataclass(frozen=True, slots=True)
class Consequences:
    stops: list[str] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)


def preview_token(token_text: str | bytes) -> ParsedToken:
    """What the file says; refused for the same reasons as when it is added. Apple is not asked."""
    token = stoken.parse(token_text)
    if token.expires_at <= timezone.now():
        raise TokenExpired(token.expires_at)
    return token


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
    _refuse_same_file(organization, token)
    config = _ask_apple(token)
    account = VppAccount(organization=organization, name=name, email=email)
    if config:
        _refuse_location_in_use(organization, config)
        account.take_over_from = _consent_to_take_over(account, config, take_over)
        account.adopt(config)
    account.state = AccountState.SYNCING if config else AccountState.NOT_VERIFIED
    account.state_reason = "" if config else NOT_ANSWERED
    _adopt_token(account, token)
    with _unless_taken(organization, config):
        account.save()
        _set_rights(account, rights)
        _record("vpp_account.added", by, account, after=_facts(account))
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
    before = _facts(account)
    account.name, account.email = name or account.name, email or account.email
    account.save(update_fields=["name", "email"])
    if rights is not None:
        _set_rights(account, rights)
    after = _facts(account)
    if after != before:
        _record("vpp_account.edited", by, account, before=before, after=after)


def renew_token(
    *, by: Actor, account: VppAccount, token_text: str | bytes, take_over: bool = False
) -> VppAccount:
    """Put a new token in the place of the old one: same location, nothing else changes."""
    token = preview_token(token_text)
    config = _ask_apple(token)
    if config is None:
        raise AppleDidNotAnswer
    if account.uid and config.uid != account.uid:
        raise WrongLocation(found=config.location_name, expected=account.location_name)
    if not account.uid:
        _refuse_location_in_use(account.organization, config)
    account.take_over_from = _consent_to_take_over(account, config, take_over)
    before = {"expires": account.token_expires_at.isoformat()}
    # Only what a renewal changes: the account may have been edited while Apple was asked.
    fields = [*account.adopt(config), *_adopt_token(account, token), "take_over_from"]
    account.token_renewed_at = timezone.now()
    with _unless_taken(account.organization, config):
        account.save(update_fields=[*fields, "token_renewed_at"])
        # A sync under way still uses the old token, and its failure would stop the new one.
        end_open_run(account, why="The token was renewed meanwhile.")
        _record(
            "vpp_account.renewed",
            by,
            account,
            before=before,
            after={"expires": account.token_expires_at.isoformat()},
        )
        set_state(account, AccountState.SYNCING, by=by)
        request_sync(by=by, account=account, trigger=SyncRun.Trigger.RENEWED, full=True)
    return account


def take_over(*, by: Actor, account: VppAccount) -> None:
    """Resume an account that another MDM claimed: a person's decision, carried out by the sync."""
    if account.state != AccountState.CLAIMED:
        raise NothingToTakeOver(account.name)
    try:
        token = stoken.parse(account.stoken)
    except CannotDecrypt:
        raise UnreadableToken from None
    config = _ask_apple(token)
    if config is None:
        raise AppleDidNotAnswer
    holder = config.mdm_info
    account.take_over_from = holder.id[:MDM_ID] if holder else ""
    with transaction.atomic():
        account.save(update_fields=["take_over_from"])
        end_open_run(account, why="The location was taken over meanwhile.")
        _record(
            "vpp_account.taken_over", by, account, before={"mdm": holder.name if holder else None}
        )
        set_state(account, AccountState.SYNCING, by=by)
        request_sync(by=by, account=account, trigger=SyncRun.Trigger.MANUAL, full=True)


def removal_consequences(account: VppAccount) -> Consequences:
    """What stops and what stays when the account is removed, with numbers."""
    stops = ["Syncing, granting and revoking for this location.", "The stored token is deleted."]
    stays = [
        "The licenses and their assignments at Apple: apps that are installed keep working.",
        "The mark at Apple that this installation manages the location, until another MDM claims it.",
    ]
    answers: Any = hooks.account_removal.send(VppAccount, account=account)
    for _, more in answers:
        stops += more.stops
        stays += more.stays
    return Consequences(stops=stops, stays=stays)


@transaction.atomic
def remove_account(*, by: Actor, account: VppAccount, typed_name: str) -> None:
    if typed_name.strip() != account.name:
        raise NameNotTyped(account.name)
    # A worker that still writes for the account waits here, and then finds its run gone.
    runs = SyncRun.objects.select_for_update().filter(account=account)
    list(runs.values_list("pk"))
    SyncRun.objects.filter(account=account).delete()
    _record("vpp_account.removed", by, account, before=_facts(account))
    if account.claimed_at:
        FormerClaim.objects.get_or_create(mdm_id=str(account.uuid))
    hooks.account_removed.send(VppAccount, account=account)
    account.delete()


def _ask_apple(token: ParsedToken) -> ClientConfig | None:
    """The location's facts; None when Apple is silent; a refusal when Apple refuses the token."""
    client = client_for_new_token(token.text)
    try:
        return within(SECONDS_OF_A_PAGE, client.client_config)
    except errors.TokenExpired:
        raise TokenExpiredAtApple from None
    except errors.TokenRevoked:
        raise TokenRevoked from None
    except errors.LegacyToken:
        raise TokenLegacy from None
    except errors.TokenDead as error:
        raise TokenMalformed(error.number) from None
    except (errors.Unavailable, errors.Throttled):
        return None
    except errors.AppleError as error:
        raise RefusedByApple(error.number, error.text) from None
    finally:
        client.close()


def _refuse_same_file(organization: Organization, token: ParsedToken) -> None:
    """Also finds accounts that Apple has not verified yet, whose location nobody knows."""
    same = VppAccount.objects.filter(token_hash=token.digest).first()
    if same:
        _refuse(same, organization)


def _refuse_location_in_use(organization: Organization, config: ClientConfig) -> None:
    same = VppAccount.objects.filter(uid=config.uid).first()
    if same:
        _refuse(same, organization)


@contextmanager
def _unless_taken(organization: Organization, config: ClientConfig | None) -> Iterator[None]:
    """A transaction; refused when somebody added the same location since we looked."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        if config:
            _refuse_location_in_use(organization, config)
        raise


def _refuse(same: VppAccount, organization: Organization) -> None:
    if same.organization_id == organization.pk:
        raise AddedAlready(same.name)
    raise InUseElsewhere


def _consent_to_take_over(account: VppAccount, config: ClientConfig, take_over: bool) -> str:
    """The id of the MDM to displace, or "" where there is none."""
    claim = plan_claim(
        config.mdm_info,
        own_id=str(account.uuid),
        take_over_from="",
        was_ours=was_ours(config.mdm_info),
    )
    if claim is not Claim.FOREIGN or config.mdm_info is None:
        return ""
    if not take_over:
        raise ClaimedByAnotherMdm(config.mdm_info)
    return config.mdm_info.id[:MDM_ID]


def _adopt_token(account: VppAccount, token: ParsedToken) -> list[str]:
    account.stoken = token.text
    account.token_hash = token.digest
    account.token_org_name = token.org_name
    account.token_expires_at = token.expires_at
    return ["token_ciphertext", "token_hash", "token_org_name", "token_expires_at"]


def _set_rights(account: VppAccount, rights: Rights) -> None:
    account.allowed_admins = rights.allowed_admins
    account.assignable_networks = rights.assignable_networks
    account.save(update_fields=["allowed_admins", "assignable_networks"])
    account.named_admins.set(rights.named_admins)
    account.allowed_networks.set(rights.allowed_networks)
    account.assignable_network_list.set(rights.assignable_network_list)


def _facts(account: VppAccount) -> dict[str, Any]:
    """What the audit log keeps of an account; never its token."""
    return {
        "name": account.name,
        "email": account.email,
        "location": account.location_name,
        "allowedAdmins": account.allowed_admins,
        "namedAdmins": sorted(account.named_admins.values_list("email", flat=True)),
        "allowedNetworks": sorted(account.allowed_networks.values_list("name", flat=True)),
        "assignableNetworks": account.assignable_networks,
        "assignableNetworkList": sorted(
            account.assignable_network_list.values_list("name", flat=True)
        ),
    }


def _record(action: str, by: Actor, account: VppAccount, **facts: Any) -> None:
    audit.record(action, by=by, organization=account.organization, target=account, **facts)
