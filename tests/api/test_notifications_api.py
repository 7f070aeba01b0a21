"""What Apple told of an account, over REST."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from organizations.models import AuditEvent
from tests.api.conftest import ApiClient
from tests.test_notifications_page import REASON, failed
from tests.test_notifications_page import told as notification
from vpp_accounts.models import Notification, VppAccount


@pytest.fixture
def path(account: VppAccount) -> str:
    return f"/organizations/{account.organization_id}/sm/vppAccounts/{account.pk}/notifications"


def wire(moment: Any) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def test_notifications_are_listed_newest_first_without_their_contents(
    reader_api: ApiClient, account: VppAccount, path: str
) -> None:
    given = {"type": "ASSOCIATE", "result": "FAILURE", "assignments": [{"serialNumber": "HIDDEN"}]}
    handled = notification(
        account, "ASSET_MANAGEMENT", payload=given, handled_at=timezone.now(), attempts=1
    )
    missed = failed(account)
    notification(account, "SOMETHING_NEW")

    answer = reader_api.get(path)

    assert [(row["notificationType"], row["state"]) for row in answer.json()] == [
        ("SOMETHING_NEW", "waiting"),
        ("ASSET_COUNT", "failed"),
        ("ASSET_MANAGEMENT", "handled"),
    ]
    assert answer.json()[2] == {
        "id": str(handled.pk),
        "notificationId": handled.notification_id,
        "notificationType": "ASSET_MANAGEMENT",
        "eventType": "ASSOCIATE",
        "failedAtApple": True,
        "state": "handled",
        "attempts": 1,
        "message": None,
        "receivedAt": wire(handled.received_at),
        "handledAt": wire(handled.handled_at),
    }
    row = answer.json()[1]
    assert (row["id"], row["message"], row["attempts"]) == (str(missed.pk), REASON, 3)
    assert b"HIDDEN" not in answer.content


@pytest.mark.parametrize("state", ["handled", "failed", "waiting"])
def test_notifications_are_filtered_by_state(
    reader_api: ApiClient, account: VppAccount, path: str, state: str
) -> None:
    notification(account, "ASSET_COUNT", handled_at=timezone.now())
    failed(account)
    notification(account, "ASSET_COUNT")

    answer = reader_api.get(path, {"state": state})

    assert [row["state"] for row in answer.json()] == [state]


def test_what_failed_is_taken_up_again(
    owner_api: ApiClient, account: VppAccount, path: str
) -> None:
    failed(account)
    failed(account)

    answer = owner_api.send("POST", f"{path}/retry")
    again = owner_api.send("POST", f"{path}/retry")

    assert (answer.status_code, answer.json()) == (202, {"retried": 2})
    assert (again.status_code, again.json()) == (202, {"retried": 0})
    assert set(Notification.objects.values_list("attempts", "error")) == {(0, "")}
    assert AuditEvent.objects.filter(action="vpp_account.notifications_retried").count() == 1


def test_notifications_cost_the_same_for_one_and_for_three(
    reader_api: ApiClient, account: VppAccount, path: str
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            reader_api.get(path)
        return len(captured)

    failed(account)
    queries()
    one = queries()
    failed(account)
    failed(account)

    assert queries() == one


def test_notifications_are_for_the_allowed_admins(
    owner_api: ApiClient,
    reader_api: ApiClient,
    outsider_api: ApiClient,
    account: VppAccount,
    path: str,
) -> None:
    failed(account)

    strangers = outsider_api.get(path), outsider_api.send("POST", f"{path}/retry")
    reader = reader_api.send("POST", f"{path}/retry")
    account.allowed_admins = "named"
    account.save()
    closed = owner_api.get(path), owner_api.send("POST", f"{path}/retry")

    assert [answer.status_code for answer in (*strangers, reader, *closed)] == [
        404,
        404,
        403,
        403,
        403,
    ]
    assert Notification.objects.failed().count() == 1
