"""First of all: is the token alive, and is the location ours?"""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone

from licensing.sync.progress import Progress
from organizations import audit
from vpp_accounts.apple import errors
from vpp_accounts.apple.client import AppleClient
from vpp_accounts.apple.types import ClientConfig
from vpp_accounts.claims import Claim, our_mdm_info, plan_claim
from vpp_accounts.health import SYSTEM
from vpp_accounts.models import AccountState, VppAccount


class LocationChanged(Exception):
    """Apple answers for another location than this account's, or one that is already here."""


def check_account(client: AppleClient, progress: Progress) -> None:
    """Read client/config, keep what it says, and claim the location where that is ours to do."""
    account = progress.account
    config = client.client_config()
    _keep(account, config)
    claim = plan_claim(
        config.mdm_info, own_id=str(account.uuid), take_over_from=account.take_over_from
    )
    if claim is Claim.FOREIGN and config.mdm_info is not None:
        raise errors.ClaimedByAnother(config.mdm_info)
    if claim is Claim.OURS:
        progress.read_only = account.state == AccountState.READ_ONLY
    else:
        progress.read_only = not _claim(client, account)
    if not progress.read_only:
        account.claimed_at = account.claimed_at or timezone.now()
        account.take_over_from = ""
        account.save(update_fields=["claimed_at", "take_over_from"])
        client.manage_as(str(account.uuid))


def _keep(account: VppAccount, config: ClientConfig) -> None:
    if account.uid and account.uid != config.uid:
        raise LocationChanged(
            f"Apple answers for the location “{config.location_name}” now. Renew the token of "
            f"“{account.location_name}”."
        )
    account.uid = config.uid
    account.location_name = config.location_name[:200] or account.location_name
    account.country = config.country[:2].upper() or account.country
    account.default_platform = config.default_platform or account.default_platform
    account.website_url = config.website_url or account.website_url
    if config.token_expires_at:
        account.token_expires_at = config.token_expires_at
    fields = ["uid", "location_name", "country", "default_platform", "website_url"]
    try:
        with transaction.atomic():
            account.save(update_fields=[*fields, "token_expires_at"])
    except IntegrityError:
        account.uid = None
        raise LocationChanged(
            "This location is already in use in this installation. Remove this account."
        ) from None


def _claim(client: AppleClient, account: VppAccount) -> bool:
    """Say at Apple that we manage the location. A token that may only read still syncs."""
    try:
        client.set_client_config(mdm_info=our_mdm_info(account))
    except errors.ReadOnly:
        return False
    with transaction.atomic():
        audit.record(
            "vpp_account.claimed",
            by=SYSTEM,
            organization=account.organization,
            target=account,
            after={"mdmInfo": str(account.uuid)},
        )
    return True
