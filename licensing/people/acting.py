"""What is done for one person: registered again, their invitation link made, renewed, withdrawn.

Each refuses what is not possible as the person stands; whoever calls has asked whether it is allowed.
"""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db import transaction

from licensing.people.facts import Person
from licensing.people.next_steps import Step, next_step, possible_steps
from organizations import audit
from organizations.audit import Actor
from organizations.models import Membership
from users import hooks
from users.invitations import giving
from users.models import Invitation, VppUser
from users.services import PersonDetails, add_person
from vpp_accounts.permissions import obstacle_of, why_no_owners
from vpp_accounts.refusals import CannotDo


def refuse_obstacle(person: Person, membership: Membership) -> None:
    if obstacle := obstacle_of(person.account, membership):
        raise CannotDo(obstacle)


def register(*, by: Actor, membership: Membership, person: Person) -> bool:
    """Once more, after Apple refused them or after they were retired; whether they begin anew."""
    possible = possible_steps(person)
    if Step.REGISTER_AGAIN in possible:
        _begin_anew(by, membership, person)
        return True
    if Step.TRY_AGAIN not in possible:
        raise CannotDo(f"{person.name} is registered at Apple already: there is nothing to repeat.")
    is_known = bool(person.user.apple_status)
    announced = hooks.people_changed if is_known else hooks.people_added
    with transaction.atomic():
        hooks.announce(announced, account=person.account, user_ids=[person.user.pk], by=by)
    return False


def _begin_anew(by: Actor, membership: Membership, person: Person) -> None:
    owner = person.user.owner
    if owner is None and (why := why_no_owners(membership)):
        raise PermissionDenied(why)
    add_person(
        by=by,
        account=person.account,
        details=PersonDetails() if owner else PersonDetails(email=person.email),
        owner=owner,
    )


# --- The invitation link ----------------------------------------------------------------------------


def open_invitation(user: VppUser) -> Invitation | None:
    return Invitation.objects.open().filter(user=user).first()


@transaction.atomic
def make_link(*, by: Actor, person: Person) -> Invitation:
    """Theirs, or a new one; nothing is mailed."""
    if not person.can_accept:
        raise CannotDo(f"{person.name} has no invitation link. {next_step(person, None).text}")
    invitation = open_invitation(person.user)
    if invitation is None or invitation.is_expired or person.asked_again_at:
        giving.give_out(by=by, account=person.account, user_ids=[person.user.pk])
    audit.record(
        "invitation.link_made",
        by=by,
        organization=person.account.organization,
        target=person.user,
    )
    return theirs(person)


@transaction.atomic
def renew_link(*, by: Actor, person: Person) -> Invitation:
    """Another one. Whoever has an earlier one can do nothing with it any more."""
    invitation = theirs(person)
    giving.renew_link(by=by, invitation=invitation)
    return invitation


@transaction.atomic
def withdraw(*, by: Actor, person: Person) -> None:
    giving.withdraw(by=by, invitation=theirs(person))


def theirs(person: Person) -> Invitation:
    invitation = open_invitation(person.user)
    if invitation is None:
        raise CannotDo(f"{person.name} has no open invitation. It was accepted or withdrawn.")
    return invitation
