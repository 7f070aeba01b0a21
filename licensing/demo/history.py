"""Counts of the days before the demo existed. They are invented; a real history is never made here."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from django.utils import timezone

from licensing.models import LicenseCount, LicensedApp
from vpp_accounts.models import VppAccount

DAYS = 60
SCHOOL_DAYS = 5  # of a week, beginning on Monday


class Counts(NamedTuple):
    total: int
    assigned: int


def invent_history(account: VppAccount) -> None:
    """Rows for the days up to yesterday; days that have a row keep it."""
    today = timezone.localdate(timezone=account.organization.zone)
    days = [today - timedelta(days=ago) for ago in range(DAYS, 0, -1)]
    titles = LicensedApp.objects.filter(account=account).present()
    rows = [_row(title, day, counts) for title in titles for day, counts in _past(title, days)]
    LicenseCount.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)


def _past(title: LicensedApp, days: Sequence[date]) -> list[tuple[date, Counts]]:
    end = Counts(title.total_count, title.assigned_count)
    past = plan_past(end, days, seed=str(title), is_unlimited=title.is_unlimited)
    return list(zip(days, past, strict=True))


def plan_past(
    end: Counts, days: Sequence[date], *, seed: str, is_unlimited: bool = False
) -> list[Counts]:
    """How it may have come to `end`: devices are handed out on school days, licenses bought twice."""
    chance = random.Random(seed)  # noqa: S311  the same story each time, and no secret
    began = chance.uniform(0.35, 0.8)
    bought_on = chance.sample(range(len(days) * 5 // 6), 2)
    effort = [chance.random() if day.weekday() < SCHOOL_DAYS else 0.0 for day in days]
    past, done = [], 0.0
    for number, today in enumerate(effort):
        done += today
        share = began + (1 - began) * done / (sum(effort) or 1)
        assigned = round(end.assigned * share)
        bought = 0.7 + 0.15 * sum(number >= day for day in bought_on)
        total = end.total if is_unlimited else max(round(end.total * bought), assigned)
        past.append(Counts(total, assigned))
    return past


def _row(title: LicensedApp, day: date, counts: Counts) -> LicenseCount:
    return LicenseCount(
        organization_id=title.organization_id,
        licensed_app=title,
        day=day,
        total_count=counts.total,
        assigned_count=counts.assigned,
        available_count=counts.total - counts.assigned,
    )
