"""Apple's webhook: what it takes, what it refuses, and that it writes nothing then."""

import io
import json
import time
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from kombu.exceptions import OperationalError

from licensing.tasks import handle_notifications
from tests.notifying import SECRET, address_of, envelope, hash_of, post, subscribe
from vpp_accounts import hooks
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import AccountState, Notification, VppAccount
from vpp_dashboard.celery import app


@pytest.fixture
def told_of(fake: FakeApple, account: VppAccount) -> VppAccount:
    subscribe(fake, account)
    return account


def test_a_notification_is_stored_as_apple_sent_it(told_of: VppAccount) -> None:
    content = {"adamId": "361285480", "pricingParam": "STDQ", "countDelta": -2, "new": [1, None]}

    answer = post(told_of, envelope(told_of, notificationType="ASSET_COUNT", notification=content))

    stored = Notification.objects.get()
    assert (answer.status_code, answer.content) == (200, b"")
    assert (stored.account, stored.organization) == (told_of, told_of.organization)
    assert (stored.notification_id, stored.kind) == ("n-1", "ASSET_COUNT")
    assert (stored.payload, stored.handled_at) == (content, None)


def test_apple_finds_the_address_that_it_was_told(told_of: VppAccount) -> None:
    assert address_of(told_of) == f"/notifications/apple/{told_of.uuid}"


def test_a_second_delivery_is_answered_and_not_stored(told_of: VppAccount) -> None:
    answers = [post(told_of, envelope(told_of)).status_code for _ in range(3)]

    assert answers == [200, 200, 200]
    assert Notification.objects.count() == 1


def test_one_id_may_be_told_to_two_accounts(told_of: VppAccount, fake: FakeApple) -> None:
    other = VppAccount.objects.get(pk=told_of.pk)
    other.pk, other.uuid, other.uid = None, uuid.uuid4(), "1"
    other.save()

    answers = [post(each, envelope(each)).status_code for each in (told_of, other)]

    assert answers == [200, 200]
    assert set(Notification.objects.values_list("account", flat=True)) == {told_of.pk, other.pk}


def test_old_and_new_secret_are_good_while_apple_is_being_told(told_of: VppAccount) -> None:
    VppAccount.objects.filter(pk=told_of.pk).update(notification_new_secret_hash=hash_of("new"))

    answers = [
        post(told_of, envelope(told_of), secret=secret).status_code
        for secret in (SECRET, "new", "neither")
    ]

    assert answers == [200, 200, 401]


@pytest.mark.parametrize("secret", ["", "wrong", hash_of(SECRET), "é"])
def test_another_secret_is_refused_and_nothing_written(told_of: VppAccount, secret: str) -> None:
    answer = post(told_of, envelope(told_of), secret=secret)

    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert "is not the secret" in answer.json()["errors"][0]
    assert not Notification.objects.exists()


@pytest.mark.parametrize("secret", ["", "-" * 64])
def test_an_account_that_apple_was_told_no_secret_of_takes_nothing(
    account: VppAccount, secret: str
) -> None:
    assert post(account, envelope(account), secret=secret).status_code == 401


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": SECRET}, {"Authorization": f"Basic {SECRET}"}]
)
def test_no_bearer_is_no_secret(told_of: VppAccount, headers: dict[str, str]) -> None:
    answer = Client().post(
        address_of(told_of), envelope(told_of), content_type="application/json", headers=headers
    )

    assert answer.status_code == 401
    assert not Notification.objects.exists()


def test_an_unknown_account_is_not_found(told_of: VppAccount) -> None:
    VppAccount.objects.filter(pk=told_of.pk).update(uuid=uuid.uuid4())

    answer = post(told_of, envelope(told_of))

    assert (answer.status_code, list(answer.json())) == (404, ["errors"])


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options"])
def test_only_posts_are_taken(told_of: VppAccount, method: str) -> None:
    answer = getattr(Client(), method)(address_of(told_of))

    assert (answer.status_code, answer["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "changes",
    [
        {"notificationId": None},
        {"notificationId": "n" * 201},
        {"notificationType": ""},
        {"notification": "text"},
        {"notification": {"a": "b\x00"}},
        {"notification": {"a": json.loads("[" * 30 + "]" * 30)}},
        {"uId": "1"},
    ],
)
def test_junk_is_refused_and_nothing_written(told_of: VppAccount, changes: dict[str, Any]) -> None:
    answer = post(told_of, envelope(told_of, **changes))

    assert answer.status_code == 400
    assert answer.json()["errors"][0].endswith(".")
    assert not Notification.objects.exists()


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b"\xff", b'{"uId": "\\ud800"}'])
def test_what_is_no_json_object_is_refused(told_of: VppAccount, body: bytes) -> None:
    assert post(told_of, body).status_code == 400
    assert not Notification.objects.exists()


def test_a_location_that_apple_left_out_is_the_accounts(told_of: VppAccount) -> None:
    told = envelope(told_of)
    del told["uId"]

    assert post(told_of, told).status_code == 200


def in_chunks(body: bytes) -> dict[str, Any]:
    """As gunicorn hands on a body whose length nobody announced."""
    return {"CONTENT_LENGTH": "", "wsgi.input_terminated": True, "wsgi.input": io.BytesIO(body)}


def test_more_than_a_megabyte_is_refused(told_of: VppAccount) -> None:
    large = json.dumps(envelope(told_of, notification={"a": "x" * 2**20})).encode()

    announced = post(told_of, large).status_code
    unannounced = post(told_of, b"", **in_chunks(large)).status_code

    assert (announced, unannounced) == (413, 413)
    assert not Notification.objects.exists()


def test_a_body_in_chunks_is_read(told_of: VppAccount) -> None:
    body = json.dumps(envelope(told_of)).encode()

    answer = post(told_of, b"", **in_chunks(body))

    assert answer.status_code == 200
    assert Notification.objects.count() == 1


@pytest.mark.parametrize("state", [AccountState.CLAIMED, AccountState.EXPIRED])
def test_a_stopped_account_still_receives(told_of: VppAccount, state: AccountState) -> None:
    VppAccount.objects.filter(pk=told_of.pk).update(state=state, state_since=timezone.now())

    assert post(told_of, envelope(told_of)).status_code == 200
    assert Notification.objects.count() == 1


def test_a_worker_is_rung_for_after_the_commit(
    told_of: VppAccount, django_capture_on_commit_callbacks: Any
) -> None:
    heard = []
    ring = lambda account_id, **kwargs: heard.append(account_id)  # noqa: E731
    hooks.notification_stored.connect(ring)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            post(told_of, envelope(told_of))
            before = list(heard)
    finally:
        hooks.notification_stored.disconnect(ring)

    assert (before, heard) == ([], [told_of.pk])


@pytest.mark.django_db(transaction=True, databases=["default", "system", "owner"])
def test_apple_is_answered_though_nobody_hears_the_bell(told_of: VppAccount) -> None:
    def silent(**kwargs: Any) -> None:
        raise ConnectionError("The broker is down.")

    hooks.notification_stored.connect(silent)
    try:
        answer = post(told_of, envelope(told_of))
    finally:
        hooks.notification_stored.disconnect(silent)

    assert answer.status_code == 200
    assert Notification.objects.due().count() == 1


def test_nobody_waits_for_a_broker_that_is_down() -> None:
    began = time.monotonic()

    with (
        app.connection_for_write("redis://127.0.0.1:1/0") as nobody,
        pytest.raises(OperationalError),
    ):
        handle_notifications.apply_async(kwargs={"account_id": 1}, connection=nobody)

    assert time.monotonic() - began < 2


def test_the_answer_takes_one_read_and_one_write(told_of: VppAccount) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        post(told_of, envelope(told_of))

    statements = [q["sql"] for q in queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert [statement.split()[0] for statement in statements] == ["SELECT", "INSERT"]
