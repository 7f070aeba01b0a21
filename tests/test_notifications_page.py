"""The page that shows what Apple told of an account, and what could not be handled."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from organizations.models import AuditEvent
from tests.mdm_table import row_of
from tests.reading import text_of, words
from vpp_accounts.models import Notification, VppAccount
from vpp_accounts.models.notifications import MOST_ATTEMPTS

REASON = "Apple cannot be reached from this server."


def url_of(account: VppAccount, name: str = "account_notifications") -> str:
    return reverse(f"licensing:{name}", args=[account.organization_id, account.pk])


def retry_url(account: VppAccount) -> str:
    return url_of(account, "account_notifications_try_again")


def told(account: VppAccount, kind: str, **fields: Any) -> Notification:
    return Notification.objects.create(
        organization=account.organization,
        account=account,
        notification_id=f"n-{Notification.objects.count()}",
        kind=kind,
        payload=fields.pop("payload", {}),
        **fields,
    )


def failed(account: VppAccount, *, attempts: int = 3) -> Notification:
    later = timezone.now() + timedelta(minutes=5)
    return told(account, "ASSET_COUNT", attempts=attempts, error=REASON, next_attempt_at=later)


def rows_of(client: Client, account: VppAccount, query: str = "") -> list[str]:
    page = client.get(url_of(account) + query).content.decode()
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    return [words(row.partition("</th>")[2]) for row in body.split("<tr>")[1:]]


def test_account_notifications_says_what_each_is_about_and_what_became_of_it(
    owner_client: Client, account: VppAccount
) -> None:
    now = timezone.now()
    given = {"type": "ASSOCIATE", "result": "SUCCESS", "assignments": [{"serialNumber": "SECRET"}]}
    told(account, "ASSET_MANAGEMENT", payload=given, handled_at=now)
    told(account, "ASSET_MANAGEMENT", payload=given | {"result": "FAILURE"}, handled_at=now)
    told(account, "USER_ASSOCIATED")
    told(account, "TYPE_OF_TOMORROW", handled_at=now)
    failed(account, attempts=MOST_ATTEMPTS)

    page = owner_client.get(url_of(account))

    assert rows_of(owner_client, account) == [
        f"Number of licenses changed Failed {REASON} Not tried any more by itself.",
        "TYPE_OF_TOMORROW Handled",
        "Invitation accepted Waiting",
        "Licenses assigned failed at Apple Handled",
        "Licenses assigned Handled",
    ]
    assert "SECRET" not in page.content.decode()  # what licenses are about is not for everybody


def test_account_notifications_says_when_a_failed_one_is_tried_next(
    owner_client: Client, account: VppAccount
) -> None:
    due = timezone.localtime(failed(account).next_attempt_at, account.organization.zone)

    (row,) = rows_of(owner_client, account)

    assert row.startswith(f"Number of licenses changed Failed {REASON} Next try: ")
    assert row.endswith(f"{due:%H:%M}.")


def test_account_notifications_can_show_the_failed_ones_alone(
    owner_client: Client, account: VppAccount
) -> None:
    told(account, "USER_ASSOCIATED")
    told(account, "TEST_NOTIFICATION", handled_at=timezone.now())
    failed(account)

    shown = {
        state: [row.split(" ")[0] for row in rows_of(owner_client, account, f"?state={state}")]
        for state in ("failed", "waiting", "handled")
    }

    assert shown == {"failed": ["Number"], "waiting": ["Invitation"], "handled": ["Test"]}


def test_account_notifications_without_any_says_what_will_come(
    owner_client: Client, account: VppAccount
) -> None:
    page = text_of(owner_client.get(url_of(account)))

    assert "Apple has told nothing yet" in page
    assert "Try again now" not in page


def test_account_notifications_as_csv(owner_client: Client, account: VppAccount) -> None:
    failed(account)

    answer = owner_client.get(url_of(account), {"format": "csv"})

    (row,) = csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig")))
    assert (row["Type"], row["State"], row["Reason"]) == ("ASSET_COUNT", "Failed", REASON)
    assert (row["Attempts"], row["Handled"], row["Notification ID"]) == ("3", "", "n-0")


def test_account_notifications_costs_the_same_for_one_and_three(
    owner_client: Client, account: VppAccount
) -> None:
    numbers = []
    for more in (1, 2):
        for _ in range(more):
            told(account, "ASSET_MANAGEMENT", payload={"type": "REVOKE"})
        with CaptureQueriesContext(connection) as queries:
            owner_client.get(url_of(account))
        numbers.append(len(queries))

    assert numbers[0] == numbers[1]


def test_the_row_of_the_account_links_to_its_notifications(
    owner_client: Client, account: VppAccount
) -> None:
    assert f'href="{url_of(account)}"' in owner_client.get(row_of(account)).content.decode()


def test_try_again_takes_up_what_failed_and_only_that(
    owner_client: Client, account: VppAccount
) -> None:
    given_up, waiting = failed(account, attempts=MOST_ATTEMPTS), told(account, "USER_ASSOCIATED")
    handled = told(account, "ASSET_COUNT", handled_at=timezone.now())

    page = owner_client.post(retry_url(account), follow=True)

    assert "1 notification is taken up again." in text_of(page)
    assert set(Notification.objects.due()) == {given_up, waiting}
    given_up.refresh_from_db()
    handled.refresh_from_db()
    assert (given_up.attempts, given_up.error) == (0, "")
    assert handled.handled_at is not None
    event = AuditEvent.objects.get(action="vpp_account.notifications_retried")
    assert (event.actor_name, event.after) == ("owner@example.org", {"notifications": 1})


def test_try_again_with_nothing_failed_says_so(owner_client: Client, account: VppAccount) -> None:
    page = owner_client.post(retry_url(account), follow=True)

    assert "No notification has failed, so there is nothing to try again." in text_of(page)
    assert not AuditEvent.objects.filter(action__contains="notifications").exists()


def test_readers_look_and_outsiders_find_nothing(
    reader_client: Client, outsider_client: Client, account: VppAccount
) -> None:
    notification = failed(account)

    assert rows_of(reader_client, account)[0].startswith("Number of licenses changed Failed")
    assert reader_client.post(retry_url(account)).status_code == 403
    assert outsider_client.get(url_of(account)).status_code == 404
    assert outsider_client.post(retry_url(account)).status_code == 404
    notification.refresh_from_db()
    assert notification.error == REASON


@pytest.mark.parametrize("query", ["?state=nonsense", "?sort=nope&size=x&after=%00"])
def test_account_notifications_takes_any_nonsense_in_its_address(
    query: str, owner_client: Client, account: VppAccount
) -> None:
    failed(account)

    assert owner_client.get(url_of(account) + query).status_code == 200
