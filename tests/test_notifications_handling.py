"""What Apple told, by its effect: in any order, twice, late, or never."""

import random
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from licensing import sync
from licensing.models import Assignment, LicensedApp
from licensing.notifications import event_told, handle_waiting
from licensing.notifications.handling import pause_after
from licensing.notifications.people import UserPlan, plan_users
from licensing.tasks import handle_notifications, handle_waiting_notifications
from organizations.audit import Actor
from organizations.models import AuditEvent
from tests.factories import SyncRunFactory, VppAccountFactory, VppUserFactory
from tests.notifying import Mailbox, deliver, envelope, post, subscribe, told
from users.models import VppUser
from vpp_accounts.apple.chunks import ManageAssets
from vpp_accounts.apple.events import Failure
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.apple.fake.wire import Answer, Request
from vpp_accounts.apple.types import Assignment as ToldAssignment
from vpp_accounts.apple.types import ClientUser
from vpp_accounts.connections import client_for
from vpp_accounts.models import AccountState, Notification, SyncRun, VppAccount
from vpp_accounts.runs import request_sync
from vpp_accounts.tasks import forget_old_notifications

KEYNOTE, PAGES, NEW = "361285480", "361309726", "408709785"
HOUR = timedelta(hours=1)


def run_sync(account: VppAccount, *, full: bool = False) -> None:
    run = request_sync(
        by=Actor.system("Test"), account=account, trigger=SyncRun.Trigger.SCHEDULE, full=full
    )
    finished = sync.run(sync_run_id=run.pk)
    assert finished is not None
    assert finished.outcome == SyncRun.Outcome.SUCCEEDED, finished.message
    account.refresh_from_db()


@pytest.fixture
def synced(fake: FakeApple, account: VppAccount) -> VppAccount:
    """Two titles, three devices hold one of them; Apple tells what happens from now on."""
    return stocked(fake, account)


def stocked(fake: FakeApple, account: VppAccount) -> VppAccount:
    fake.purchase(account.uid, KEYNOTE, quantity=10)
    fake.purchase(account.uid, PAGES, quantity=5)
    fake.assign(account.uid, KEYNOTE, serial_numbers=["SERIAL1", "SERIAL2", "SERIAL3"])
    run_sync(account, full=True)
    subscribe(fake, account)
    return account


def another_account(fake: FakeApple, like: VppAccount) -> VppAccount:
    location = fake.create_location(name="Another")
    return VppAccountFactory(
        organization=like.organization, uid=location.uid, token=location.issue_token()
    )


def held(account: VppAccount) -> set[tuple[str, str]]:
    rows = Assignment.objects.filter(account=account)
    return set(rows.values_list("licensed_app__adam_id", "holder"))


def at_apple(fake: FakeApple, account: VppAccount) -> set[tuple[str, str]]:
    assets = fake.location(account.uid).assets.values()
    return {(a.adam_id, name) for a in assets for name in (*a.devices, *a.users)}


def counts(account: VppAccount) -> dict[str, tuple[int, int, int]]:
    titles = LicensedApp.objects.filter(account=account).present()
    return {t.adam_id: (t.total_count, t.assigned_count, t.available_count) for t in titles}


def states(account: VppAccount) -> dict[str, str]:
    return dict(
        VppUser.objects.filter(account=account).values_list("client_user_id", "apple_status")
    )


def notify(account: VppAccount, kind: str, **content: Any) -> Notification:
    """A notification as it is stored, of which Apple itself knows nothing."""
    return Notification.objects.create(
        organization=account.organization,
        account=account,
        notification_id=f"n-{Notification.objects.count()}",
        kind=kind,
        payload=content,
    )


def licenses(account: VppAccount, type_: str, *holders: str, title: str = KEYNOTE) -> Notification:
    rows = [{"adamId": title, "pricingParam": "STDQ", "serialNumber": name} for name in holders]
    return notify(
        account, "ASSET_MANAGEMENT", eventId="e", type=type_, result="SUCCESS", assignments=rows
    )


def is_asked_soon(account: VppAccount) -> bool:
    account.refresh_from_db()
    return account.next_sync_at <= timezone.now() + timedelta(seconds=60)


# --- Licenses --------------------------------------------------------------------------------------


def test_licenses_given_and_taken_at_apple_show_without_a_sync(
    fake: FakeApple, synced: VppAccount
) -> None:
    fake.add_users(synced.uid, [{"clientUserId": "u-1"}])
    fake.assign(synced.uid, KEYNOTE, serial_numbers=["serial4"], client_user_ids=["u-1"])
    fake.unassign(synced.uid, KEYNOTE, serial_numbers=["SERIAL1"])

    told(fake, synced)

    assert held(synced) == {(KEYNOTE, name) for name in ("SERIAL2", "SERIAL3", "SERIAL4", "u-1")}
    assert not Notification.objects.waiting().exists()
    assert is_asked_soon(synced)


def test_each_license_told_of_is_one_event_by_apple(fake: FakeApple, synced: VppAccount) -> None:
    fake.assign(synced.uid, PAGES, serial_numbers=["SERIAL1"])
    fake.unassign(synced.uid, KEYNOTE, serial_numbers=["SERIAL1"])

    told(fake, synced)

    events = AuditEvent.objects.filter(action__startswith="assignment.").order_by("pk")
    assert [(e.action, e.actor_kind) for e in events] == [
        ("assignment.found", "apple"),
        ("assignment.gone", "apple"),
    ]


def test_what_is_held_already_is_no_news(synced: VppAccount) -> None:
    before = AuditEvent.objects.count()
    licenses(synced, "ASSOCIATE", "SERIAL1", "serial2")
    licenses(synced, "REVOKE", "NOBODY")

    handle_waiting(synced)

    assert held(synced) == {(KEYNOTE, f"SERIAL{n}") for n in (1, 2, 3)}
    assert AuditEvent.objects.count() == before


def test_a_failure_at_apple_changes_no_rows_and_is_told_on(
    fake: FakeApple, synced: VppAccount
) -> None:
    heard: list[dict[str, Any]] = []
    listen = lambda signal, sender, **told: heard.append(told)  # noqa: E731
    event_told.connect(listen)
    fake.purchase(synced.uid, NEW, quantity=1)
    client = client_for(synced)
    write = client.associate_assets(
        ManageAssets(assets=((NEW, "STDQ"),), serial_numbers=("SERIAL1", "SERIAL2"))
    )
    try:
        told(fake, synced)
    finally:
        event_told.disconnect(listen)
        client.close()

    outcomes = {(t["result"], t["assignments"], t["error"] and t["error"].number) for t in heard}
    assert outcomes == {
        ("SUCCESS", (ToldAssignment(NEW, "STDQ", None, "SERIAL1"),), None),
        ("FAILURE", (ToldAssignment(NEW, "STDQ", None, "SERIAL2"),), 9709),
    }
    assert {(t["event_id"], t["kind"]) for t in heard} == {(write.event_id, "ASSOCIATE")}
    assert (NEW, "SERIAL2") not in held(synced)


def test_a_license_of_a_title_we_do_not_know_comes_with_the_next_sync(
    fake: FakeApple, synced: VppAccount
) -> None:
    fake.set_fault("notification_loss", path="/notifications/ASSET_COUNT")
    fake.purchase(synced.uid, NEW, quantity=3)
    fake.assign(synced.uid, NEW, serial_numbers=["SERIAL1"])

    told(fake, synced)

    assert NEW not in counts(synced)
    assert is_asked_soon(synced)
    run_sync(synced)
    assert (NEW, "SERIAL1") in held(synced)


def test_licenses_are_written_without_asking_apple(fake: FakeApple, synced: VppAccount) -> None:
    fake.assign(synced.uid, KEYNOTE, serial_numbers=["SERIAL4"])
    fake.journal.clear()

    told(fake, synced)

    assert {entry.kind for entry in fake.journal} == {"notification"}


def test_news_before_the_answer_of_the_write_is_harmless(
    fake: FakeApple, synced: VppAccount
) -> None:
    fake.set_fault("notification_before_answer")
    client = client_for(synced)

    client.associate_assets(ManageAssets(((KEYNOTE, "STDQ"),), serial_numbers=("SERIAL4",)))
    handle_waiting(synced)
    client.close()

    assert (KEYNOTE, "SERIAL4") in held(synced)


# --- Counts ----------------------------------------------------------------------------------------


def test_counts_are_read_and_not_reckoned(fake: FakeApple, synced: VppAccount) -> None:
    fake.purchase(synced.uid, KEYNOTE, quantity=5)
    fake.purchase(synced.uid, KEYNOTE, quantity=-2)
    fake.purchase(synced.uid, NEW, quantity=1)

    told(fake, synced)

    assert counts(synced) == {KEYNOTE: (13, 3, 10), PAGES: (5, 0, 5), NEW: (1, 0, 1)}


def test_one_reading_serves_all_that_wait(fake: FakeApple, synced: VppAccount) -> None:
    for quantity in (1, 2, 3, -1, -2):
        fake.purchase(synced.uid, KEYNOTE, quantity=quantity)
    fake.run_due()
    fake.journal.clear()

    handle_waiting(synced)

    asked = [entry.query for entry in fake.journal if entry.path.endswith("/assets")]
    assert [query["adamId"] for query in asked] == [KEYNOTE]
    assert counts(synced)[KEYNOTE] == (13, 3, 10)


def test_a_count_told_twice_counts_once(fake: FakeApple, synced: VppAccount) -> None:
    fake.set_fault("notification_duplicate")
    fake.purchase(synced.uid, KEYNOTE, quantity=5)

    told(fake, synced)

    assert Notification.objects.count() == 1
    assert counts(synced)[KEYNOTE] == (15, 3, 12)


def test_where_apple_is_silent_the_news_waits_with_the_reason(
    fake: FakeApple, synced: VppAccount
) -> None:
    fake.purchase(synced.uid, KEYNOTE, quantity=5)
    fake.run_due()
    fake.set_fault("refused_connection", times=1)

    handle_waiting(synced)

    waiting = Notification.objects.get()
    assert (waiting.handled_at, waiting.attempts) == (None, 1)
    assert waiting.error == "Apple, or a proxy on the way, gave no usable answer."
    Notification.objects.update(next_attempt_at=timezone.now())
    handle_waiting(synced)
    waiting.refresh_from_db()
    assert (waiting.handled_at is not None, waiting.error) == (True, "")
    assert counts(synced)[KEYNOTE] == (15, 3, 12)


def test_apple_is_not_asked_while_it_wants_to_be_left_alone(
    fake: FakeApple, synced: VppAccount
) -> None:
    fake.purchase(synced.uid, KEYNOTE, quantity=5)
    fake.run_due()
    fake.journal.clear()
    synced.apple_asks_to_wait_until = timezone.now() + HOUR

    handle_waiting(synced)

    assert list(fake.journal) == []
    assert Notification.objects.due().get().attempts == 0


def test_only_one_worker_reads_the_counts(
    fake: FakeApple, synced: VppAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    notify(synced, "ASSET_COUNT", adamId=KEYNOTE, countDelta=1)
    asked: list[str] = []
    answer = fake.respond

    def respond_while_another_worker_looks(request: Request) -> Answer:
        asked.append(request.path)
        if len(asked) < 5:
            handle_waiting(synced)
        return answer(request)

    monkeypatch.setattr(fake, "respond", respond_while_another_worker_looks)

    handle_waiting(synced)

    assert [path for path in asked if path.endswith("/assets")] == ["/mdm/v2/assets"]


# --- People ----------------------------------------------------------------------------------------


def test_people_follow_what_apple_tells(fake: FakeApple, synced: VppAccount) -> None:
    users = fake.add_users(
        synced.uid, [{"clientUserId": f"u-{n}", "email": f"{n}@example.org"} for n in (1, 2, 3)]
    )
    fake.accept_invitation(users[0].invite_code, "one@example.org")
    fake.retire(fake.location(synced.uid), [users[1]])
    retired = {"clientUserId": "u-2", "status": "Retired"}
    notify(synced, "USER_MANAGEMENT", type="RETIRE", result="SUCCESS", users=[retired])

    told(fake, synced)

    assert states(synced) == {"u-1": "Associated", "u-2": "Retired", "u-3": "Registered"}
    assert VppUser.objects.get(client_user_id="u-1").id_hash == users[0].id_hash
    assert VppUser.objects.get(client_user_id="u-1").email == "1@example.org"
    assert is_asked_soon(synced)


def told_user(status: str, **facts: Any) -> ClientUser:
    return ClientUser("u-1", status, facts.get("email"), None, facts.get("id_hash"))


@pytest.mark.parametrize(
    ("before", "after", "is_news"),
    [
        ("Registered", "Associated", True),
        ("Registered", "Retired", True),
        ("Associated", "Retired", True),
        ("Associated", "Registered", False),
        ("Retired", "Associated", False),
        ("Retired", "Registered", False),
        ("Deleted", "Registered", False),
        ("Associated", "", False),
        ("Associated", "Frozen", False),
        ("Associated", "Associated", False),
    ],
)
def test_nobody_goes_backwards(before: str, after: str, *, is_news: bool) -> None:
    known, user = VppUser(client_user_id="u-1", apple_status=before), told_user(after)

    plan = plan_users([user], {"u-1": known}, now=timezone.now())

    assert plan == UserPlan(create=[], change=[(known, user)] if is_news else [])


def test_what_is_left_out_stays_and_what_differs_is_news() -> None:
    known = VppUser(client_user_id="u-1", apple_status="Associated", email="a@b.c", id_hash="h")
    same, other = told_user("Associated"), told_user("Associated", email="d@e.f")

    now = timezone.now()
    assert plan_users([same], {"u-1": known}, now=now).change == []
    assert plan_users([other], {"u-1": known}, now=now).change == [(known, other)]


def test_of_several_records_the_active_one_counts() -> None:
    retired, active = told_user("Retired"), told_user("Registered")

    plan = plan_users([retired, active, told_user("Retired")], {}, now=timezone.now())

    assert plan.create == [active]


def test_a_person_who_returns_is_left_to_the_sync(fake: FakeApple, synced: VppAccount) -> None:
    VppUserFactory(account=synced, client_user_id="u-1", apple_status="Retired")
    fake.add_users(synced.uid, [{"clientUserId": "u-1"}])

    told(fake, synced)

    assert states(synced) == {"u-1": "Retired"}
    assert is_asked_soon(synced)
    run_sync(synced)
    assert states(synced) == {"u-1": "Registered"}


def test_who_cannot_be_created_is_told_on_and_not_stored(
    fake: FakeApple, synced: VppAccount
) -> None:
    heard: list[dict[str, Any]] = []
    listen = lambda signal, sender, **told: heard.append(told)  # noqa: E731
    event_told.connect(listen)
    error = {"errorNumber": 9716, "errorMessage": "Active."}
    notify(
        synced,
        "USER_MANAGEMENT",
        eventId="e-1",
        type="CREATE",
        result="FAILURE",
        users=[{"clientUserId": "u-1"}],
        error=error,
    )
    try:
        handle_waiting(synced)
    finally:
        event_told.disconnect(listen)

    assert states(synced) == {}
    assert [(t["users"], t["error"]) for t in heard] == [
        ((ClientUser("u-1", "", None, None, None),), Failure(9716, "Active.", None))
    ]


# --- Everything else -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "asks_for_a_sync"),
    [
        ("TEST_NOTIFICATION", False),
        ("SUBSCRIPTION_COUNT", False),
        ("SUBSCRIPTION_MANAGEMENT", False),
        ("UNLIMITED_ASSET", True),
        ("TYPE_OF_TOMORROW", True),
        ("ASSET_MANAGEMENT", True),
    ],
)
def test_every_type_is_handled(synced: VppAccount, kind: str, *, asks_for_a_sync: bool) -> None:
    VppAccount.objects.update(next_sync_at=timezone.now() + HOUR)
    news = notify(synced, kind, type="ASSOCIATE", result="SUCCESS", anything=[1])

    handle_waiting(synced)

    news.refresh_from_db()
    assert (news.handled_at is not None, news.error) == (True, "")
    assert is_asked_soon(synced) == asks_for_a_sync


def test_a_free_title_without_a_limit_shows_after_the_sync_that_follows(
    fake: FakeApple, synced: VppAccount
) -> None:
    fake.set_unlimited_free(synced.uid, True)

    told(fake, synced)

    assert is_asked_soon(synced)
    run_sync(synced)
    assert LicensedApp.objects.get(adam_id=KEYNOTE).is_unlimited


@pytest.mark.parametrize("state", VppAccount.STOPPED)
def test_news_of_a_stopped_account_changes_nothing(
    fake: FakeApple, synced: VppAccount, state: AccountState
) -> None:
    before = held(synced), counts(synced)
    VppAccount.objects.update(state=state)
    fake.assign(synced.uid, KEYNOTE, serial_numbers=["SERIAL4"])
    fake.purchase(synced.uid, KEYNOTE, quantity=5)
    fake.run_due()
    fake.journal.clear()

    told(fake, synced)

    assert (held(synced), counts(synced)) == before
    assert not Notification.objects.waiting().exists()
    assert list(fake.journal) == []


# --- Failing ---------------------------------------------------------------------------------------


def test_what_cannot_be_understood_is_kept_and_does_not_stop_the_others(
    synced: VppAccount,
) -> None:
    odd = [
        notify(synced, "ASSET_MANAGEMENT", result="SUCCESS", assignments="none"),
        notify(synced, "ASSET_COUNT", countDelta=4),
        notify(synced, "USER_ASSOCIATED", associatedUsers=7),
    ]
    licenses(synced, "ASSOCIATE", "SERIAL4")

    handle_waiting(synced)

    reasons = [Notification.objects.get(pk=each.pk).error for each in odd]
    assert reasons == [
        "Apple's notification cannot be understood: assignments is not a list.",
        "Apple's notification cannot be understood: no adamId.",
        "Apple's notification cannot be understood: associatedUsers is not a list.",
    ]
    assert all(each.is_given_up for each in Notification.objects.failed())
    assert (KEYNOTE, "SERIAL4") in held(synced)
    assert is_asked_soon(synced)


def test_an_error_of_ours_leaves_nothing_half_done_and_is_tried_again(synced: VppAccount) -> None:
    def broken(**told: Any) -> None:
        Assignment.objects.filter(account=synced).delete()
        raise RuntimeError("A mistake.")

    news = licenses(synced, "ASSOCIATE", "SERIAL4")
    event_told.connect(broken)
    try:
        handle_waiting(synced)
    finally:
        event_told.disconnect(broken)
    news.refresh_from_db()
    failed = (news.attempts, news.error, news.handled_at)
    before = held(synced)
    Notification.objects.update(next_attempt_at=timezone.now())
    handle_waiting(synced)

    assert failed == (
        1,
        "Handling it failed by an error of ours; it is in the server's log.",
        None,
    )
    assert before == {(KEYNOTE, f"SERIAL{n}") for n in (1, 2, 3)}
    assert held(synced) == before | {(KEYNOTE, "SERIAL4")}


def test_attempts_grow_rarer_and_end(synced: VppAccount) -> None:
    def broken(**told: Any) -> None:
        raise RuntimeError("A mistake.")

    news = licenses(synced, "ASSOCIATE", "SERIAL4")
    event_told.connect(broken)
    try:
        for _ in range(12):
            Notification.objects.update(next_attempt_at=timezone.now())
            handle_waiting(synced)
    finally:
        event_told.disconnect(broken)

    news.refresh_from_db()
    assert (news.attempts, news.is_given_up) == (10, True)
    assert [pause_after(n).total_seconds() for n in (1, 2, 3, 7, 8, 10)] == [
        30,
        60,
        120,
        1920,
        3600,
        3600,
    ]


# --- Together with syncs ---------------------------------------------------------------------------


def test_news_during_a_sync_is_applied_and_looked_at_again_after_it(synced: VppAccount) -> None:
    """The sync has read Apple's list before, and takes away what it did not find there."""
    run = SyncRunFactory(account=synced, lease_until=timezone.now() + HOUR)
    news = licenses(synced, "ASSOCIATE", "SERIAL4")

    handle_waiting(synced)
    applied = held(synced)
    Assignment.objects.filter(holder="SERIAL4").delete()
    SyncRun.objects.filter(pk=run.pk).update(finished_at=timezone.now())
    Notification.objects.update(next_attempt_at=timezone.now())
    handle_waiting(synced)

    news.refresh_from_db()
    assert (KEYNOTE, "SERIAL4") in applied
    assert (KEYNOTE, "SERIAL4") in held(synced)
    assert news.handled_at is not None


def test_a_sync_is_asked_for_within_a_minute_and_no_sooner(synced: VppAccount) -> None:
    licenses(synced, "ASSOCIATE", "SERIAL4")

    handle_waiting(synced)

    synced.refresh_from_db()
    assert synced.next_sync_at == synced.last_synced_at + timedelta(seconds=60)


@pytest.mark.parametrize("field", ["next_sync_at", "apple_asks_to_wait_until"])
def test_a_sync_is_never_put_off_nor_asked_for_against_apples_wish(
    synced: VppAccount, field: str
) -> None:
    planned = {
        "next_sync_at": timezone.now() + timedelta(seconds=5),
        "apple_asks_to_wait_until": timezone.now() + HOUR,
    }[field]
    VppAccount.objects.update(next_sync_at=timezone.now() + 2 * HOUR)
    VppAccount.objects.update(**{field: planned})
    licenses(synced, "ASSOCIATE", "SERIAL4")

    handle_waiting(synced)

    synced.refresh_from_db()
    assert synced.next_sync_at == planned


def test_a_failing_account_keeps_to_its_own_pauses(synced: VppAccount) -> None:
    later = timezone.now() + HOUR
    VppAccount.objects.update(state=AccountState.SYNC_FAILED, next_sync_at=later)
    licenses(synced, "ASSOCIATE", "SERIAL4")

    handle_waiting(synced)

    synced.refresh_from_db()
    assert synced.next_sync_at == later


def test_news_that_comes_late_is_found_out_by_the_next_sync(
    fake: FakeApple, synced: VppAccount
) -> None:
    """What it tells of was over before the last sync, so that Apple's versions do not move."""
    fake.deliver = late = Mailbox()
    fake.assign(synced.uid, KEYNOTE, serial_numbers=["SERIAL4"])
    fake.run_due()
    fake.unassign(synced.uid, KEYNOTE, serial_numbers=["SERIAL4"])
    fake.run_due()
    run_sync(synced)

    assert late[0].arrive() == 200
    told(fake, synced)
    misled = held(synced)
    run_sync(synced)

    assert (KEYNOTE, "SERIAL4") in misled
    assert held(synced) == at_apple(fake, synced)


FAULTS = [
    "notification_loss",
    "notification_duplicate",
    "notification_delay",
    "notification_reorder",
    "notification_wrong_bearer",
    "notification_unknown_type",
    "notification_malformed",
]


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_of_a_notification_outlives_the_next_sync(
    fake: FakeApple, synced: VppAccount, fault: str
) -> None:
    fake.add_users(synced.uid, [{"clientUserId": "u-1"}])
    fake.set_fault(fault)
    (user,) = fake.location(synced.uid).users
    fake.accept_invitation(user.invite_code, "one@example.org")
    fake.purchase(synced.uid, KEYNOTE, quantity=5)
    fake.assign(synced.uid, KEYNOTE, serial_numbers=["SERIAL4"], client_user_ids=["u-1"])
    fake.unassign(synced.uid, KEYNOTE, serial_numbers=["SERIAL1", "SERIAL4"])

    told(fake, synced)
    run_sync(synced)

    assert held(synced) == at_apple(fake, synced)
    assert counts(synced) == {KEYNOTE: (15, 3, 12), PAGES: (5, 0, 5)}
    assert states(synced) == {"u-1": "Associated"}
    assert not Notification.objects.waiting().exists()


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("assign"), st.sampled_from([KEYNOTE, PAGES]), st.integers(1, 5)),
        st.tuples(st.just("unassign"), st.sampled_from([KEYNOTE, PAGES]), st.integers(1, 5)),
        st.tuples(st.just("purchase"), st.sampled_from([KEYNOTE, PAGES, NEW]), st.integers(1, 3)),
        st.tuples(st.just("user"), st.just(""), st.integers(1, 3)),
    ),
    min_size=1,
    max_size=12,
)


def act(fake: FakeApple, uid: str, what: str, title: str, number: int) -> None:
    match what:
        case "assign":
            fake.assign(uid, title, serial_numbers=[f"SERIAL{number}"])
        case "unassign":
            fake.unassign(uid, title, serial_numbers=[f"SERIAL{number}"])
        case "purchase":
            fake.purchase(uid, title, quantity=number)
        case "user":
            location = fake.location(uid)
            user = location.active_user(f"u-{number}")
            if user is None:
                fake.add_users(uid, [{"clientUserId": f"u-{number}"}])
            elif user.status == "Registered":
                fake.accept_invitation(user.invite_code, f"{user.client_user_id}@example.org")


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(acts=ACTS, seed=st.integers(0, 2**32), lost=st.floats(0, 0.4))
def test_whatever_arrives_in_whatever_order_our_rows_are_apples_after_a_sync(
    acts: list[tuple[str, str, int]],
    seed: int,
    lost: float,
    fake: FakeApple,
    account: VppAccount,
) -> None:
    synced = stocked(fake, another_account(fake, account))
    chance = random.Random(seed)
    fake.deliver = sent = Mailbox()
    for what, title, number in acts:
        act(fake, synced.uid, what, title, number)
        fake.run_due()
    arriving = [each for each in sent if chance.random() >= lost] * 2
    chance.shuffle(arriving)
    for each in arriving:
        assert each.arrive() == 200
        if chance.random() < 0.3:
            handle_notifications(account_id=synced.pk)
    fake.deliver = deliver
    told(fake, synced)

    run_sync(synced)

    location = fake.location(synced.uid)
    assert held(synced) == at_apple(fake, synced)
    assert states(synced) == {user.client_user_id: user.status for user in location.users}
    assert counts(synced) == {
        a.adam_id: (a.total, len(a.devices), a.available) for a in location.assets.values()
    }
    assert not Notification.objects.waiting().filter(account=synced).exists()


@pytest.mark.django_db(transaction=True)
def test_the_turn_of_another_worker_is_left_alone_and_apple_is_not_kept_waiting(
    synced: VppAccount,
) -> None:
    licenses(synced, "ASSOCIATE", "SERIAL4")
    looked, done = threading.Event(), threading.Event()
    other = threading.Thread(target=_at_work, args=(synced, looked, done))
    other.start()
    assert looked.wait(10)
    try:
        handle_waiting(synced)
        left_alone = held(synced)
        stored = post(synced, envelope(synced)).status_code
    finally:
        done.set()
        other.join()
    handle_waiting(synced)

    assert (KEYNOTE, "SERIAL4") not in left_alone
    assert stored == 200
    assert (KEYNOTE, "SERIAL4") in held(synced)


def _at_work(account: VppAccount, looked: threading.Event, done: threading.Event) -> None:
    """Another worker in the middle of a notification."""
    with transaction.atomic():
        VppAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
        looked.set()
        done.wait(10)
    connections.close_all()


# --- Sweeps ----------------------------------------------------------------------------------------


def test_the_sweep_finds_the_accounts_that_nobody_rang_for(
    synced: VppAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[int] = []
    monkeypatch.setattr(handle_notifications, "delay", lambda account_id: rung.append(account_id))
    for _ in range(3):
        licenses(synced, "ASSOCIATE", "SERIAL4")

    handle_waiting_notifications()
    Notification.objects.update(next_attempt_at=timezone.now() + HOUR)
    handle_waiting_notifications()

    assert rung == [synced.pk]


def test_an_account_that_is_gone_is_no_error(synced: VppAccount) -> None:
    handle_notifications(account_id=synced.pk + 1)

    assert held(synced) == {(KEYNOTE, f"SERIAL{n}") for n in (1, 2, 3)}


def test_notifications_are_kept_for_a_month(synced: VppAccount) -> None:
    old, young = (notify(synced, "TEST_NOTIFICATION") for _ in range(2))
    month = timezone.now() - timedelta(days=30, seconds=1)
    Notification.objects.filter(pk=old.pk).update(received_at=month)

    forgotten = forget_old_notifications()

    assert (forgotten, list(Notification.objects.all())) == (1, [young])
