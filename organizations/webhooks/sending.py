"""Sending what is due. A receiver that is slow or fails holds up no other one.

A few deliveries are claimed at a time, few of each webhook, and posted side by side; each is settled
as soon as its answer is there. Few workers do that at once: the others have Apple's work to do. What a worker leaves behind is due again when its lease ends, with the
same `webhook-id`.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog
from django.db import connections, transaction
from django.db.models import F
from django.utils import timezone

from organizations import outbound, tenancy
from organizations.crypto import CannotDecrypt
from organizations.models import Organization, Webhook, WebhookDelivery
from organizations.webhooks.addresses import Session
from organizations.webhooks.bodies import body_of, headers_of
from organizations.webhooks.settling import Outcome, settle

log = structlog.get_logger(__name__)

AT_ONCE = 16  # of one worker
SENDERS = 2  # workers at once, of however many there are
IN_FLIGHT = 4  # of one webhook; of one that fails, a single one finds out whether it is back
LEASE = timedelta(minutes=1)
EXCERPT = 1000  # characters of an answer that are kept
CLAIMING = 0x77656268  # the advisory lock: one worker at a time counts and claims
UNREADABLE = (
    "The stored secret cannot be decrypted: a key of FIELD_ENCRYPTION_KEYS is missing. Restore the key,"
    " or rotate the secret."
)

# What one worker claimed together has one lease.
_SENDERS = f"""
    SELECT count(DISTINCT busy.next_attempt_at) FROM {Webhook._meta.db_table} AS webhook
    JOIN {WebhookDelivery._meta.db_table} AS busy ON busy.webhook_id = webhook.id
    WHERE busy.next_attempt_at > %(now)s AND busy.next_attempt_at <= %(until)s
      AND busy.state = '{WebhookDelivery.State.SENDING}'
"""  # noqa: S608  names are the models'

# Each organization in turn, and each webhook of it, so that a long queue of one, or twenty slow
# receivers, do not keep the others waiting.
_DUE = f"""
    SELECT due.id FROM {Webhook._meta.db_table} AS webhook
    JOIN {Organization._meta.db_table} AS organization ON organization.id = webhook.organization_id
    CROSS JOIN LATERAL (
        SELECT delivery.id, delivery.next_attempt_at,
               row_number() OVER (ORDER BY delivery.next_attempt_at, delivery.id) AS place
        FROM {WebhookDelivery._meta.db_table} AS delivery
        WHERE delivery.webhook_id = webhook.id AND delivery.next_attempt_at <= %(now)s
        ORDER BY delivery.next_attempt_at, delivery.id
        LIMIT greatest(0, CASE WHEN webhook.failures > 0 THEN 1 ELSE {IN_FLIGHT} END - (
            SELECT count(*) FROM {WebhookDelivery._meta.db_table} AS busy
            WHERE busy.webhook_id = webhook.id AND busy.next_attempt_at > %(now)s
              AND busy.state = '{WebhookDelivery.State.SENDING}'))) AS due
    WHERE webhook.stopped = '' AND organization.suspended_at IS NULL
      AND organization.deletion_asked_at IS NULL
      AND (webhook.next_attempt_at IS NULL OR webhook.next_attempt_at <= %(now)s)
    ORDER BY row_number() OVER (
        PARTITION BY webhook.organization_id ORDER BY due.place, due.next_attempt_at, due.id
    ), due.next_attempt_at LIMIT {AT_ONCE}
"""  # noqa: S608  names are the models'


@dataclass(frozen=True, slots=True)
class Parcel:
    """One attempt, ready to be posted; `problem`: it cannot be."""

    url: str
    body: bytes = b""
    headers: dict[str, str] | None = None
    problem: str = ""


def send_due() -> int:
    """Send what is due; answers how many were delivered."""
    delivered = 0
    while deliveries := claim():
        delivered += send_group(deliveries)
    return delivered


def claim() -> list[WebhookDelivery]:
    """The next few, ours for the time of the lease."""
    now, every = timezone.now(), WebhookDelivery.objects.using("system")
    with transaction.atomic(using="system"):
        with connections["system"].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CLAIMING])
            cursor.execute(_SENDERS, {"now": now, "until": now + LEASE})
            if cursor.fetchone()[0] >= SENDERS:
                return []  # they go on until nothing is due
            cursor.execute(_DUE, {"now": now})
            ids = [pk for (pk,) in cursor.fetchall()]
        due = every.filter(pk__in=ids, next_attempt_at__lte=now).select_related("webhook", "event")
        ours = list(due.select_for_update(of=("self",), skip_locked=True))
        every.filter(pk__in=[each.pk for each in ours]).update(
            state=WebhookDelivery.State.SENDING,
            next_attempt_at=now + LEASE,
            attempts=F("attempts") + 1,
        )
    for each in ours:
        each.attempts += 1
    return ours


def send_group(deliveries: list[WebhookDelivery]) -> int:
    """Side by side; nothing of the database is touched while they wait for answers."""
    now = timezone.now()
    delivered = 0
    with ThreadPoolExecutor(len(deliveries), thread_name_prefix="webhooks") as pool:
        posted = {pool.submit(post, parcel_of(each, now)): each for each in deliveries}
        for future in as_completed(posted):
            delivery, outcome = posted[future], future.result()
            with tenancy.inside(delivery.organization_id):
                settle(delivery, outcome)
            delivered += outcome.is_delivered
    return delivered


def parcel_of(delivery: WebhookDelivery, now: datetime) -> Parcel:
    webhook, body = delivery.webhook, body_of(delivery.event)
    try:
        headers = headers_of(webhook, delivery.event, body, now)
    except CannotDecrypt:
        return Parcel(webhook.url, problem=UNREADABLE)
    return Parcel(webhook.url, body, headers)


def post(parcel: Parcel) -> Outcome:
    """Never raises: whatever goes wrong is an outcome."""
    if parcel.problem:
        return Outcome(error=parcel.problem)
    began = time.monotonic()
    try:
        with Session() as session:
            response = session.post(parcel.url, data=parcel.body, headers=parcel.headers)
    except outbound.Unreachable as error:
        return Outcome(error=str(error), duration_ms=_since(began))
    except (outbound.Failed, OSError, ValueError) as error:
        return Outcome(error=_unreached(parcel, error), duration_ms=_since(began))
    except Exception as error:  # else all those that are sent with it would be sent again
        log.exception("webhooks.not_posted", host=urlsplit(parcel.url).hostname)
        return Outcome(error=_unreached(parcel, error), duration_ms=_since(began))
    return Outcome(
        status=response.status_code,
        answer=response.content.decode(errors="replace").replace("\x00", "")[:EXCERPT],
        duration_ms=_since(began),
    )


def _unreached(parcel: Parcel, error: Exception) -> str:
    return f"{urlsplit(parcel.url).hostname} cannot be reached ({type(error).__name__})."


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
