"""For whom a provider may speak: an admin of its own organization, always by the same subject."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.socialaccount.models import SocialAccount
from django.db import transaction
from django.utils import timezone

from organizations import audit
from organizations.admins import accepting
from organizations.audit import Actor
from organizations.models import Admin, IdentityProvider, Membership
from organizations.refusals import Refusal
from organizations.signin.claims import Claims


class NotVouchedFor(Refusal):
    """The provider knows this person, and we do not let them in. `check` is the rule that says so."""

    def __init__(self, check: str, text: str) -> None:
        super().__init__(text)
        self.check = check


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a provider speaks for, and whether it has done so before."""

    membership: Membership
    account: SocialAccount | None

    @property
    def admin(self) -> Admin:
        return self.membership.admin


def find(provider: IdentityProvider, claims: Claims) -> Person:
    """The admin whom these claims are about, or a refusal that says which check failed."""
    bound = SocialAccount.objects.filter(provider=str(provider.uuid), uid=claims.uid).first()
    membership = member(provider, bound, claims)
    if not membership.admin.is_active:
        raise NotVouchedFor("deactivated", f"{membership.admin.email} is deactivated here.")
    refuse_other_domains(provider, membership.admin.email)
    refuse_unasked(membership)
    if bound is None:
        refuse_second_subject(provider, membership.admin)
    return Person(membership, bound)


def member(provider: IdentityProvider, bound: SocialAccount | None, claims: Claims) -> Membership:
    if bound is None:
        refuse_unsure_address(provider, claims)
    members = Membership.objects.select_related("admin", "organization")
    ours = members.filter(organization=provider.organization_id)
    email = claims.address
    whom = {"admin": bound.user_id} if bound else {"admin__email": email}
    membership = ours.filter(**whom).first()
    if membership is None:
        who = email or "This person"
        raise NotVouchedFor(
            "not_an_admin",
            f"{who} is not an administrator of {provider.organization}. Ask one of its admins for"
            " an invitation to this address.",
        )
    return membership


def refuse_unsure_address(provider: IdentityProvider, claims: Claims) -> None:
    """The first time, the address alone says who somebody is."""
    if "@" not in claims.email:
        raise NotVouchedFor(
            "no_address",
            f"{provider} did not tell your e-mail address. Its administrator has to release it to"
            " this application.",
        )
    if not claims.is_verified:
        raise NotVouchedFor(
            "not_verified",
            f"{provider} does not confirm that {claims.email} is yours. Verify the address there, or"
            " let an admin say in the sign-in settings that the provider manages the addresses.",
        )


def refuse_other_domains(provider: IdentityProvider, email: str) -> None:
    domain = email.rpartition("@")[2]
    if provider.email_domains and domain not in provider.email_domains:
        raise NotVouchedFor(
            "other_domain",
            f"{provider} may sign in addresses at {', '.join(provider.email_domains)} only, and"
            f" {email} is not one.",
        )


def refuse_unasked(membership: Membership) -> None:
    """Whoever is known here accepts by themselves: else an organization could invite anybody, let its
    own provider accept in their name, and read theirs.
    """
    if membership.accepted_at is None and not accepting.is_newcomer(membership.admin):
        raise NotVouchedFor(
            "not_accepted",
            f"{membership.admin.email} can sign in here already. Do that without single sign-on this"
            f" once, and accept the invitation to {membership.organization} on the first page.",
        )


def refuse_second_subject(provider: IdentityProvider, admin: Admin) -> None:
    if SocialAccount.objects.filter(provider=str(provider.uuid), user=admin).exists():
        raise NotVouchedFor(
            "other_subject",
            f"{admin.email} has signed in with another account of {provider} before. If it was"
            " made anew there, an admin can reset the connection in the sign-in settings.",
        )


@transaction.atomic
def admit(provider: IdentityProvider, claims: Claims) -> SocialAccount:
    """Bind the subject at first use, accept the invitation, and note that the provider works."""
    # One at a time through each provider: two subjects cannot become the same admin's at once.
    used = IdentityProvider.objects.filter(pk=provider.pk)
    used.select_for_update(no_key=True).get()
    person = find(provider, claims)
    by = Actor.of_admin(person.admin)
    if person.membership.accepted_at is None:
        accepting.accept(by=by, membership=person.membership)
    account = person.account or bind(provider, person, claims, by)
    used.update(last_used_at=timezone.now())
    return account


def bind(provider: IdentityProvider, person: Person, claims: Claims, by: Actor) -> SocialAccount:
    account: SocialAccount = SocialAccount.objects.create(
        provider=str(provider.uuid), uid=claims.uid, user=person.admin, extra_data={}
    )
    audit.record(
        "admin.single_sign_on_connected",
        by=by,
        organization=provider.organization,
        target=person.admin,
        after={"provider": provider.name, "subject": claims.uid},
    )
    return account
