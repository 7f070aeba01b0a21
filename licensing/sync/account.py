"""First of all: is the token alive, is the location ours, does Apple notify us?"""

from __future__ import annotations

from django.db import IntegrityError
from django.utils import timezone

from licensing.models import Assignment
from licensing.sync.progress import Progress
from organizations import audit
from users.invitations.links import PLACES
from vpp_accounts.apple import errors
from vpp_accounts.apple.client import AppleClient
from vpp_accounts.apple.types import ClientConfig, ServiceConfig
from vpp_accounts.claims import Claim, our_mdm_info, plan_claim, was_ours
from vpp_accounts.health import SYSTEM
from vpp_accounts.models import AccountState, VppAccount
from vpp_accounts.subscription import keep_subscribed

LONGEST_URL = VppAccount._meta.get_field("invitation_url").max_length or 0


class LocationChanged(Exception):
    """Apple answers for another location than this account's, or one that is already here."""


def check_account(client: AppleClient, progress: Progress, *, full: bool) -> None:
    """Read client/config, keep what it says, claim the location where that is ours to do, and see
    to it that Apple notifies us."""
    account = progress.account
    config = client.client_config()
    _keep(progress, config, invitation_url=invitation_url(client.service_config()))
    claim = plan_claim(
        config.mdm_info,
        own_id=str(account.uuid),
        take_over_from=account.take_over_from,
        was_ours=was_ours(config.mdm_info),
    )
    if claim is Claim.FOREIGN and config.mdm_info is not None:
        raise errors.ClaimedByAnother(config.mdm_info)
    if claim is Claim.TO_TAKE_OVER:
        progress.origin = Assignment.Origin.OTHER_MDM  # of what is assigned by now
    if claim is Claim.OURS and not full:
        progress.read_only = account.state == AccountState.READ_ONLY
    else:
        # Again in every full sync: no reading tells whether the token may still write.
        config = _claim(client, progress, config, is_news=claim is not Claim.OURS)
    if not progress.read_only:
        account.claimed_at = account.claimed_at or timezone.now()
        account.take_over_from = ""
        with progress.transaction():
            account.save(update_fields=["claimed_at", "take_over_from"])
        client.manage_as(str(account.uuid))
    keep_subscribed(
        client,
        account,
        config,
        is_due=full,
        may_write=not progress.read_only,
        transaction=progress.transaction,
    )


def invitation_url(service: ServiceConfig) -> str:
    """Apple's address of an invitation; empty where it gives none that could be used."""
    url = service.urls.get("invitationEmail", "")
    is_usable = url.startswith(("https://", "http://")) and any(place in url for place in PLACES)
    return url if is_usable and len(url) <= LONGEST_URL else ""


def _keep(progress: Progress, config: ClientConfig, *, invitation_url: str) -> None:
    account = progress.account
    if account.uid and account.uid != config.uid:
        raise LocationChanged(
            f"Apple answers for the location “{config.location_name}” now. Renew the token of "
            f"“{account.location_name}”."
        )
    fields = account.adopt(config)
    if invitation_url and invitation_url != account.invitation_url:
        account.invitation_url = invitation_url
        fields.append("invitation_url")
    try:
        with progress.transaction():
            account.save(update_fields=fields)
    except IntegrityError:
        account.uid = None
        raise LocationChanged(
            "This location is already in use in this installation. Remove this account."
        ) from None


def _claim(
    client: AppleClient, progress: Progress, config: ClientConfig, *, is_news: bool
) -> ClientConfig:
    """Say at Apple that we manage the location. A token that may only read still syncs."""
    account = progress.account
    try:
        config = client.set_client_config(mdm_info=our_mdm_info(account))
    except errors.ReadOnly:
        progress.read_only = True
        return config
    if is_news:
        with progress.transaction():
            audit.record(
                "vpp_account.claimed",
                by=SYSTEM,
                organization=account.organization,
                target=account,
                after={"mdmInfo": str(account.uuid)},
            )
    return config
