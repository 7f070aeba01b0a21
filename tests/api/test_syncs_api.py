"""Sync now over REST, and how it goes."""

import pytest
from django.utils import timezone

from organizations.models import Organization
from tests import factories
from tests.api.conftest import ApiClient
from vpp_accounts.models import SyncRun, VppAccount


@pytest.fixture
def path(organization: Organization) -> str:
    return f"/organizations/{organization.pk}/sm/vppAccounts"


def one(path: str, account: VppAccount) -> str:
    return f"{path}/{account.pk}"


def wire(moment: object) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def test_sync_answers_with_the_run_and_a_second_one_with_the_same(
    owner_api: ApiClient, account: VppAccount, path: str
) -> None:
    first = owner_api.send("POST", f"{one(path, account)}/sync")
    second = owner_api.send("POST", f"{one(path, account)}/sync", {"full": True})
    run = owner_api.get(f"{one(path, account)}/syncRuns/{first.json()['syncRunId']}")

    stored = SyncRun.objects.get()
    assert (first.status_code, first.json()) == (202, {"syncRunId": str(stored.pk)})
    assert second.json() == first.json()
    assert run.json() == {
        "id": str(stored.pk),
        "trigger": "api",
        "phase": "queued",
        "done": 0,
        "total": 0,
        "outcome": None,
        "message": "",
        "errorNumber": None,
        "counts": {},
        "createdAt": wire(stored.created_at),
        "startedAt": None,
        "finishedAt": None,
    }


def test_a_run_that_failed_says_why(owner_api: ApiClient, account: VppAccount, path: str) -> None:
    run = factories.SyncRunFactory(
        account=account,
        phase="assets",
        outcome="failed",
        error_number=9625,
        message="Apple has revoked the token.",
        counts={"titlesAdded": 3},
        finished_at=timezone.now(),
    )

    [answer] = owner_api.get(f"{one(path, account)}/syncRuns").json()

    told = ("id", "outcome", "errorNumber", "message", "counts", "finishedAt")
    assert {name: answer[name] for name in told} == {
        "id": str(run.pk),
        "outcome": "failed",
        "errorNumber": 9625,
        "message": "Apple has revoked the token.",
        "counts": {"titlesAdded": 3},
        "finishedAt": wire(run.finished_at),
    }


def test_an_account_that_stopped_does_not_sync(
    owner_api: ApiClient, account: VppAccount, path: str
) -> None:
    VppAccount.objects.update(state="expired", state_reason="Renew the token.")

    answer = owner_api.send("POST", f"{one(path, account)}/sync")

    assert (answer.status_code, answer.json()) == (
        409,
        {"errors": ["Expired: Renew the token."], "code": "account_stopped"},
    )
