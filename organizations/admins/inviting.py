"""Inviting admins. An organization learns nothing of whom it invites until they have accepted."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone

from organizations import audit
from organizations.admins import letters
from organizations.admins.locking import fresh_invitation, keep_a_full_admin, lock
from organizations.admins.refusals import (
    AdminThere,
    EmailWrong,
    InvitedJustNow,
    TooManyInvitations,
)
from organizations.admins.rights import AdminRights, checked, facts, set_rights
from organizations.audit import Actor
from organizations.models import Admin, Membership, Organization, OrganizationAccess
from organizations.throttle import Limit

INVITATIONS = Limit("admin-invitations", most=100, seconds=3600)
AGAIN_AFTER = timedelta(minutes=1)


@transaction.atomic
def invite(
    *, by: Actor, organization: Organization, email: str, rights: AdminRights, name: str = ""
) -> Membership:
    """By mail, to an address that is known here or not: what follows is the same."""
    address = checked_email(email)
    rights = checked(organization, rights)
    lock(organization, by=by)
    membership = Membership(
        organization=organization,
        admin=person_at(address),
        access=OrganizationAccess.NONE,
        accepted_at=None,
        invited_name=" ".join(name.split())[:200],
    )
    refuse_those_there(membership)
    _invite_now(by, membership)
    membership.save()
    set_rights(membership, rights)
    _record("admin.invited", by, membership)
    letters.post(membership)
    return membership


@transaction.atomic
def invite_again(*, by: Actor, membership: Membership) -> None:
    """A new link, good for as long as the first; the earlier one is void."""
    lock(membership.organization, by=by)
    membership = fresh_invitation(membership)
    _refuse_haste(membership)
    letters.give_up(membership)
    _invite_now(by, membership)
    membership.save(update_fields=["invited_at", "invited_by"])
    _record("admin.invited_again", by, membership)
    letters.post(membership)


@transaction.atomic
def withdraw(*, by: Actor, membership: Membership) -> None:
    lock(membership.organization, by=by)
    membership = fresh_invitation(membership)
    letters.give_up(membership)
    audit.record(
        "admin.invitation_withdrawn",
        by=by,
        organization=membership.organization,
        target=membership,
        before=facts(membership),
    )
    membership.delete()


@transaction.atomic
def add(*, by: Actor, organization: Organization, email: str, rights: AdminRights) -> Membership:
    """At once and without a mail: the work of whoever runs the installation."""
    address = checked_email(email)
    rights = checked(organization, rights)
    lock(organization, by=by)
    membership, _ = Membership.objects.get_or_create(
        organization=organization,
        admin=person_at(address),
        defaults={"access": OrganizationAccess.NONE},
    )
    if rights.access not in (None, OrganizationAccess.FULL):
        keep_a_full_admin(membership)
    membership.accepted_at = membership.accepted_at or timezone.now()
    membership.save(update_fields=["accepted_at"])
    set_rights(membership, rights)
    _record("admin.added", by, membership)
    return membership


# --- Parts ----------------------------------------------------------------------------------------


def checked_email(text: str) -> str:
    email = text.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise EmailWrong(text.strip()) from None
    if len(email) > 254:
        raise EmailWrong(email)
    return email


def person_at(address: str) -> Admin:
    """Kept from vanishing until the transaction has ended (`forgetting.py`)."""
    people = Admin.objects.select_for_update(no_key=True).filter(email=address)
    known = people.first()
    if known:
        return known
    try:
        with transaction.atomic():
            return Admin.objects.create_user(address)
    except IntegrityError:  # somebody else has just invited them
        return people.get()


def refuse_those_there(membership: Membership) -> None:
    there = Membership.objects.filter(
        organization=membership.organization, admin=membership.admin
    ).first()
    if there:
        raise AdminThere(membership.admin.email, is_invited=there.is_invited)


def _invite_now(by: Actor, membership: Membership) -> None:
    seconds = INVITATIONS.count_for(f"organization-{membership.organization_id}")
    if seconds:
        raise TooManyInvitations(INVITATIONS.most, seconds)
    membership.invited_at = timezone.now()
    membership.invited_by = (by.admin.email if by.admin else by.name)[:254]


def _refuse_haste(membership: Membership) -> None:
    since = timezone.now() - (membership.invited_at or membership.created_at)
    if since < AGAIN_AFTER:
        raise InvitedJustNow(membership.admin.email, int((AGAIN_AFTER - since).total_seconds()) + 1)


def _record(action: str, by: Actor, membership: Membership) -> None:
    audit.record(
        action,
        by=by,
        organization=membership.organization,
        target=membership,
        after=facts(membership),
    )
