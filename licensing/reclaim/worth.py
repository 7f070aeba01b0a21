"""How many licenses could be freed, of what, and what they have cost."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, Q

from licensing.models import LicensedApp, LicensingSettings, Reclaim, ReclaimCause
from licensing.models.reclaim import ReclaimQuerySet
from organizations.models import Membership

State = Reclaim.State
SHOWN_TITLES = 8
_AROUND_A_NUMBER = re.compile(r"^(\D*)\d[\d.,\s]*(\D*)$")


@dataclass(frozen=True, slots=True)
class Part:
    """Of one cause, or of one title."""

    value: str
    label: str
    licenses: int
    price: str = ""


@dataclass(frozen=True, slots=True)
class Worth:
    licenses: int
    devices: int
    planned: int
    causes: list[Part]
    titles: list[Part]
    more_titles: int
    money: list[str]  # one for each currency
    prices_as_of: datetime | None
    as_of: datetime | None


def worth(membership: Membership) -> Worth:
    """Of all that this admin sees and that is neither kept nor being taken back. Four statements."""
    rows = Reclaim.objects.visible_to(membership).filter(state__in=(State.FOUND, State.PLANNED))
    total = rows.aggregate(
        licenses=Count("*"),
        devices=Count("holder", distinct=True),
        planned=Count("pk", filter=Q(state=State.PLANNED)),
    )
    titles = _titles(rows)
    ours = LicensingSettings.objects.filter(organization=membership.organization_id)
    return Worth(
        **total,
        causes=_causes(rows),
        titles=[_part(title, number) for title, number in titles[:SHOWN_TITLES]],
        more_titles=max(0, len(titles) - SHOWN_TITLES),
        money=_money(titles),
        prices_as_of=_prices_as_of(titles),
        as_of=ours.values_list("reclaims_as_of", flat=True).first(),
    )


Titles = list[tuple[LicensedApp, int]]


def _titles(rows: ReclaimQuerySet) -> Titles:
    counted = rows.order_by().values_list("licensed_app").annotate(n=Count("*"))
    numbers = dict(counted.values_list("licensed_app", "n"))
    titles = LicensedApp.objects.filter(pk__in=numbers).select_related("app", "account")
    return sorted(
        ((title, numbers[title.pk]) for title in titles),
        key=lambda each: (-each[1], str(each[0].app), each[0].pk),
    )


def _causes(rows: ReclaimQuerySet) -> list[Part]:
    counted = rows.order_by().values_list("cause").annotate(n=Count("*"))
    numbers = dict(counted.values_list("cause", "n"))
    return [
        Part(cause.value, str(cause.label), numbers[cause.value])
        for cause in ReclaimCause
        if cause.value in numbers
    ]


def _part(title: LicensedApp, number: int) -> Part:
    label = f"{title.app} · {title.account.name}"
    return Part(str(title.pk), label, number, " ".join(_money([(title, number)])))


def _money(titles: Titles) -> list[str]:
    """“$169.66”: as far as the store tells prices, each currency by itself."""
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for title, number in titles:
        app = title.app
        around = _AROUND_A_NUMBER.match(app.price_text)
        if app.price and around:
            sums[around[1], around[2].rstrip()] += app.price * number
    return [f"{before}{amount:,.2f}{after}" for (before, after), amount in sorted(sums.items())]


def _prices_as_of(titles: Titles) -> datetime | None:
    priced = [title.app.metadata_as_of for title, _ in titles if title.app.price]
    return min((moment for moment in priced if moment), default=None)
