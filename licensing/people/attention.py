"""Who should be looked at: the conditions of the list's filter, and how many there are."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, TextChoices, Window
from django.utils import timezone

from licensing.people.facts import MOST_DEVICES, Users, number_of
from organizations.models import Device, Membership
from users.models import Invitation, VppUser
from users.states import RETIRED
from vpp_accounts.models import VppAccount, VppAccountQuerySet

PATIENCE = timedelta(days=7)
ACTIVE = ~Q(apple_status__in=RETIRED)


class Attention(TextChoices):
    STALE = "stale", f"Invited more than {PATIENCE.days} days ago"
    ASKED = "asked", "Asked for a new invitation"
    SHARED = "shared", "Shares an Apple Account"
    DEVICES = "devices", f"More than {MOST_DEVICES} devices"
    LEFT = "left", "No longer in the owners' source"
    NO_EMAIL = "no-email", "No e-mail address"


NOTICED = (Attention.LEFT, Attention.ASKED)  # what the page says without being asked


def condition(what: Attention, membership: Membership) -> Q:
    match what:
        case Attention.STALE:
            long_ago = timezone.now() - PATIENCE
            registered = VppUser.AppleStatus.REGISTERED
            return Q(apple_status=registered, invited_at__lt=long_ago)
        case Attention.ASKED:
            asked = Invitation.objects.filter(asked_again_at__isnull=False)
            return Q(pk__in=asked.filter(organization=membership.organization_id).values("user"))
        case Attention.SHARED:
            return Q(pk__in=_sharers(membership))
        case Attention.DEVICES:
            return ACTIVE & Q(owner__in=_owners_of_many(membership))
        case Attention.LEFT:
            return ACTIVE & Q(owner__missing_since__isnull=False)
        case Attention.NO_EMAIL:
            return ACTIVE & Q(email="") & (Q(owner=None) | Q(owner__email=""))


def _sharers(membership: Membership) -> Users:
    # Counted all at once: looked up one by one, each would be compared with all others.
    active = VppUser.objects.filter(ACTIVE, organization=membership.organization_id)
    behind_it = Window(Count("pk"), partition_by=["account", "id_hash"])
    numbered = active.exclude(id_hash="").annotate(behind_it=behind_it)
    return numbered.filter(behind_it__gt=1).values("pk")


def _owners_of_many(membership: Membership) -> QuerySet[Device, Any]:
    owned = Device.objects.visible_to(membership).filter(owner__isnull=False)
    counted = owned.order_by().values("owner").annotate(number=Count("pk"))
    return counted.filter(number__gt=MOST_DEVICES).values("owner")


def with_notices(accounts: VppAccountQuerySet, membership: Membership) -> QuerySet[VppAccount]:
    """Each account with the numbers of those whom the page mentions, by the attention's name."""
    users = VppUser.objects.filter(
        organization=membership.organization_id, account=OuterRef("pk")
    ).order_by()
    return accounts.annotate(
        **{
            what.name: number_of(users.filter(condition(what, membership)), by="account")
            for what in NOTICED
        }
    )


def noticed(accounts: Iterable[Any]) -> dict[Attention, int]:
    """Of accounts with notices; who is nobody is left out."""
    numbers = {what: sum(getattr(each, what.name) for each in accounts) for what in NOTICED}
    return {what: number for what, number in numbers.items() if number}
