"""Two owners who are one person: what they come to, and how they become one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count

from organizations.audit import Actor
from organizations.models import Owner
from organizations.refusals import Refusal
from users.models import VppUser
from users.refusals import MergedWithItself, RegisteredTwice
from users.services.details import FIELDS, KNOWN_TO_APPLE, facts, follow, tell_apple, write
from users.services.owners import announce_devices, locked, owner_facts, record_changes
from users.states import RETIRED

FILLED = (*FIELDS, "language")


@transaction.atomic
def merge_owners(*, by: Actor, keep: Owner, other: Owner) -> Owner:
    """All that is `other`'s becomes that of `keep`, and `other` is deleted."""
    keep, other = locked(keep, other)
    refuse_merging(keep, other)
    before, theirs = owner_facts(keep), facts(other)
    said = plan_merge(keep, other)
    known = _known_otherwise(keep, other, said)
    devices = other.devices.update(owner=keep)
    registrations = VppUser.objects.filter(owner=other).update(owner=keep)
    other.delete()  # first, so that their address is free
    write(keep, said)
    announce_devices(keep.organization, [keep.pk], cause="owners merged")
    follow(keep)
    tell_apple(known, by=by)
    told: dict[str, Any] = {"mergedWith": ", ".join(dict.fromkeys(theirs.values()))}
    moved = {"devicesMoved": devices, "registrationsMoved": registrations}
    told |= {name: number for name, number in moved.items() if number}
    after = owner_facts(keep) | told
    record_changes(action="owner.merged", by=by, owner=keep, before=before, after=after)
    return keep


def plan_merge(keep: Owner, other: Owner) -> dict[str, Any]:
    """The owner that results, by fields: blanks are filled, tags come together."""
    filled = {name: getattr(keep, name) or getattr(other, name) for name in FILLED}
    source = Owner.Source.CSV if _in_a_file(keep, other) else keep.source
    return filled | {
        "tag_ids": list(dict.fromkeys([*keep.tag_ids, *other.tag_ids])),
        "source": source,
        "missing_since": _missing_since(keep, other),
    }


def _in_a_file(*owners: Owner) -> list[Owner]:
    return [owner for owner in owners if owner.source == Owner.Source.CSV]


def _missing_since(*owners: Owner) -> datetime | None:
    """Whom one of the two was still listed as is not missing."""
    moments = [owner.missing_since for owner in _in_a_file(*owners)]
    since = [moment for moment in moments if moment]
    return max(since) if since and len(since) == len(moments) else None


def refuse_merging(keep: Owner, other: Owner) -> None:
    if keep.pk == other.pk or keep.organization_id != other.organization_id:
        raise MergedWithItself
    active = VppUser.objects.filter(owner__in=(keep, other)).exclude(apple_status__in=RETIRED)
    both = active.values("account", "account__name").annotate(n=Count("*")).filter(n__gt=1)
    if names := [row["account__name"] for row in both.order_by("account__name")]:
        raise RegisteredTwice((keep.name, other.name), names)


def obstacle_to_merging(keep: Owner, other: Owner) -> Refusal | None:
    try:
        refuse_merging(keep, other)
    except Refusal as refusal:
        return refusal
    return None


def _known_otherwise(keep: Owner, other: Owner, said: Mapping[str, Any]) -> list[VppUser]:
    """People whom Apple knows by another address than the one that they will have."""
    told = ("email", "managed_apple_account")
    changed = [
        owner for owner in (keep, other) if any(getattr(owner, name) != said[name] for name in told)
    ]
    known = VppUser.objects.filter(owner__in=changed, apple_status__in=KNOWN_TO_APPLE)
    return list(known.select_related("account"))
