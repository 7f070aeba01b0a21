"""Webhooks over REST: who is told of what, with which secret, and what came of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from organizations.models import (
    AuditEvent,
    IdempotentAnswer,
    Organization,
    Webhook,
    WebhookDelivery,
)
from tests import factories
from tests.api.conftest import ApiClient

NEW = {
    "name": " Service  desk ",
    "url": "https://hooks.example.org/vpp?key=1",
    "events": ["license.low", "batch.finished"],
}
THEN = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)


@pytest.fixture
def base(organization: Organization) -> str:
    return f"/organizations/{organization.pk}/webhooks"


@pytest.fixture
def webhook(organization: Organization) -> Webhook:
    return factories.WebhookFactory(organization=organization, name="Desk")


def delivered(webhook: Webhook, **fields: Any) -> WebhookDelivery:
    values = {"state": "delivered", "next_attempt_at": None, "status": 200, "attempts": 1} | fields
    return factories.WebhookDeliveryFactory(webhook=webhook, **values)


# --- Webhooks -------------------------------------------------------------------------------------


def test_a_webhook_is_added_and_its_secret_shown_once(owner_api: ApiClient, base: str) -> None:
    answer = owner_api.send("post", base, NEW)

    webhook = Webhook.objects.get()
    secret = webhook.secret
    row = answer.json()
    assert (answer.status_code, row.pop("secret")) == (201, secret)
    assert row == {
        "id": str(webhook.pk),
        "name": "Service desk",
        "url": "https://hooks.example.org/vpp?key=1",
        "events": ["batch.finished", "license.low"],
        "enabled": True,
        "disabledReason": None,
        "disabledAt": None,
        "failingSince": None,
        "lastAttempt": None,
        "previousSecretUntil": None,
        "createdAt": row["createdAt"],
        "createdBy": webhook.created_by,
    }
    assert owner_api.get(base).json() == [row]
    assert owner_api.get(f"{base}/{webhook.pk}").json() == row
    assert secret.startswith("whsec_")
    event = AuditEvent.objects.get(action="webhook.added")
    assert event.after == {
        "name": "Service desk",
        "host": "hooks.example.org",
        "events": ["batch.finished", "license.low"],
        "enabled": True,
    }


def test_a_repeated_request_is_answered_without_the_secret(owner_api: ApiClient, base: str) -> None:
    first, again = (
        owner_api.send("post", base, NEW, headers={"Idempotency-Key": "one"}) for _ in range(2)
    )
    url = f"{base}/{first.json()['id']}/rotateSecret"
    rotated, repeated = (
        owner_api.send("post", url, headers={"Idempotency-Key": "two"}) for _ in range(2)
    )

    assert again.json() == first.json() | {"secret": None}
    assert repeated.json() == rotated.json() | {"secret": None}
    assert rotated.json()["secret"] == Webhook.objects.get().secret
    stored = b"".join(bytes(row.body) for row in IdempotentAnswer.objects.all())
    assert b"whsec_" not in stored


@pytest.mark.parametrize(
    ("changes", "code", "why"),
    [
        ({"name": " "}, "invalid", "“name” can't be blank."),
        ({"name": "x" * 101}, "webhook_name_wrong", "The name has 101 characters; at most 100"),
        ({"url": "hooks"}, "webhook_url_wrong", "“hooks” is no address of a receiver."),
        ({"url": "https://a:b@x.org"}, "webhook_url_wrong", "A user or password in the address"),
        ({"url": "https://x.org/#a"}, "webhook_url_wrong", "The address has no hash sign."),
        ({"url": "http://x.org/"}, "webhook_url_wrong", "Events are sent over https only."),
        ({"url": "https://10.0.0.1/"}, "webhook_url_wrong", "10.0.0.1 is in a private network"),
        ({"url": "https://localhost/"}, "webhook_url_wrong", "localhost is in a private network"),
        ({"url": "https://x.org/" + "a" * 500}, "webhook_url_wrong", "The address is longer than"),
        ({"events": []}, "webhook_events_wrong", "Choose at least one event to be told of."),
        ({"events": ["x"]}, "webhook_events_wrong", "“x” is no event. There are: sync.finished,"),
        ({"events": ["webhook.test"]}, "webhook_events_wrong", "“webhook.test” is no event."),
    ],
)
def test_what_makes_no_sense_is_refused(
    owner_api: ApiClient,
    base: str,
    settings: LazySettings,
    changes: dict[str, Any],
    code: str,
    why: str,
) -> None:
    settings.WEBHOOK_PRIVATE_ADDRESSES = False

    answer = owner_api.send("post", base, NEW | changes)

    told = answer.json()
    assert (answer.status_code, told.get("code")) == (400, code)
    assert told["errors"][0].startswith(why)
    assert Webhook.objects.count() == 0


def test_there_are_so_many_and_no_more(
    owner_api: ApiClient, base: str, organization: Organization
) -> None:
    factories.WebhookFactory.create_batch(20, organization=organization)

    answer = owner_api.send("post", base, NEW)

    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_webhooks")


def test_what_is_not_sent_stays_as_it_is(owner_api: ApiClient, base: str, webhook: Webhook) -> None:
    before = owner_api.get(f"{base}/{webhook.pk}").json()

    answer = owner_api.send("put", f"{base}/{webhook.pk}", {"enabled": False})

    row = answer.json()
    assert row == before | {
        "enabled": False,
        "disabledReason": "disabled",
        "disabledAt": row["disabledAt"],
    }
    event = AuditEvent.objects.get(action="webhook.edited")
    assert (event.before["enabled"], event.after["enabled"]) == (True, False)


def test_who_enables_it_again_begins_anew(
    owner_api: ApiClient, base: str, webhook: Webhook
) -> None:
    Webhook.objects.update(stopped="failing", failures=9, failing_since=THEN, next_attempt_at=THEN)

    row = owner_api.send("put", f"{base}/{webhook.pk}", {"enabled": True}).json()

    assert (row["enabled"], row["disabledReason"], row["failingSince"]) == (True, None, None)
    webhook.refresh_from_db()
    assert (webhook.failures, webhook.next_attempt_at) == (0, None)


def test_a_webhook_is_deleted_with_its_log(
    owner_api: ApiClient, base: str, webhook: Webhook
) -> None:
    delivered(webhook)

    answer = owner_api.send("delete", f"{base}/{webhook.pk}")

    assert (answer.status_code, answer.content) == (204, b"")
    assert (Webhook.objects.count(), WebhookDelivery.objects.count()) == (0, 0)
    assert AuditEvent.objects.filter(action="webhook.deleted").count() == 1


def test_after_a_rotation_both_secrets_are_known(
    owner_api: ApiClient, base: str, webhook: Webhook
) -> None:
    before = webhook.secret

    row = owner_api.send("post", f"{base}/{webhook.pk}/rotateSecret").json()

    webhook.refresh_from_db()
    assert (webhook.secret, webhook.previous_secret) == (row["secret"], before)
    assert row["previousSecretUntil"] is not None
    assert AuditEvent.objects.filter(action="webhook.secret_rotated").count() == 1


# --- Deliveries -----------------------------------------------------------------------------------


def test_a_test_is_on_its_way(
    owner_api: ApiClient, base: str, webhook: Webhook, organization: Organization
) -> None:
    Webhook.objects.update(failures=3, next_attempt_at=datetime(2030, 1, 1, tzinfo=UTC))

    answer = owner_api.send("post", f"{base}/{webhook.pk}/test")

    delivery = WebhookDelivery.objects.get()
    row = answer.json()
    assert answer.status_code == 202
    assert row == {
        "id": str(delivery.pk),
        "webhookId": str(webhook.pk),
        "eventId": f"evt_{delivery.event_id.hex}",
        "type": "webhook.test",
        "state": "waiting",
        "attempts": 0,
        "createdAt": row["createdAt"],
        "nextAttemptAt": row["nextAttemptAt"],
        "lastAttemptAt": None,
        "statusCode": None,
        "error": "",
        "durationMs": None,
        "redeliveryOf": None,
    }
    webhook.refresh_from_db()
    assert webhook.next_attempt_at is None  # it need not wait for the next turn


def test_what_was_delivered_is_sent_once_more(
    owner_api: ApiClient, base: str, webhook: Webhook
) -> None:
    first = delivered(webhook)
    url = f"{base}/{webhook.pk}/deliveries/{first.pk}/redeliver"

    answer = owner_api.send("post", url)

    row = answer.json()
    again = WebhookDelivery.objects.latest("pk")
    assert (answer.status_code, row["id"], row["redeliveryOf"]) == (
        202,
        str(again.pk),
        str(first.pk),
    )
    assert row["eventId"] == first.event.wire_id
    assert again.next_attempt_at is not None
    event = AuditEvent.objects.get(action="webhook.redelivered")
    assert event.after == {"event": first.event.wire_id, "kind": "sync.finished"}


def test_nothing_is_sent_while_it_is_disabled_or_on_its_way(
    owner_api: ApiClient, base: str, webhook: Webhook
) -> None:
    waiting, done = factories.WebhookDeliveryFactory(webhook=webhook), delivered(webhook)
    log = f"{base}/{webhook.pk}/deliveries"

    under_way = owner_api.send("post", f"{log}/{waiting.pk}/redeliver")
    Webhook.objects.update(stopped="disabled")
    test = owner_api.send("post", f"{base}/{webhook.pk}/test")
    disabled = owner_api.send("post", f"{log}/{done.pk}/redeliver")

    answers = [(each.status_code, each.json()["code"]) for each in (under_way, test, disabled)]
    assert answers == [
        (409, "webhook_delivery_under_way"),
        (409, "webhook_disabled"),
        (409, "webhook_disabled"),
    ]
    assert WebhookDelivery.objects.count() == 2


def test_the_log_is_listed_newest_first_and_by_state(
    owner_api: ApiClient, base: str, webhook: Webhook
) -> None:
    rows = [delivered(webhook, state=state) for state in ("delivered", "failed", "delivered")]
    factories.WebhookDeliveryFactory()
    url = f"{base}/{webhook.pk}/deliveries"

    everything = [row["id"] for row in owner_api.get(url).json()]
    failed = [row["id"] for row in owner_api.get(f"{url}?state=failed").json()]
    wrong = owner_api.get(f"{url}?state=lost")

    assert everything == [str(row.pk) for row in reversed(rows)]
    assert failed == [str(rows[1].pk)]
    assert (wrong.status_code, wrong.json()["code"]) == (400, "bad_parameter")


def test_a_longer_log_costs_no_more_statements(
    owner_api: ApiClient, base: str, webhook: Webhook
) -> None:
    url = f"{base}/{webhook.pk}/deliveries"
    owner_api.get(url)
    counts = []
    for _ in range(2):
        factories.WebhookDeliveryFactory.create_batch(2, webhook=webhook)
        with CaptureQueriesContext(connection) as queries:
            owner_api.get(url)
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_a_delivery_is_shown_with_its_attempts_and_to_readers_without_what_was_sent(
    owner_api: ApiClient, reader_api: ApiClient, base: str, webhook: Webhook
) -> None:
    log = [{"at": "2026-11-02T10:00:00Z", "status": 500, "error": "No.", "durationMs": 12}]
    delivery = delivered(webhook, log=log, answer="Thanks", last_attempt_at=THEN)
    url = f"{base}/{webhook.pk}/deliveries/{delivery.pk}"

    shown, to_readers = owner_api.get(url).json(), reader_api.get(url).json()

    assert shown["attemptLog"] == [
        {"at": "2026-11-02T10:00:00Z", "statusCode": 500, "error": "No.", "durationMs": 12}
    ]
    assert (shown["answer"], shown["lastAttemptAt"]) == ("Thanks", "2026-11-02T10:00:00Z")
    assert shown["payload"] == {
        "id": delivery.event.wire_id,
        "type": "sync.finished",
        "timestamp": shown["payload"]["timestamp"],
        "organizationId": str(webhook.organization_id),
        "data": {"syncRunId": "1"},
    }
    assert to_readers == shown | {"payload": None, "answer": None}


# --- Who ------------------------------------------------------------------------------------------


def test_readers_see_and_only_full_admins_change(
    reader_api: ApiClient,
    outsider_api: ApiClient,
    network_admin_api: ApiClient,
    base: str,
    webhook: Webhook,
) -> None:
    seen = {
        name: [api.get(base).status_code, api.send("post", base, NEW).status_code]
        for name, api in (
            ("reader", reader_api),
            ("outsider", outsider_api),
            ("network", network_admin_api),
        )
    }

    assert seen == {"reader": [200, 403], "outsider": [404, 404], "network": [403, 403]}
    assert Webhook.objects.get() == webhook


def test_a_reader_is_told_the_host_of_an_address_and_not_what_may_open_something(
    owner_api: ApiClient, reader_api: ApiClient, organization: Organization, base: str
) -> None:
    webhook = factories.WebhookFactory(
        organization=organization, url="https://hooks.example.org/T02/s3cr3t?key=1"
    )
    one = f"{base}/{webhook.pk}"

    to_owner, to_reader = owner_api.get(one).json(), reader_api.get(one).json()

    assert to_owner["url"] == "https://hooks.example.org/T02/s3cr3t?key=1"
    assert to_reader == to_owner | {"url": "https://hooks.example.org/…"}
    assert reader_api.get(base).json() == [to_reader]
