"""What an admin decides for themselves: which mail they get from an organization."""

from __future__ import annotations

from django.core import signing
from django.db import transaction

from organizations import audit, lookups, tenancy
from organizations.audit import Actor
from organizations.models import Membership

SIGNER = signing.Signer(salt="organizations.alarms.off")


@transaction.atomic
def switch_alarms(*, by: Actor, membership: Membership, wanted: bool) -> None:
    """Mail about VPP accounts in trouble, on or off; asking for what is so already leaves no trace."""
    others = Membership.objects.filter(pk=membership.pk).exclude(wants_alarms=wanted)
    if others.update(wants_alarms=wanted):
        audit.record(
            "admin.alarms_switched",
            by=by,
            organization=membership.organization,
            target=membership.admin,
            before={"wantsAlarms": not wanted},
            after={"wantsAlarms": wanted},
        )
    membership.wants_alarms = wanted


def alarms_off_token(membership: Membership) -> str:
    """For a link that switches the alarms off without signing in; it can do nothing else."""
    return SIGNER.sign(str(membership.pk))


def membership_of_token(token: str) -> Membership | None:
    """None where the link was cut off or changed, or the admin has left the organization."""
    try:
        membership_id = int(SIGNER.unsign(token))
    except signing.BadSignature:
        return None
    organization_id = lookups.membership.organization(membership_id)
    if organization_id is None:
        return None
    tenancy.enter(organization_id)
    return (
        Membership.objects.select_related("organization", "admin").filter(pk=membership_id).first()
    )
