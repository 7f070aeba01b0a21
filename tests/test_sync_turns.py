"""When the next sync comes, whether it reads everything, and which syncs the history keeps."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from licensing import sync
from licensing.sync import turns
from licensing.sync.plans import is_due_in_full, plan_retry
from licensing.tasks import start_due_syncs
from organizations.audit import Actor
from organizations.models import AuditEvent, Organization
from tests import factories
from tests.meanwhile import MovingApple
from users.models import VppUser
from vpp_accounts import connections
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import AccountState, Notifications, SyncRun, VppAccount
from vpp_accounts.runs import TO_BE_COMPARED, ask_soon, request_sync

Trigger = SyncRun.Trigger
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def begin(account: VppAccount, trigger: SyncRun.Trigger = Trigger.SCHEDULE) -> SyncRun:
    return request_sync(by=Actor.system("Test"), account=account, trigger=trigger)


def run_sync(account: VppAccount, trigger: SyncRun.Trigger = Trigger.SCHEDULE) -> SyncRun:
    finished = sync.run(sync_run_id=begin(account, trigger).pk)
    account.refresh_from_db()
    assert finished is not None
    return finished


def minutes_to_next_turn(account: VppAccount) -> float:
    return (account.next_sync_at - timezone.now()) / MINUTE


@pytest.fixture
def synced(fake: FakeApple, account: VppAccount) -> VppAccount:
    fake.purchase(account.uid, "361285480", quantity=10)
    run_sync(account, Trigger.ADDED)
    return account


@pytest.fixture
def invited(fake: FakeApple, synced: VppAccount) -> VppAccount:
    """Somebody may accept an invitation any moment, and Apple will not tell us."""
    fake.add_users(synced.uid, [{"clientUserId": "u-1", "email": "ann@example.org"}])
    run_sync(synced)
    return synced


# Whole or not

VERSIONS = ("1", "2", "3")
RULES = {
    "asked for": (True, VERSIONS, MINUTE, 5, 12, True),
    "a version is missing": (False, ("1", "", "3"), MINUTE, 5, 12, True),
    "never yet": (False, VERSIONS, None, None, 12, True),
    "quick, an hour ago": (False, VERSIONS, HOUR, 119, 12, True),
    "quick, just now": (False, VERSIONS, 59 * MINUTE, 119, 12, False),
    "long, by day": (False, VERSIONS, 35 * HOUR, 120, 12, False),
    "long, at night": (False, VERSIONS, 20 * HOUR, 120, 1, True),
    "long, before dawn": (False, VERSIONS, 20 * HOUR, 120, 4, True),
    "long, the night is over": (False, VERSIONS, 20 * HOUR, 120, 5, False),
    "long, the night has not begun": (False, VERSIONS, 20 * HOUR, 120, 0, False),
    "long, this very night": (False, VERSIONS, 19 * HOUR, 120, 3, False),
    "long, too long ago": (False, VERSIONS, 36 * HOUR, 120, 12, True),
    "nobody knows how long": (False, VERSIONS, 2 * HOUR, None, 12, False),
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_when_everything_is_read(rule) -> None:
    asked, versions, since_last, seconds, hour, due = rule

    assert due is is_due_in_full(
        asked=asked, versions=versions, since_last=since_last, seconds_of_last=seconds, hour=hour
    )


def test_the_night_is_that_of_the_organization(synced: VppAccount, time_machine) -> None:
    synced.organization.time_zone = "Pacific/Auckland"  # 13 hours ahead
    synced.organization.save()
    synced.last_full_sync_seconds = 600
    synced.save()
    noon = timezone.now().replace(hour=12, minute=30) + timedelta(days=2)
    synced.last_full_sync_at = noon - 21 * HOUR
    run = factories.SyncRunFactory(account=synced, organization=synced.organization)

    time_machine.move_to(noon)
    at_noon_in_london = turns.is_full(run)
    time_machine.move_to(noon - 6 * HOUR)

    assert (at_noon_in_london, turns.is_full(run)) == (True, False)


def test_a_whole_sync_notes_how_long_it_took(synced: VppAccount) -> None:
    started = timezone.now() - timedelta(seconds=300)
    slow = factories.SyncRunFactory(account=synced, started_at=started, is_full=True)

    sync.run(sync_run_id=slow.pk)

    synced.refresh_from_db()
    assert 300 <= synced.last_full_sync_seconds < 330


# The next turn


def test_the_next_turn_is_within_a_quarter_of_an_hour(synced: VppAccount) -> None:
    assert 11.5 < minutes_to_next_turn(synced) <= 15


def test_an_account_without_notifications_is_polled_while_people_are_invited(
    fake: FakeApple, invited: VppAccount
) -> None:
    polled = invited.notifications_mode, minutes_to_next_turn(invited)
    (person,) = fake.location(invited.uid).users
    fake.accept_invitation(person.invite_code, "ann@icloud.test")
    VppAccount.objects.update(next_sync_at=timezone.now())

    start_due_syncs()
    run = SyncRun.objects.open().get()
    sync.run(sync_run_id=run.pk)

    invited.refresh_from_db()
    assert polled[0] == Notifications.POLLING
    assert 0.9 < polled[1] <= 1
    assert run.trigger == Trigger.POLL
    assert VppUser.objects.get().apple_status == "Associated"
    assert minutes_to_next_turn(invited) > 11


def test_an_account_with_notifications_waits_for_them(invited: VppAccount) -> None:
    invited.notifications_mode = Notifications.ON

    next_turn = turns.next_turn(invited, timezone.now())

    assert next_turn > timezone.now() + 11 * MINUTE
    assert turns.trigger_of(invited) == Trigger.SCHEDULE


def test_a_poll_is_no_request_of_anybodys(invited: VppAccount) -> None:
    before = AuditEvent.objects.count()

    begin(invited, Trigger.POLL)

    assert AuditEvent.objects.count() == before


@pytest.mark.parametrize("trigger", [Trigger.SCHEDULE, Trigger.MANUAL])
def test_what_is_asked_for_during_a_sync_comes_soon_after_it(
    trigger: SyncRun.Trigger, organization: Organization
) -> None:
    """The sync had read the titles already, so the next one reads them again."""
    apple = MovingApple()
    location = apple.create_location(name="North")
    account = factories.VppAccountFactory(
        organization=organization, uid=location.uid, token=location.issue_token()
    )
    with connections.use_fake(apple):
        run_sync(account)

        apple.after = lambda request: request.path.endswith("/users") and ask_soon(account)
        run_sync(account, trigger)

    assert 0.9 < minutes_to_next_turn(account) <= 1
    assert account.assets_version == TO_BE_COMPARED


# Failures


@pytest.mark.parametrize(
    ("failing", "asked", "pause"),
    [
        (timedelta(), timedelta(), 5 * MINUTE),
        (10 * MINUTE, timedelta(), 5 * MINUTE),
        (40 * MINUTE, timedelta(), 20 * MINUTE),
        (30 * HOUR, timedelta(), HOUR),
        (timedelta(), 7 * MINUTE, 7 * MINUTE),
        (40 * MINUTE, MINUTE, 20 * MINUTE),
    ],
)
def test_who_keeps_failing_is_tried_seldomer(
    failing: timedelta, asked: timedelta, pause: timedelta
) -> None:
    assert plan_retry(failing=failing, asked=asked) == pause


def test_a_failure_that_lasts_is_tried_seldomer(synced: VppAccount, fake: FakeApple) -> None:
    fake.set_fault("refused_connection")
    run_sync(synced)
    first = minutes_to_next_turn(synced)
    VppAccount.objects.update(state_since=timezone.now() - 40 * MINUTE)
    run_sync(synced)
    later = minutes_to_next_turn(synced)
    VppAccount.objects.update(state=AccountState.IN_SYNC)

    run_sync(synced)

    assert (round(first), round(later), round(minutes_to_next_turn(synced))) == (5, 20, 5)


# The history


def kept(account: VppAccount) -> list[SyncRun.Trigger]:
    return list(account.sync_runs.order_by("pk").values_list("trigger", flat=True))


def test_the_history_keeps_one_of_the_schedules_runs_that_changed_nothing(
    synced: VppAccount,
) -> None:
    runs = [run_sync(synced, trigger) for trigger in (Trigger.SCHEDULE, Trigger.POLL) * 2]

    assert kept(synced) == [Trigger.ADDED, Trigger.POLL]
    assert synced.sync_runs.latest("pk") == runs[-1]


def test_the_history_keeps_what_changed_something(synced: VppAccount, fake: FakeApple) -> None:
    fake.purchase(synced.uid, "361285480", quantity=1)
    found = run_sync(synced)
    run_sync(synced)

    newest = run_sync(synced)

    assert list(synced.sync_runs.order_by("-pk")[:2]) == [newest, found]


def test_the_history_keeps_failures_and_what_ended_them(
    synced: VppAccount, fake: FakeApple
) -> None:
    fault = fake.set_fault("refused_connection")
    failed = run_sync(synced)
    fake.faults.remove(fault)
    recovered = run_sync(synced)
    run_sync(synced)

    newest = run_sync(synced)

    assert list(synced.sync_runs.order_by("-pk")[:3]) == [newest, recovered, failed]


def test_the_history_keeps_what_people_asked_for(synced: VppAccount, by: Actor) -> None:
    scheduled = begin(synced)
    joined = request_sync(by=by, account=synced, trigger=Trigger.MANUAL)
    sync.run(sync_run_id=scheduled.pk)
    synced.refresh_from_db()

    for _ in range(2):
        run_sync(synced)

    scheduled.refresh_from_db()
    assert joined == scheduled
    assert (scheduled.trigger, scheduled.requested_by) == (Trigger.MANUAL, by.admin)


def test_no_history_is_lost_to_another_account(synced: VppAccount) -> None:
    other = factories.SyncRunFactory(
        trigger=Trigger.SCHEDULE,
        outcome=SyncRun.Outcome.SUCCEEDED,
        started_at=datetime(2100, 1, 1, tzinfo=timezone.get_default_timezone()),
        finished_at=timezone.now(),
    )

    run_sync(synced)

    assert SyncRun.objects.filter(pk=other.pk).exists()
