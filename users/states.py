"""How far a person is on the way to using licenses, in the specification's words."""

from __future__ import annotations

from enum import StrEnum

from django.db.models import Q

from users.models import VppUser, VppUserQuerySet

RETIRED = (VppUser.AppleStatus.RETIRED, VppUser.AppleStatus.DELETED)


class PersonStatus(StrEnum):
    NEW = "New"
    INVITED = "Invited"
    ASSOCIATED = "Associated"
    RETIRED = "Retired"
    FAILED = "Failed"


def status_of(user: VppUser) -> PersonStatus:
    if user.apple_status in RETIRED:
        return PersonStatus.RETIRED
    if user.apple_status == VppUser.AppleStatus.ASSOCIATED:
        return PersonStatus.ASSOCIATED
    if user.failure:
        return PersonStatus.FAILED
    return PersonStatus.INVITED if user.invited_at else PersonStatus.NEW


def has_status(status: PersonStatus) -> Q:
    """Whether `status_of` says so, in a query for people."""
    retired = Q(apple_status__in=RETIRED)
    associated = Q(apple_status=VppUser.AppleStatus.ASSOCIATED)
    failed, invited = ~Q(failure=""), Q(invited_at__isnull=False)
    on_the_way = ~(retired | associated)
    match status:
        case PersonStatus.RETIRED:
            return retired
        case PersonStatus.ASSOCIATED:
            return associated
        case PersonStatus.FAILED:
            return on_the_way & failed
        case PersonStatus.INVITED:
            return on_the_way & ~failed & invited
        case PersonStatus.NEW:
            return on_the_way & ~failed & ~invited


def with_status(users: VppUserQuerySet, status: PersonStatus) -> VppUserQuerySet:
    """Those of whom `status_of` says so."""
    return users.filter(has_status(status))
