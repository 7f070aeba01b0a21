"""The waiting list of a title: who waits in which order, and what a person can change about it."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from licensing.models import BatchItem, LicensedApp
from licensing.tables import Queue, queue_of
from organizations.models import AuditEvent
from tests.draining import begin, drain, states, synced
from tests.factories import BatchFactory, BatchItemFactory, DeviceFactory, LicensedAppFactory
from tests.reading import text_of, words
from tests.test_sync import PAGES
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount


@pytest.fixture
def title(account: VppAccount) -> LicensedApp:
    return LicensedAppFactory(account=account, app__name="Pages", available_count=0)


def url(title: LicensedApp) -> str:
    place = [title.organization_id, title.account_id, title.adam_id, title.pricing_param]
    return reverse("licensing:waiting_list", args=place)


def waits(title: LicensedApp, holder: str, **fields: Any) -> BatchItem:
    batch = BatchFactory(account=title.account)
    return BatchItemFactory(
        batch=batch, licensed_app=title, holder=holder, **({"state": "waiting"} | fields)
    )


def rows_of(client: Client, title: LicensedApp, query: str = "") -> list[str]:
    page = client.get(url(title) + query).content.decode()
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    return [words(row) for row in body.split("<tr>")[1:]]


def order_of(client: Client, title: LicensedApp, query: str = "") -> list[str]:
    answer = client.get(f"{url(title)}?format=csv{query}")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return [row["Serial number or client user ID"] for row in csv.DictReader(io.StringIO(text))]


def press(client: Client, title: LicensedApp, action: str, *items: BatchItem, **more: str) -> str:
    chosen = {"action": action, "item": [str(item.pk) for item in items]} | more
    return text_of(client.post(url(title), chosen, follow=True))


# --- Who waits ---------------------------------------------------------------------------------------


def test_waiting_list_is_in_the_order_in_which_people_are_served(
    reader_client: Client, title: LicensedApp
) -> None:
    DeviceFactory(
        organization=title.organization, serial_number="DMQ2", name="iPad 2", network__name="Hill"
    )
    first, second, urgent = (
        waits(title, "DMQ1"),
        waits(title, "DMQ2"),
        waits(title, "DMQ3", priority=5),
    )
    waits(LicensedAppFactory(account=title.account), "DMQ4")
    waits(title, "DMQ5", state="planned")

    rows = rows_of(reader_client, title)

    assert [(row[: row.index("today") - 1], row.split()[-1]) for row in rows] == [
        ("DMQ3 not in the inventory 1", f"#{urgent.batch_id}"),
        ("DMQ1 not in the inventory 2", f"#{first.batch_id}"),
        ("iPad 2 DMQ2 Hill 3", f"#{second.batch_id}"),
    ]
    assert order_of(reader_client, title) == ["DMQ3", "DMQ1", "DMQ2"]


def test_waiting_list_tells_the_place_of_who_is_searched_for(
    reader_client: Client, title: LicensedApp
) -> None:
    for number in range(60):
        waits(title, f"DMQ{number:02}")

    [found] = rows_of(reader_client, title, "?q=dmq57")

    assert found.startswith("DMQ57 not in the inventory 58 today")


def test_waiting_list_counts_on_over_its_pages(reader_client: Client, title: LicensedApp) -> None:
    for number in range(30):
        waits(title, f"DMQ{number:02}")
    page = reader_client.get(url(title) + "?size=25").context["listing"]

    rows = rows_of(reader_client, title, page.next_url)

    assert [row.split(" today")[0].split()[-1] for row in rows] == ["26", "27", "28", "29", "30"]


@pytest.mark.parametrize(
    ("available", "under_way", "missing"),
    [(0, 0, 3), (2, 0, 1), (2, 1, 2), (9, 0, 0), (-1, 0, 3), (2147483647, 0, 0)],
)
def test_a_title_needs_as_many_more_licenses_as_nobody_is_waiting_for_in_vain(
    title: LicensedApp, available: int, under_way: int, missing: int
) -> None:
    title.available_count = title.total_count = available
    for number in range(3):
        waits(title, f"DMQ{number}")
    for number in range(under_way):
        waits(title, f"UNDERWAY{number}", state="sent")

    assert queue_of(title) == Queue(3, missing)


def test_waiting_list_says_how_many_licenses_are_missing(
    reader_client: Client, title: LicensedApp
) -> None:
    for number in range(8):
        waits(title, f"DMQ{number}")

    text = text_of(reader_client.get(url(title)))

    assert "8 wait for a license of this title. It needs 8 more licenses : buy them in" in text


def test_waiting_list_of_nobody_says_so(reader_client: Client, title: LicensedApp) -> None:
    assert "Nobody waits for this title" in text_of(reader_client.get(url(title)))


def test_waiting_list_costs_the_same_for_any_number_who_wait(
    owner_client: Client, title: LicensedApp, django_assert_max_num_queries: Any
) -> None:
    costs = []
    for number in (1, 5):
        for place in range(number):
            device = DeviceFactory(organization=title.organization)
            waits(title, device.serial_number or "")
            waits(title, f"u-{number}-{place}", holder_kind="user")
        with django_assert_max_num_queries(20) as queries:
            owner_client.get(url(title))
        costs.append(len(queries))

    assert costs[0] == costs[1]


# --- Changing it -------------------------------------------------------------------------------------


def test_who_is_taken_off_is_not_served(
    owner_client: Client, fake: FakeApple, account: VppAccount
) -> None:
    fake.purchase(account.uid, PAGES, quantity=1)
    pages = synced(account)[PAGES]
    batch = begin("grant", [pages], serials=["SERIAL1", "SERIAL2", "SERIAL3"])
    drain(account, fake)
    second = BatchItem.objects.get(holder="SERIAL2")

    told = press(owner_client, pages, "take-off", second)
    fake.purchase(account.uid, PAGES, quantity=1)
    synced(account)
    drain(account, fake)

    assert "1 taken off the waiting list." in told
    assert states(batch) == {"SERIAL1": "succeeded", "SERIAL2": "cancelled", "SERIAL3": "succeeded"}
    batch.refresh_from_db()
    assert (batch.succeeded, batch.waiting, batch.cancelled) == (2, 0, 1)
    [event] = AuditEvent.objects.filter(action="assignment.taken_off_the_list")
    assert (event.target_id, event.after) == (pages.pk, {"holders": ["SERIAL2"], "count": 1})


def test_a_raised_priority_is_served_first(
    owner_client: Client, fake: FakeApple, account: VppAccount
) -> None:
    fake.purchase(account.uid, PAGES, quantity=1)
    pages = synced(account)[PAGES]
    batch = begin("grant", [pages], serials=["SERIAL1", "SERIAL2", "SERIAL3"])
    drain(account, fake)

    told = press(owner_client, pages, "raise", BatchItem.objects.get(holder="SERIAL3"))
    fake.purchase(account.uid, PAGES, quantity=1)
    synced(account)
    drain(account, fake)

    assert "Priority of 1 changed." in told
    assert states(batch) == {"SERIAL1": "succeeded", "SERIAL2": "waiting", "SERIAL3": "succeeded"}


def test_everyone_can_be_chosen_at_once(owner_client: Client, title: LicensedApp) -> None:
    waiting = [waits(title, f"DMQ{number}") for number in range(3)]
    other = waits(LicensedAppFactory(account=title.account), "DMQ1")

    lowered = press(owner_client, title, "lower", everyone="1")
    priorities = list(BatchItem.objects.order_by("pk").values_list("priority", flat=True))
    taken = press(owner_client, title, "take-off", everyone="1")

    assert ("Priority of 3 changed." in lowered, priorities) == (True, [-1, -1, -1, 0])
    assert "3 taken off the waiting list." in taken
    left = BatchItem.objects.filter(state="waiting")
    assert (list(left), len(waiting)) == ([other], 3)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"action": "take-off"},
        {"action": "take-off", "item": ["x", "-1", "²", "9" * 5000]},
        {"action": "take-off", "item": "{other}"},
        {"action": "raise", "item": "{served}"},
        {"action": "delete", "item": "{waiting}"},
    ],
)
def test_mischief_changes_nobody(
    owner_client: Client, title: LicensedApp, form: dict[str, Any]
) -> None:
    rows = {
        "waiting": waits(title, "DMQ1"),
        "served": waits(title, "DMQ2", state="sent"),
        "other": waits(LicensedAppFactory(), "DMQ3"),
    }
    known = {name: row.pk for name, row in rows.items()}
    posted = {
        name: value.format(**known) if isinstance(value, str) else value
        for name, value in form.items()
    }
    before = list(BatchItem.objects.order_by("pk").values())

    page = owner_client.post(url(title), posted, follow=True)

    assert 'class="alert alert-error"' in page.content.decode()
    assert list(BatchItem.objects.order_by("pk").values()) == before


# --- Who may -----------------------------------------------------------------------------------------


def test_a_reader_sees_the_waiting_list_and_cannot_change_it(
    reader_client: Client, title: LicensedApp
) -> None:
    item = waits(title, "DMQ1")

    page = reader_client.get(url(title)).content.decode()
    answer = reader_client.post(url(title), {"action": "take-off", "item": item.pk})

    assert (page.count("a full admin of the organization can do it."), answer.status_code) == (
        3,
        403,
    )
    assert 'type="checkbox"' not in page
    assert BatchItem.objects.get().state == "waiting"


def test_waiting_lists_of_closed_accounts_do_not_exist(
    owner_client: Client, outsider_client: Client, title: LicensedApp
) -> None:
    item = waits(title, "DMQ1")
    outside = outsider_client.get(url(title)).status_code
    VppAccount.objects.filter(pk=title.account_id).update(allowed_admins="named")

    inside = owner_client.get(url(title)).status_code
    posted = owner_client.post(url(title), {"action": "take-off", "item": item.pk}).status_code

    assert (outside, inside, posted) == (404, 404, 404)
    assert BatchItem.objects.get().state == "waiting"
