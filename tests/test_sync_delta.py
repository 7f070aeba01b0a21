"""Syncs that read only what changed: what they find, what they leave to others, what they cost."""

from collections.abc import Iterator

import pytest

from licensing import sync
from licensing.models import Assignment, LicensedApp
from licensing.sync import drift
from licensing.sync.plans import WalkPlan, plan_walks
from organizations.audit import Actor
from organizations.models import AuditEvent, Organization
from tests import factories
from tests.meanwhile import MovingApple
from users.models import VppUser
from vpp_accounts import connections
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.apple.fake.wire import Request
from vpp_accounts.models import SyncRun, VppAccount
from vpp_accounts.runs import request_sync

KEYNOTE, PAGES, NUMBERS = "361285480", "361309726", "361304891"


def run_sync(account: VppAccount, *, full: bool = False) -> SyncRun:
    run = request_sync(
        by=Actor.system("Test"), account=account, trigger=SyncRun.Trigger.COMMAND, full=full
    )
    finished = sync.run(sync_run_id=run.pk)
    account.refresh_from_db()
    assert finished is not None
    assert finished.outcome == SyncRun.Outcome.SUCCEEDED, finished.message
    return finished


def holders(account: VppAccount) -> set[tuple[str, str]]:
    rows = Assignment.objects.filter(account=account)
    return set(rows.values_list("licensed_app__adam_id", "holder"))


def asked(fake: FakeApple, path: str = "") -> list[tuple[str, dict[str, str]]]:
    """The lists that were asked for, with their filters."""
    lists = ("assets", "assignments", "users")
    entries = [(entry.path.rpartition("/")[2], entry.query) for entry in fake.journal]
    return [(name, query) for name, query in entries if name in lists and path in ("", name)]


def stock(fake: FakeApple, uid: str) -> None:
    fake.purchase(uid, KEYNOTE, quantity=10)
    fake.purchase(uid, PAGES, quantity=10)
    fake.assign(uid, KEYNOTE, serial_numbers=["SERIAL1", "SERIAL2", "SERIAL3"])
    fake.assign(uid, PAGES, serial_numbers=["SERIAL1"])


@pytest.fixture
def synced(fake: FakeApple, account: VppAccount) -> VppAccount:
    """Two titles with four assignments, read once."""
    stock(fake, account.uid)
    fake.add_users(account.uid, [{"clientUserId": "u-1", "email": "ann@example.org"}])
    run_sync(account)
    fake.journal.clear()
    return account


@pytest.fixture
def moving(organization: Organization) -> Iterator[MovingApple]:
    """In the place of `fake`: an Apple to which things happen while it is read."""
    apple = MovingApple()
    with connections.use_fake(apple):
        yield apple


@pytest.fixture
def busy(moving: MovingApple, organization: Organization) -> VppAccount:
    """An account at that Apple, read once while nothing happened."""
    location = moving.create_location(name="North", org_name="Example Schools", country="US")
    stock(moving, location.uid)
    account = factories.VppAccountFactory(
        organization=organization, uid=location.uid, country="US", token=location.issue_token()
    )
    run_sync(account)
    return account


# Deltas


def test_only_what_is_new_is_asked_for(synced: VppAccount, fake: FakeApple) -> None:
    users, assignments = synced.users_version, synced.assignments_version
    fake.assign(synced.uid, KEYNOTE, serial_numbers=["SERIAL4"])
    fake.add_users(synced.uid, [{"clientUserId": "u-2"}])
    fake.assign(synced.uid, PAGES, client_user_ids=["u-2"])

    run = run_sync(synced)

    assert asked(fake) == [
        ("assets", {}),
        ("users", {"sinceVersionId": users}),
        ("assignments", {"sinceVersionId": assignments}),
    ]
    assert holders(synced) == {
        (KEYNOTE, "SERIAL1"),
        (KEYNOTE, "SERIAL2"),
        (KEYNOTE, "SERIAL3"),
        (KEYNOTE, "SERIAL4"),
        (PAGES, "SERIAL1"),
        (PAGES, "u-2"),
    }
    assert run.counts == {
        "titlesChanged": 2,
        "usersAdded": 1,
        "assignmentsAdded": 2,
    }


def test_a_person_who_accepted_is_followed(synced: VppAccount, fake: FakeApple) -> None:
    (invited,) = fake.location(synced.uid).users
    fake.accept_invitation(invited.invite_code, "ann@icloud.test")

    run = run_sync(synced)

    person = VppUser.objects.get()
    assert (person.apple_status, person.id_hash) == ("Associated", invited.id_hash)
    assert run.counts == {"usersChanged": 1}


def test_nothing_new_changes_nothing(synced: VppAccount, fake: FakeApple) -> None:
    run = run_sync(synced)

    assert run.counts == {}
    assert len(asked(fake)) == 3


def test_the_next_delta_begins_where_this_one_did(synced: VppAccount, fake: FakeApple) -> None:
    fake.assign(synced.uid, KEYNOTE, serial_numbers=["SERIAL4"])

    run_sync(synced)

    assert synced.assignments_version == fake.location(synced.uid).assignment_versions.id


def test_a_version_that_apple_forgot_leads_to_a_whole_walk(
    synced: VppAccount, fake: FakeApple
) -> None:
    fake.assign(synced.uid, KEYNOTE, serial_numbers=["SERIAL4"])
    fake.unassign(synced.uid, KEYNOTE, serial_numbers=["SERIAL1"])
    fake.set_fault("since_rejected")

    run_sync(synced)

    assert [query for _, query in asked(fake, "assignments")] == [
        {"sinceVersionId": asked(fake, "assignments")[0][1]["sinceVersionId"]},
        {},
    ]
    assert holders(synced) == {
        (KEYNOTE, "SERIAL2"),
        (KEYNOTE, "SERIAL3"),
        (KEYNOTE, "SERIAL4"),
        (PAGES, "SERIAL1"),
    }


def test_a_delta_that_moved_is_asked_for_again_from_the_same_version(
    busy: VppAccount, moving: MovingApple
) -> None:
    """Else what slipped to a page that was read already would never be told again."""
    moving.settings.page_size = 2
    before = busy.assignments_version
    moving.assign(busy.uid, PAGES, serial_numbers=["NEW1", "NEW2", "NEW3", "NEW4"])

    def take_the_first_away(request: Request) -> None:
        if request.path.endswith("/assignments") and request.query.get("pageIndex") == "1":
            moving.unassign(busy.uid, PAGES, serial_numbers=["NEW1"])

    moving.before = take_the_first_away
    run_sync(busy)
    after_the_slip = busy.assignments_version, (PAGES, "NEW3") in holders(busy)
    moving.before = lambda request: None
    run_sync(busy)

    assert after_the_slip == (before, False)
    assert {holder for title, holder in holders(busy) if title == PAGES} == {
        "SERIAL1",
        "NEW2",
        "NEW3",
        "NEW4",
    }


def test_a_title_bought_while_the_lists_are_read_is_walked_next_time(
    busy: VppAccount, moving: MovingApple
) -> None:
    def buy(request: Request) -> None:
        if request.path.endswith("/assignments"):
            moving.before = lambda request: None
            moving.purchase(busy.uid, NUMBERS, quantity=5)
            moving.assign(busy.uid, NUMBERS, serial_numbers=["SERIAL1"])

    moving.before = buy
    run = run_sync(busy)
    after = busy.assignments_version
    run_sync(busy)

    assert (run.counts["ofUnknownTitles"], after) == (1, "")
    assert (NUMBERS, "SERIAL1") in holders(busy)
    assert busy.assignments_version


def test_a_title_bought_during_a_whole_walk_is_found_by_its_count(
    busy: VppAccount, moving: MovingApple
) -> None:
    def buy(request: Request) -> None:
        if request.path.endswith("/assignments"):
            moving.before = lambda request: None
            moving.purchase(busy.uid, NUMBERS, quantity=5)
            moving.assign(busy.uid, NUMBERS, serial_numbers=["SERIAL1"])

    moving.before = buy
    run_sync(busy, full=True)
    moving.journal.clear()
    run_sync(busy)

    assert (NUMBERS, "SERIAL1") in holders(busy)
    assert [query.get("adamId") for _, query in asked(moving, "assignments")] == [None, NUMBERS]


# Removals, which no delta tells


def test_a_removal_shows_in_the_count_and_only_that_title_is_read(
    synced: VppAccount, fake: FakeApple
) -> None:
    fake.unassign(synced.uid, KEYNOTE, serial_numbers=["SERIAL2"])

    run = run_sync(synced)

    assert holders(synced) == {(KEYNOTE, "SERIAL1"), (KEYNOTE, "SERIAL3"), (PAGES, "SERIAL1")}
    assert [query for _, query in asked(fake, "assignments")][1:] == [
        {"adamId": KEYNOTE, "pricingParam": "STDQ"}
    ]
    assert run.counts == {"titlesChanged": 1, "assignmentsGone": 1}
    assert AuditEvent.objects.get(action="assignment.gone").before == {
        "holder": "SERIAL2",
        "kind": "device",
    }


def test_one_for_another_is_found_too(synced: VppAccount, fake: FakeApple) -> None:
    """Apple's count is what it was."""
    fake.unassign(synced.uid, KEYNOTE, serial_numbers=["SERIAL2"])
    fake.assign(synced.uid, KEYNOTE, serial_numbers=["SERIAL4"])

    run = run_sync(synced)

    assert {holder for title, holder in holders(synced) if title == KEYNOTE} == {
        "SERIAL1",
        "SERIAL3",
        "SERIAL4",
    }
    assert run.counts == {"assignmentsAdded": 1, "assignmentsGone": 1}


def test_removed_rows_that_a_delta_lists_do_not_stay(synced: VppAccount, fake: FakeApple) -> None:
    fake.settings.guesses.delta_lists_removed_rows = True
    fake.assign(synced.uid, KEYNOTE, serial_numbers=["GHOST"])
    fake.unassign(synced.uid, KEYNOTE, serial_numbers=["GHOST", "SERIAL1"])

    run_sync(synced)

    assert {holder for title, holder in holders(synced) if title == KEYNOTE} == {
        "SERIAL2",
        "SERIAL3",
    }


def test_a_title_that_is_gone_takes_its_assignments_along(
    synced: VppAccount, fake: FakeApple
) -> None:
    location = fake.location(synced.uid)
    del location.assets[next(key for key in location.assets if key.adam_id == PAGES)]
    location.asset_versions.bump()
    location.assignment_versions.bump()

    run_sync(synced)

    assert {title for title, _ in holders(synced)} == {KEYNOTE}


def test_what_never_adds_up_is_read_once(synced: VppAccount, fake: FakeApple) -> None:
    location = fake.location(synced.uid)
    location.give(location.asset(KEYNOTE), "serial", ["LONG" * 100])
    run_sync(synced)
    drifts = dict(LicensedApp.objects.values_list("adam_id", "count_drift"))
    fake.journal.clear()

    fake.assign(synced.uid, PAGES, serial_numbers=["SERIAL2"])
    run_sync(synced)

    assert drifts == {KEYNOTE: 1, PAGES: 0}
    assert len(asked(fake, "assignments")) == 1


def test_a_whole_sync_notes_what_does_not_add_up(synced: VppAccount, fake: FakeApple) -> None:
    location = fake.location(synced.uid)
    location.give(location.asset(KEYNOTE), "serial", ["LONG" * 100, "LONGER" * 100])

    run_sync(synced, full=True)

    assert dict(LicensedApp.objects.values_list("adam_id", "count_drift")) == {KEYNOTE: 2, PAGES: 0}
    assert drift.differences(synced) == {}


def test_a_removal_beside_what_never_adds_up_is_found(synced: VppAccount, fake: FakeApple) -> None:
    location = fake.location(synced.uid)
    location.give(location.asset(KEYNOTE), "serial", ["LONG" * 100])
    run_sync(synced, full=True)
    fake.unassign(synced.uid, KEYNOTE, serial_numbers=["SERIAL2"])

    run_sync(synced)

    assert (KEYNOTE, "SERIAL2") not in holders(synced)


def test_counts_of_another_moment_are_no_drift(busy: VppAccount, moving: MovingApple) -> None:
    """Read first 3, then one is taken away, then the list without it: nothing is wrong with it."""

    def take_one_away(request: Request) -> None:
        if request.path.endswith("/assignments"):
            moving.before = lambda request: None
            moving.unassign(busy.uid, KEYNOTE, serial_numbers=["SERIAL1"])

    moving.before = take_one_away
    run_sync(busy, full=True)
    drifts = set(LicensedApp.objects.values_list("count_drift", flat=True))
    run_sync(busy)

    assert drifts == {0}
    assert holders(busy) == {(KEYNOTE, "SERIAL2"), (KEYNOTE, "SERIAL3"), (PAGES, "SERIAL1")}
    assert drift.differences(busy) == {}


def test_more_titles_than_a_run_may_read_again_wait_and_are_counted(
    synced: VppAccount, fake: FakeApple, monkeypatch
) -> None:
    monkeypatch.setattr("licensing.sync.progress.SECOND_LOOKS", 1)
    fake.unassign(synced.uid, KEYNOTE, serial_numbers=["SERIAL1", "SERIAL2"])
    fake.unassign(synced.uid, PAGES, serial_numbers=["SERIAL1"])

    run = run_sync(synced)
    left, unconfirmed = len(holders(synced)), synced.unconfirmed_removals
    run_sync(synced)
    after_nothing_new = synced.unconfirmed_removals
    run_sync(synced, full=True)

    assert run.counts["unconfirmed"] == unconfirmed == after_nothing_new
    assert (left, unconfirmed) == (2, 1)
    assert (holders(synced), synced.unconfirmed_removals) == ({(KEYNOTE, "SERIAL3")}, 0)


def test_the_cheapest_titles_are_read_first() -> None:
    plan = plan_walks({1: 150, 2: 30, 3: 20, 4: 1}, most=200)

    assert plan == WalkPlan(walk=[4, 3, 2], left=[1], requests=51)


# Users


def test_whoever_is_not_registered_yet_is_not_taken_for_deleted(
    synced: VppAccount, fake: FakeApple
) -> None:
    mine = VppUser.objects.create(
        account=synced,
        organization=synced.organization,
        client_user_id="u-9",
        apple_status=VppUser.AppleStatus.UNKNOWN,
        failure="Apple was busy.",
    )
    run_sync(synced, full=True)
    mine.refresh_from_db()
    before = mine.apple_status
    fake.add_users(synced.uid, [{"clientUserId": "u-9"}])

    run_sync(synced)

    mine.refresh_from_db()
    assert (before, mine.apple_status, mine.failure) == ("", "Registered", "")


def test_two_records_of_one_owner_are_not_both_active(synced: VppAccount, fake: FakeApple) -> None:
    """Somebody else brought the retired record back."""
    owner = factories.OwnerFactory(organization=synced.organization)
    old = VppUser.objects.get(client_user_id="u-1")
    VppUser.objects.filter(pk=old.pk).update(apple_status="Retired", owner=owner)
    new = VppUser.objects.create(
        account=synced,
        organization=synced.organization,
        client_user_id="u-2",
        apple_status="Registered",
        owner=owner,
    )
    fake.add_users(synced.uid, [{"clientUserId": "u-2"}])

    run_sync(synced, full=True)

    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.apple_status, old.owner, new.owner) == ("Registered", None, owner)


def test_the_active_record_takes_the_place_of_the_retired_one(
    synced: VppAccount, fake: FakeApple
) -> None:
    """In one delta; the owner stays with both."""
    owner = factories.OwnerFactory(organization=synced.organization)
    VppUser.objects.update(owner=owner)
    VppUser.objects.create(
        account=synced,
        organization=synced.organization,
        client_user_id="a-0",
        apple_status="Retired",
        owner=owner,
    )
    location = fake.location(synced.uid)
    fake.retire(location, [location.active_user("u-1")])
    fake.add_users(synced.uid, [{"clientUserId": "a-0"}])

    run_sync(synced)

    people = VppUser.objects.order_by("client_user_id")
    assert [(each.client_user_id, each.apple_status, each.owner) for each in people] == [
        ("a-0", "Registered", owner),
        ("u-1", "Retired", owner),
    ]


# The cost


def test_the_number_of_statements_does_not_depend_on_the_number_of_new_rows(
    synced: VppAccount, fake: FakeApple, django_assert_max_num_queries, monkeypatch
) -> None:
    monkeypatch.setattr("licensing.sync.progress.SHOW_EVERY", 3600)
    fake.purchase(synced.uid, PAGES, quantity=5000)
    run_sync(synced)

    def statements(rows: int) -> int:
        fake.assign(synced.uid, PAGES, serial_numbers=[f"S{rows}X{n}" for n in range(rows)])
        with django_assert_max_num_queries(200) as queries:
            run_sync(synced)
        return len(queries)

    assert statements(3) == statements(2000)
