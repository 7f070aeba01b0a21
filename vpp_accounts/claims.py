"""Who manages a location: Apple allows one MDM, named in `mdmInfo` (protocol reference 6.7)."""

from __future__ import annotations

import enum
import json
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.utils import timezone

from organizations.crypto import CannotDecrypt
from vpp_accounts import lookups
from vpp_accounts.apple.errors import AppleError, ClaimedByAnother
from vpp_accounts.apple.types import MdmInfo
from vpp_accounts.connections import client_for
from vpp_accounts.models import AccountState, VppAccount

log = structlog.get_logger(__name__)

HAS_LEFT = "The other MDM has left this location. Take over to resume the work here."


class Claim(enum.Enum):
    OURS = "ours"
    FREE = "free"
    TO_TAKE_OVER = "to take over"  # an admin agreed to displace exactly this one
    FOREIGN = "foreign"


def plan_claim(
    holder: MdmInfo | None, *, own_id: str, take_over_from: str, was_ours: bool = False
) -> Claim:
    """`was_ours`: the mark is that of an account which was removed from this installation."""
    if holder is None or not holder.id or was_ours:
        return Claim.FREE
    if holder.id == own_id:
        return Claim.OURS
    return Claim.TO_TAKE_OVER if holder.id[:100] == take_over_from else Claim.FOREIGN


def our_mdm_info(account: VppAccount) -> MdmInfo:
    """What other MDMs read when they find the location ours. Nothing of the tenant but its name."""
    host = urlsplit(settings.BASE_URL).netloc
    return MdmInfo(
        id=str(account.uuid),
        name=f"VPP Dashboard at {host}"[:100],
        metadata=json.dumps({"host": host, "organization": account.organization.name[:100]})[:255],
    )


def describe(holder: MdmInfo) -> str:
    """The other MDM in a word an admin can recognise."""
    return (holder.name or holder.metadata or holder.id)[:200]


def was_ours(holder: MdmInfo | None) -> bool:
    """Apple offers no way to take a mark off again, so it outlives the account that made it."""
    return holder is not None and bool(lookups.former_claim_of_mark.all(holder.id[:100]))


def other_mdm(account: VppAccount, holder: MdmInfo | None) -> MdmInfo | None:
    """The holder, unless that is nobody, or us."""
    claim = plan_claim(
        holder, own_id=str(account.uuid), take_over_from="", was_ours=was_ours(holder)
    )
    return holder if claim is Claim.FOREIGN else None


def check_claim(account: VppAccount) -> None:
    """Note on a claimed account who holds its location now. To resume is a person's decision."""
    try:
        holder = _holder(account)
    except (AppleError, CannotDecrypt) as error:
        log.info("claim.not_checked", account=account.pk, error=type(error).__name__)
        return
    reason = f"“{describe(holder)}” still manages this location." if holder else HAS_LEFT
    # Unless a person has resumed it meanwhile.
    claimed = VppAccount.objects.filter(pk=account.pk, state=AccountState.CLAIMED)
    claimed.update(state_reason=reason, claim_checked_at=timezone.now())


def _holder(account: VppAccount) -> MdmInfo | None:
    client = client_for(account)
    try:
        return other_mdm(account, client.client_config().mdm_info)
    except ClaimedByAnother as error:
        return other_mdm(account, error.mdm_info)
    finally:
        client.close()
