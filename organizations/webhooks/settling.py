"""What came of an attempt: written down, and when the next one is due."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone

from organizations import tenancy
from organizations.models import Webhook, WebhookDelivery, WebhookEvent
from organizations.webhooks import stopping

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
TRIED_FOR = timedelta(days=1)
KEPT_FOR = timedelta(days=30)
GONE = 410
NOT_IN_TIME = (
    "It was not sent within a day: the webhook was disabled, or its receiver kept failing."
)
State = WebhookDelivery.State
_chance = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Outcome:
    """`status` is HTTP's; `error` says in words why there is none."""

    status: int | None = None
    error: str = ""
    answer: str = ""
    duration_ms: int | None = None

    @property
    def is_delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def told(self) -> str:
        """Why it failed; empty where it did not."""
        if self.is_delivered or self.error:
            return self.error[:300]
        if self.status is not None and 300 <= self.status < 400:
            return f"The receiver answered with HTTP {self.status}: redirects are not followed."
        return f"The receiver answered with HTTP {self.status}."


@dataclass(frozen=True, slots=True)
class Next:
    state: State
    at: datetime | None = None


def plan_next(
    outcome: Outcome, *, attempts: int, created_at: datetime, now: datetime, spread: float = 1
) -> Next:
    """`spread`: by what the pause is multiplied, so that not all of them come back at once."""
    if outcome.is_delivered:
        return Next(State.DELIVERED)
    again = now + pause_after(attempts) * spread
    if outcome.status == GONE or again > created_at + TRIED_FOR:
        return Next(State.FAILED)
    return Next(State.WAITING, again)


def pause_after(attempts: int) -> timedelta:
    """30 seconds, 1 minute, 2, 4 … an hour."""
    doublings: int = 2 ** min(attempts - 1, 20)
    return min(FIRST_PAUSE * doublings, LONGEST_PAUSE)


@transaction.atomic
def settle(delivery: WebhookDelivery, outcome: Outcome) -> None:
    now = timezone.now()
    # No key: whoever notes events for it meanwhile is not waited for.
    webhook = Webhook.objects.select_for_update(no_key=True).filter(pk=delivery.webhook_id).first()
    if webhook is None:  # deleted meanwhile
        return
    then = plan_next(
        outcome,
        attempts=delivery.attempts,
        created_at=delivery.created_at,
        now=now,
        spread=_chance.uniform(0.9, 1.1),
    )
    # After the lease somebody else may have claimed it, which raised the attempts.
    ours = WebhookDelivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts)
    if not ours.update(**_facts(delivery, outcome, now), state=then.state, next_attempt_at=then.at):
        return
    _note(webhook, outcome, now)
    if outcome.status == GONE:
        stopping.stop(webhook, Webhook.Stopped.GONE)
    elif then.state == State.FAILED:
        stopping.stop_if_failing(webhook)


def _facts(delivery: WebhookDelivery, outcome: Outcome, now: datetime) -> dict[str, Any]:
    entry = {
        "at": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "status": outcome.status,
        "error": outcome.told,
        "durationMs": outcome.duration_ms,
    }
    return {
        "last_attempt_at": now,
        "status": outcome.status,
        "error": outcome.told,
        "duration_ms": outcome.duration_ms,
        "answer": outcome.answer,
        "log": [*delivery.log, entry],
    }


def _note(webhook: Webhook, outcome: Outcome, now: datetime) -> None:
    """How the webhook does: its pause grows once for all that failed at the same time."""
    webhook.last_attempt_at, webhook.last_status = now, outcome.status
    webhook.last_error = outcome.told
    if outcome.is_delivered:
        webhook.failures, webhook.failing_since, webhook.next_attempt_at = 0, None, None
    elif webhook.next_attempt_at is None or webhook.next_attempt_at <= now:
        webhook.failures += 1
        webhook.failing_since = webhook.failing_since or now
        webhook.next_attempt_at = now + pause_after(webhook.failures) * _chance.uniform(0.9, 1)
    webhook.save(
        update_fields=[
            "last_attempt_at",
            "last_status",
            "last_error",
            "failures",
            "failing_since",
            "next_attempt_at",
        ]
    )


# --- What is over ---------------------------------------------------------------------------------


def give_up_old() -> int:
    """Whatever could not be sent within a day; the system role's work."""
    now, system = timezone.now(), WebhookDelivery.objects.using("system")
    late = system.filter(next_attempt_at__isnull=False, created_at__lte=now - TRIED_FOR)
    late = late.exclude(Q(state=State.SENDING) & Q(next_attempt_at__gt=now))
    webhooks = dict(late.values_list("webhook", "organization").distinct())
    why = Case(When(error="", then=Value(NOT_IN_TIME)), default=F("error"))
    count = late.update(state=State.FAILED, next_attempt_at=None, error=why)
    for webhook_id, organization_id in webhooks.items():
        with tenancy.inside(organization_id), transaction.atomic():
            webhook = Webhook.objects.select_for_update(no_key=True).filter(pk=webhook_id).first()
            if webhook:
                stopping.stop_if_failing(webhook)
    return count


def forget_old() -> int:
    """What happened long ago, with its deliveries, and secrets that sign no more; the system role's
    work."""
    ended = Webhook.objects.using("system").filter(previous_until__lte=timezone.now())
    ended.update(previous_ciphertext="", previous_until=None)
    old = WebhookEvent.objects.using("system").filter(at__lt=timezone.now() - KEPT_FOR)
    deliveries = WebhookDelivery.objects.using("system").filter(event__in=old)
    deliveries._raw_delete(using="system")
    return int(old._raw_delete(using="system") or 0)
