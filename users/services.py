"""What admins do with the people of a VPP account: add them, say more about them.

A person is two records: the owner, who belongs to the organization, and the client user, as whom
Apple knows them in one account. What is said about a person is kept with the owner.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Lower

from organizations import audit
from organizations.audit import Actor
from organizations.models import Owner
from users.hooks import user_added
from users.models import VppUser
from users.refusals import (
    ADDRESSES,
    LONGEST_NAME,
    AddressWrong,
    AnotherEmail,
    EmailMissing,
    EmailTaken,
    NameTooLong,
    PersonExists,
)
from users.states import RETIRED
from vpp_accounts.models import VppAccount
from vpp_accounts.refusals import AccountStopped

LONGEST_ADDRESS = 254


@dataclass(frozen=True, slots=True)
class PersonDetails:
    """What is said about a person; None says nothing."""

    email: str | None = None
    name: str | None = None
    username: str | None = None
    managed_apple_account: str | None = None


FIELDS = {
    "name": "name",
    "email": "email",
    "username": "username",
    "managed_apple_account": "managedAppleAccount",
}


@transaction.atomic
def add_person(
    *, by: Actor, account: VppAccount, details: PersonDetails, owner: Owner | None = None
) -> VppUser:
    """A person of the account, who is registered at Apple from here on by itself.

    Without `owner` it is the one with this e-mail address, or a new one.
    """
    _refuse_in_vain(account)
    said = checked(details)
    owner = _chosen(owner, said) if owner else _owner_of(account, said.get("email", ""))
    email = said.get("email") or owner.email
    if not email:
        raise EmailMissing
    _refuse_double(account, owner, email)
    before = facts(owner)
    _write(owner, said)
    user = VppUser(
        organization_id=account.organization_id,
        account=account,
        owner=owner,
        client_user_id=str(uuid.uuid4()),  # Apple wants nothing personal here
        email=owner.email,
    )
    _save(user)
    after = {"account": account.name, **facts(owner)}
    _record("vpp_user.added", by, user, before, after)
    user_added.send(VppUser, user=user, by=by)
    return user


@transaction.atomic
def edit_person(*, by: Actor, user: VppUser, details: PersonDetails) -> VppUser:
    """Say something else about a person. Apple's record of them stays as it is."""
    user = VppUser.objects.select_for_update(of=("self",)).get(pk=user.pk)
    said = checked(details)
    if not said:
        return user
    if user.owner is None:
        said = {"email": user.email} | said
        user.owner = _owner_of(user.account, said["email"])
        _refuse_double(user.account, user.owner, said["email"], but=user)
    before = facts(user.owner)
    _write(user.owner, said)
    if not user.apple_status:  # Apple has not been told yet
        user.email = user.owner.email
    _save(user)
    _record("vpp_user.edited", by, user, before, facts(user.owner))
    return user


def checked(details: PersonDetails) -> dict[str, str]:
    """What was said, by the owner's fields."""
    said = {name: value.strip() for name in FIELDS if (value := getattr(details, name)) is not None}
    for name in ("name", "username"):
        if len(said.get(name, "")) > LONGEST_NAME:
            raise NameTooLong(name)
    for name in ADDRESSES:
        if name in said and (said[name] or name == "email"):
            _refuse_no_address(name, said[name])
    return said


def _refuse_no_address(name: str, text: str) -> None:
    try:
        validate_email(text)
    except ValidationError:
        raise AddressWrong(name, text) from None
    if len(text) > LONGEST_ADDRESS:
        raise AddressWrong(name, text)


def _refuse_in_vain(account: VppAccount) -> None:
    """An account that waits for a person could not register anybody."""
    if account.takes_no_changes:
        raise AccountStopped(state=account.get_state_display(), reason=account.state_reason)


def _chosen(owner: Owner, said: dict[str, str]) -> Owner:
    if owner.email and said.get("email", owner.email).lower() != owner.email.lower():
        raise AnotherEmail(owner.name, owner.email)
    return owner


def _owner_of(account: VppAccount, email: str) -> Owner:
    """The person of the organization with this address, or a new one who is not saved yet."""
    known = _with_email(account.organization_id, email).first() if email else None
    return known or Owner(organization_id=account.organization_id)


def _with_email(organization_id: int, email: str) -> QuerySet[Owner]:
    # The condition on "" is the index's own; without it the planner does not use it.
    addressed = Owner.objects.filter(organization=organization_id).exclude(email="")
    return addressed.alias(address=Lower("email")).filter(address=Lower(Value(email)))


def _refuse_double(
    account: VppAccount, owner: Owner, email: str, but: VppUser | None = None
) -> None:
    """One active record per person; one found at Apple may have nothing but its address."""
    active = VppUser.objects.filter(account=account).exclude(apple_status__in=RETIRED)
    active = active.alias(address=Lower("email")).exclude(pk=but.pk if but else 0)
    theirs = Q(owner=owner) if owner.pk else Q(pk=None)
    if email:
        theirs |= Q(owner=None, address=Lower(Value(email)))
    if double := active.filter(theirs).first():
        raise PersonExists(str(double), account.name, double.pk)


def _save(user: VppUser) -> None:
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:  # somebody else added the same person just now
        others = VppUser.objects.filter(account=user.account, owner=user.owner)
        other = others.exclude(apple_status__in=RETIRED).get()
        raise PersonExists(str(other), user.account.name, other.pk) from error


def _write(owner: Owner, said: dict[str, str]) -> None:
    for name, value in said.items():
        setattr(owner, name, value)
    owner.name = owner.name or owner.email or owner.username or owner.managed_apple_account
    # Only what was said: somebody else may be giving them tags just now.
    fields = {"name", *said} if owner.pk else None
    try:
        with transaction.atomic():
            owner.save(update_fields=fields)
    except IntegrityError as error:
        raise EmailTaken(owner.email) from error


def facts(owner: Owner) -> dict[str, str]:
    return {word: value for name, word in FIELDS.items() if (value := getattr(owner, name))}


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
