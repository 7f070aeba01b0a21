"""What saving an app would do, in numbers, before anything is saved. Nothing is changed.

`preview` for the headline, `clients` and `outcomes` for the list below it, `is_worse` when it is
saved: whether a person has to look again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from django.db.models import F
from django.utils import timezone

from apps_catalog.models import App
from apps_catalog.reasons import Reason
from apps_catalog.requirements import ASKS_THE_USER, AppFacts, DeviceFacts, is_silent
from licensing.automation.choosing import Person, Stock, Supply
from licensing.automation.drafts import Draft
from licensing.automation.hints import permanent, transfers
from licensing.automation.losing import losing
from licensing.automation.sources import Source, Titles, sources_of
from licensing.automation.surveying import Group, each_of, groups_of
from organizations.models import Device, Membership
from organizations.models.inventory import DeviceQuerySet
from vpp_accounts.models import VppAccount

__all__ = [
    "Draft",
    "Fate",
    "Outcome",
    "Outlook",
    "Preview",
    "clients",
    "is_worse",
    "outcomes",
    "preview",
]


class Fate(StrEnum):
    """What becomes of one device, or of its owner."""

    HELD = "held"
    WILL_GET = "willGet"
    GETS_OR_WAITS = "getsOrWaits"  # there are licenses for some of them only
    WAITS = "waits"
    ASKS = "asks"
    CANNOT = "cannot"
    NEEDS_NONE = "needsNone"

    @property
    def words(self) -> str:
        return FATES[self]


FATES = {
    Fate.HELD: "Licensed",
    Fate.WILL_GET: "Will get a license",
    Fate.GETS_OR_WAITS: "Will get a license or wait for one: there are too few",
    Fate.WAITS: "Waits for a license",
    Fate.ASKS: "Gets a license when an install is asked for",
    Fate.CANNOT: "Cannot get it",
    Fate.NEEDS_NONE: "Needs no license",
}


class Outcome(NamedTuple):
    """`reason` is given where it can have none."""

    state: Fate
    reason: Reason | None = None


class Outlook(NamedTuple):
    """What a preview promised, for comparing it with the one of a minute later."""

    will_get: int
    will_revoke: int


@dataclass(slots=True)
class Preview:
    """`in_scope` and what it is made of count licenses: devices, or owners of devices."""

    as_of: datetime = field(default_factory=timezone.now)
    in_scope: int = 0
    devices: int = 0  # in scope; the same as `in_scope` where devices hold the licenses
    held: int = 0
    will_get: int = 0
    waits: int = 0
    asks: int = 0  # would get one when an install is asked for
    cannot: Counter[Reason] = field(default_factory=Counter)
    leaving: int = 0
    will_revoke: int = 0
    kept_by_hand: int = 0
    needs_decision: bool = False
    free: dict[int, int | None] = field(default_factory=dict)
    short_by: int = 0
    cost: Decimal | None = None
    cost_text: str = ""
    transfers: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    asks_the_user: int = 0  # devices that install only after their user agrees
    unaccepted: int = 0  # owners who cannot use their license yet

    @property
    def outlook(self) -> Outlook:
        return Outlook(self.will_get, self.will_revoke)

    @property
    def cannot_count(self) -> int:
        return self.cannot.total()


def preview(draft: Draft, membership: Membership | None = None) -> Preview:
    """`membership`: only accounts whose licenses they may see are told of by name and number."""
    titles = Titles.of(draft.organization_id, draft.adam_id)
    app = app_of(draft)
    supply = supply_of(draft, titles, app)
    told, stock = Preview(), Stock(supply.sources)
    for group in groups_of(draft, titles):
        _count(told, draft, supply, stock, group)
    told.devices = told.in_scope
    if draft.is_for_people:
        told.devices = draft.devices.count()
    _tell_of_losses(told, draft, titles)
    _tell_of_shortage(told, draft, titles, supply, app, membership)
    _notice(told, supply)
    return told


def is_worse(shown: Outlook | Preview, now: Outlook | Preview) -> bool:
    """Whether fewer would get a license than was shown, or more would lose theirs."""
    return now.will_get < shown.will_get or now.will_revoke > shown.will_revoke


def clients(draft: Draft, membership: Membership) -> DeviceQuerySet:
    """The devices in scope that this admin may see."""
    return draft.devices.visible_to(membership)


def outcomes(draft: Draft, devices: Iterable[Device], told: Preview) -> dict[int, Outcome]:
    """By device, for the rows that are shown; `told` is the preview of the same draft."""
    titles = Titles.of(draft.organization_id, draft.adam_id)
    supply = supply_of(draft, titles, app_of(draft))
    shown = Device.objects.filter(
        organization=draft.organization_id, pk__in=[device.pk for device in devices]
    )
    groups = each_of(draft, titles, shown)
    return {pk: _outcome(draft, supply, group, told) for pk, group in groups.items()}


def _outcome(draft: Draft, supply: Supply, group: Group, told: Preview) -> Outcome:
    if group.is_held:
        return Outcome(Fate.HELD)
    able, reason = able_device(supply, group)
    if reason or able is None:
        return Outcome(Fate.CANNOT, reason)
    if not supply.needs_license:
        return Outcome(Fate.NEEDS_NONE)
    where = (group.network_id, able.platform, group.people)
    if group.waits is not None:
        return Outcome(Fate.WAITS if group.waits else Fate.WILL_GET)
    if not supply.usable(*where):
        return Outcome(Fate.CANNOT, supply.why_none(*where))
    if not draft.grants and not group.is_asked:
        return Outcome(Fate.ASKS)
    if not told.waits:
        return Outcome(Fate.WILL_GET)
    return Outcome(Fate.GETS_OR_WAITS if told.will_get else Fate.WAITS)


def app_of(draft: Draft) -> App | None:
    """As any store describes it; of the same Adam ID all say the same of its requirements."""
    apps = App.objects.filter(adam_id=draft.adam_id)
    return apps.order_by(F("metadata_as_of").desc(nulls_last=True), "pk").first()


def supply_of(draft: Draft, titles: Titles, app: App | None) -> Supply:
    facts = AppFacts.of(draft.platform, app)
    return Supply(facts, draft.purchase_method, sources_of(titles, draft.account_ids))


def _count(told: Preview, draft: Draft, supply: Supply, stock: Stock, group: Group) -> None:
    told.in_scope += group.number
    loud = sum(not is_silent(device) for device in group.devices)
    told.asks_the_user += group.number if loud else 0
    if group.is_held:
        told.held += group.number
        return
    able, reason = able_device(supply, group)
    if reason or able is None:
        told.cannot[reason or Reason.PLATFORM] += group.number
    elif supply.needs_license:
        _count_needs(told, draft, supply, stock, group, able)


def able_device(supply: Supply, group: Group) -> tuple[DeviceFacts | None, Reason | None]:
    """A device of the group that can have the app; else the reason of the first."""
    reasons = [supply.why_not(device) for device in group.devices]
    for device, reason in zip(group.devices, reasons, strict=True):
        if reason is None:
            return device, Reason.NO_OWNER if group.lacks_owner else None
    return None, reasons[0]


def _count_needs(
    told: Preview, draft: Draft, supply: Supply, stock: Stock, group: Group, able: DeviceFacts
) -> None:
    where = (group.network_id, able.platform, group.people)
    usable = supply.usable(*where)
    if group.waits is not None:
        told.waits += group.number if group.waits else 0
        told.will_get += 0 if group.waits else group.number
    elif not usable:
        told.cannot[supply.why_none(*where)] += group.number
    elif not draft.grants and not group.is_asked:
        told.asks += group.number
    else:
        left = stock.take(usable, group.number)
        told.will_get += group.number - left
        told.waits += left
    if group.people and any(group.people.get(s.account_id) == Person.UNACCEPTED for s in usable):
        told.unaccepted += group.number


def _tell_of_losses(told: Preview, draft: Draft, titles: Titles) -> None:
    if draft.managed_app_id is None:
        return
    losses = losing(draft, titles)
    told.leaving, told.kept_by_hand = losses.leaving, losses.kept_by_hand
    told.will_revoke, told.needs_decision = losses.will_revoke, losses.needs_decision


def _tell_of_shortage(
    told: Preview,
    draft: Draft,
    titles: Titles,
    supply: Supply,
    app: App | None,
    membership: Membership | None,
) -> None:
    open_ = VppAccount.objects.filter(organization=draft.organization_id)
    accounts = (open_.open_to(membership) if membership else open_).in_bulk()
    told.free = _free(supply.sources, accounts)
    told.short_by = told.waits
    if told.short_by:
        told.transfers = transfers(draft, titles, supply, accounts, told.short_by)
        if app and app.price:
            told.cost = app.price * told.short_by
            plural = "license" if told.short_by == 1 else "licenses"
            price = app.price_text or f"{app.price:,.2f}"
            told.cost_text = f"{told.short_by:,} more {plural}: {told.short_by:,} x {price}"


def _free(sources: Iterable[Source], accounts: dict[int, VppAccount]) -> dict[int, int | None]:
    free: dict[int, int | None] = {}
    for source in sources:
        if source.account_id in accounts:
            before = free.get(source.account_id, 0)
            endless = before is None or source.free is None
            free[source.account_id] = None if endless else (before or 0) + (source.free or 0)
    return free


def _notice(told: Preview, supply: Supply) -> None:
    if told.asks_the_user:
        told.notices.append(ASKS_THE_USER)
    if told.will_get and (permanent_ones := permanent(supply.sources)):
        told.notices.append(permanent_ones)
    if told.unaccepted:
        told.notices.append(
            f"Owners who get a license but have not accepted their invitation yet: {told.unaccepted:,}."
        )
