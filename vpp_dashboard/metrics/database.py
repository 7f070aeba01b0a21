"""What the database knows, of all organizations in a handful of statements (as the system role)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.db import connections, transaction
from django.db.models import Count, QuerySet
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from apps_catalog.models import Installation
from licensing.models import OPEN_ITEMS, BatchItem, ItemState
from organizations.models import OutgoingMail, WebhookDelivery
from organizations.models.tenant import OF_OPEN
from vpp_accounts.models import Notification, SyncRun, VppAccount

SYSTEM = "system"
SLOWEST = 3  # seconds of one statement; a scrape must not be what an installation suffers from
ACCOUNT = ["organization_id", "account_id"]
DAY = 24 * 60 * 60
# Every row is counted for this, and there may be millions.
INSTALLATIONS_EVERY = 60  # seconds


@contextmanager
def bounded() -> Iterator[None]:
    with transaction.atomic(using=SYSTEM), connections[SYSTEM].cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{SLOWEST}s'")
        yield


def counted(rows: QuerySet[Any], *names: str) -> list[tuple[Any, ...]]:
    """How many there are of each combination."""
    with bounded():
        groups = rows.using(SYSTEM).order_by().values_list(*names)
        return list(groups.annotate(number=Count("pk")))


def gauge(name: str, what: str, labels: list[str] | None = None) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, what, labels=labels or [])


# --- Accounts -------------------------------------------------------------------------------------


def accounts() -> Iterator[Metric]:
    """Of organizations at work: nothing is done for the others, and nobody can mend them."""
    left = gauge("vpp_account_token_days_left", "Days until the token ends.", ACCOUNT)
    state = gauge("vpp_account_state", "1 for the state in which it is.", [*ACCOUNT, "state"])
    age = gauge(
        "vpp_account_sync_age_seconds",
        "Since the last sync that succeeded; before the first, since the account was added.",
        ACCOUNT,
    )
    now = timezone.now()
    for organization_id, account_id, at_apple, ends_at, synced_at, added_at in known_accounts():
        who = [str(organization_id), str(account_id)]
        left.add_metric(who, seconds_between(now, ends_at) / DAY)
        state.add_metric([*who, at_apple], 1)
        age.add_metric(who, seconds_between(synced_at or added_at, now))
    yield from (left, state, age)


def known_accounts() -> list[tuple[Any, ...]]:
    ours = VppAccount.objects.using(SYSTEM).filter(OF_OPEN).order_by()
    columns = ("state", "token_expires_at", "last_synced_at", "created_at")
    with bounded():
        return list(ours.values_list("organization_id", "pk", *columns))


def seconds_between(earlier: datetime, later: datetime) -> float:
    return (later - earlier).total_seconds()


def syncs() -> Iterator[Metric]:
    runs = gauge("vpp_syncs_open", "Syncs that wait or run, by phase.", ["phase"])
    phases = dict(counted(SyncRun.objects.filter(finished_at=None), "phase"))
    for phase in SyncRun.Phase.values:
        if phase != SyncRun.Phase.DONE:
            runs.add_metric([phase], phases.get(phase, 0))
    yield runs


# --- Work that waits ------------------------------------------------------------------------------


def batch_items() -> Iterator[Metric]:
    items = gauge("vpp_batch_items_open", "Items of batches that are not settled.", ["state"])
    waiting = gauge(
        "vpp_waiting_licenses", "Items that wait for a free license.", ["organization_id"]
    )
    states = dict.fromkeys(OPEN_ITEMS, 0)
    for organization_id, state, number in counted(unsettled(), "organization_id", "state"):
        states[state] += number
        if state == ItemState.WAITING:
            waiting.add_metric([str(organization_id)], number)
    for state, number in states.items():
        items.add_metric([state], number)
    yield from (items, waiting)


def unsettled() -> QuerySet[BatchItem]:
    """In the two parts that have an index: there may be millions that are settled."""
    items = BatchItem.objects.filter(state__in=OPEN_ITEMS)
    return items.filter(licensed_app=None) | items.exclude(licensed_app=None)


def mail() -> Iterator[Metric]:
    unsent = gauge("vpp_mail_waiting", "Mails that are not sent yet.")
    unsent.add_metric([], number_of(OutgoingMail.objects.filter(next_attempt_at__isnull=False)))
    yield unsent


def webhooks() -> Iterator[Metric]:
    undelivered = gauge("vpp_webhook_deliveries_waiting", "Deliveries that are not settled.")
    unsettled = WebhookDelivery.objects.filter(next_attempt_at__isnull=False)
    undelivered.add_metric([], number_of(unsettled))
    yield undelivered


def notifications() -> Iterator[Metric]:
    unhandled = gauge("vpp_notifications_waiting", "Notifications of Apple's, not handled yet.")
    unhandled.add_metric([], number_of(Notification.objects.waiting()))
    yield unhandled


def number_of(rows: QuerySet[Any]) -> int:
    with bounded():
        return rows.using(SYSTEM).count()


def installations() -> Iterator[Metric]:
    states = gauge("vpp_installations", "Apps on devices, by state.", ["state"])
    key = "metrics:installations"
    found = cache.get_or_set(
        key, lambda: counted(Installation.objects.all(), "state"), INSTALLATIONS_EVERY
    )
    for state, number in sorted(found or ()):
        states.add_metric([state], number)
    yield states
