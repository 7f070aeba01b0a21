"""The sync by its effect: what is held afterwards, for every way Apple can behave."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from licensing import sync
from licensing.models import Assignment, LicenseCount, LicensedApp
from licensing.sync.progress import LeaseLost, Progress
from licensing.tasks import start_due_syncs
from organizations.audit import Actor
from organizations.models import AuditEvent
from tests.factories import LicensedAppFactory, SyncRunFactory
from users.models import VppUser
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import AccountState, SyncRun, VppAccount
from vpp_accounts.runs import request_sync

KEYNOTE, PAGES = "361285480", "361309726"


def run_sync(account: VppAccount, *, full: bool = False) -> SyncRun:
    run = request_sync(
        by=Actor.system("Test"), account=account, trigger=SyncRun.Trigger.MANUAL, full=full
    )
    finished = sync.run(sync_run_id=run.pk)
    account.refresh_from_db()
    assert finished is not None
    return finished


def holders(account: VppAccount) -> set[tuple[str, str]]:
    rows = Assignment.objects.filter(account=account)
    return set(rows.values_list("licensed_app__adam_id", "holder"))


@pytest.fixture
def bought(fake: FakeApple, account: VppAccount) -> VppAccount:
    """Two titles, one of them held by three devices."""
    fake.purchase(account.uid, KEYNOTE, quantity=10)
    fake.purchase(account.uid, PAGES, quantity=5)
    fake.assign(account.uid, KEYNOTE, serial_numbers=["SERIAL1", "SERIAL2", "SERIAL3"])
    return account


def test_a_first_sync_brings_titles_counts_and_assignments(bought: VppAccount) -> None:
    run = run_sync(bought)

    titles = LicensedApp.objects.order_by("adam_id")
    assert [(t.adam_id, t.total_count, t.assigned_count, t.available_count) for t in titles] == [
        (KEYNOTE, 10, 3, 7),
        (PAGES, 5, 0, 5),
    ]
    assert holders(bought) == {(KEYNOTE, f"SERIAL{n}") for n in (1, 2, 3)}
    assert (run.outcome, bought.state) == (SyncRun.Outcome.SUCCEEDED, AccountState.IN_SYNC)
    assert run.counts == {"titlesAdded": 2, "assignmentsAdded": 3}


def test_a_first_sync_claims_the_location(bought: VppAccount, fake: FakeApple) -> None:
    VppAccount.objects.filter(pk=bought.pk).update(claimed_at=None)

    run_sync(bought)

    assert fake.location(bought.uid).mdm_info["id"] == str(bought.uuid)
    assert bought.claimed_at is not None


def test_a_first_sync_is_one_event_per_title_and_later_one_per_assignment(
    bought: VppAccount, fake: FakeApple
) -> None:
    run_sync(bought)
    first = list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))
    fake.assign(bought.uid, KEYNOTE, serial_numbers=["SERIAL4"])
    fake.unassign(bought.uid, KEYNOTE, serial_numbers=["SERIAL1"])

    run_sync(bought)

    assert first.count("title.found") == 2
    assert not any(action.startswith("assignment.") for action in first)
    changes = AuditEvent.objects.filter(action__startswith="assignment.").order_by("action")
    assert [(e.action, e.before, e.after, e.actor_kind) for e in changes] == [
        ("assignment.found", None, {"holder": "SERIAL4", "kind": "device"}, "apple"),
        ("assignment.gone", {"holder": "SERIAL1", "kind": "device"}, None, "apple"),
    ]


def test_what_is_gone_at_apple_goes_here(bought: VppAccount, fake: FakeApple) -> None:
    run_sync(bought)
    fake.unassign(bought.uid, KEYNOTE, serial_numbers=["SERIAL1", "SERIAL2", "SERIAL3"])

    run = run_sync(bought)

    assert holders(bought) == set()
    assert run.counts["assignmentsGone"] == 3


def test_nothing_changed_writes_nothing(bought: VppAccount) -> None:
    run_sync(bought)

    run = run_sync(bought, full=True)

    assert run.counts == {}


def test_equal_versions_skip_the_walk_but_refresh_as_of(
    bought: VppAccount, fake: FakeApple
) -> None:
    run_sync(bought)
    before = LicensedApp.objects.get(adam_id=KEYNOTE).counts_as_of
    fake.settings.page_size = 1
    fake.journal.clear()

    run_sync(bought)

    paths = [entry.path for entry in fake.journal]
    assert [path for path in paths if path.endswith("/assignments")] == ["/mdm/v2/assignments"]
    assert LicensedApp.objects.get(adam_id=KEYNOTE).counts_as_of > before


def test_a_whole_walk_happens_at_least_daily(bought: VppAccount, fake: FakeApple) -> None:
    run_sync(bought)
    yesterday = timezone.now() - timedelta(hours=25)
    VppAccount.objects.filter(pk=bought.pk).update(last_full_sync_at=yesterday)

    run_sync(bought)

    assert bought.last_full_sync_at > yesterday


def test_serial_numbers_are_kept_in_upper_case(bought: VppAccount, fake: FakeApple) -> None:
    fake.assign(bought.uid, PAGES, serial_numbers=["serial9"])

    run_sync(bought)
    run = run_sync(bought, full=True)

    assert (PAGES, "SERIAL9") in holders(bought)
    assert run.counts == {}


def test_strange_client_user_ids_survive_the_bulk_road(
    account: VppAccount, fake: FakeApple
) -> None:
    strange = "back\\slash\ttab\u2028line"
    fake.purchase(account.uid, KEYNOTE, quantity=10)
    fake.add_users(account.uid, [{"clientUserId": strange, "email": "x@example.org"}])
    fake.assign(account.uid, KEYNOTE, client_user_ids=[strange])

    run_sync(account)
    run = run_sync(account, full=True)

    assert holders(account) == {(KEYNOTE, strange)}
    assert run.counts == {}


def test_users_are_copied_and_follow_their_status(account: VppAccount, fake: FakeApple) -> None:
    fake.add_users(
        account.uid,
        [
            {"clientUserId": "u-1", "email": "ann@example.org"},
            {"clientUserId": "u-2", "email": "bob@example.org", "appleAccount": "bob@icloud.test"},
        ],
    )

    run_sync(account)

    people = VppUser.objects.order_by("client_user_id")
    assert [(p.client_user_id, p.email, p.apple_status) for p in people] == [
        ("u-1", "ann@example.org", "Registered"),
        ("u-2", "bob@example.org", "Associated"),
    ]


def test_an_item_slipping_between_pages_is_not_lost(bought: VppAccount, fake: FakeApple) -> None:
    fake.settings.page_size = 2
    fake.assign(bought.uid, KEYNOTE, serial_numbers=[f"MORE{n}" for n in range(6)])
    run_sync(bought)
    before = holders(bought)
    fake.set_fault("item_slips", path="*/assignments", times=1)

    run_sync(bought, full=True)

    at_apple = {
        (KEYNOTE, serial) for serial in fake.location(bought.uid).asset(KEYNOTE).holders("serial")
    }
    assert (before & at_apple) - holders(bought) == set()


def test_an_unstable_walk_removes_only_what_apple_confirms(
    bought: VppAccount, fake: FakeApple
) -> None:
    fake.settings.page_size = 1
    run_sync(bought)
    fake.unassign(bought.uid, KEYNOTE, serial_numbers=["SERIAL2"])
    fake.set_fault("version_changes", path="*/assignments", times=1)

    run_sync(bought, full=True)

    assert holders(bought) >= {(KEYNOTE, "SERIAL1"), (KEYNOTE, "SERIAL3")}
    assert (KEYNOTE, "SERIAL2") not in holders(bought)
    assert bought.unconfirmed_removals == 0


def test_a_title_gone_at_apple_is_no_longer_listed(bought: VppAccount, fake: FakeApple) -> None:
    stray = LicensedAppFactory(account=bought, app__country="US")

    run_sync(bought)

    assert stray.pk not in LicensedApp.objects.present().values_list("pk", flat=True)


def test_counts_of_a_day_are_kept_once(bought: VppAccount, fake: FakeApple) -> None:
    run_sync(bought)
    fake.purchase(bought.uid, PAGES, quantity=5)

    run_sync(bought)

    history = LicenseCount.objects.order_by("licensed_app__adam_id")
    assert [(c.licensed_app.adam_id, c.total_count) for c in history] == [
        (KEYNOTE, 10),
        (PAGES, 10),
    ]


@pytest.mark.parametrize(
    ("fault", "state", "number"),
    [
        ("token_expired", AccountState.EXPIRED, 9621),
        ("token_revoked", AccountState.REVOKED, 9625),
        ("token_error_200", AccountState.REVOKED, None),
        ("refused_connection", AccountState.SYNC_FAILED, None),
        ("maintenance_sync", AccountState.SYNC_FAILED, None),
        ("proxy_html", AccountState.SYNC_FAILED, None),
        ("truncated_json", AccountState.SYNC_FAILED, None),
    ],
)
def test_apples_troubles_become_states_and_data_stays(
    bought: VppAccount, fake: FakeApple, fault, state, number
) -> None:
    run_sync(bought)
    held = holders(bought)
    fake.set_fault(fault)

    run = run_sync(bought)

    assert (run.outcome, bought.state, bool(run.message)) == (
        SyncRun.Outcome.FAILED,
        state,
        True,
    )
    assert number in (None, run.error_number)
    assert holders(bought) == held


def test_another_mdm_stops_everything(bought: VppAccount, fake: FakeApple) -> None:
    run_sync(bought)
    fake.claim(bought.uid, {"id": "other", "name": "Other MDM", "metadata": ""})

    run = run_sync(bought)

    assert bought.state == AccountState.CLAIMED
    assert "Other MDM" in run.message
    assert fake.location(bought.uid).mdm_info["id"] == "other"


def test_a_reader_of_apple_still_syncs(bought: VppAccount, fake: FakeApple) -> None:
    VppAccount.objects.filter(pk=bought.pk).update(claimed_at=None)
    fake.set_fault("read_only")

    run_sync(bought)

    assert bought.state == AccountState.READ_ONLY
    assert len(holders(bought)) == 3


def test_a_token_near_its_end_is_expiring(fake: FakeApple, account: VppAccount) -> None:
    soon = (timezone.now() + timedelta(days=20)).isoformat()
    account.stoken = fake.issue_token(account.uid, expires=soon)
    account.save()

    run_sync(account)

    assert (account.state, account.days_left) == (AccountState.EXPIRING, 19)


def test_only_one_run_is_open_whoever_asks(account: VppAccount) -> None:
    runs = {
        request_sync(by=Actor.system("Test"), account=account, trigger=trigger).pk
        for trigger in (SyncRun.Trigger.MANUAL, SyncRun.Trigger.API, SyncRun.Trigger.SCHEDULE)
    }

    assert len(runs) == 1


def test_a_run_that_someone_works_on_is_left_alone(account: VppAccount) -> None:
    run = SyncRunFactory(account=account, lease_until=timezone.now() + timedelta(minutes=1))

    assert sync.run(sync_run_id=run.pk) is None


def test_a_run_whose_worker_died_is_taken_over(bought: VppAccount, fake: FakeApple) -> None:
    dead = SyncRunFactory(
        account=bought,
        phase=SyncRun.Phase.SAVING,
        lease_until=timezone.now() - timedelta(seconds=1),
        lease_token=1,
        attempts=1,
    )

    assert list(SyncRun.objects.unattended()) == [dead]
    sync.run(sync_run_id=dead.pk)

    dead.refresh_from_db()
    assert (dead.outcome, dead.lease_token) == (SyncRun.Outcome.SUCCEEDED, 2)
    assert len(holders(bought)) == 3


def test_a_worker_that_lost_its_lease_writes_nothing(bought: VppAccount, fake: FakeApple) -> None:
    run = request_sync(by=Actor.system("T"), account=bought, trigger=SyncRun.Trigger.MANUAL)
    claimed = SyncRun.objects.claim(run.pk)
    SyncRun.objects.filter(pk=run.pk).update(lease_token=99)

    with pytest.raises(LeaseLost), Progress(claimed) as progress, progress.transaction():
        Assignment.objects.all().delete()


def test_a_run_that_breaks_again_and_again_ends(account: VppAccount) -> None:
    run = SyncRunFactory(account=account, attempts=3)

    sync.run(sync_run_id=run.pk)

    run.refresh_from_db()
    assert run.outcome == SyncRun.Outcome.FAILED


def test_the_schedule_starts_only_what_is_due_and_alive(account: VppAccount) -> None:
    start_due_syncs()
    started = SyncRun.objects.count()
    SyncRun.objects.all().delete()
    VppAccount.objects.update(state=AccountState.REVOKED)

    start_due_syncs()

    assert (started, SyncRun.objects.count()) == (1, 0)


def test_the_number_of_statements_does_not_depend_on_the_number_of_rows(
    bought: VppAccount, fake: FakeApple, monkeypatch
) -> None:
    monkeypatch.setattr("licensing.sync.progress.SHOW_EVERY", 3600)
    fake.settings.page_size = 5000

    def statements(rows: int) -> int:
        fake.assign(bought.uid, PAGES, serial_numbers=[f"S{rows}X{n}" for n in range(rows)])
        with CaptureQueriesContext(connection) as queries:
            run_sync(bought, full=True)
        return len(queries)

    fake.purchase(bought.uid, PAGES, quantity=5000)
    run_sync(bought)

    assert statements(3) == statements(2000)


def test_an_odd_holder_costs_the_others_nothing(bought: VppAccount, fake: FakeApple) -> None:
    """Another MDM may have written anything."""
    asset = fake.location(bought.uid).asset(KEYNOTE)
    fake.location(bought.uid).give(asset, "serial", ["LONG" * 100, "NU\x00L"])

    run = run_sync(bought)

    assert holders(bought) == {(KEYNOTE, f"SERIAL{n}") for n in (1, 2, 3)}
    assert (run.outcome, run.counts["unreadable"]) == (SyncRun.Outcome.SUCCEEDED, 2)


def test_a_changed_count_is_recorded_with_what_it_was(bought: VppAccount, fake: FakeApple) -> None:
    run_sync(bought)
    fake.purchase(bought.uid, PAGES, quantity=5)

    run_sync(bought)

    event = AuditEvent.objects.get(action="title.changed")
    assert (event.before["total"], event.after["total"]) == (5, 10)
