"""What admins do with the people of a VPP account: add them, say more about them.

A person is two records: the owner, who belongs to the organization, and the client user, as whom
Apple knows them in one account. What is said about a person is kept with the owner.
"""

from __future__ import annotations

import uuid

from django.db import IntegrityError, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Lower

from organizations import audit
from organizations.audit import Actor
from organizations.models import Owner
from users import hooks
from users.models import VppUser, VppUserQuerySet
from users.refusals import AnotherEmail, EmailMissing, PersonExists
from users.services.details import (
    PersonDetails,
    carry_over,
    checked,
    facts,
    owners_with_apple_account,
    owners_with_email,
    write,
)
from users.states import RETIRED
from vpp_accounts.models import VppAccount
from vpp_accounts.refusals import AccountStopped


@transaction.atomic
def add_person(
    *, by: Actor, account: VppAccount, details: PersonDetails, owner: Owner | None = None
) -> VppUser:
    """A person of the account, who is registered at Apple from here on by itself.

    Without `owner` it is the one with this address, or a new one. Whoever has a Managed Apple Account
    needs no invitation, and so no e-mail address.
    """
    _refuse_in_vain(account)
    said = checked(details)
    managed = said.get("managed_apple_account", "")
    owner = _chosen(owner, said) if owner else _owner_of(account, said.get("email", ""), managed)
    email = said.get("email") or owner.email
    if not (email or managed or owner.managed_apple_account):
        raise EmailMissing
    _refuse_double(account, owner, email)
    before = facts(owner)
    write(owner, said)
    user = _former(account, owner, email) or VppUser(
        organization_id=account.organization_id,
        account=account,
        client_user_id=str(uuid.uuid4()),  # Apple wants nothing personal here
    )
    _begin(user, owner)
    _save(user)
    carry_over(owner, before=before, by=by)
    after = {"account": account.name, **facts(owner)}
    _record("vpp_user.added", by, user, before, after)
    hooks.announce(hooks.people_added, account=account, user_ids=[user.pk], by=by)
    return user


@transaction.atomic
def edit_person(*, by: Actor, user: VppUser, details: PersonDetails) -> VppUser:
    """Say something else about a person, in whatever accounts they are."""
    user = _locked(user)
    said = checked(details)
    if not said:
        return user
    known = user.owner or Owner()
    if said.get("email") == "" and not said.get(
        "managed_apple_account", known.managed_apple_account
    ):
        raise EmailMissing
    at_apple = {"email": user.email}
    if user.owner is None:
        said = at_apple | said
        user.owner = _owner_of(user.account, said["email"])
        _refuse_double(user.account, user.owner, said["email"], but=user)
    else:
        at_apple = facts(user.owner)
    before = facts(user.owner)
    write(user.owner, said)
    if not user.apple_status:  # Apple has not been told yet
        user.email = user.owner.email
    _save(user)
    carry_over(user.owner, before=at_apple, by=by)
    _record("vpp_user.edited", by, user, before, facts(user.owner))
    user.refresh_from_db()
    return user


def _locked(user: VppUser) -> VppUser:
    """Their owner first, as all do who change both: or two of them wait for each other."""
    Owner.objects.select_for_update(no_key=True).filter(vpp_users=user).first()
    return VppUser.objects.select_for_update(of=("self",)).get(pk=user.pk)


def _former(account: VppAccount, owner: Owner, email: str) -> VppUser | None:
    """Their record from before they were retired: books come back under the same id only."""
    retired = _records(account, owner, email).filter(apple_status__in=RETIRED)
    locked = retired.select_for_update(of=("self",))
    return locked.order_by(F("owner").asc(nulls_last=True), "-pk").first()


def _begin(user: VppUser, owner: Owner) -> None:
    """As somebody whom Apple does not know, whatever they were before."""
    user.owner, user.email = owner, owner.email
    user.apple_status, user.failure, user.id_hash, user.invite_code = "", "", "", ""
    user.tell_again = False
    user.registered_at = user.invited_at = user.associated_at = user.retired_at = None


def _refuse_in_vain(account: VppAccount) -> None:
    """An account that waits for a person could not register anybody."""
    if account.takes_no_changes:
        raise AccountStopped(state=account.get_state_display(), reason=account.state_reason)


def _chosen(owner: Owner, said: dict[str, str]) -> Owner:
    if owner.email and said.get("email", owner.email).lower() != owner.email.lower():
        raise AnotherEmail(owner.name, owner.email)
    return owner


def _owner_of(account: VppAccount, email: str, managed_apple_account: str = "") -> Owner:
    """The person of the organization with this address, or a new one who is not saved yet."""
    known = None
    if email:
        known = owners_with_email(account.organization_id, email).first()
    elif managed_apple_account:
        known = owners_with_apple_account(account.organization_id, managed_apple_account).first()
    return known or Owner(organization_id=account.organization_id)


def _records(account: VppAccount, owner: Owner, email: str) -> VppUserQuerySet:
    """Those of a person; one found at Apple may have nothing but their address."""
    users = VppUser.objects.filter(account=account).alias(address=Lower("email"))
    theirs = Q(owner=owner) if owner.pk else Q(pk=None)
    if email:
        theirs |= Q(owner=None, address=Lower(Value(email)))
    return users.filter(theirs)


def _refuse_double(
    account: VppAccount, owner: Owner, email: str, but: VppUser | None = None
) -> None:
    """One active record per person."""
    active = _records(account, owner, email).exclude(apple_status__in=RETIRED)
    if double := active.exclude(pk=but.pk if but else 0).first():
        raise PersonExists(str(double), account.name, double.pk)


def _save(user: VppUser) -> None:
    user.name = user.owner.name if user.owner else ""
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:  # somebody else added the same person just now
        others = VppUser.objects.filter(account=user.account, owner=user.owner)
        other = others.exclude(apple_status__in=RETIRED).get()
        raise PersonExists(str(other), user.account.name, other.pk) from error


def _record(
    action: str, by: Actor, user: VppUser, before: dict[str, str], after: dict[str, str]
) -> None:
    """Only what differs."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if names:
        audit.record(
            action,
            by=by,
            organization=user.account.organization,
            target=user,
            before={name: before[name] for name in names if name in before} or None,
            after={name: after[name] for name in names if name in after},
        )
