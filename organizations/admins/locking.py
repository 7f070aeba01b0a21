"""Administrators of an organization are changed by one at a time: so one of them stays in charge."""

from __future__ import annotations

from organizations import network_tags
from organizations.admins.refusals import AdminGone, LastFullAdmin, NotInvited, RightsLost
from organizations.audit import Actor
from organizations.models import Membership, Organization
from organizations.models.people import MembershipQuerySet
from organizations.signin import single


def lock(organization: Organization, *, by: Actor) -> None:
    """The rest of the transaction is alone; refused where `by` has lost the right to it meanwhile."""
    network_tags.lock(organization)
    if by.admin and not full_admins(organization).filter(admin=by.admin).exists():
        raise RightsLost


def fresh(membership: Membership) -> Membership:
    """As it is now that nobody else changes it."""
    known = Membership.objects.select_related("organization", "admin").select_for_update(
        of=("self",), no_key=True
    )
    try:
        return known.get(pk=membership.pk)
    except Membership.DoesNotExist:
        raise AdminGone(membership.admin.email) from None


def fresh_invitation(membership: Membership) -> Membership:
    current = fresh(membership)
    if not current.is_invited:
        raise NotInvited(current.admin.email)
    return current


def keep_a_full_admin(membership: Membership) -> None:
    """Refused where this is the only one who runs the organization and can sign in."""
    full = full_admins(membership.organization)
    if full.filter(pk=membership.pk).exists() and not full.exclude(pk=membership.pk).exists():
        raise LastFullAdmin(membership.admin.email)
    single.keep_a_way_in(membership)


def full_admins(organization: Organization) -> MembershipQuerySet:
    return Membership.objects.full().filter(organization=organization)
