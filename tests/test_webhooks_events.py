"""Which events there are, and what they tell: each from where it really happens."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from licensing import low, sync
from licensing.models import LicensedApp
from organizations.audit import Actor
from organizations.models import EventKind, Organization, Webhook, WebhookEvent
from tests import factories
from tests.draining import begin, drain, states, synced
from tests.reclaiming import bought, look, rule, unenrolled, work_through
from tests.test_sync import KEYNOTE, PAGES, run_sync
from users import records
from users.models import VppUser
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.apple.types import ClientUser
from vpp_accounts.health import set_state
from vpp_accounts.models import AccountState, SyncRun, VppAccount
from vpp_accounts.runs import request_sync
from vpp_accounts.services.accounts import take_over


@pytest.fixture(autouse=True)
def bells(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is noted is looked at; nothing is sent."""
    from celery.app.task import Task  # noqa: PLC0415

    monkeypatch.setattr(Task, "apply_async", lambda *args, **options: None)


@pytest.fixture
def webhook(organization: Organization) -> Webhook:
    return factories.WebhookFactory(organization=organization, events=list(EventKind.values))


@pytest.fixture
def titles(fake: FakeApple, account: VppAccount) -> dict[str, LicensedApp]:
    """Ten of one title and one of another."""
    fake.purchase(account.uid, KEYNOTE, quantity=10)
    fake.purchase(account.uid, PAGES, quantity=1)
    return synced(account)


def told(kind: EventKind) -> list[dict[str, Any]]:
    """Of every event of this kind, oldest first; without moments."""
    events = WebhookEvent.objects.filter(kind=kind).order_by("at", "pk")
    return [
        {name: value for name, value in event.payload.items() if not name.endswith("At")}
        for event in events
    ]


def of(account: VppAccount) -> dict[str, str]:
    return {"vppAccountId": str(account.pk), "vppAccountName": account.name}


# --- Syncs and states -----------------------------------------------------------------------------


def test_a_sync_that_was_asked_for_tells_what_it_found(
    fake: FakeApple, account: VppAccount, webhook: Webhook
) -> None:
    fake.purchase(account.uid, KEYNOTE, quantity=10)

    run = run_sync(account)

    assert told(EventKind.SYNC_FINISHED) == [
        {
            **of(account),
            "syncRunId": str(run.pk),
            "trigger": "manual",
            "outcome": "succeeded",
            "message": "",
            "errorNumber": None,
            "counts": {"titlesAdded": 1},
        }
    ]


def test_a_scheduled_sync_that_found_nothing_is_not_told(
    titles: dict[str, LicensedApp], account: VppAccount, webhook: Webhook
) -> None:
    run = request_sync(by=Actor.system("Test"), account=account, trigger=SyncRun.Trigger.SCHEDULE)

    sync.run(sync_run_id=run.pk)

    run.refresh_from_db()
    assert (run.outcome, run.counts) == ("succeeded", {})
    assert told(EventKind.SYNC_FINISHED) == []


def test_a_sync_that_failed_tells_why_and_so_does_the_state(
    fake: FakeApple, titles: dict[str, LicensedApp], account: VppAccount, webhook: Webhook
) -> None:
    fake.set_fault("token_revoked", uid=account.uid)

    run_sync(account)

    (sync_told,) = told(EventKind.SYNC_FINISHED)
    (state_told,) = told(EventKind.ACCOUNT_STATE_CHANGED)
    assert (sync_told["outcome"], sync_told["message"]) == ("failed", account.state_reason)
    assert state_told == {
        **of(account),
        "state": "revoked",
        "previousState": "in_sync",
        "reason": account.state_reason,
    }


def test_a_sync_that_is_ended_for_another_tells_so(
    account: VppAccount, webhook: Webhook, by: Actor
) -> None:
    """Whoever asked for it waits for its end."""
    run = request_sync(by=by, account=account, trigger=SyncRun.Trigger.MANUAL)
    set_state(account, AccountState.CLAIMED)

    take_over(by=by, account=account)

    (ended,) = told(EventKind.SYNC_FINISHED)
    assert ended == of(account) | {
        "syncRunId": str(run.pk),
        "trigger": "manual",
        "outcome": "failed",
        "message": "The location was taken over meanwhile.",
        "errorNumber": None,
        "counts": {},
    }


def test_a_state_that_stays_is_not_told_again(account: VppAccount, webhook: Webhook) -> None:
    for _ in range(2):
        set_state(account, AccountState.EXPIRED, "The service token has expired.")

    assert len(told(EventKind.ACCOUNT_STATE_CHANGED)) == 1


# --- Batches --------------------------------------------------------------------------------------


def test_a_batch_is_told_once_when_it_ends(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp], webhook: Webhook
) -> None:
    batch = begin("grant", [titles[KEYNOTE]], serials=["SERIAL1", "SERIAL2"])
    drain(account, fake)

    (event,) = told(EventKind.BATCH_FINISHED)
    assert event == {
        **of(account),
        "batchId": str(batch.pk),
        "kind": "grant",
        "state": "finished",
        "about": batch.about,
        "why": "",
        "counts": {
            "total": 2,
            "pending": 0,
            "succeeded": 2,
            "failed": 0,
            "waiting": 0,
            "skipped": 0,
            "cancelled": 0,
        },
        "createdBy": "Test",
    }


def test_who_waits_for_a_license_is_told_once_for_a_title_and_batch(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp], webhook: Webhook
) -> None:
    batch = begin("grant", [titles[PAGES]], serials=["SERIAL1", "SERIAL2", "SERIAL3"])
    drain(account, fake)

    assert told(EventKind.LICENSE_SHORTAGE) == [
        {
            **of(account),
            "adamId": PAGES,
            "pricingParam": "STDQ",
            "name": titles[PAGES].app.name or None,
            "available": 1,
            "batchId": str(batch.pk),
            "waiting": 2,
        }
    ]


def test_a_shortage_that_only_apple_knew_of_is_told_as_well(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp], webhook: Webhook
) -> None:
    """Somebody else took the last one since the counts were read."""
    fake.assign(account.uid, PAGES, serial_numbers=["ELSEWHERE"])
    batch = begin("grant", [titles[PAGES]], serials=["SERIAL1"])
    drain(account, fake)

    assert states(batch) == {"SERIAL1": "waiting"}
    assert [(event["batchId"], event["waiting"]) for event in told(EventKind.LICENSE_SHORTAGE)] == [
        (str(batch.pk), 1)
    ]


def test_a_title_that_falls_below_its_threshold_is_told_once(
    account: VppAccount, titles: dict[str, LicensedApp], webhook: Webhook
) -> None:
    LicensedApp.objects.filter(pk=titles[PAGES].pk).update(low_threshold=5)

    low.watch(account)
    low.watch(account)

    assert told(EventKind.LICENSE_LOW) == [
        {
            **of(account),
            "adamId": PAGES,
            "pricingParam": "STDQ",
            "name": titles[PAGES].app.name or None,
            "available": 1,
            "threshold": 5,
        }
    ]


def test_licenses_that_a_rule_takes_back_are_told_with_their_devices(
    fake: FakeApple, organization: Organization, account: VppAccount, webhook: Webhook
) -> None:
    bought(fake, account, ["SERIAL1", "SERIAL2"])
    unenrolled(organization, "SERIAL1")
    rule(organization, "unenrolled", grace_days=0)
    look(organization)
    work_through(organization, account, fake)

    (event,) = told(EventKind.DEVICE_RECLAIMED)
    batch_id = told(EventKind.BATCH_FINISHED)[0]["batchId"]
    assert event == {
        **of(account),
        "batchId": batch_id,
        "rule": "Reclaim: device unenrolled",
        "why": event["why"],
        "licenses": 1,
        "devices": 1,
        "serialNumbers": ["SERIAL1"],
    }


def test_what_an_admin_revokes_is_not_reclaimed(
    fake: FakeApple, account: VppAccount, webhook: Webhook
) -> None:
    titles = bought(fake, account, ["SERIAL1"])

    begin("revoke", [titles[KEYNOTE]], serials=["SERIAL1"])
    drain(account, fake)

    assert len(told(EventKind.BATCH_FINISHED)) == 1
    assert told(EventKind.DEVICE_RECLAIMED) == []


# --- People ---------------------------------------------------------------------------------------


def apple_says(user: VppUser, status: str) -> ClientUser:
    return ClientUser(user.client_user_id, status, user.email, None, None)


def test_everybody_who_accepted_is_told_once(account: VppAccount, webhook: Webhook) -> None:
    users = factories.VppUserFactory.create_batch(3, account=account, apple_status="Registered")
    still, *accepted = users
    seen = [apple_says(still, "Registered"), *(apple_says(user, "Associated") for user in accepted)]
    newcomer = ClientUser("new", "Associated", "new@example.org", None, None)

    for _ in range(2):
        records.keep(account, [*seen, newcomer], as_of=timezone.now())

    events = told(EventKind.USER_ASSOCIATED)
    assert sorted(events, key=lambda event: int(event["userId"])) == [
        {
            "vppAccountId": str(account.pk),
            "userId": str(user.pk),
            "clientUserId": user.client_user_id,
            "email": user.owner.email if user.owner else user.email,
            "ownerId": str(user.owner_id) if user.owner_id else None,
        }
        for user in accepted
    ]
