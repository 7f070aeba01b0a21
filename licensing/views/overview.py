"""Organization > Overview: what there is, what needs somebody, what happened."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Sum
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from licensing import titles
from licensing.models import LicensedApp, events_visible_to
from licensing.tables import EventRow, event_rows
from licensing.tables.event_filters import folded
from organizations.access import AdminRequest, organization_view
from organizations.models import Device, Membership, Network, Organization
from organizations.network_choice import chosen_network
from vpp_accounts.models import VppAccount
from vpp_accounts.states import StateWords, words_for

SHOWN_ACCOUNTS = 12
SHOWN_EVENTS = 8

# Within one account a title is one row, so that these are the numbers of its own list.
COUNTS = {
    "titles": Count("pk"),
    "available": Coalesce(Sum("available_count", filter=~titles.IS_UNLIMITED), 0),
}


@dataclass(frozen=True, slots=True)
class AccountCard:
    account: VppAccount
    words: StateWords
    # None where the admin may not see the account's licenses.
    counts: dict[str, int] | None


@require_safe
@organization_view()
def overview(request: AdminRequest, organization: Organization) -> HttpResponse:
    cards = account_cards(request.membership)
    context = {
        "cards": cards[:SHOWN_ACCOUNTS],
        "accounts": len(cards),
        # Whoever may add accounts is shown how; a network admin waits to be let in.
        "waits_for_access": not cards and not request.membership.sees_organization,
        "totals": licenses(request.membership),
        "numbers": inventory(request.membership, chosen_network(request)),
        "events": recent_events(request.membership),
    }
    return render(request, "licensing/overview.html", context)


def account_cards(membership: Membership) -> list[AccountCard]:
    """Two statements, however many accounts there are."""
    accounts = VppAccount.objects.visible_to(membership).with_rights(membership)
    counts = counts_by_account(membership)
    nothing = dict.fromkeys(COUNTS, 0)
    return [
        AccountCard(
            account,
            words_for(account),
            counts.get(account.pk, nothing) if account.is_open else None,
        )
        for account in accounts
    ]


def counts_by_account(membership: Membership) -> dict[int, dict[str, int]]:
    licensed = LicensedApp.objects.visible_to(membership).present()
    rows = licensed.values("account_id").annotate(**COUNTS).values_list("account_id", *COUNTS)
    return {account: dict(zip(COUNTS, counts, strict=True)) for account, *counts in rows}


def licenses(membership: Membership) -> titles.Totals:
    """As above the list of all accounts: a title that several accounts hold counts once."""
    return titles.totals_of(titles.grouped(LicensedApp.objects.visible_to(membership).present()))


def inventory(membership: Membership, network: Network | None) -> dict[str, int]:
    devices = Device.objects.visible_to(membership)
    return {
        "networks": Network.objects.visible_to(membership).count(),
        "devices": (devices.filter(network=network) if network else devices).count(),
    }


def recent_events(membership: Membership) -> list[EventRow]:
    events = folded(events_visible_to(membership)).order_by("-id")
    return event_rows(events[:SHOWN_EVENTS], membership)
