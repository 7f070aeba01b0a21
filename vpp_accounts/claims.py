"""Who manages a location: Apple allows one MDM, named in `mdmInfo` (protocol reference 6.7)."""

from __future__ import annotations

import enum
import json
from urllib.parse import urlsplit

from django.conf import settings

from vpp_accounts.apple.types import MdmInfo
from vpp_accounts.models import FormerClaim, VppAccount


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
    return holder is not None and FormerClaim.objects.filter(mdm_id=holder.id[:100]).exists()
