"""Which rows are about an owner."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from organizations.models import Owner
from users.models import VppUser, VppUserQuerySet
from vpp_accounts.models import VppAccount
from vpp_accounts.models.sets import VppAccountQuerySet


def users_of(owner: Owner) -> VppUserQuerySet:
    """Their records in VPP accounts; one found at Apple may have nothing but their address."""
    theirs = Q(owner=owner)
    if owner.email:
        theirs |= Q(owner=None, email__iexact=owner.email)
    return VppUser.objects.filter(theirs, organization=owner.organization_id).order_by("pk")


def accounts_with(owner: Owner) -> QuerySet[VppAccount]:
    """In one order, so that two who erase cannot deadlock."""
    return VppAccount.objects.filter(pk__in=users_of(owner).values("account")).order_by("pk")


def accounts_but(owner: Owner, ours: VppAccountQuerySet) -> list[VppAccount]:
    """Those whose people are not this admin's."""
    return list(accounts_with(owner).exclude(pk__in=ours.values("pk")))
