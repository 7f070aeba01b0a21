"""Events on their way: signed, tried again, given up, and never where they must not go."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.core import mail as django_mail

from organizations import audit, webhooks
from organizations.audit import Actor
from organizations.models import (
    Admin,
    AuditEvent,
    EventKind,
    Organization,
    Webhook,
    WebhookDelivery,
    WebhookEvent,
)
from organizations.tasks import (
    forget_old_webhook_events,
    give_up_webhooks,
    send_mail,
    send_webhooks,
)
from organizations.webhooks import changing, sending
from organizations.webhooks.settling import Next, Outcome, pause_after, plan_next
from tests import factories
from tests.webhook_receiver import Message, Receiver, receiving

pytestmark = pytest.mark.django_db
State = WebhookDelivery.State
NOW = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
OPEN = EventKind.BATCH_FINISHED


@pytest.fixture(scope="module")
def server() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def receiver(server: Receiver) -> Receiver:
    server.__init__(server.port)  # type: ignore[misc]
    return server


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def webhook(organization: Organization, receiver: Receiver) -> Webhook:
    return factories.WebhookFactory(organization=organization, url=receiver.url, events=[OPEN])


def told(webhook: Webhook, number: int = 1) -> None:
    webhooks.emit(webhook.organization_id, OPEN, {"batchId": str(number)})


def verified(message: Message, secret: str) -> bool:
    """As a receiver checks it, by the book of Standard Webhooks."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message.id}.{message.headers['webhook-timestamp']}.".encode() + message.body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    signatures = message.headers["webhook-signature"].split(" ")
    return any(hmac.compare_digest(f"v1,{expected}", each) for each in signatures)


def standing(webhook: Webhook) -> tuple[str, int, int | None, str]:
    delivery = WebhookDelivery.objects.filter(webhook=webhook).latest("pk")
    return delivery.state, delivery.attempts, delivery.status, delivery.error


# --- Noting ---------------------------------------------------------------------------------------


def test_what_nobody_listens_to_costs_one_statement(
    organization: Organization, django_assert_num_queries: Any
) -> None:
    """Also where others do, or did, or listen to something else."""
    factories.WebhookFactory(events=[OPEN])
    factories.WebhookFactory(organization=organization, events=[OPEN], stopped="disabled")
    factories.WebhookFactory(organization=organization, events=["license.low"])

    with django_assert_num_queries(1):
        webhooks.emit(organization.pk, OPEN, lambda: pytest.fail("nobody asked"))

    assert WebhookEvent.objects.count() == 0


def test_a_thousand_events_for_two_listeners_cost_a_few_statements(
    organization: Organization, django_assert_max_num_queries: Any
) -> None:
    factories.WebhookFactory.create_batch(2, organization=organization, events=[OPEN])

    with django_assert_max_num_queries(8):
        webhooks.emit_each(organization.pk, OPEN, lambda: ({"n": n} for n in range(1000)))

    assert (WebhookEvent.objects.count(), WebhookDelivery.objects.count()) == (1000, 2000)


def test_what_cannot_be_written_does_not_stop_the_work_around_it(
    organization: Organization, webhook: Webhook, by: Actor
) -> None:
    webhooks.emit(organization.pk, OPEN, {"this": object()})
    audit.record("network.added", by=by, organization=organization, target=organization)

    assert (WebhookEvent.objects.count(), AuditEvent.objects.count()) == (0, 1)


def test_the_doorbell_rings_after_the_commit(
    webhook: Webhook, receiver: Receiver, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        told(webhook)

    assert len(callbacks) == 1
    assert receiver.messages == []


# --- Sending --------------------------------------------------------------------------------------


def test_an_event_is_sent_as_standard_webhooks_has_it(
    organization: Organization, webhook: Webhook, receiver: Receiver, clock: object
) -> None:
    webhooks.emit(organization.pk, OPEN, {"batchId": "7", "at": NOW}, at=NOW - timedelta(minutes=1))

    assert send_webhooks() == 1

    (message,) = receiver.messages
    event = WebhookEvent.objects.get()
    assert message.told == {
        "id": f"evt_{event.pk.hex}",
        "type": "batch.finished",
        "timestamp": "2026-12-01T07:59:00Z",
        "organizationId": str(organization.pk),
        "data": {"batchId": "7", "at": "2026-12-01T08:00:00Z"},
    }
    assert message.path == "/hooks"
    assert message.id == f"evt_{event.pk.hex}"
    assert message.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert message.headers["content-type"] == "application/json"
    assert verified(message, webhook.secret)
    assert standing(webhook) == (State.DELIVERED, 1, 200, "")


def test_a_message_that_was_tampered_with_does_not_verify(
    webhook: Webhook, receiver: Receiver
) -> None:
    told(webhook)
    send_webhooks()

    (sent,) = receiver.messages
    later = sent.headers | {"webhook-timestamp": str(int(NOW.timestamp()) + 1)}
    other = sent.headers | {"webhook-id": "evt_0"}

    assert verified(sent, webhook.secret)
    assert not verified(Message(sent.path, sent.headers, sent.body + b" "), webhook.secret)
    assert not verified(Message(sent.path, later, sent.body), webhook.secret)
    assert not verified(Message(sent.path, other, sent.body), webhook.secret)
    assert not verified(sent, factories.WebhookFactory().secret)


def test_only_those_who_want_an_event_are_told_of_it(
    organization: Organization, receiver: Receiver
) -> None:
    wanted = {"a": [OPEN], "b": ["license.low"], "c": [OPEN, "license.low"]}
    for path, events in wanted.items():
        factories.WebhookFactory(
            organization=organization, url=f"{receiver.url}/{path}", events=events
        )
    factories.WebhookFactory(url=f"{receiver.url}/elsewhere", events=[OPEN])

    webhooks.emit(organization.pk, OPEN, {})
    send_webhooks()

    assert sorted(message.path for message in receiver.messages) == ["/hooks/a", "/hooks/c"]


def test_both_secrets_sign_for_a_day_after_a_rotation(
    webhook: Webhook, receiver: Receiver, by: Actor, clock: time_machine.Traveller
) -> None:
    before = webhook.secret
    _, new = changing.rotate(by=by, webhook=webhook)

    for hours in (0, 25):
        clock.move_to(NOW + timedelta(hours=hours))
        told(webhook)
        send_webhooks()

    first, second = receiver.messages
    assert new != before
    assert (verified(first, before), verified(first, new)) == (True, True)
    assert (verified(second, before), verified(second, new)) == (False, True)


def test_a_secret_that_signs_no_more_is_forgotten(
    webhook: Webhook, by: Actor, clock: time_machine.Traveller
) -> None:
    changing.rotate(by=by, webhook=webhook)
    clock.shift(timedelta(hours=25))

    forget_old_webhook_events()

    webhook.refresh_from_db()
    assert (webhook.previous_ciphertext, webhook.previous_until) == ("", None)


def test_a_secret_that_no_key_opens_is_told_and_nothing_is_sent(
    webhook: Webhook, receiver: Receiver
) -> None:
    Webhook.objects.update(secret_ciphertext=factories.WebhookFactory().secret_ciphertext)
    told(webhook)

    send_webhooks()

    assert receiver.messages == []
    assert standing(webhook)[3] == sending.UNREADABLE


# --- Failing --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(1, 30), (2, 60), (3, 120), (7, 1920), (8, 3600), (9, 3600), (500, 3600)],
)
def test_pauses_double_up_to_an_hour(attempts: int, seconds: int) -> None:
    assert pause_after(attempts) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("outcome", "age", "expected"),
    [
        (Outcome(status=204), timedelta(days=2), Next(State.DELIVERED)),
        (Outcome(status=500), timedelta(0), Next(State.WAITING, NOW + timedelta(seconds=30))),
        (Outcome(error="x"), timedelta(0), Next(State.WAITING, NOW + timedelta(seconds=30))),
        (Outcome(status=301), timedelta(0), Next(State.WAITING, NOW + timedelta(seconds=30))),
        (Outcome(status=410), timedelta(0), Next(State.FAILED)),
        (Outcome(status=500), timedelta(hours=24), Next(State.FAILED)),
    ],
)
def test_plan_next(outcome: Outcome, age: timedelta, expected: Next) -> None:
    assert plan_next(outcome, attempts=1, created_at=NOW - age, now=NOW) == expected


def test_what_fails_is_tried_again_with_the_same_id(
    webhook: Webhook, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    receiver.statuses = [500, 302]
    receiver.headers = {"Location": "/elsewhere"}
    told(webhook)

    seen = []
    for seconds in (0, 10, 30, 40, 40):
        clock.shift(timedelta(seconds=seconds))
        send_webhooks()
        seen.append(standing(webhook))

    first = (State.WAITING, 1, 500, "The receiver answered with HTTP 500.")
    second_error = "The receiver answered with HTTP 302: redirects are not followed."
    assert seen == [
        first,
        first,
        (State.WAITING, 2, 302, second_error),
        (State.WAITING, 2, 302, second_error),
        (State.DELIVERED, 3, 200, ""),
    ]
    assert len({message.id for message in receiver.messages}) == 1
    assert [message.path for message in receiver.messages] == ["/hooks"] * 3
    log = WebhookDelivery.objects.get().log
    assert [entry["status"] for entry in log] == [500, 302, 200]


def test_a_day_later_it_is_given_up(
    webhook: Webhook, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    receiver.status = 503
    told(webhook)

    for _ in range(26):
        send_webhooks()
        clock.shift(timedelta(hours=1, minutes=10))

    state, attempts, status, _ = standing(webhook)
    assert (state, status) == (State.FAILED, 503)
    assert attempts == len(receiver.messages) > 15
    assert give_up_webhooks() == 0


def test_a_receiver_that_nobody_reaches_says_so(organization: Organization) -> None:
    with receiving() as gone:
        url = gone.url
    webhook = factories.WebhookFactory(organization=organization, url=url, events=[OPEN])
    told(webhook)

    send_webhooks()

    assert standing(webhook) == (
        State.WAITING,
        1,
        None,
        "127.0.0.1 cannot be reached (ConnectionError).",
    )


def test_a_crash_between_posting_and_settling_sends_it_again_with_the_same_id(
    webhook: Webhook,
    receiver: Receiver,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def dies(*args: object) -> None:
        raise SystemExit

    told(webhook)
    with monkeypatch.context() as patch:
        patch.setattr(sending, "settle", dies)
        with pytest.raises(SystemExit):
            send_webhooks()
    under_way = send_webhooks(), len(receiver.messages)
    clock.shift(sending.LEASE)

    assert under_way == (0, 1)
    assert send_webhooks() == 1
    assert [message.id for message in receiver.messages] == [receiver.messages[0].id] * 2
    assert standing(webhook) == (State.DELIVERED, 2, 200, "")


def test_who_was_too_slow_to_settle_changes_nothing(
    webhook: Webhook, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    told(webhook)
    (late,) = sending.claim()
    clock.shift(sending.LEASE)
    send_webhooks()

    sending.settle(late, Outcome(error="It did not answer."))

    assert standing(webhook) == (State.DELIVERED, 2, 200, "")
    webhook.refresh_from_db()
    assert (webhook.failures, webhook.last_status) == (0, 200)


def test_a_receiver_that_is_gone_is_sent_nothing_more(
    webhook: Webhook, receiver: Receiver, owner: Admin
) -> None:
    receiver.status = 410
    told(webhook)
    send_webhooks()
    told(webhook, 2)
    send_webhooks()
    send_mail()

    webhook.refresh_from_db()
    assert (webhook.stopped, len(receiver.messages)) == ("gone", 1)
    assert standing(webhook)[:3] == (State.FAILED, 1, 410)
    (letter,) = django_mail.outbox
    assert letter.to == [owner.email]
    assert letter.subject == f"The webhook “{webhook.name}” is disabled"
    event = AuditEvent.objects.get(action="webhook.stopped")
    assert event.after == {"reason": "gone", "lastError": "The receiver answered with HTTP 410."}


def test_five_days_of_failing_disable_it(
    webhook: Webhook, receiver: Receiver, owner: Admin, clock: time_machine.Traveller
) -> None:
    receiver.status = 500
    seen = []
    for _ in range(7):
        told(webhook)
        for _ in range(24):
            send_webhooks()
            give_up_webhooks()
            clock.shift(timedelta(hours=1, minutes=15))  # longer than any pause
        webhook.refresh_from_db()
        seen.append(webhook.stopped)

    assert seen == ["", "", "", "", "failing", "failing", "failing"]
    assert AuditEvent.objects.filter(action="webhook.stopped").count() == 1


def test_while_it_fails_one_delivery_finds_out_whether_it_answers_again(
    webhook: Webhook, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    receiver.status = 500
    for number in range(20):
        told(webhook, number)
    send_webhooks()
    at_first = len(receiver.messages)
    clock.shift(timedelta(minutes=1))
    send_webhooks()
    later = len(receiver.messages) - at_first

    receiver.status = 200
    clock.shift(timedelta(minutes=5))

    assert (at_first, later) == (sending.IN_FLIGHT, 1)
    assert send_webhooks() == 20


def test_a_slow_receiver_has_few_requests_at_once_and_holds_up_no_other(
    organization: Organization, webhook: Webhook, receiver: Receiver
) -> None:
    receiver.waits = 0.05
    with receiving() as other:
        factories.WebhookFactory(organization=organization, url=other.url, events=[OPEN])
        for number in range(12):
            told(webhook, number)

        assert send_webhooks() == 24

    assert receiver.busiest <= sending.IN_FLIGHT
    assert len(other.messages) == 12


def test_two_workers_send_at_once_and_the_others_are_left_to_other_work(
    organization: Organization, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    for _ in range(20):
        slow = factories.WebhookFactory(organization=organization, url=receiver.url, events=[OPEN])
    for number in range(4):
        told(slow, number)  # all twenty listen

    claimed = []
    for seconds in (1, 1, 1, sending.LEASE.seconds):
        claimed.append(len(sending.claim()))
        clock.shift(timedelta(seconds=seconds))

    assert claimed == [sending.AT_ONCE, sending.AT_ONCE, 0, 0]
    assert len(sending.claim()) == sending.AT_ONCE  # the leases of the first have ended


def test_an_organization_with_many_slow_receivers_holds_up_no_other(
    organization: Organization, receiver: Receiver
) -> None:
    for _ in range(20):
        slow = factories.WebhookFactory(organization=organization, url=receiver.url, events=[OPEN])
    told(slow)
    other = factories.WebhookFactory(url=receiver.url, events=[OPEN])
    told(other)

    claimed = [delivery.webhook_id for delivery in sending.claim()]

    assert len(claimed) == sending.AT_ONCE
    assert other.pk in claimed


def test_what_nobody_foresaw_is_an_outcome_and_hinders_no_other(
    organization: Organization, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(sending.Session):
        def send(self, *args: Any, **options: Any) -> Any:
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(sending, "Session", Broken)
    told(webhook)

    send_webhooks()

    error = "127.0.0.1 cannot be reached (RuntimeError)."
    assert standing(webhook) == (State.WAITING, 1, None, error)


def test_a_long_answer_is_read_in_part(webhook: Webhook, receiver: Receiver) -> None:
    receiver.body = b"x" * 200_000 + b"\x00"
    told(webhook)

    send_webhooks()

    assert standing(webhook)[0] == State.DELIVERED
    assert WebhookDelivery.objects.get().answer == "x" * sending.EXCERPT


# --- Where it must not go -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "allowed", "why"),
    [
        ("https://127.0.0.1:1/", False, "127.0.0.1 is in a private network, into which"),
        ("https://localhost:1/", False, "localhost is in a private network, into which"),
        ("https://[::ffff:10.0.0.1]:1/", False, "is in a private network, into which"),
        ("https://[::7f00:1]:1/", False, "is in a private network, into which"),
        ("https://[64:ff9b:1::7f00:1]:1/", False, "is in a private network, into which"),
        ("https://[fec0::1]:1/", False, "is in a private network, into which"),
        ("http://[64:ff9b:1::a9fe:a9fe]/", True, "is an address at which no receiver can be"),
        ("http://169.254.169.254/", True, "is an address at which no receiver can be"),
        ("http://[fd00:ec2::254]/", True, "is an address at which no receiver can be"),
        ("http://93.184.216.34/", True, "is a public address, so it must be asked over https"),
    ],
)
def test_addresses_that_are_not_asked(
    organization: Organization, settings: LazySettings, url: str, allowed: bool, why: str
) -> None:
    """Also where such a webhook came to be while it was allowed, or a name began to lead there."""
    settings.WEBHOOK_PRIVATE_ADDRESSES = allowed
    webhook = factories.WebhookFactory(organization=organization, url=url, events=[OPEN])
    told(webhook)

    send_webhooks()

    state, _, status, error = standing(webhook)
    assert (state, status) == (State.WAITING, None)
    assert why in error


def test_nothing_is_sent_for_an_organization_that_is_closed(
    organization: Organization, webhook: Webhook, receiver: Receiver
) -> None:
    told(webhook)
    Organization.objects.filter(pk=organization.pk).update(suspended_at=NOW)
    closed = send_webhooks()
    Organization.objects.filter(pk=organization.pk).update(suspended_at=None)

    assert (closed, send_webhooks()) == (0, 1)


def test_what_waits_for_a_disabled_webhook_is_given_up_after_a_day(
    webhook: Webhook, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    told(webhook)
    Webhook.objects.update(stopped="disabled")
    send_webhooks()
    clock.shift(timedelta(hours=23))
    early = give_up_webhooks()
    clock.shift(timedelta(hours=1))

    assert (early, give_up_webhooks()) == (0, 1)
    assert standing(webhook) == (
        State.FAILED,
        0,
        None,
        "It was not sent within a day: the webhook was disabled, or its receiver kept failing.",
    )
    assert receiver.messages == []


def test_old_events_are_forgotten_with_their_deliveries(
    webhook: Webhook, clock: time_machine.Traveller
) -> None:
    told(webhook)
    clock.shift(timedelta(days=29))
    told(webhook, 2)
    clock.shift(timedelta(days=2))

    forget_old_webhook_events()

    assert list(WebhookEvent.objects.values_list("payload", flat=True)) == [{"batchId": "2"}]
    assert WebhookDelivery.objects.count() == 1


def test_no_secret_is_in_the_log(
    webhook: Webhook, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    receiver.status = 500
    told(webhook)

    send_webhooks()

    assert webhook.secret not in caplog.text
    assert receiver.messages[0].headers["webhook-signature"] not in caplog.text
