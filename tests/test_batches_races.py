"""What two do at once, and other places where the engine could lose its way."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from licensing import batches
from licensing.batches import (
    engine,
    news,
    outcomes,
    pauses,
    registering,
    sending,
    settling,
    starting,
)
from licensing.batches.news import hear
from licensing.batches.waking import wake_if_needed
from licensing.leases import Hold, LeaseLost
from licensing.models import AppleOperation, Batch, BatchItem, LicensedApp, Writer
from tests import factories
from tests.draining import BY, at_apple, begin, drain, states, synced
from tests.test_sync import KEYNOTE, PAGES
from vpp_accounts.apple import errors
from vpp_accounts.apple.events import EventState, EventStatus, Failure
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.apple.types import Assignment as Row
from vpp_accounts.health import set_state
from vpp_accounts.models import AccountState, VppAccount

COMMITTED = pytest.mark.django_db(transaction=True, databases=["default", "system", "owner"])


@pytest.fixture
def titles(fake: FakeApple, account: VppAccount) -> dict[str, LicensedApp]:
    fake.purchase(account.uid, KEYNOTE, quantity=10)
    fake.purchase(account.uid, PAGES, quantity=1)
    return synced(account)


def test_a_stopped_account_with_an_open_event_is_not_looked_at_without_pause(fake, account, titles):
    begin("grant", [titles[KEYNOTE]], serials=["S1"])
    batches.run(account_id=account.pk)  # sent, event pending
    AppleOperation.objects.update(next_poll_at=timezone.now() - timedelta(seconds=5))
    VppAccount.objects.filter(pk=account.pk).update(state=AccountState.REVOKED)
    Writer.objects.update(lease_until=None)

    batches.run(account_id=account.pk)

    writer = Writer.objects.get(account=account)
    assert writer.next_work_at > timezone.now() + timedelta(seconds=30)


def manager_in_a_network(account):
    """An allowed admin of the account, who may write in one network without devices."""
    access = factories.NetworkAccessFactory(membership__organization=account.organization)
    account.allowed_admins = "named"
    account.save()
    account.named_admins.set([access.membership.admin])
    return access.membership


def test_a_revoke_leaves_the_waiting_list_alone_where_it_may_not_act(
    fake, account, organization, titles
):
    fake.assign(account.uid, PAGES, serial_numbers=["OTHER"])
    titles = synced(account)
    network = factories.NetworkFactory(organization=organization)
    factories.DeviceFactory(organization=organization, network=network, serial_number="S1")
    waiting = begin("grant", [titles[PAGES]], serials=["S1"])
    assert states(waiting) == {"S1": "waiting"}
    elsewhere = manager_in_a_network(account)

    wish = batches.wish_for(kind="revoke", titles=[titles[PAGES]], serials=["S1"])
    plan = batches.make_plan(by=BY, membership=elsewhere, account=account, wish=wish)
    assert (plan.summary["skipped"], plan.summary["unwait"]) == (1, 0)
    batches.start(by=BY, membership=elsewhere, plan=plan)

    assert states(waiting) == {"S1": "waiting"}


def test_an_event_that_failed_without_a_reason_has_given_nothing(fake, account, titles):
    batch = begin("grant", [titles[KEYNOTE]], serials=["S1", "S2"])
    batches.run(account_id=account.pk)
    operation = AppleOperation.objects.get()
    writer = Writer.objects.get()
    Writer.objects.update(lease_until=timezone.now() + timedelta(seconds=30))
    work = engine.Work(account, Hold(Writer.objects.filter(account=account), writer.lease_token))

    settling._conclude(
        work, operation, EventStatus(operation.event_id, "ASSOCIATE", EventState.FAILED, 2, 0, ())
    )

    assert states(batch) == {"S1": "sent", "S2": "sent"}
    operation.refresh_from_db()
    assert operation.state == "lost"


def test_the_lease_is_not_taken_again_by_the_heartbeat_of_who_has_left(fake, account, titles):
    begin("grant", [titles[KEYNOTE]], serials=["S1"])
    token = engine._claim(account.pk)
    hold = Hold(Writer.objects.filter(account=account.pk), token)
    engine._leave(engine.Work(account, hold))

    with pytest.raises(LeaseLost):
        hold.update()  # what the heartbeat does

    assert Writer.objects.get().lease_until is None


def test_long_serial_numbers_are_skipped_and_not_an_error(fake, account, titles):
    batch = begin("grant", [titles[KEYNOTE]], serials=["X" * 300])

    assert list(states(batch).values()) == ["skipped"]


def test_a_nul_in_a_serial_number_is_skipped_and_not_an_error(fake, account, titles):
    batch = begin("grant", [titles[KEYNOTE]], serials=["S\x001"])

    assert list(states(batch).values()) == ["skipped"]


def test_what_succeeded_and_shows_late_is_not_called_failed(fake, account, titles):
    """Failures that name no pair, and lists that lag: two of three succeeded."""
    batch = begin("grant", [titles[KEYNOTE]], serials=["S1", "S2", "S3"])
    batches.run(account_id=account.pk)
    operation = AppleOperation.objects.get()
    writer = Writer.objects.get()
    Writer.objects.update(lease_until=timezone.now() + timedelta(seconds=30))
    work = engine.Work(account, Hold(Writer.objects.filter(account=account), writer.lease_token))
    unnamed = (Failure(9707, "Not for devices", None),)

    settling._conclude(
        work,
        operation,
        EventStatus(operation.event_id, "ASSOCIATE", EventState.FAILED, 3, 2, unnamed),
    )
    operation.refresh_from_db()
    settling._read_what_is_true(work, operation)  # Apple's list shows none of them yet

    assert states(batch) == {"S1": "sent", "S2": "sent", "S3": "sent"}
    work.close()


def test_limits_that_refuse_even_one_item_end(fake, account, titles, monkeypatch):
    calls = []

    def refuse(work, call):
        calls.append(call)
        if len(calls) > 40:
            raise AssertionError("without end")
        raise errors.LimitsMoved("too many", number=9701, status=400)

    monkeypatch.setattr(sending, "_post", refuse)
    batch = begin("grant", [titles[KEYNOTE]], serials=["S1"])

    batches.run(account_id=account.pk)

    assert states(batch) == {"S1": "failed"}


def test_nothing_is_granted_to_whom_a_revoke_of_everything_is_under_way(fake, account, titles):
    fake.assign(account.uid, KEYNOTE, serial_numbers=["S1"])
    fake.purchase(account.uid, "361304891", quantity=3)
    titles = synced(account)
    begin("grant", [titles["361304891"]], serials=["X"]) if False else None
    fake.assign(account.uid, "361304891", serial_numbers=["S1"])
    titles = synced(account)
    everything = begin(
        "revoke",
        [titles[KEYNOTE], titles["361304891"]],
        serials=["S1"],
        everything=True,
    )
    fake.assign(account.uid, KEYNOTE, serial_numbers=["S2"])
    BatchItem.objects.filter(batch=everything)
    # a revoke by `assets/revoke` that is under way
    BatchItem.objects.filter(batch=everything).update(
        state="sent",
        operation=AppleOperation.objects.create(
            organization_id=account.organization_id,
            account=account,
            path="assets/revoke",
            state="pending",
            event_id="e",
            next_poll_at=timezone.now() + timedelta(minutes=1),
        ),
    )
    grant = begin("grant", [titles[PAGES]], serials=["S1"])

    batches.run(account_id=account.pk)

    assert states(grant) == {"S1": "planned"}


def race(first, second):
    """`first(go)` calls go() in the middle of its transaction; `second()` runs against it.

    Answers what they raised. go() returns when the second one waits for a lock, or is through.
    """
    raised = []
    middle, through = threading.Event(), threading.Event()

    def go():
        middle.set()
        while not through.is_set() and not somebody_waits():
            through.wait(0.01)

    def one():
        in_transaction(lambda: first(go), raised)
        middle.set()

    def other():
        middle.wait()
        in_transaction(second, raised)
        through.set()

    threads = [threading.Thread(target=one), threading.Thread(target=other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def in_transaction(what, raised):
    try:
        with transaction.atomic():
            what()
    except Exception as error:  # noqa: BLE001  told by the test
        raised.append(error)
    finally:
        connections.close_all()


def somebody_waits():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE NOT granted AND datname = current_database()) FROM pg_stat_clear_snapshot()"
        )
        return cursor.fetchone()[0]


@COMMITTED
def test_two_who_register_the_same_person_at_once(fake, account):
    user = factories.VppUserFactory(
        account=account, organization=account.organization, apple_status=""
    )

    def register():
        registering.register(by=BY, account=account, users=[user.pk])

    def register_slowly(go):
        register()
        go()

    assert race(register_slowly, register) == []
    assert Batch.objects.filter(kind="register").count() == 1


def sent(account, titles, serials):
    batch = begin("grant", [titles[KEYNOTE]], serials=serials)
    batches.run(account_id=account.pk)
    operation = AppleOperation.objects.get()
    writer = Writer.objects.get()
    Writer.objects.update(lease_until=timezone.now() + timedelta(seconds=60), next_work_at=None)
    hold = Hold(Writer.objects.filter(account=account), writer.lease_token)
    return batch, operation, engine.Work(account, hold)


@COMMITTED
def test_a_notification_and_a_poll_of_the_same_event_do_not_deadlock(fake, account, monkeypatch):
    fake.purchase(account.uid, KEYNOTE, quantity=10)
    titles = synced(account)
    _batch, operation, work = sent(account, titles, ["S1"])
    param = titles[KEYNOTE].pricing_param

    def notified(go):
        real = outcomes.lock

        def slowly(pk):
            found = real(pk)
            monkeypatch.setattr(outcomes, "lock", real)
            go()
            return found

        monkeypatch.setattr(outcomes, "lock", slowly)
        hear(
            account,
            operation.event_id,
            assignments=[Row(KEYNOTE, param, None, "S1")],
            users=[],
            failure=None,
        )

    def polled():
        settling._conclude(
            work,
            operation,
            EventStatus(operation.event_id, "ASSOCIATE", EventState.COMPLETE, 1, 1, ()),
        )

    assert race(notified, polled) == []


@COMMITTED
def test_a_start_and_a_settlement_of_the_same_title_do_not_deadlock(fake, account, monkeypatch):
    fake.purchase(account.uid, KEYNOTE, quantity=10)
    titles = synced(account)
    _batch, operation, work = sent(account, titles, ["S1"])
    wish = batches.wish_for(kind="grant", titles=[titles[KEYNOTE]], serials=["S2"])
    plan = batches.make_plan(by=BY, membership=None, account=account, wish=wish)

    def started(go):
        real = starting.gather

        def slowly(*args):
            go()
            return real(*args)

        monkeypatch.setattr(starting, "gather", slowly)
        batches.start(by=BY, membership=None, plan=plan)

    def polled():
        settling._conclude(
            work,
            operation,
            EventStatus(operation.event_id, "ASSOCIATE", EventState.COMPLETE, 1, 1, ()),
        )

    assert race(started, polled) == []


@COMMITTED
def test_the_end_of_a_sync_and_a_request_do_not_deadlock(fake, account, monkeypatch):
    fake.purchase(account.uid, KEYNOTE, quantity=10)
    titles = synced(account)
    begin("grant", [titles[KEYNOTE]], serials=["S1"])
    token = engine._claim(account.pk)
    work = engine.Work(account, Hold(Writer.objects.filter(account=account), token))
    (call,) = sending.next_calls(account, work.limits)

    def end_of_a_sync(go):  # what sync.engine._succeed does in one transaction
        set_state(account, AccountState.IN_SYNC, by=BY)
        go()
        wake_if_needed(account)

    assert race(end_of_a_sync, lambda: sending._mark(work, call)) == []
    work.close()


@COMMITTED
def test_a_notification_and_a_pause_do_not_deadlock(fake, account, monkeypatch):
    fake.purchase(account.uid, KEYNOTE, quantity=10)
    titles = synced(account)
    batch, operation, _work = sent(account, titles, ["S1"])
    begin("grant", [titles[KEYNOTE]], serials=["S5"])
    Batch.objects.filter(pk=batch.pk).update(finished_at=None)
    Writer.objects.update(next_work_at=None)
    param = titles[KEYNOTE].pricing_param

    def notified(go):
        real = news.tally

        def slowly(ids):
            real(ids)
            go()

        monkeypatch.setattr(news, "tally", slowly)
        BatchItem.objects.filter(operation=operation).update(state="sent")
        BatchItem.objects.create(
            organization_id=account.organization_id,
            account=account,
            batch=batch,
            kind="grant",
            holder_kind="device",
            holder="S7",
            licensed_app=titles[KEYNOTE],
            state="planned",
        )
        hear(
            account,
            operation.event_id,
            assignments=[Row(KEYNOTE, param, None, "S1")],
            users=[],
            failure=None,
        )

    assert race(notified, lambda: pauses.pause(account, "x", until=timezone.now())) == []


def test_who_exists_at_apple_already_is_read_back(fake, account, titles):
    """9716: the person is known to Apple; our row must learn that, or their grants never go."""
    user = factories.VppUserFactory(
        account=account, organization=account.organization, apple_status=""
    )
    fake.add_users(
        account.uid, [{"clientUserId": user.client_user_id, "email": user.email or "a@example.org"}]
    )
    batch = begin("grant", [titles[KEYNOTE]], users=[user])

    drain(account, fake)

    assert states(batch) == {user.client_user_id: "succeeded"}
    assert Batch.objects.filter(kind="register").count() == 1


def test_a_network_admin_grants_to_people_of_an_account_that_they_manage(
    fake, account, organization, titles
):
    user = factories.VppUserFactory(
        account=account, organization=organization, apple_status="Registered"
    )
    wish = batches.wish_for(kind="grant", titles=[titles[KEYNOTE]], users=[user])
    elsewhere = manager_in_a_network(account)

    plan = batches.make_plan(by=BY, membership=elsewhere, account=account, wish=wish)

    assert (plan.summary["go"], plan.summary["skipped"]) == (1, 0)


def test_a_revoke_of_everything_that_apple_refuses_unexplained_ends(
    fake, account, titles, monkeypatch
):
    fake.assign(account.uid, KEYNOTE, serial_numbers=["S1"])
    fake.assign(account.uid, PAGES, serial_numbers=["S1"])
    titles = synced(account)
    calls = []
    real = sending._post

    def refuse(work, call):
        calls.append(call)
        if len(calls) > 40:
            raise AssertionError("without end")
        if call.tasks > 1:
            raise errors.RequestRefused("no", number=9602, status=400)
        return real(work, call)

    monkeypatch.setattr(sending, "_post", refuse)
    begin("revoke", titles.values(), serials=["S1"], everything=True)

    drain(account, fake)

    assert at_apple(fake, account) == set()


def test_what_was_cancelled_in_a_pause_leaves_nobody_looking_without_end(fake, account, titles):
    batch = begin("grant", [titles[KEYNOTE]], serials=["S1"])
    pauses.pause_after(account, errors.Unavailable("down"))
    batches.cancel(by=BY, batch=batch)
    past = timezone.now() - timedelta(seconds=1)
    Writer.objects.update(not_before=past, next_work_at=past)

    batches.run(account_id=account.pk)

    writer = Writer.objects.get()
    assert (writer.next_work_at, writer.not_before, writer.paused_reason) == (None, None, "")
