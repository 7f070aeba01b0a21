"""The link of an invitation: made of the membership and the moment, so that a later one voids it."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.core import signing
from django.urls import reverse

from organizations import lookups, tenancy
from organizations.models import Membership

SIGNER = signing.Signer(salt="organizations.admin.invitation", sep="~")


def token_of(membership: Membership) -> str:
    return SIGNER.sign(f"{membership.pk}.{_generation(membership.invited_at)}")


def url_of(membership: Membership) -> str:
    path = reverse("organizations:invitation", args=[token_of(membership)])
    return f"{settings.BASE_URL}{path}"


def find(token: str) -> Membership | None:
    """Whom a link invites, perhaps too long ago; none where it was used, voided or never ours.

    The rest of the request works in that organization.
    """
    try:
        pk, generation = (int(part) for part in SIGNER.unsign(token).split("."))
    except (signing.BadSignature, ValueError):
        return None
    tenancy.enter(lookups.membership.organization(pk))
    known = Membership.objects.select_related("organization", "admin")
    membership = known.filter(pk=pk, accepted_at=None).first()
    if membership and _generation(membership.invited_at) == generation:
        return membership
    tenancy.leave()
    return None


def _generation(moment: datetime | None) -> int:
    return int(moment.timestamp() * 1_000_000) if moment else 0
