"""What somebody invited decides: to come in, with a password of their own if need be, or not."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils import timezone

from organizations import audit, lookups, tenancy
from organizations.admins import letters
from organizations.admins.refusals import InvitationOver, NotAvailableNow, PasswordIsSet
from organizations.admins.rights import facts
from organizations.admins.states import INVITATION_VALID, is_expired
from organizations.audit import Actor
from organizations.models import Admin, Membership


def is_newcomer(admin: Admin) -> bool:
    """Whether they cannot sign in yet, so that the link in the mail lets them set a password."""
    return not admin.has_usable_password() and not Authenticator.objects.filter(user=admin).exists()


def open_invitations(admin: Admin) -> list[Membership]:
    """Those of all organizations, for a person who has signed in."""
    ids = [found.organization_id for found in lookups.invitations_of.all(admin.pk)]
    with tenancy.among(ids):
        waiting = Membership.objects.filter(
            admin=admin, accepted_at=None, invited_at__gt=timezone.now() - INVITATION_VALID
        )
        known = waiting.select_related("organization").order_by("organization__name", "pk")
        return [each for each in known if each.organization.is_open]


@transaction.atomic
def accept(*, by: Actor, membership: Membership) -> Membership:
    membership = _open(membership)
    membership.accepted_at = membership.last_active_at = timezone.now()
    membership.invited_name = ""
    membership.save(update_fields=["accepted_at", "last_active_at", "invited_name"])
    audit.record(
        "admin.joined",
        by=by,
        organization=membership.organization,
        target=membership,
        after=facts(membership),
    )
    return membership


@transaction.atomic
def join(*, membership: Membership, name: str, password: str) -> Admin:
    """The first sign-in of somebody new: the link proves that the address is theirs."""
    admin = Admin.objects.select_for_update().get(pk=membership.admin_id)
    if not is_newcomer(admin):
        raise PasswordIsSet
    admin.name = " ".join(name.split())[:200] or admin.name
    admin.save(update_fields=["name"])
    get_adapter().set_password(admin, password)
    accept(by=Actor.of_admin(admin), membership=membership)
    return admin


@transaction.atomic
def decline(*, by: Actor, membership: Membership) -> None:
    """No matter how old; whoever was invited and has not come in is gone without a trace but this."""
    invitations = Membership.objects.select_related("organization", "admin")
    found = invitations.select_for_update(of=("self",)).filter(pk=membership.pk, accepted_at=None)
    membership = _known(found.first())
    letters.give_up(membership)
    audit.record(
        "admin.declined",
        by=by,
        organization=membership.organization,
        target=membership,
        before=facts(membership),
    )
    membership.delete()


def _open(membership: Membership) -> Membership:
    """Locked, and with every reason why it cannot be accepted looked at anew."""
    invitations = Membership.objects.select_related("organization", "admin")
    found = invitations.select_for_update(of=("self",), no_key=True).filter(
        pk=membership.pk, accepted_at=None, invited_at=membership.invited_at
    )
    invitation = _known(found.first())
    if is_expired(invitation):
        raise InvitationOver
    if not invitation.organization.is_open:
        raise NotAvailableNow
    return invitation


def _known(membership: Membership | None) -> Membership:
    if membership is None:
        raise InvitationOver
    return membership
