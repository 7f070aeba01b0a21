"""In which state an admin is here, of one row and of many."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Q, TextChoices
from django.utils import timezone

from organizations.models import Membership

INVITATION_VALID = timedelta(days=7)


class Status(TextChoices):
    ACTIVE = "active", "Active"
    INVITED = "invited", "Invited"
    EXPIRED = "expired", "Invitation expired"
    LOCKED = "locked", "Locked"
    DEACTIVATED = "deactivated", "Deactivated"


def expires_at(membership: Membership) -> datetime:
    """When an invitation ends; one without a date has ended."""
    return (membership.invited_at or membership.created_at) + INVITATION_VALID


def is_expired(membership: Membership) -> bool:
    return membership.is_invited and expires_at(membership) <= timezone.now()


def status_of(membership: Membership, locked: Collection[str]) -> Status:
    """`locked` are the addresses that must wait; of somebody invited nothing else is told."""
    if membership.is_invited:
        return Status.EXPIRED if is_expired(membership) else Status.INVITED
    if not membership.admin.is_active:
        return Status.DEACTIVATED
    return Status.LOCKED if membership.admin.email in locked else Status.ACTIVE


def with_status(status: str, locked: Collection[str]) -> Q:
    invited = Q(accepted_at=None)
    lately = Q(invited_at__gt=timezone.now() - INVITATION_VALID)
    has_to_wait = Q(admin__email__in=locked)
    match status:
        case Status.INVITED:
            return invited & lately
        case Status.EXPIRED:
            return invited & ~lately
        case Status.DEACTIVATED:
            return ~invited & Q(admin__is_active=False)
        case Status.LOCKED:
            return ~invited & Q(admin__is_active=True) & has_to_wait
    return ~invited & Q(admin__is_active=True) & ~has_to_wait
