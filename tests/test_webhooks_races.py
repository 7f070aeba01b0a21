"""Webhooks that change while events are noted for them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from organizations import tenancy, webhooks
from organizations.audit import Actor
from organizations.models import EventKind, Organization, Webhook, WebhookDelivery
from organizations.webhooks import changing
from tests import factories

OPEN = EventKind.BATCH_FINISHED


@pytest.mark.django_db(transaction=True)
def test_a_webhook_that_is_deleted_meanwhile_stops_no_work(
    organization: Organization, by: Actor
) -> None:
    """The work around the event commits, and so does whoever deletes."""
    webhook = factories.WebhookFactory(organization=organization, events=[OPEN])
    begun = threading.Event()

    def delete() -> None:
        try:
            begun.set()
            with tenancy.inside(organization.pk):
                changing.delete(by=by, webhook=webhook)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            webhooks.emit(organization.pk, OPEN, {"batchId": "1"})
            deleting = pool.submit(delete)
            begun.wait()
            Organization.objects.filter(pk=organization.pk).update(name="Worked on")
            done_first = _ends_within(deleting, seconds=0.5)
        deleting.result()

    organization.refresh_from_db()
    assert (done_first, organization.name) == (False, "Worked on")
    assert (Webhook.objects.count(), WebhookDelivery.objects.count()) == (0, 0)


def _ends_within(future, *, seconds: float) -> bool:
    try:
        future.result(timeout=seconds)
    except TimeoutError:
        return False
    return True
