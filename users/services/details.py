"""What is said about a person, whoever says it: checked, written down, told to Apple."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import QuerySet, Value
from django.db.models.functions import Lower
from django.dispatch import Signal

from organizations.audit import Actor
from organizations.models import Owner
from users import hooks
from users.models import VppUser
from users.refusals import (
    ADDRESSES,
    LONGEST_NAME,
    AddressWrong,
    AppleAccountTaken,
    EmailTaken,
    NameTooLong,
    OwnerGone,
)

LONGEST_ADDRESS = 254
TOLD_TO_APPLE = ("email", "managedAppleAccount")
KNOWN_TO_APPLE = (VppUser.AppleStatus.REGISTERED, VppUser.AppleStatus.ASSOCIATED)


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


def checked(details: PersonDetails) -> dict[str, str]:
    """What was said, by the owner's fields. An empty address is one that somebody has not."""
    said = {
        name: " ".join(value.split())
        for name in FIELDS
        if (value := getattr(details, name)) is not None
    }
    for name in ("name", "username"):
        if len(said.get(name, "")) > LONGEST_NAME:
            raise NameTooLong(name)
    for name in ADDRESSES:
        if said.get(name):
            _refuse_no_address(name, said[name])
    return said


def _refuse_no_address(name: str, text: str) -> None:
    try:
        validate_email(text)
    except ValidationError:
        raise AddressWrong(name, text) from None
    if len(text) > LONGEST_ADDRESS:
        raise AddressWrong(name, text)


def facts(owner: Owner) -> dict[str, str]:
    return {word: value for name, word in FIELDS.items() if (value := getattr(owner, name))}


def write(owner: Owner, said: Mapping[str, Any]) -> None:
    """Save what was said and nothing else: somebody else may be giving them tags just now."""
    if owner.pk and not Owner.objects.select_for_update(no_key=True).filter(pk=owner.pk).first():
        raise OwnerGone
    _refuse_shared_account(owner, said.get("managed_apple_account", ""))
    for name, value in said.items():
        setattr(owner, name, value)
    name = owner.name or owner.email or owner.username or owner.managed_apple_account
    owner.name = name[:LONGEST_NAME]
    fields = {"name", *said} if owner.pk else None
    try:
        with transaction.atomic():
            owner.save(update_fields=fields)
    except IntegrityError as error:
        others = owners_with_email(owner.organization_id, owner.email)
        other = others.exclude(pk=owner.pk).first()
        raise EmailTaken(owner.email, other.name if other else "Somebody") from error


def owners_with_email(organization_id: int, email: str) -> QuerySet[Owner]:
    # The condition on "" is the index's own; without it the planner does not use it.
    addressed = Owner.objects.filter(organization=organization_id).exclude(email="")
    return addressed.alias(address=Lower("email")).filter(address=Lower(Value(email)))


def owners_with_apple_account(organization_id: int, address: str) -> QuerySet[Owner]:
    ours = Owner.objects.filter(organization=organization_id)
    same = Lower("managed_apple_account")
    return ours.alias(same=same).filter(same=Lower(Value(address)))


def _refuse_shared_account(owner: Owner, address: str) -> None:
    if address and address.lower() != owner.managed_apple_account.lower():
        others = owners_with_apple_account(owner.organization_id, address).exclude(pk=owner.pk)
        if other := others.first():
            raise AppleAccountTaken(address, other.name)


def carry_over(owner: Owner, *, before: Mapping[str, str], by: Actor) -> None:
    """Bring what has changed about an owner to their records in VPP accounts, and to Apple."""
    follow(owner)
    after = facts(owner)
    if any(before.get(word) != after.get(word) for word in TOLD_TO_APPLE):
        users = VppUser.objects.filter(owner=owner).select_related("account")
        tell_apple(users.filter(apple_status__in=KNOWN_TO_APPLE), by=by)
        # What Apple refused them for may be right now.
        refused = users.filter(apple_status="").exclude(failure="")
        announce(hooks.people_added, refused, by=by)


def follow(owner: Owner) -> None:
    """What their records in VPP accounts have of the owner."""
    users = VppUser.objects.filter(owner=owner)
    users.exclude(name=owner.name).update(name=owner.name)
    users.filter(apple_status="").update(email=owner.email)  # Apple will hear of it in time


def tell_apple(users: Iterable[VppUser], *, by: Actor) -> None:
    """Announce that Apple knows these people by something else."""
    announce(hooks.people_changed, users, by=by)


def announce(signal: Signal, users: Iterable[VppUser], *, by: Actor) -> None:
    """Once for each account of theirs."""
    ordered = sorted(users, key=attrgetter("account_id", "pk"))
    for _, group in groupby(ordered, key=attrgetter("account_id")):
        people = list(group)
        ids = [user.pk for user in people]
        hooks.announce(signal, account=people[0].account, user_ids=ids, by=by)
