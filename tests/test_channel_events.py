"""Where a NanoMDM posts its events: who is let in, what is kept, and what cannot be understood."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from apps_catalog import hooks
from apps_catalog.channels import enrollments, inbox
from apps_catalog.models import ChannelEvent, ChannelSettings
from apps_catalog.views.channel_events import LARGEST_BODY
from organizations import crypto
from organizations.models import AuditEvent, Organization
from tests.factories import NetworkFactory
from tests.mdm_events import arrive

pytestmark = pytest.mark.django_db
KEY = "the webhook key"


@pytest.fixture
def chosen(organization: Organization) -> ChannelSettings:
    channel = ChannelSettings(organization=organization, kind="nanomdm")
    channel.webhook_key = KEY
    channel.save()
    return channel


def event(**changes: Any) -> dict[str, Any]:
    ids = {"id": "00008030-1", "type": "Device"}
    told = {"ids": ids, "udid": "00008030-1", "status": "Idle", "raw_payload": ""}
    return {
        "topic": "mdm.Connect",
        "event_id": "0123456789abcdef",
        "created_at": "2026-11-23T06:00:00.123456789Z",
        "acknowledge_event": told,
    } | changes


def post(chosen: ChannelSettings, body: bytes, *, key: str = KEY, **headers: Any) -> Any:
    digest = hmac.new(key.encode(), body, hashlib.sha256).digest()
    headers = {"X-Hmac-Signature": base64.b64encode(digest).decode()} | headers
    address = f"/channels/nanomdm/{chosen.uuid}"
    return Client().post(address, body, content_type="application/json", headers=headers)


# --- The door ---------------------------------------------------------------------------------------


def test_a_signed_event_is_stored_sealed_and_rung_for(
    chosen: ChannelSettings, django_capture_on_commit_callbacks: Any
) -> None:
    rung: list[int] = []

    def listen(sender: Any, organization_id: int, **kwargs: Any) -> None:
        rung.append(organization_id)

    hooks.channel_told.connect(listen)
    body = json.dumps(event()).encode()
    with django_capture_on_commit_callbacks(execute=True):
        response = post(chosen, body)
    hooks.channel_told.disconnect(listen)

    stored = ChannelEvent.objects.get()
    assert (response.status_code, rung) == (200, [chosen.organization_id])
    assert (stored.channel, stored.topic, stored.event_id, stored.payload) == (
        *("nanomdm", "mdm.Connect", "0123456789abcdef"),
        body.decode(),
    )
    assert stored.told_at.isoformat() == "2026-11-23T06:00:00.123456+00:00"
    assert "00008030-1" not in stored.payload_ciphertext


def test_the_same_event_is_stored_once(chosen: ChannelSettings) -> None:
    body = json.dumps(event()).encode()

    answers = [post(chosen, body).status_code for _ in range(2)]

    assert (answers, ChannelEvent.objects.count()) == ([200, 200], 1)


def test_told_in_the_future_it_was_told_now(chosen: ChannelSettings) -> None:
    post(chosen, json.dumps(event(created_at="2099-01-01T00:00:00Z")).encode())

    assert ChannelEvent.objects.get().told_at <= timezone.now()


@pytest.mark.parametrize("headers", [{}, {"X-Hmac-Signature": ""}, {"X-Hmac-Signature": "ü"}])
def test_a_wrong_signature_is_refused(chosen: ChannelSettings, headers: dict[str, str]) -> None:
    response = post(chosen, json.dumps(event()).encode(), key="another", **headers)

    assert (response.status_code, ChannelEvent.objects.count()) == (401, 0)
    assert response.json() == {
        "errors": ["X-Hmac-Signature is not this body's, signed with the webhook key."]
    }


def test_without_a_key_nothing_is_signed(chosen: ChannelSettings) -> None:
    ChannelSettings.objects.update(webhook_key_ciphertext="")

    assert post(chosen, b"{}", key="").status_code == 401


def test_one_refusal_in_an_hour_is_recorded(chosen: ChannelSettings) -> None:
    for minutes in (0, 1, 59, 61):
        with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
            post(chosen, b"{}", key="another")

    refused = AuditEvent.objects.filter(action="device_channel.event_refused")
    assert list(refused.values_list("refused", "actor_name")) == [(True, "NanoMDM")] * 2


@pytest.mark.parametrize("kind", ["none", "simulated", ""])
def test_nobody_is_there_where_another_channel_is_chosen(
    chosen: ChannelSettings, kind: str
) -> None:
    ChannelSettings.objects.update(kind=kind)

    assert post(chosen, json.dumps(event()).encode()).status_code == 404


def test_an_installation_may_choose_nanomdm_for_everybody(
    chosen: ChannelSettings, settings: Any
) -> None:
    ChannelSettings.objects.update(kind="")
    settings.DEVICE_CHANNEL = "nanomdm"

    assert post(chosen, json.dumps(event()).encode()).status_code == 200


def test_an_unknown_address(chosen: ChannelSettings) -> None:
    chosen.uuid = uuid4()

    assert post(chosen, json.dumps(event()).encode()).status_code == 404


def test_nothing_can_be_read_there(chosen: ChannelSettings) -> None:
    assert Client().get(f"/channels/nanomdm/{chosen.uuid}").status_code == 405


def test_how_much_is_taken_in(chosen: ChannelSettings) -> None:
    most = json.dumps(event(more="")).encode()
    most = most.replace(b'"more": ""', b'"more": "%s"' % (b"x" * (LARGEST_BODY - len(most))))

    answers = [post(chosen, body).status_code for body in (most, most + b" ")]

    assert answers == [200, 413]


def test_a_body_in_chunks_is_read(chosen: ChannelSettings) -> None:
    body = json.dumps(event()).encode()
    signature = base64.b64encode(hmac.new(KEY.encode(), body, hashlib.sha256).digest()).decode()

    answer = Client().generic(
        "POST",
        f"/channels/nanomdm/{chosen.uuid}",
        content_type="application/json",
        headers={"X-Hmac-Signature": signature},
        **{"wsgi.input": BytesIO(body), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
    )

    assert (answer.status_code, ChannelEvent.objects.count()) == (200, 1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"topic": 1}',
        b'{"topic": "mdm.Connect"}',
        '{"topic": "mdm.Connect", "event_id": "1"}'.encode("utf-16"),
    ],
)
def test_what_is_no_event_is_refused(chosen: ChannelSettings, body: bytes) -> None:
    assert (post(chosen, body).status_code, ChannelEvent.objects.count()) == (400, 0)


@pytest.mark.parametrize(
    "changes",
    [{"event_id": "\ud800"}, {"topic": "\udfff"}, {"created_at": "0001-01-01T00:00:00+14:00"}],
)
def test_what_no_database_takes_holds_up_nobody(
    chosen: ChannelSettings, changes: dict[str, Any]
) -> None:
    told = event(**({"topic": "mdm.GetToken"} | changes))
    answer = post(chosen, json.dumps(told).encode())
    inbox.handle_waiting(chosen.organization_id)

    assert answer.status_code == 200
    assert ChannelEvent.objects.get().handled_at is not None


# --- Understanding ------------------------------------------------------------------------------------


@pytest.fixture
def here(chosen: ChannelSettings) -> Organization:
    NetworkFactory(organization=chosen.organization)
    return chosen.organization


PLIST = "PHBsaXN0PjxkaWN0Lz48L3BsaXN0Pg=="  # <plist><dict/></plist>


@pytest.mark.parametrize(
    "changes",
    [
        {"acknowledge_event": None},
        {"acknowledge_event": {"ids": {}}},
        {"acknowledge_event": {"ids": {"id": "x" * 201}}},
        {"acknowledge_event": {"ids": {"id": "a"}, "raw_payload": "no base64"}},
        {"acknowledge_event": {"ids": {"id": "a"}, "raw_payload": "AAAA"}},
    ],
)
def test_what_cannot_be_understood_is_closed_with_the_reason(
    here: Organization, changes: dict[str, Any]
) -> None:
    arrive(here, [json.dumps(event(**changes)).encode()])

    stored = ChannelEvent.objects.get()
    assert (stored.handled_at is not None, stored.error != "", stored.attempts) == (True, True, 0)


@pytest.mark.parametrize("topic", ["mdm.GetBootstrapToken", "mdm.DeclarativeManagement", "new"])
def test_other_topics_are_left(here: Organization, topic: str) -> None:
    told = {"ids": {"id": "a", "type": "Device"}, "raw_payload": PLIST}

    arrive(here, [json.dumps(event(topic=topic, checkin_event=told)).encode()])

    stored = ChannelEvent.objects.get()
    assert (stored.handled_at is not None, stored.error) == (True, "")


def test_a_payload_is_gone_once_it_is_handled(here: Organization) -> None:
    arrive(here, [json.dumps(event(topic="other")).encode()])

    assert ChannelEvent.objects.get().payload_ciphertext == ""


def test_a_payload_that_no_key_opens_is_closed(here: Organization) -> None:
    told = inbox.events.read_head(json.dumps(event()).encode())
    inbox.store(here.pk, "nanomdm", [told])
    ChannelEvent.objects.update(
        payload_ciphertext=crypto.encrypt(told.payload, bound_to="another row")
    )

    inbox.handle_waiting(here.pk)

    stored = ChannelEvent.objects.get()
    assert (stored.handled_at is not None, stored.error) == (
        *(True, "No key of this installation opens it."),
    )


def test_what_fails_is_tried_again_later_and_holds_up_nobody(
    here: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(organization: Organization, channel: str, told: Any, at: Any) -> None:
        if told.device_id == "bad":
            raise ZeroDivisionError

    monkeypatch.setattr(enrollments, "take", fail)
    bad = event(event_id="1", acknowledge_event={"ids": {"id": "bad"}})
    good = event(event_id="2", acknowledge_event={"ids": {"id": "good"}})

    arrive(here, [json.dumps(each).encode() for each in (bad, good)])
    first = ChannelEvent.objects.get(event_id="1")
    pause = (first.next_attempt_at - timezone.now()).total_seconds()
    for hours in range(1, 20):
        with time_machine.travel(timezone.now() + timedelta(hours=hours)):
            inbox.handle_waiting(here.pk)

    assert ChannelEvent.objects.get(event_id="2").error == ""
    assert (first.attempts, first.error, 3 < pause <= 5) == (1, "ZeroDivisionError", True)
    first.refresh_from_db()
    assert (first.attempts, first.handled_at is not None) == (inbox.MOST_ATTEMPTS - 1, True)


def test_the_page_knows_when_a_device_was_heard_last(here: Organization) -> None:
    arrive(here, [json.dumps(event(topic="other")).encode()])

    chosen = ChannelSettings.objects.get()
    assert chosen.last_event_at == ChannelEvent.objects.get().received_at


def test_events_are_forgotten_after_a_week(here: Organization) -> None:
    arrive(here, [json.dumps(event(event_id=str(n), topic="other")).encode() for n in range(2)])
    old = ChannelEvent.objects.get(event_id="0")
    ChannelEvent.objects.filter(pk=old.pk).update(received_at=timezone.now() - timedelta(days=8))

    assert inbox.forget_old() == 1
    assert ChannelEvent.objects.get().event_id == "1"
