"""What is left to give out in the accounts of apps: a few statements for any number of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from apps_catalog.models import ManagedApp, ManagedAppAccount
from licensing.batches.facts import free_of, pending_grants
from licensing.models import LicensedApp
from organizations.models import Membership

Key = tuple[int, str]  # VPP account, Adam ID


@dataclass(frozen=True, slots=True)
class Stock:
    """A title in one account. `free` None: without end."""

    title: LicensedApp
    free: int | None

    @property
    def words(self) -> str:
        return "unlimited" if self.free is None else f"{self.free:,}"


@dataclass(frozen=True, slots=True)
class Available:
    """Of one app, over its accounts that are open to the admin. `number` None: without end."""

    number: int | None
    as_of: datetime

    @property
    def words(self) -> str:
        return "unlimited" if self.number is None else f"{self.number:,}"


def stocks_of(membership: Membership, adam_ids: Iterable[str]) -> dict[Key, Stock]:
    """Of the accounts that are open to the admin; of two editions the standard one."""
    ours = LicensedApp.objects.visible_to(membership).present()
    titles = list(ours.filter(adam_id__in=set(adam_ids)).order_by("pricing_param"))
    pending = pending_grants([title.pk for title in titles])
    return {
        (title.account_id, title.adam_id): Stock(title, free_of(title, pending.get(title.pk, 0)))
        for title in titles
    }


def available_of(apps: Iterable[ManagedApp], membership: Membership) -> dict[int, Available]:
    """By the id of the app, of those that an open account has the title of."""
    by_id = {app.pk: app for app in apps if app.needs_license}
    stocks = stocks_of(membership, (app.adam_id for app in by_id.values()))
    drawn: dict[int, list[Stock]] = {}
    links = ManagedAppAccount.objects.filter(managed_app__in=by_id)
    for app_id, account_id in links.values_list("managed_app_id", "account_id"):
        if stock := stocks.get((account_id, by_id[app_id].adam_id)):
            drawn.setdefault(app_id, []).append(stock)
    return {app_id: _summed(each) for app_id, each in drawn.items()}


def _summed(stocks: list[Stock]) -> Available:
    numbers = [stock.free for stock in stocks]
    known = [number for number in numbers if number is not None]
    number = sum(known) if len(known) == len(numbers) else None
    return Available(number, min(stock.title.counts_as_of for stock in stocks))
