"""The pages of batches: their list, one's page while it runs and after, its buttons."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from licensing import batches
from licensing.batches.pauses import pause
from licensing.models import Batch, BatchItem, LicensedApp
from organizations.audit import Actor
from organizations.models import Admin, AuditEvent, Organization
from tests.draining import begin, drain, states, synced
from tests.factories import (
    BatchFactory,
    BatchItemFactory,
    DeviceFactory,
    LicensedAppFactory,
    OwnerFactory,
    VppAccountFactory,
    VppUserFactory,
)
from tests.reading import text_of, words
from tests.test_sync import KEYNOTE, PAGES
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import AccountState, VppAccount

FORM_PAGES = ("batch_cancel", "batch_retry")


@pytest.fixture
def titles(fake: FakeApple, account: VppAccount) -> dict[str, LicensedApp]:
    fake.purchase(account.uid, KEYNOTE, quantity=10)
    fake.purchase(account.uid, PAGES, quantity=2)
    found = synced(account)
    for adam_id, name in ((KEYNOTE, "Keynote"), (PAGES, "Pages")):
        found[adam_id].app.name = name
        found[adam_id].app.save()
    return found


def url(name: str, batch: Batch) -> str:
    return reverse(f"licensing:{name}", args=[batch.organization_id, batch.pk])


def list_url(organization: Organization) -> str:
    return reverse("licensing:batch_list", args=[organization.pk])


def csv_of(response: HttpResponse) -> list[dict[str, str]]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text)))


def rows_of(response: HttpResponse) -> list[str]:
    body = response.content.decode().partition("<tbody>")[2].partition("</tbody>")[0]
    return [words(row) for row in body.split("<tr>")[1:]]


def over(account: VppAccount, **fields: Any) -> Batch:
    """A batch that has ended, without having run."""
    ended = {"state": "finished", "finished_at": timezone.now(), "about": "Keynote · 2 devices"}
    by = {"actor_kind": "system", "actor_name": "Test"}
    return BatchFactory(account=account, **(ended | by | fields))


def ended(batch: Batch, title: LicensedApp, holder: str, **fields: Any) -> BatchItem:
    return BatchItemFactory(
        batch=batch, licensed_app=title, holder=holder, **({"state": "succeeded"} | fields)
    )


def began(by: Actor, title: LicensedApp, **whom: Any) -> Batch:
    wish = batches.wish_for(kind="grant", titles=[title], why="Keynote's page", **whom)
    plan = batches.make_plan(by=by, membership=None, account=title.account, wish=wish)
    return batches.start(by=by, membership=None, plan=plan)


# --- One batch, from its start to its end ------------------------------------------------------------


def test_batch_detail_shows_a_batch_that_has_just_begun(
    owner_client: Client, by: Actor, titles: dict[str, LicensedApp]
) -> None:
    batch = began(by, titles[KEYNOTE], serials=["SERIAL1", "SERIAL2"])

    page = owner_client.get(url("batch_detail", batch))

    text = text_of(page)
    assert "Grant: Keynote · 2 devices" in text
    assert "Starting" in text
    assert "0 of 2 · 0 % Pending 2" in text
    assert "Started by owner@example.org (Admin), today" in text
    assert "Why Keynote's page" in text
    assert "Cancel what is not sent ( 2 )" in text
    assert 'hx-trigger="every 2s"' in page.content.decode()
    assert rows_of(page) == [
        f"{serial} not in the inventory Keynote Pending {time_of(batch)}"
        for serial in ("SERIAL1", "SERIAL2")
    ]


def time_of(batch: Batch) -> str:
    zone = batch.organization.zone
    return f"today {batch.created_at.astimezone(zone):%H:%M}"


def test_batch_detail_survives_a_reload_and_ends_with_its_outcome(
    owner_client: Client,
    by: Actor,
    fake: FakeApple,
    account: VppAccount,
    titles: dict[str, LicensedApp],
) -> None:
    batch = began(by, titles[PAGES], serials=["SERIAL1", "SERIAL2", "SERIAL3"])
    drain(account, fake)

    page = owner_client.get(url("batch_detail", batch))

    text = text_of(page)
    assert "3 of 3 · 100 % Succeeded 2 Waiting for a license 1" in text
    assert "1 waits for a license and gets it as soon as one is free" in text
    assert "Requests to Apple 1, in" in text
    assert 'hx-trigger="every 2s"' not in page.content.decode()


def test_batch_progress_asks_again_only_while_the_batch_runs(
    reader_client: Client, fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    batch = begin("grant", [titles[KEYNOTE]], serials=["SERIAL1"])

    running = reader_client.get(url("batch_progress", batch) + "?can=10")
    drain(account, fake)
    over = reader_client.get(url("batch_progress", batch) + "?can=10")

    assert 'hx-trigger="every 2s"' in running.content.decode()
    assert 'hx-trigger="every 2s"' not in over.content.decode()
    assert ("HX-Trigger" in running, over["HX-Trigger"]) == (False, '{"batch-over": {}}')


def test_batch_progress_exchanges_the_buttons_only_when_they_change(
    owner_client: Client, fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    batch = begin("grant", [titles[KEYNOTE]], serials=["SERIAL1"])

    same = owner_client.get(url("batch_progress", batch) + "?can=10").content.decode()
    drain(account, fake)
    other = owner_client.get(url("batch_progress", batch) + "?can=10").content.decode()

    assert ("batch-actions" in same, 'id="batch-unsent"' in same) == (False, True)
    assert "batch-actions" in other


@pytest.mark.parametrize(
    ("reason", "state", "told"),
    [
        (
            "Apple is busy. It goes on by itself.",
            AccountState.IN_SYNC,
            "Apple is busy. It goes on by itself. Nothing is sent twice",
        ),
        (
            "The service token has expired.",
            AccountState.EXPIRED,
            "The service token has expired. The batch goes on by itself as soon as that is put right,"
            " under Organization > MDM. Nothing is sent twice",
        ),
    ],
)
def test_batch_detail_says_why_and_since_when_it_is_paused(
    owner_client: Client,
    account: VppAccount,
    titles: dict[str, LicensedApp],
    reason: str,
    state: str,
    told: str,
) -> None:
    batch = begin("grant", [titles[KEYNOTE]], serials=["SERIAL1"])
    with time_machine.travel(timezone.now() - timedelta(days=1), tick=False):
        pause(account, reason, until=timezone.now())
    VppAccount.objects.filter(pk=account.pk).update(state=state, state_reason=reason)

    text = text_of(owner_client.get(url("batch_detail", batch)))

    assert "Paused since yesterday" in text
    assert told in text


def test_batch_detail_says_that_no_worker_runs(
    owner_client: Client, fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    batch = begin("grant", [titles[KEYNOTE]], serials=["SERIAL1"])
    told = []

    for minutes in (0, 2):
        with time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=False):
            told.append(
                "check that the worker" in text_of(owner_client.get(url("batch_progress", batch)))
            )
    drain(account, fake)
    told.append("check that the worker" in text_of(owner_client.get(url("batch_progress", batch))))

    assert told == [False, True, False]


def test_batch_detail_groups_failures_by_their_cause(
    owner_client: Client, account: VppAccount
) -> None:
    title = LicensedAppFactory(account=account)
    batch = over(account, failed=3, skipped=1)
    for serial in ("SERIAL1", "SERIAL2"):
        ended(
            batch,
            title,
            serial,
            state="failed",
            error_number=9707,
            message="Not on devices.",
        )
    ended(
        batch,
        title,
        "SERIAL3",
        state="failed",
        error_number=9603,
        message="Apple's own problem.",
    )
    ended(
        batch,
        title,
        "SERIAL4",
        state="skipped",
        message="Holds one already.",
    )

    text = text_of(owner_client.get(url("batch_detail", batch)))

    assert (
        "Failed and skipped, by cause 2 failed Not on devices. Apple's number 9707 1 failed Apple's own problem."
        " Apple's number 9603 1 skipped Holds one already." in text
    )


# --- Its items ---------------------------------------------------------------------------------------


@pytest.fixture
def mixed(account: VppAccount) -> Batch:
    """Two titles, a known device and a known person, and one of each that nobody knows."""
    notes, tables = (
        LicensedAppFactory(account=account, app__name=name) for name in ("Notes", "Tables")
    )
    device = DeviceFactory(
        organization=account.organization, serial_number="DMQ1", name="iPad 1", network__name="Hill"
    )
    owner = OwnerFactory(organization=account.organization, name="Ann Lee", email="ann@example.org")
    VppUserFactory(account=account, client_user_id="u-1", owner=owner, email="")
    batch = over(account, succeeded=2, failed=1, waiting=1)
    ended(batch, notes, device.serial_number)
    ended(batch, notes, "u-1", holder_kind="user")
    ended(
        batch,
        tables,
        "DMQ2",
        state="failed",
        error_number=9707,
        message="Not on devices.",
    )
    ended(batch, tables, "u-2", holder_kind="user", state="waiting")
    return batch


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["DMQ1", "u-1", "DMQ2", "u-2"]),
        ("&state=failed", ["DMQ2"]),
        ("&state=pending", []),
        ("&state=waiting", ["u-2"]),
        ("&state=other", ["DMQ1", "u-1", "DMQ2", "u-2"]),
        ("&q=dmq", ["DMQ1", "DMQ2"]),
        ("&q=ipad 1", ["DMQ1"]),
        ("&q=ann", ["u-1"]),
        ("&q=tabl", ["DMQ2", "u-2"]),
        ("&q=u-&state=succeeded", ["u-1"]),
    ],
)
def test_batch_items_can_be_searched_and_filtered(
    reader_client: Client, mixed: Batch, query: str, expected: list[str]
) -> None:
    found = csv_of(reader_client.get(url("batch_detail", mixed) + f"?format=csv{query}"))

    assert [row["Serial number or client user ID"] for row in found] == expected


def test_batch_items_name_whom_the_inventory_knows(reader_client: Client, mixed: Batch) -> None:
    page = reader_client.get(url("batch_detail", mixed))

    at = time_of(mixed)
    assert rows_of(page) == [
        f"iPad 1 DMQ1 Hill Notes Succeeded {at}",
        f"Ann Lee u-1 ann@example.org Notes Succeeded {at}",
        f"DMQ2 not in the inventory Tables Failed Not on devices. Apple's number 9707 {at}",
        f"u-2 not in the inventory Tables Waiting for a license Waiting list {at}",
    ]


def test_batch_items_as_csv_say_everything(reader_client: Client, mixed: Batch) -> None:
    failed = csv_of(reader_client.get(url("batch_detail", mixed) + "?format=csv"))[2]

    assert failed.pop("Changed")[:4] == str(timezone.now().year)
    assert failed.pop("Adam ID").startswith("4087")
    assert failed == {
        "Title": "Tables",
        "Kind of holder": "Device",
        "Serial number or client user ID": "DMQ2",
        "Name": "",
        "Network or email": "",
        "State": "Failed",
        "Reason": "Not on devices.",
        "Apple's number": "9707",
    }


def test_htmx_gets_the_items_alone(reader_client: Client, mixed: Batch) -> None:
    page = reader_client.get(
        url("batch_detail", mixed) + "?state=failed",
        headers={"HX-Request": "true", "HX-Target": "items"},
    )

    assert [row.split()[0] for row in rows_of(page)] == ["DMQ2"]
    assert "batch-live" not in page.content.decode()


def test_batch_detail_costs_the_same_for_any_number_of_items(
    owner_client: Client, account: VppAccount, django_assert_max_num_queries: Any
) -> None:
    costs = []
    for number in (1, 5):
        batch = over(account, succeeded=number * 2, failed=number)
        for title in LicensedAppFactory.create_batch(number, account=account):
            device = DeviceFactory(organization=account.organization)
            ended(batch, title, device.serial_number or "")
            ended(
                batch,
                title,
                f"{number}-{title.pk}",
                state="failed",
                message=str(title.pk),
            )
            user = VppUserFactory(account=account)
            ended(batch, title, user.client_user_id, holder_kind="user")
        with django_assert_max_num_queries(20) as queries:
            owner_client.get(url("batch_detail", batch))
        costs.append(len(queries))

    assert costs[0] == costs[1]


# --- After a grant to people -------------------------------------------------------------------------


def test_people_are_told_how_they_get_it(owner_client: Client, account: VppAccount) -> None:
    title = LicensedAppFactory(account=account, app__name="Notes")
    batch = over(account, succeeded=2)
    for name in ("ann", "bob"):
        user = VppUserFactory(account=account, email=f"{name}@example.org")
        ended(batch, title, user.client_user_id, holder_kind="user")

    page = owner_client.get(url("batch_detail", batch))

    assert "you have been given Notes. Sign in on your device with the Apple Account" in text_of(
        page
    )
    assert "must be deployed to be managed" in text_of(page)
    assert "mailto:?bcc=ann%40example.org%2Cbob%40example.org&amp;subject=For%20you%3A%20Notes" in (
        page.content.decode()
    )


@pytest.mark.parametrize(
    ("fields", "comes_next"),
    [({"kind": "grant"}, True), ({"kind": "revoke"}, False), ({"succeeded": 0}, False)],
)
def test_devices_need_no_text(
    owner_client: Client, account: VppAccount, fields: dict[str, Any], comes_next: bool
) -> None:
    batch = over(account, **({"succeeded": 1} | fields))
    ended(batch, LicensedAppFactory(account=account), "SERIAL1")

    text = text_of(owner_client.get(url("batch_detail", batch)))

    assert ("What comes next" in text, "you have been given" in text) == (comes_next, False)


# --- Cancel and retry --------------------------------------------------------------------------------


def test_batch_cancel_stops_what_is_not_sent(
    owner_client: Client, fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    batch = begin("grant", [titles[KEYNOTE]], serials=["SERIAL1", "SERIAL2"])

    page = owner_client.post(url("batch_cancel", batch), follow=True)
    drain(account, fake)

    assert "2 items cancelled before Apple was asked." in text_of(page)
    assert states(batch) == {"SERIAL1": "cancelled", "SERIAL2": "cancelled"}
    [event] = AuditEvent.objects.filter(action="batch.cancelled")
    assert (event.actor_name, event.target_id) == ("owner@example.org", batch.pk)


def test_batch_cancel_says_that_nothing_is_left_to_cancel(
    owner_client: Client, fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    batch = begin("grant", [titles[KEYNOTE]], serials=["SERIAL1"])
    drain(account, fake)

    page = owner_client.post(url("batch_cancel", batch), follow=True)

    assert "Nothing of this batch can be stopped any more" in text_of(page)
    assert "Nothing is left to cancel: all of it was sent to Apple." in page.content.decode()
    assert states(batch) == {"SERIAL1": "succeeded"}


def test_batch_retry_tries_the_failed_again_and_the_two_know_each_other(
    owner_client: Client, fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    batch = over(account, succeeded=1, failed=1)
    ended(batch, titles[KEYNOTE], "SERIAL1")
    ended(batch, titles[KEYNOTE], "SERIAL2", state="failed")

    page = owner_client.post(url("batch_retry", batch), follow=True)

    again = Batch.objects.get(retry_of=batch)
    assert page.redirect_chain == [(url("batch_detail", again), 302)]
    assert "Grant: Keynote · 1 device has begun. See how far it is" in text_of(page)
    assert f"Tries again what failed in #{batch.pk}" in text_of(page)
    first = text_of(owner_client.get(url("batch_detail", batch)))
    assert f"What failed was tried again in #{again.pk}" in first
    drain(account, fake)
    assert states(again) == {"SERIAL2": "succeeded"}


def test_batch_retry_pressed_twice_makes_one_batch(
    owner_client: Client, account: VppAccount
) -> None:
    batch = over(account, failed=1)
    ended(
        batch,
        LicensedAppFactory(account=account),
        "SERIAL1",
        state="failed",
    )

    first, second = (owner_client.post(url("batch_retry", batch)) for _ in range(2))

    again = Batch.objects.get(retry_of=batch)
    assert first["Location"] == second["Location"] == url("batch_detail", again)


def test_batch_retry_is_refused_in_words_while_the_account_is_stopped(
    owner_client: Client, account: VppAccount
) -> None:
    batch = over(account, failed=1)
    ended(
        batch,
        LicensedAppFactory(account=account),
        "SERIAL1",
        state="failed",
    )
    VppAccount.objects.filter(pk=account.pk).update(
        state=AccountState.EXPIRED, state_reason="The service token has expired."
    )

    page = owner_client.post(url("batch_retry", batch), follow=True)

    assert "no license can be changed now. The service token has expired." in text_of(page)
    assert 'title="The service token has expired."' in page.content.decode()
    assert Batch.objects.count() == 1


# --- The list ----------------------------------------------------------------------------------------


@pytest.fixture
def several(account: VppAccount, owner: Admin) -> dict[str, Batch]:
    south = VppAccountFactory(organization=account.organization, name="South")
    mine = {"actor_kind": "admin", "actor_id": owner.pk, "actor_name": owner.email}
    return {
        "mine": over(account, succeeded=2, **mine),
        "revoke": over(account, kind="revoke", about="All licenses · 1 device", failed=1),
        "rule": over(south, actor_kind="rule", actor_name="iPads", waiting=3),
        "paused": over(
            account, state="paused", reason="Apple is busy.", planned=1, finished_at=None
        ),
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["paused", "rule", "revoke", "mine"]),
        ("&kind=revoke", ["revoke"]),
        ("&state=running", ["paused"]),
        ("&state=paused", ["paused"]),
        ("&state=failed", ["revoke"]),
        ("&state=waiting", ["rule"]),
        ("&state=finished", ["rule", "revoke", "mine"]),
        ("&account={north}", ["paused", "revoke", "mine"]),
        ("&who=me", ["mine"]),
        ("&who=rule", ["rule"]),
        ("&q=owner@", ["mine"]),
        ("&q=all lic", ["revoke"]),
        ("&q=%23{rule}", ["rule"]),
    ],
)
def test_batch_list_is_newest_first_and_filters(
    owner_client: Client,
    organization: Organization,
    account: VppAccount,
    several: dict[str, Batch],
    query: str,
    expected: list[str],
) -> None:
    query = query.format(north=account.pk, rule=several["rule"].pk)

    found = csv_of(owner_client.get(f"{list_url(organization)}?format=csv{query}"))

    names = {str(batch.pk): name for name, batch in several.items()}
    assert [names[row["Number"]] for row in found] == expected


def test_batch_list_says_what_became_of_each(
    reader_client: Client, organization: Organization, several: dict[str, Batch]
) -> None:
    page = reader_client.get(list_url(organization))

    told = [row.partition(" Test ")[0].partition(" iPads ")[0] for row in rows_of(page)]
    assert told[:3] == [
        f"Grant: Keynote · 2 devices #{several['paused'].pk} Paused 0 % Apple is busy. 1 pending"
        " Example Schools North",
        f"Grant: Keynote · 2 devices #{several['rule'].pk} Finished 3 waiting for a license South",
        f"Revoke: All licenses · 1 device #{several['revoke'].pk} Finished 1 failed"
        " Example Schools North",
    ]


def test_batch_list_costs_the_same_for_any_number_of_batches(
    owner_client: Client,
    organization: Organization,
    account: VppAccount,
    django_assert_max_num_queries: Any,
) -> None:
    costs = []
    for number in (1, 5):
        for _ in range(number):
            over(account, finished_at=None)
        with django_assert_max_num_queries(20) as queries:
            owner_client.get(list_url(organization))
        costs.append(len(queries))

    assert costs[0] == costs[1]


# --- Who may ----------------------------------------------------------------------------------------


def test_a_reader_sees_a_batch_and_cannot_act(
    reader_client: Client, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    batch = begin("grant", [titles[KEYNOTE]], serials=["SERIAL1"])

    page = reader_client.get(url("batch_detail", batch))
    answers = [reader_client.post(url(name, batch)).status_code for name in FORM_PAGES]

    assert page.content.decode().count("a full admin of the organization can do it.") == 1
    assert '<form method="post"' not in page.content.decode().partition('id="batch-actions"')[2]
    assert answers == [403, 403]
    assert states(batch) == {"SERIAL1": "planned"}


@pytest.mark.parametrize("who", ["outsider", "not among the allowed admins"])
def test_batches_of_closed_accounts_do_not_exist(
    owner_client: Client,
    outsider_client: Client,
    organization: Organization,
    account: VppAccount,
    who: str,
) -> None:
    batch = over(account, finished_at=None, about="Secret", failed=1)
    VppAccount.objects.filter(pk=account.pk).update(allowed_admins="named")
    client = outsider_client if who == "outsider" else owner_client

    looked = [
        client.get(url(name, batch)).status_code for name in ("batch_detail", "batch_progress")
    ]
    acted = [client.post(url(name, batch)).status_code for name in FORM_PAGES]

    assert (looked, acted) == ([404, 404], [404, 404])
    if who != "outsider":
        listed = owner_client.get(list_url(organization))
        assert "Secret" not in listed.content.decode()
        assert "No batch yet" in text_of(listed)


def test_activity_of_batches_is_for_those_who_may_see_them(
    owner_client: Client, organization: Organization, account: VppAccount, by: Actor
) -> None:
    south = VppAccountFactory(organization=organization, name="South")
    for each in (account, south):
        title = LicensedAppFactory(account=each, app__name=f"Title of {each.name}")
        began(by, title, serials=["SERIAL1"])
    VppAccount.objects.filter(pk=south.pk).update(allowed_admins="named")

    page = reverse("licensing:organization_activity", args=[organization.pk])
    found = csv_of(owner_client.get(f"{page}?format=csv&q=grant"))

    assert [(row["What happened"], row["Change"]) for row in found] == [
        (
            "Batch started",
            f"Grant: Title of {account.name} · 1 device; 1 to be sent; Keynote's page",
        )
    ]


def test_activity_of_a_forgotten_batch_stays_with_the_full_admins(
    owner_client: Client,
    reader_client: Client,
    organization: Organization,
    account: VppAccount,
    by: Actor,
) -> None:
    batch = began(by, LicensedAppFactory(account=account), serials=["SERIAL1"])
    BatchItem.objects.filter(batch=batch).delete()
    Batch.objects.all().delete()

    page = reverse("licensing:organization_activity", args=[organization.pk]) + "?format=csv"
    actions = [
        [row["Action"] for row in csv_of(client.get(page))]
        for client in (owner_client, reader_client)
    ]

    assert ["batch.started" in found for found in actions] == [True, False]


# --- From anywhere ------------------------------------------------------------------------------------


def running_url(organization: Organization, *watched: Batch) -> str:
    query = "&".join(f"batch={batch.pk}" for batch in watched)
    return reverse("licensing:running_work", args=[organization.pk]) + f"?{query}"


def test_running_work_leads_to_the_one_batch_or_to_the_list(
    owner_client: Client, organization: Organization, account: VppAccount
) -> None:
    pages = []
    for _ in range(2):
        batch = over(account, finished_at=None, state="running", planned=1, succeeded=1)
        pages.append(owner_client.get(running_url(organization)))
        if len(pages) == 1:
            assert f'href="{url("batch_detail", batch)}"' in pages[0].content.decode()

    assert [text_of(page).split(" Example")[0] for page in pages] == ["1 batch", "2 batches"]
    assert f'href="{list_url(organization)}?state=running"' in pages[1].content.decode()
    assert "Grant: Keynote · 2 devices, 50 %" in pages[1].content.decode()
    assert "every 3s" in pages[1].content.decode()


def test_running_work_asks_seldom_while_everything_is_paused(
    owner_client: Client, organization: Organization, account: VppAccount
) -> None:
    over(account, finished_at=None, state="paused", planned=1)

    page = owner_client.get(running_url(organization))

    assert "1 batch paused" in text_of(page)
    assert "every 30s" in page.content.decode()


def test_the_end_of_ones_own_batch_is_told_on_any_page(
    owner_client: Client,
    reader_client: Client,
    organization: Organization,
    by: Actor,
    fake: FakeApple,
    account: VppAccount,
    titles: dict[str, LicensedApp],
) -> None:
    batch = began(by, titles[KEYNOTE], serials=["SERIAL1"])
    overview = reverse("licensing:overview", args=[organization.pk])
    watched = f'running-work/?batch={batch.pk}"'
    assert watched in owner_client.get(overview).content.decode()
    assert watched not in reader_client.get(overview).content.decode()
    drain(account, fake)

    told, untold = (
        text_of(client.get(running_url(organization, batch)))
        for client in (owner_client, reader_client)
    )

    news = "Finished Grant: Keynote · 1 device: 1 succeeded. Look at it"
    assert (news in told, news in untold) == (True, False)


@pytest.mark.parametrize("query", ["batch=x", "batch=-1", f"batch={'9' * 5000}", "batch=²"])
def test_running_work_takes_any_address(
    owner_client: Client, organization: Organization, query: str
) -> None:
    page = reverse("licensing:running_work", args=[organization.pk]) + f"?{query}"

    assert owner_client.get(page).status_code == 200
