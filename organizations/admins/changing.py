"""Changing what admins may do, removing them, and ending their sessions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from organizations import audit, hooks, keys
from organizations.admins.locking import fresh, keep_a_full_admin, lock
from organizations.admins.refusals import NameIsTheirs, StillInvited, UnlockedOften
from organizations.admins.rights import AdminRights, checked, facts, set_rights
from organizations.audit import Actor
from organizations.models import AuditEvent, Membership, OrganizationAccess
from organizations.signin import lockout

MOST_UNLOCKS = 3  # of one admin
UNLOCKS_WITHIN = timedelta(hours=1)


@transaction.atomic
def change(
    *,
    by: Actor,
    membership: Membership,
    rights: AdminRights | None = None,
    name: str | None = None,
) -> Membership:
    """What is None stays. Only somebody invited can be called anew: later the name is theirs."""
    wanted = checked(membership.organization, rights) if rights else None
    lock(membership.organization, by=by)
    membership = fresh(membership)
    before = told(membership)
    if name is not None:
        _rename(membership, " ".join(name.split())[:200])
    if wanted:
        if wanted.access not in (None, OrganizationAccess.FULL):
            keep_a_full_admin(membership)
        set_rights(membership, wanted)
    _record_changes(by, membership, before)
    return membership


@transaction.atomic
def remove(*, by: Actor, membership: Membership) -> None:
    """What the person has elsewhere stays. What ends with it is said before: `removal_consequences`."""
    lock(membership.organization, by=by)
    _end(fresh(membership), action="admin.removed", by=by)


@transaction.atomic
def leave(*, by: Actor, membership: Membership) -> None:
    """An admin of any kind, by themselves."""
    lock(membership.organization, by=Actor.system(by.name))
    _end(fresh(membership), action="admin.left", by=by)


@transaction.atomic
def force_sign_out(*, by: Actor, membership: Membership) -> None:
    """In every browser; API keys go on, they are ended by themselves."""
    lock(membership.organization, by=by)
    membership = _accepted(fresh(membership))
    membership.sign_in_again_after = timezone.now()
    membership.save(update_fields=["sign_in_again_after"])
    _record("admin.signed_out", by, membership)


@transaction.atomic
def unlock(*, by: Actor, membership: Membership) -> None:
    """Forget the wrong passwords: the next try need not wait."""
    lock(membership.organization, by=by)
    membership = _accepted(fresh(membership))
    _refuse_many_unlocks(membership)
    lockout.unlock(membership.admin.email)
    _record("admin.unlocked", by, membership)


def removal_consequences(membership: Membership) -> list[str]:
    """What ends with an admin, in sentences, ours and those of the apps above."""
    limited = keys.keys_of(membership.admin, membership.organization_id).usable().count()
    ours = [f"{limited:,} API key{'' if limited == 1 else 's'} for this organization alone."]
    answers = hooks.admin_removal.send(sender=Membership, membership=membership)
    return (ours if limited else []) + [text for _, texts in answers for text in texts or ()]


# --- Parts ----------------------------------------------------------------------------------------


def _end(membership: Membership, *, action: str, by: Actor) -> None:
    keep_a_full_admin(membership)
    _accepted(membership)
    keys.revoke_limited(by=by, admin=membership.admin, organization_id=membership.organization_id)
    hooks.admin_removed.send(sender=Membership, membership=membership, by=by)
    audit.record(
        action,
        by=by,
        organization=membership.organization,
        target=membership,
        before=facts(membership),
    )
    membership.delete()


def told(membership: Membership) -> dict[str, Any]:
    """A name that was given with an invitation is ours to keep; later it is the person's."""
    name = {"name": membership.invited_name} if membership.is_invited else {}
    return name | facts(membership)


def _accepted(membership: Membership) -> Membership:
    if membership.is_invited:
        raise StillInvited(membership.admin.email)
    return membership


def _refuse_many_unlocks(membership: Membership) -> None:
    """The lock guards the person in all organizations: none of them may open it for guessing on."""
    lately = AuditEvent.objects.filter(
        organization=membership.organization_id, at__gt=timezone.now() - UNLOCKS_WITHIN
    )
    unlocks = lately.filter(action="admin.unlocked", target_name=str(membership)[:254])
    if unlocks.count() >= MOST_UNLOCKS:
        raise UnlockedOften(membership.admin.email, MOST_UNLOCKS)


def _rename(membership: Membership, name: str) -> None:
    if membership.is_invited:
        membership.invited_name = name
        membership.save(update_fields=["invited_name"])
    elif name != membership.admin.name:
        raise NameIsTheirs(membership.admin.email)


def _record_changes(by: Actor, membership: Membership, before: dict[str, Any]) -> None:
    after = told(membership)
    changed = [name for name in after if after[name] != before[name]]
    if changed:
        audit.record(
            "admin.edited",
            by=by,
            organization=membership.organization,
            target=membership,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )


def _record(action: str, by: Actor, membership: Membership) -> None:
    audit.record(action, by=by, organization=membership.organization, target=membership)
