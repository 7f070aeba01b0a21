"""Erasing a person: retired at Apple by a batch in each account, and at once forgotten here.

One transaction for each account, and the owner last of all. Interrupted anywhere, the owner is still
there with what is left to do, and erasing again does that.
"""

from __future__ import annotations

from django.db import transaction

from apps_catalog.codes.forgetting import forget_person
from licensing import batches
from licensing.models import Batch, BatchKind
from licensing.personal_data import traces
from licensing.personal_data.planning import plan_erasure
from licensing.personal_data.refusals import NotTyped
from licensing.personal_data.whose import accounts_with, users_of
from organizations import audit
from organizations.audit import Actor
from organizations.models import Membership, Owner
from users.models import VppUser
from users.services.owners import announce_devices, locked
from vpp_accounts.models import VppAccount

WHY = "Personal data erased."


def erase(
    *, by: Actor, membership: Membership, owner: Owner, typed: str | None = None
) -> list[Batch]:
    """The batches that retire the person at Apple. `typed`: what a page asks for to confirm."""
    erasure = plan_erasure(owner, membership)
    if typed is not None and typed.strip().lower() != erasure.typed.lower():
        raise NotTyped(erasure.typed)
    if erasure.obstacle:
        raise erasure.obstacle
    begun: list[Batch] = []
    while not _erase_owner(by, owner):
        for account in accounts_with(owner):
            batch = _erase_in(account, owner, by, membership)
            begun += [batch] if batch else []
    return begun


@transaction.atomic
def _erase_in(account: VppAccount, owner: Owner, by: Actor, membership: Membership) -> Batch | None:
    (owner,) = locked(owner)
    users = list(users_of(owner).filter(account=account).select_for_update(of=("self",)))
    traces.empty(account, users, owner)
    for user in VppUser.objects.filter(pk__in=[user.pk for user in users]).order_by("pk"):
        audit.record("vpp_user.erased", by=by, organization=owner.organization, target=user)
    return _retire(account, [user for user in users if not user.is_retired], by, membership)


def _retire(
    account: VppAccount, users: list[VppUser], by: Actor, membership: Membership
) -> Batch | None:
    """Apple wants nothing but their ids for it. None where that is under way already."""
    if not users:
        return None
    wish = batches.wish_for(kind=BatchKind.RETIRE, users=users, why=WHY)
    plan = batches.make_plan(by=by, membership=membership, account=account, wish=wish)
    if not plan.summary["go"]:
        return None
    return batches.start(by=by, membership=membership, plan=plan, confirm_irrevocable=True)


@transaction.atomic
def _erase_owner(by: Actor, owner: Owner) -> bool:
    """False while there is an account in which they are still a person."""
    (owner,) = locked(owner)
    if users_of(owner).exists():
        return False
    traces.empty_import_rows(owner)
    forget_person(owner)
    nameless = Owner(pk=owner.pk, name=f"Owner {owner.pk}")
    audit.record("owner.erased", by=by, organization=owner.organization, target=nameless)
    announce_devices(owner.organization, [owner.pk], cause="owner erased")
    owner.delete()
    return True
