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
    return PersonStatus.FAILED if user.failure else PersonStatus.NEW


def with_status(users: VppUserQuerySet, status: PersonStatus) -> VppUserQuerySet:
    """Those of whom `status_of` says so."""
    decided = Q(apple_status__in=[*RETIRED, VppUser.AppleStatus.ASSOCIATED])
    match status:
        case PersonStatus.RETIRED:
            return users.filter(apple_status__in=RETIRED)
        case PersonStatus.ASSOCIATED:
            return users.filter(apple_status=VppUser.AppleStatus.ASSOCIATED)
        case PersonStatus.FAILED:
            return users.exclude(decided).exclude(failure="")
        case PersonStatus.NEW:
            return users.filter(~decided, failure="")
        case PersonStatus.INVITED:  # nobody has been sent an invitation from here
            return users.none()
