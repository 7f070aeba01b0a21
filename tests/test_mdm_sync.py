"""Organization > MDM: Sync now, and a sync as it runs."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from licensing import sync
from organizations.models import Organization
from tests import factories
from tests.mdm_table import cells_of, page_of, row_of
from tests.reading import text_of
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import AccountState, SyncRun, VppAccount


@pytest.fixture
def synced(account: VppAccount) -> VppAccount:
    account.state = AccountState.IN_SYNC
    account.last_synced_at = timezone.now()
    account.save()
    return account


def sync_url(account: VppAccount) -> str:
    return reverse("licensing:account_sync", args=[account.organization_id, account.pk])


def test_account_sync_asks_for_one_run_and_returns_to_the_table(
    owner_client: Client, synced: VppAccount
) -> None:
    responses = [owner_client.post(sync_url(synced)) for _ in range(2)]

    assert [response.url for response in responses] == [page_of(synced.organization)] * 2
    assert [run.trigger for run in synced.sync_runs.all()] == [SyncRun.Trigger.MANUAL]


@pytest.mark.parametrize(
    ("wanted", "goes_to_it"), [("/organizations/1/", True), ("https://evil.example/", False)]
)
def test_account_sync_returns_to_the_page_that_asked(
    wanted: str, goes_to_it: bool, owner_client: Client, synced: VppAccount
) -> None:
    response = owner_client.post(sync_url(synced), {"next": wanted})

    assert response.url == (wanted if goes_to_it else page_of(synced.organization))


def test_account_sync_says_why_a_stopped_account_cannot_be_synced(
    owner_client: Client, synced: VppAccount
) -> None:
    synced.state, synced.state_reason = AccountState.REVOKED, "Apple no longer accepts the token."
    synced.save()

    page = owner_client.post(sync_url(synced), follow=True)

    assert (
        "Example Schools North was not synced. Revoked by Apple: Apple no longer accepts the token."
    ) in text_of(page)


@pytest.mark.parametrize("method", ["get", "post"])
def test_account_sync_is_for_full_admins_of_the_organization(
    method: str, reader_client: Client, outsider_client: Client, synced: VppAccount
) -> None:
    reader = getattr(reader_client, method)(sync_url(synced)).status_code
    outsider = getattr(outsider_client, method)(sync_url(synced)).status_code

    assert (reader, outsider) == ({"get": 405, "post": 403}[method], 404)
    assert not SyncRun.objects.exists()


def test_account_row_shows_how_far_a_run_is_and_asks_again(
    owner_client: Client, synced: VppAccount
) -> None:
    run = factories.SyncRunFactory(account=synced, phase="assignments", done=1500, total=6000)

    answer = owner_client.get(row_of(synced, run)).content.decode()

    assert (
        "Syncing Reading assignments 25 % page 1,500 of 6,000 · 25 %"
        in cells_of(owner_client, synced)["State"]
    )
    assert re.search(r'<progress[^>]*max="6000"[^>]*value="1500"', answer)
    assert f'hx-get="{row_of(synced, run)}"' in answer


def test_account_row_stops_asking_and_tells_the_result_when_the_run_is_done(
    owner_client: Client, synced: VppAccount
) -> None:
    factories.LicensedAppFactory(account=synced, total_count=10, available_count=6)
    run = factories.SyncRunFactory(
        account=synced, outcome="succeeded", phase="done", finished_at=timezone.now()
    )

    answer = owner_client.get(row_of(synced, run))

    assert "hx-trigger" not in answer.content.decode()
    assert 'id="messages"' in answer.content.decode()
    assert (
        "Example Schools North is synced: 1 title, 6 licenses available. "
        "See its licenses under Manage > VPP"
    ) in text_of(answer)


def test_account_row_tells_why_a_run_failed(owner_client: Client, synced: VppAccount) -> None:
    run = factories.SyncRunFactory(
        account=synced,
        outcome="failed",
        message="Apple cannot be reached.",
        finished_at=timezone.now(),
    )

    shown = text_of(owner_client.get(row_of(synced, run)))

    assert "Example Schools North could not be synced. Apple cannot be reached." in shown


@pytest.mark.parametrize("run", ["", "x", "²", "9" * 40, "0"])
def test_account_row_takes_any_nonsense_for_a_run(
    run: str, owner_client: Client, synced: VppAccount
) -> None:
    assert owner_client.get(row_of(synced), {"run": run}).status_code == 200


def test_account_row_says_when_no_worker_takes_the_run(
    owner_client: Client, synced: VppAccount
) -> None:
    run = factories.SyncRunFactory(account=synced)
    SyncRun.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(minutes=2))

    shown = cells_of(owner_client, synced)["State"]

    assert shown.endswith(
        "No worker has taken this sync for over a minute: check that the worker process runs."
    )


def test_a_token_goes_in_and_its_licenses_show_up_in_the_row(
    owner_client: Client, organization: Organization, fake: FakeApple
) -> None:
    location = fake.create_location(name="North", org_name="Example Schools")
    fake.purchase(location.uid, "361285480", quantity=10)
    fake.assign(location.uid, "361285480", serial_numbers=["SERIAL1", "SERIAL2", "SERIAL3"])

    owner_client.post(
        reverse("licensing:account_add", args=[organization.pk]),
        {
            "name": "North",
            "email": "vpp@example.org",
            "token_text": location.issue_token(),
            "allowed_admins": "all",
            "assignable_networks": "all",
        },
    )
    run = SyncRun.objects.get()
    before = cells_of(owner_client, run.account)
    sync.run(sync_run_id=run.pk)
    answer = owner_client.get(row_of(run.account, run))

    assert before["State"] == "Syncing Waiting for a worker"
    assert before["Titles, available licenses"] == "Not read yet"
    assert "1 title 7 available" in text_of(answer)
    assert "North is synced: 1 title, 7 licenses available." in text_of(answer)
