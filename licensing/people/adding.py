"""Who could be added to an account, and adding them together with what belongs to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from organizations.audit import Actor
from organizations.models import Membership, Owner
from organizations.models.inventory import OwnerQuerySet
from users import hooks
from users.models import VppUser
from users.services import PersonDetails, add_person
from users.services.owners import OwnerDetails, complete_owner
from users.states import RETIRED
from vpp_accounts.models import VppAccount

MOST_OFFERED = 20


@dataclass(frozen=True, slots=True)
class Offer:
    """The first owners who match and are not in the account; whether there are more."""

    owners: Sequence[Owner]
    is_cut: bool


def addable_owners(account: VppAccount, membership: Membership) -> OwnerQuerySet:
    theirs = VppUser.objects.filter(account=account, owner=OuterRef("pk"))
    active = theirs.exclude(apple_status__in=RETIRED)
    return Owner.objects.visible_to(membership).filter(~Exists(active))


def offer(account: VppAccount, membership: Membership, text: str) -> Offer:
    owners = addable_owners(account, membership)
    if text:
        named = Q(name__icontains=text) | Q(username__icontains=text)
        owners = owners.filter(named | Q(email__icontains=text))
    found = list(owners.order_by("name", "pk")[: MOST_OFFERED + 1])
    return Offer(found[:MOST_OFFERED], is_cut=len(found) > MOST_OFFERED)


@transaction.atomic
def add(
    *,
    by: Actor,
    account: VppAccount,
    details: PersonDetails,
    owner: Owner | None = None,
    tags: Sequence[str] = (),
    invites: bool = False,
) -> VppUser:
    """`tags` come to those that the person has; an invitation waits until Apple knows them."""
    user = add_person(by=by, account=account, details=details, owner=owner)
    if tags and user.owner:
        complete_owner(by=by, owner=user.owner, details=OwnerDetails(tags=tuple(tags)))
    if invites:
        hooks.announce(hooks.invitations_wanted, account=account, user_ids=[user.pk], by=by)
    return user
