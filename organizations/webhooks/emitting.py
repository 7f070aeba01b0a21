"""Noting what happened, in its transaction. Costs one statement where nobody listens, and never fails
the work around it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
import structlog
from django.db import transaction
from django.utils import timezone

from organizations import bulk, hooks
from organizations.models import EventKind, Webhook, WebhookDelivery, WebhookEvent
from organizations.webhooks.bodies import FORMAT

log = structlog.get_logger(__name__)

Data = Mapping[str, Any]
AT_A_TIME = 1000

# Whoever deletes one of them waits for the transaction around the event: else that could not commit,
# since its deliveries would lead nowhere.
_LISTENING = f"""
    SELECT id FROM {Webhook._meta.db_table}
    WHERE organization_id = %s AND stopped = '' AND %s = ANY(events) ORDER BY id FOR KEY SHARE
"""  # noqa: S608  the name is the model's


def emit(
    organization_id: int,
    kind: EventKind,
    payload: Data | Callable[[], Data],
    at: datetime | None = None,
) -> None:
    """`payload` is asked for only where somebody listens."""
    emit_each(organization_id, kind, lambda: [payload() if callable(payload) else payload], at=at)


def emit_each(
    organization_id: int,
    kind: EventKind,
    payloads: Callable[[], Iterable[Data]],
    at: datetime | None = None,
) -> None:
    """The same for many events at once, in a few statements."""
    webhook_ids = [pk for (pk,) in bulk.returned(_LISTENING, [organization_id, kind.value])]
    if not webhook_ids:
        return
    try:
        with transaction.atomic():
            events = noted(organization_id, kind, payloads(), at)
            queue(events, webhook_ids)
    except Exception:  # what happened did happen, whether it is told or not
        log.exception("webhooks.not_noted", organization=organization_id, kind=kind)


def noted(
    organization_id: int, kind: str, payloads: Iterable[Data], at: datetime | None = None
) -> list[WebhookEvent]:
    now = at or timezone.now()
    events = [
        WebhookEvent(
            organization_id=organization_id, kind=kind, payload=_as_written(payload), at=now
        )
        for payload in payloads
    ]
    return WebhookEvent.objects.bulk_create(events, batch_size=AT_A_TIME)


def queue(
    events: Iterable[WebhookEvent],
    webhook_ids: Sequence[int],
    *,
    again_of: WebhookDelivery | None = None,
) -> list[WebhookDelivery]:
    """Each of these events for each of these webhooks."""
    deliveries = [
        WebhookDelivery(
            organization_id=event.organization_id,
            webhook_id=webhook_id,
            event=event,
            again_of=again_of,
        )
        for event in events
        for webhook_id in webhook_ids
    ]
    if deliveries:
        # The broker is a doorbell: if it does not ring, the sweep finds the rows.
        transaction.on_commit(lambda: hooks.webhooks_wait.send(WebhookDelivery), robust=True)
    return WebhookDelivery.objects.bulk_create(deliveries, batch_size=AT_A_TIME)


def _as_written(payload: Data) -> Any:
    """As JSON has it: moments in UTC with Z and whole seconds."""
    return orjson.loads(orjson.dumps(dict(payload), option=FORMAT))
