"""Organization > Overview: what there is, what needs somebody, what happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from licensing.models import LicensedApp
from licensing.models.apps import UNLIMITED
from organizations.access import AdminRequest, organization_view
from organizations.models import AuditEvent, Device, Membership, Network, Organization
from vpp_accounts.models import VppAccount
from vpp_accounts.states import StateWords, words_for

SHOWN_ACCOUNTS = 12
SHOWN_EVENTS = 8

LIMITED = Q(total_count__lt=UNLIMITED)
COUNTS = {
    "titles": Count("pk"),
    "books": Count("pk", filter=Q(product_type="Book")),
    "none_left": Count("pk", filter=LIMITED & Q(available_count__lte=0, total_count__gt=0)),
    "unlimited": Count("pk", filter=~LIMITED),
    "total": Coalesce(Sum("total_count", filter=LIMITED), 0),
    "available": Coalesce(Sum("available_count", filter=LIMITED), 0),
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
        "totals": totals(cards),
        "numbers": inventory(request.membership),
        "events": recent_events(request.membership),
    }
    return render(request, "licensing/overview.html", context)


def account_cards(membership: Membership) -> list[AccountCard]:
    """Three statements, however many accounts there are."""
    accounts = VppAccount.objects.visible_to(membership)
    open_to_me = set(VppAccount.objects.open_to(membership).values_list("pk", flat=True))
    counts = counts_by_account(membership)
    nothing = dict.fromkeys(COUNTS, 0)
    return [
        AccountCard(
            account,
            words_for(account),
            counts.get(account.pk, nothing) if account.pk in open_to_me else None,
        )
        for account in accounts
    ]


def counts_by_account(membership: Membership) -> dict[int, dict[str, int]]:
    licensed = LicensedApp.objects.visible_to(membership).present()
    rows = licensed.values("account_id").annotate(**COUNTS).values_list("account_id", *COUNTS)
    return {account: dict(zip(COUNTS, counts, strict=True)) for account, *counts in rows}


def totals(cards: list[AccountCard]) -> dict[str, int]:
    """Over the accounts that this admin may look into."""
    return {
        name: sum(card.counts[name] for card in cards if card.counts is not None) for name in COUNTS
    }


def inventory(membership: Membership) -> dict[str, int]:
    return {
        "networks": Network.objects.visible_to(membership).count(),
        "devices": Device.objects.visible_to(membership).count(),
    }


def recent_events(membership: Membership) -> Any:
    return AuditEvent.objects.visible_to(membership).order_by("-id")[:SHOWN_EVENTS]
