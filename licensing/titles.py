"""Titles as the list shows them: one per Adam ID and edition, whatever accounts hold it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from django.contrib.postgres.aggregates import BoolOr
from django.db.models import (
    BooleanField,
    Case,
    Count,
    ExpressionWrapper,
    F,
    Min,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Lower, NullIf
from django.urls import reverse

from licensing.models import LicenseCount, LicensedApp
from licensing.models.apps import UNLIMITED, LicensedAppQuerySet
from organizations.models import Membership
from vpp_accounts.models import VppAccount

DEVICE_ASSIGNABLE = {
    True: "A license can be given to a serial number; nobody has to sign in with an Apple Account.",
    False: "Its developer has not allowed licenses for serial numbers; only people can receive one.",
}
BOOKS_ARE_FOR_PEOPLE = "Books are given to people, never to devices."
IRREVOCABLE = (
    "A license that was given stays with that person for good and cannot be taken back, not even"
    " by retiring them."
)
PRICE_CLASS = (
    "Free or paid, as the store of the token's country says; for books also the edition, standard"
    " or high quality."
)
EDITIONS = {"STDQ": "Standard quality", "PLUS": "High quality"}
PLATFORM_ORDER = ("iOS", "macOS", "tvOS", "watchOS", "visionOS")
IS_UNLIMITED = Q(total_count__gte=UNLIMITED)

Key = tuple[str, str]
Groups = QuerySet[LicensedApp, Any]


def titles_in(membership: Membership, accounts: Iterable[VppAccount]) -> LicensedAppQuerySet:
    ours = LicensedApp.objects.visible_to(membership).present()
    return ours.filter(account__in=[account.pk for account in accounts])


def grouped(titles: LicensedAppQuerySet) -> Groups:
    """One row per title with what it is sorted and filtered by.

    In the sums an unlimited title counts as Apple's largest number, which is right for sorting
    and is never shown.
    """
    available = Case(When(IS_UNLIMITED, then=Value(UNLIMITED)), default=F("available_count"))
    known_name = NullIf(Lower("app__name"), Value(""))
    return titles.values("adam_id", "pricing_param").annotate(
        book=any_of(Q(product_type="Book")),
        name=Min(Coalesce(known_name, F("adam_id"))),
        total=Sum("total_count"),
        assigned=Sum("assigned_count"),
        available=Sum(available),
        unlimited=any_of(IS_UNLIMITED),
        low=any_of(Q(low_since__isnull=False)),
    )


def any_of(condition: Q) -> BoolOr:
    """Whether the condition holds for at least one row of a group."""
    return BoolOr(ExpressionWrapper(condition, output_field=BooleanField()))


@dataclass(frozen=True, slots=True)
class Totals:
    """What a list of titles adds up to; unlimited titles are counted and not added."""

    titles: int
    books: int
    none_left: int
    unlimited: int
    total: int
    assigned: int
    available: int

    @property
    def apps(self) -> int:
        return self.titles - self.books


def totals_of(groups: Groups) -> Totals:
    limited = Q(unlimited=False)
    found = groups.aggregate(
        titles=Count("adam_id"),
        books=Count("adam_id", filter=Q(book=True)),
        none_left=Count("adam_id", filter=Q(available__lte=0, total__gt=0)),
        unlimited_titles=Count("adam_id", filter=~limited),
        all_total=Coalesce(Sum("total", filter=limited), 0),
        all_assigned=Coalesce(Sum("assigned", filter=limited), 0),
        all_available=Coalesce(Sum("available", filter=limited), 0),
    )
    return Totals(*(int(number) for number in found.values()))


@dataclass(frozen=True, slots=True)
class Counts:
    """Apple's numbers, of one account or added over several. None means unlimited."""

    total: int | None
    assigned: int
    available: int | None
    retired: int

    @classmethod
    def of(cls, members: Sequence[LicensedApp]) -> Self:
        unlimited = any(member.is_unlimited for member in members)
        return cls(
            total=None if unlimited else sum(member.total_count for member in members),
            assigned=sum(member.assigned_count for member in members),
            available=None if unlimited else sum(member.available_count for member in members),
            retired=sum(member.retired_count for member in members),
        )

    @classmethod
    def of_day(cls, count: LicenseCount) -> Self:
        if count.total_count >= UNLIMITED:
            return cls(None, count.assigned_count, None, 0)
        return cls(count.total_count, count.assigned_count, count.available_count, 0)

    @property
    def is_unlimited(self) -> bool:
        return self.total is None

    @property
    def none_left(self) -> bool:
        return bool(self.total) and self.available is not None and self.available <= 0

    @property
    def percent(self) -> int:
        """How much of the total is assigned, 0 to 100."""
        return max(0, min(100, self.assigned * 100 // self.total)) if self.total else 0


@dataclass(frozen=True, slots=True)
class Holding:
    """What one account holds of a title."""

    account: VppAccount
    counts: Counts
    url: str


@dataclass(frozen=True, slots=True)
class Title:
    """One row of Licensed applications, its words chosen once."""

    adam_id: str
    pricing_param: str
    name: str
    is_named: bool
    missing: str
    icon_url: str
    kind: str
    platforms: str
    price: str
    edition: str
    device_assignable: bool
    irrevocable: bool
    is_book: bool
    is_low: bool
    bundle_id: str
    seller: str
    counts: Counts
    counts_as_of: datetime
    holdings: list[Holding]
    url: str

    @property
    def price_class(self) -> str:
        return ", ".join(filter(None, (self.price, self.edition)))

    @property
    def summary(self) -> str:
        """What a narrow screen has no columns for: “App · iOS · Free · for people only”."""
        for_people = "" if self.device_assignable else "for people only"
        for_good = "irrevocable" if self.irrevocable else ""
        facts = (self.kind, self.platforms, self.price_class, for_people, for_good)
        return " · ".join(filter(None, facts))


def load(
    titles: LicensedAppQuerySet, groups: list[dict[str, Any]], accounts: Sequence[VppAccount]
) -> list[Title]:
    """The groups of one page as titles, members in the accounts' order: one statement for all."""
    keys = [(group["adam_id"], group["pricing_param"]) for group in groups]
    found = titles.filter(adam_id__in={adam_id for adam_id, _ in keys}).select_related("app")
    place = {account.pk: number for number, account in enumerate(accounts)}
    members: dict[Key, list[LicensedApp]] = defaultdict(list)
    for member in sorted(found, key=lambda member: place[member.account_id]):
        member.account = accounts[place[member.account_id]]
        members[member.adam_id, member.pricing_param].append(member)
    return [title_of(members[key]) for key in keys if key in members]


def title_of(members: list[LicensedApp]) -> Title:
    """Stores may differ between countries; the first one that knows the title speaks for it."""
    speaker = next((member for member in members if member.app.name), members[0])
    app = speaker.app
    holdings = [Holding(m.account, Counts.of([m]), url_of(m)) for m in members]
    url = holdings[members.index(speaker)].url
    return Title(
        adam_id=speaker.adam_id,
        pricing_param=speaker.pricing_param,
        name=name_of(speaker),
        is_named=bool(app.name),
        missing=missing_name(speaker),
        icon_url=app.icon_url,
        kind=kind_of(speaker),
        platforms=platforms_of(speaker),
        price=price_of(speaker),
        edition=edition_of(speaker),
        device_assignable=any(member.device_assignable for member in members),
        irrevocable=any(member.is_irrevocable for member in members),
        is_book=speaker.is_book,
        is_low=any(member.low_since for member in members),
        bundle_id=app.bundle_id,
        seller=app.seller,
        counts=Counts.of(members),
        counts_as_of=min(member.counts_as_of for member in members),
        holdings=holdings,
        url=url,
    )


def url_of(title: LicensedApp) -> str:
    place = [title.organization_id, title.account_id, title.adam_id, title.pricing_param]
    return reverse("licensing:licensed_app_detail", args=place)


def name_of(title: LicensedApp) -> str:
    return str(title.app)


def missing_name(title: LicensedApp) -> str:
    """Why a title is listed by its number, where it is."""
    if title.app.name:
        return ""
    if title.app.metadata_asked_at is None:
        return "name not looked up yet"
    return f"name not known to the store in {title.app.country or 'its country'}"


def kind_of(title: LicensedApp) -> str:
    if title.is_book:
        return "Book"
    return "Custom app" if title.app.is_custom else "App"


def platforms_of(title: LicensedApp) -> str:
    known = [platform for platform in PLATFORM_ORDER if platform in title.platforms]
    return ", ".join([*known, *(p for p in title.platforms if p not in PLATFORM_ORDER)])


def price_of(title: LicensedApp) -> str:
    """“Free”, “Paid $4.99”, or nothing where the store does not tell."""
    app = title.app
    if app.price is None:
        return ""
    return f"Paid {app.price_text or app.price}" if app.price else "Free"


def edition_of(title: LicensedApp) -> str:
    """Books are sold in two qualities; apps know only the standard one, which goes unsaid."""
    if not title.is_book and title.pricing_param == "STDQ":
        return ""
    return EDITIONS.get(title.pricing_param, title.pricing_param)


def flags_of(title: LicensedApp) -> list[tuple[str, str]]:
    """Apple's flags of a title, each with what it means."""
    assignable = title.device_assignable
    meaning = DEVICE_ASSIGNABLE[assignable]
    if title.is_book and not assignable:
        meaning = BOOKS_ARE_FOR_PEOPLE
    flags = [(f"Device-assignable: {'Y' if assignable else 'N'}.", meaning)]
    return [*flags, ("Irrevocable.", IRREVOCABLE)] if title.is_irrevocable else flags
