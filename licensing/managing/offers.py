"""The VPP accounts that an app could draw from: how many licenses each has, and why one cannot be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from apps_catalog.managing.accounts import assignable_in
from licensing.managing.stock import Stock, stocks_of
from licensing.titles import url_of
from organizations.models import Membership, Network
from vpp_accounts.models import VppAccount
from vpp_accounts.permissions import why_not
from vpp_accounts.states import words_for

NOT_BOUGHT = "No license of it was bought here."
HIDDEN = "It is not open to you, so its licenses are not shown."
NOT_HERE = "Not assignable in this network; a full admin can change that on Organization > MDM."


@dataclass(frozen=True, slots=True)
class Offer:
    """`obstacle`: why it cannot be chosen now; `note`: what is worth knowing all the same."""

    account: VppAccount
    stock: Stock | None
    obstacle: str
    note: str

    @property
    def free(self) -> str:
        """“12 free”, “unlimited”, or nothing where it is not known."""
        if self.stock is None:
            return ""
        return "unlimited" if self.stock.free is None else f"{self.stock.free:,} free"

    @property
    def url(self) -> str:
        if self.stock:
            return url_of(self.stock.title)
        address = reverse("licensing:mdm", args=[self.account.organization_id])
        return f"{address}#account-{self.account.pk}"


def offers_for(adam_id: str, network: Network, membership: Membership) -> list[Offer]:
    """Those that this admin sees, first the ones that have the title."""
    accounts = VppAccount.objects.visible_to(membership).with_rights(membership)
    assignable = set(assignable_in(network).values_list("pk", flat=True))
    stocks = stocks_of(membership, [adam_id])
    offers = [
        _offer(account, stocks.get((account.pk, adam_id)), account.pk in assignable, membership)
        for account in accounts
    ]
    return sorted(offers, key=lambda offer: (offer.stock is None, bool(offer.obstacle)))


def usable(offers: Sequence[Offer]) -> list[Offer]:
    """What an app draws from unless somebody says otherwise."""
    return [offer for offer in offers if offer.stock and not offer.obstacle]


def _offer(
    account: VppAccount, stock: Stock | None, is_assignable: bool, membership: Membership
) -> Offer:
    obstacle = why_not(account, membership)
    if not obstacle and not is_assignable:
        obstacle = NOT_HERE
    note = "" if stock else (NOT_BOUGHT if account.is_open else HIDDEN)
    if account.takes_no_changes:
        words = words_for(account)
        note = f"{words.label}: nothing is granted or revoked here. {words.what_to_do}"
    elif stock and not stock.title.device_assignable:
        note = "Its licenses are for people only: the developer allows none for devices."
    return Offer(account, stock, obstacle, note)
