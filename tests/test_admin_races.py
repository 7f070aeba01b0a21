"""Two who change administrators at once: one waits, and looks anew at what there is then."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from organizations.admins import accepting, changing, inviting
from organizations.admins.refusals import InvitationOver, LastFullAdmin, NotInvited, RightsLost
from organizations.admins.rights import AdminRights
from organizations.audit import Actor
from organizations.models import Admin, Membership, Organization
from organizations.refusals import Refusal
from tests.factories import MembershipFactory, OrganizationFactory
from tests.test_people_races import meets

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "system", "owner"])

READ_ONLY = AdminRights("read-only")


def refused_while(first: Callable[[], object], other: Callable[[], object]) -> type | None:
    """What the other meets, who comes before the first has committed."""
    met: list[type] = []

    def tried() -> None:
        try:
            other()
        except Refusal as refusal:
            met.append(type(refusal))

    meets(first, lambda: None, tried)
    return met[0] if met else None


@pytest.fixture
def two(organization: Organization) -> list[Membership]:
    return MembershipFactory.create_batch(2, organization=organization)


@pytest.fixture
def invitation(organization: Organization, by: Actor) -> Membership:
    return inviting.invite(
        by=by, organization=organization, email="new@example.org", rights=READ_ONLY
    )


def demote(by: Membership, whom: Membership) -> Callable[[], object]:
    actor = Actor.of_admin(by.admin)
    return lambda: changing.change(by=actor, membership=whom, rights=READ_ONLY)


def leave(who: Membership) -> Callable[[], object]:
    return lambda: changing.leave(by=Actor.of_admin(who.admin), membership=who)


def test_of_two_admins_who_demote_each_other_one_wins(two: list[Membership]) -> None:
    ann, bob = two

    refused = refused_while(demote(ann, bob), demote(bob, ann))

    ann.refresh_from_db()
    bob.refresh_from_db()
    assert (refused, ann.access, bob.access) == (RightsLost, "full", "read-only")


def test_of_two_admins_who_leave_one_stays(two: list[Membership]) -> None:
    ann, bob = two

    refused = refused_while(leave(ann), leave(bob))

    assert (refused, [*Membership.objects.all()]) == (LastFullAdmin, [bob])


def test_two_organizations_invite_the_same_newcomer(organization: Organization) -> None:
    """One person, invited twice."""
    there = OrganizationFactory()
    ann = MembershipFactory(organization=organization)
    bob = MembershipFactory(organization=there)

    def invite(by: Membership) -> Callable[[], object]:
        actor = Actor.of_admin(by.admin)
        return lambda: inviting.invite(
            by=actor, organization=by.organization, email="new@example.org", rights=READ_ONLY
        )

    refused = refused_while(invite(ann), invite(bob))

    newcomer = Admin.objects.get(email="new@example.org")
    assert refused is None
    assert {each.organization for each in newcomer.memberships.all()} == {organization, there}


def test_an_invitation_is_withdrawn_while_it_is_accepted(invitation: Membership, by: Actor) -> None:
    refused = refused_while(
        lambda: accepting.accept(by=Actor.of_admin(invitation.admin), membership=invitation),
        lambda: inviting.withdraw(by=by, membership=invitation),
    )

    invitation.refresh_from_db()
    assert (refused, invitation.is_invited) == (NotInvited, False)


def test_an_invitation_is_accepted_while_it_is_withdrawn(invitation: Membership, by: Actor) -> None:
    refused = refused_while(
        lambda: inviting.withdraw(by=by, membership=invitation),
        lambda: accepting.accept(by=Actor.of_admin(invitation.admin), membership=invitation),
    )

    assert (refused, Membership.objects.filter(pk=invitation.pk).exists()) == (
        InvitationOver,
        False,
    )
