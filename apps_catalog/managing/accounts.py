"""The VPP accounts that an app may draw licenses from."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db.models import Q

from apps_catalog.managing.refusals import (
    AccountNotAssignable,
    AccountNotYours,
    AccountUnknown,
    LicensesNotYours,
)
from apps_catalog.models import ManagedApp, ManagedAppAccount
from organizations.models import Membership, Network
from vpp_accounts.models import AssignableNetworks, VppAccount
from vpp_accounts.models.sets import VppAccountQuerySet


def assignable_in(network: Network) -> VppAccountQuerySet:
    """Those whose licenses devices of the network may receive."""
    named = VppAccount.assignable_network_list.through.objects.filter(network=network)
    everywhere = Q(assignable_networks=AssignableNetworks.ALL)
    here = Q(assignable_networks=AssignableNetworks.SOME, pk__in=named.values("vppaccount"))
    return VppAccount.objects.filter(everywhere | here, organization=network.organization_id)


def refuse_accounts(
    wanted: Collection[int], network: Network, membership: Membership, *, drawn: Collection[int]
) -> None:
    """Those that the app draws from already may stay, whoever chose them."""
    new = [pk for pk in wanted if pk not in drawn]
    known = VppAccount.objects.visible_to(membership).in_bulk(new)
    manageable = VppAccount.objects.manageable_by(membership).in_bulk(new)
    assignable = assignable_in(network).in_bulk(new)
    for pk in new:
        if pk not in known:
            raise AccountUnknown(pk)
        if pk not in manageable:
            raise AccountNotYours(known[pk].name)
        if pk not in assignable:
            raise AccountNotAssignable(known[pk].name, network)


def refuse_other_peoples_licenses(drawn: Collection[int], membership: Membership) -> None:
    """Who gets licenses of an account is decided by those who may manage it, and nobody else."""
    yours = VppAccount.objects.manageable_by(membership).filter(pk__in=drawn).count()
    if yours < len(drawn):
        raise LicensesNotYours


def draw_from(managed_app: ManagedApp, account_ids: Sequence[int]) -> None:
    """Exactly these, in this order."""
    managed_app.accounts.exclude(account__in=account_ids).delete()
    ManagedAppAccount.objects.bulk_create(
        [
            ManagedAppAccount(
                organization_id=managed_app.organization_id,
                managed_app=managed_app,
                account_id=pk,
                place=place,
            )
            for place, pk in enumerate(account_ids)
        ],
        update_conflicts=True,
        unique_fields=["managed_app", "account"],
        update_fields=["place"],
    )
