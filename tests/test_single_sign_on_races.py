"""Two sign-ins or two admins at once: one waits, and looks anew at what there is then."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from allauth.mfa.totp.internal import auth as totp
from allauth.socialaccount.models import SocialAccount
from django.utils import timezone

from organizations.admins import changing
from organizations.admins.rights import AdminRights
from organizations.audit import Actor
from organizations.models import Admin, IdentityProvider, Membership, Organization
from organizations.signin import single, vouching
from organizations.signin.claims import Claims
from organizations.signin.single import NobodyCouldSkip
from organizations.signin.vouching import NotVouchedFor
from tests.factories import MembershipFactory
from tests.test_admin_races import refused_while

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "system", "owner"])


@pytest.fixture
def row(organization: Organization) -> IdentityProvider:
    return IdentityProvider.objects.create(
        organization=organization, kind="saml", name="Directory", last_used_at=timezone.now()
    )


def admit(row: IdentityProvider, subject: str, email: str) -> Callable[[], object]:
    return lambda: vouching.admit(row, Claims(subject, email, is_verified=True))


def test_two_accounts_with_one_address_do_not_both_become_the_admin(
    row: IdentityProvider, owner: Admin
) -> None:
    met = refused_while(admit(row, "first", owner.email), admit(row, "second", owner.email))

    assert met is NotVouchedFor
    assert [(each.uid, each.user) for each in SocialAccount.objects.all()] == [("first", owner)]


def test_one_account_that_comes_in_twice_is_connected_once(
    row: IdentityProvider, owner: Admin
) -> None:
    met = refused_while(admit(row, "first", owner.email), admit(row, "first", owner.email))

    assert met is None
    assert [(each.uid, each.user) for each in SocialAccount.objects.all()] == [("first", owner)]


@pytest.fixture
def two(organization: Organization, row: IdentityProvider) -> list[Membership]:
    """Both could come in without single sign-on, which is required."""
    both = MembershipFactory.create_batch(
        2, organization=organization, may_skip_single_sign_on=True
    )
    for membership in both:
        totp.TOTP.activate(membership.admin, totp.generate_totp_secret())
    by = Actor.of_admin(both[0].admin)
    single.require(by=by, organization=organization, wanted=True)
    return both


def test_of_two_who_could_repair_it_one_stays(
    two: list[Membership], organization: Organization
) -> None:
    ann, bob = two
    by, rights = Actor.of_admin(ann.admin), AdminRights("read-only")

    def only_ann() -> None:
        single.let_skip(by=by, organization=organization, membership_ids=[ann.pk])

    def demote_ann() -> None:
        changing.change(by=Actor.of_admin(bob.admin), membership=ann, rights=rights)

    met = refused_while(only_ann, demote_ann)

    assert met is NobodyCouldSkip
    able = Membership.objects.full().filter(may_skip_single_sign_on=True)
    assert list(able) == [ann]


def test_the_last_who_could_repair_it_cannot_leave(
    two: list[Membership], organization: Organization
) -> None:
    ann, bob = two
    changing.leave(by=Actor.of_admin(ann.admin), membership=ann)
    MembershipFactory(organization=organization)

    with pytest.raises(NobodyCouldSkip):
        changing.leave(by=Actor.of_admin(bob.admin), membership=bob)
