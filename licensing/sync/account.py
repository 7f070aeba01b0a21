"""First of all: is the token alive, and is the location ours?"""

from __future__ import annotations

from django.db import IntegrityError
from django.utils import timezone

from licensing.sync.progress import Progress
from organizations import audit
from vpp_accounts.apple import errors
from vpp_accounts.apple.client import AppleClient
from vpp_accounts.apple.types import ClientConfig
from vpp_accounts.claims import Claim, our_mdm_info, plan_claim, was_ours
from vpp_accounts.health import SYSTEM
from vpp_accounts.models import AccountState


class LocationChanged(Exception):
    """Apple answers for another location than this account's, or one that is already here."""


def check_account(client: AppleClient, progress: Progress, *, full: bool) -> None:
    """Read client/config, keep what it says, and claim the location where that is ours to do."""
    account = progress.account
    config = client.client_config()
    _keep(progress, config)
    claim = plan_claim(
        config.mdm_info,
        own_id=str(account.uuid),
        take_over_from=account.take_over_from,
        was_ours=was_ours(config.mdm_info),
    )
    if claim is Claim.FOREIGN and config.mdm_info is not None:
        raise errors.ClaimedByAnother(config.mdm_info)
    if claim is Claim.OURS and not full:
        progress.read_only = account.state == AccountState.READ_ONLY
    else:
        # Again in every full sync: no reading tells whether the token may still write.
        progress.read_only = not _claim(client, progress, is_news=claim is not Claim.OURS)
    if not progress.read_only:
        account.claimed_at = account.claimed_at or timezone.now()
        account.take_over_from = ""
        with progress.transaction():
            account.save(update_fields=["claimed_at", "take_over_from"])
        client.manage_as(str(account.uuid))


def _keep(progress: Progress, config: ClientConfig) -> None:
    account = progress.account
    if account.uid and account.uid != config.uid:
        raise LocationChanged(
            f"Apple answers for the location “{config.location_name}” now. Renew the token of "
            f"“{account.location_name}”."
        )
    fields = account.adopt(config)
    try:
        with progress.transaction():
            account.save(update_fields=fields)
    except IntegrityError:
        account.uid = None
        raise LocationChanged(
            "This location is already in use in this installation. Remove this account."
        ) from None


def _claim(client: AppleClient, progress: Progress, *, is_news: bool) -> bool:
    """Say at Apple that we manage the location. A token that may only read still syncs."""
    account = progress.account
    try:
        client.set_client_config(mdm_info=our_mdm_info(account))
    except errors.ReadOnly:
        return False
    if not is_news:
        return True
    with progress.transaction():
        audit.record(
            "vpp_account.claimed",
            by=SYSTEM,
            organization=account.organization,
            target=account,
            after={"mdmInfo": str(account.uuid)},
        )
    return True
