"""Retiring people: what the plan says, what becomes of their licenses, and what survives anything."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection, connections, transaction
from django.test import TestCase
from django.utils import timezone

from licensing import batches, changes
from licensing.batches import retiring, steps
from licensing.batches.people import note_failures
from licensing.batches.people_plans import (
    Person,
    RetireSummary,
    plan_people,
    why_not_invite,
    why_not_retire,
)
from licensing.batches.reasons import Reason
from licensing.batches.refusals import (
    AccountCannotWrite,
    ConfirmIrrevocable,
    NothingChosen,
    PlanGotWorse,
)
from licensing.models import Batch, BatchItem, BatchPlan, BatchState, LicensedApp
from organizations.models import AuditEvent, Membership, Organization
from tests.draining import BY, begin, drain, states, synced, turn
from tests.factories import (
    AssignmentFactory,
    BatchFactory,
    BatchItemFactory,
    InvitationFactory,
    LicensedAppFactory,
    NetworkAccessFactory,
    OwnerFactory,
    VppAccountFactory,
    VppUserFactory,
)
from tests.notifying import subscribe, told
from tests.test_batches_crashes import Killed, killing
from tests.test_sync import KEYNOTE, PAGES, holders
from users.models import VppUser
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import AccountState, VppAccount

BOOK = "1801147365"


@pytest.fixture
def titles(fake: FakeApple, account: VppAccount) -> dict[str, LicensedApp]:
    fake.purchase(account.uid, KEYNOTE, quantity=5)
    fake.purchase(account.uid, PAGES, quantity=2)
    fake.purchase(account.uid, BOOK, quantity=5, product_type="Book")
    return synced(account)


@pytest.fixture
def ada(fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]) -> VppUser:
    """She has accepted, and holds an app, another app and a book."""
    people_at_apple(fake, account, "ada")
    for adam_id in (KEYNOTE, PAGES, BOOK):
        fake.assign(account.uid, adam_id, client_user_ids=["ada"])
    synced(account)
    return VppUser.objects.get(client_user_id="ada")


def people_at_apple(fake: FakeApple, account: VppAccount, *ids: str) -> None:
    fake.add_users(
        account.uid,
        [{"clientUserId": id_, "appleAccount": f"{id_}@icloud.example"} for id_ in ids],
    )


def plan(users: Iterable[VppUser | int], membership: Membership | None = None) -> BatchPlan:
    users = list(users)
    account = next(user.account for user in users if isinstance(user, VppUser))
    wish = batches.wish_for(kind="retire", users=users)
    return batches.make_plan(by=BY, membership=membership, account=account, wish=wish)


def start(made: BatchPlan, *, confirmed: bool = True) -> Batch:
    with TestCase.captureOnCommitCallbacks(execute=True):
        return batches.start(by=BY, membership=None, plan=made, confirm_irrevocable=confirmed)


def retire(*users: VppUser) -> Batch:
    return start(plan(users))


def said(made: BatchPlan) -> dict[str, Any]:
    """What the plan's numbers are other than nothing."""
    return {name: value for name, value in made.summary.items() if value}


# --- Who ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("person", "reason"),
    [
        (Person(1, "a", "Registered"), None),
        (Person(1, "a", "Associated"), None),
        (Person(1, "a", "", "Apple refused"), None),
        (Person(1, "user 1"), Reason.UNKNOWN_USER),
        (Person(1, "a", "Retired"), Reason.RETIRED_ALREADY),
        (Person(1, "a", "Deleted"), Reason.RETIRED_ALREADY),
        (Person(1, "a", "Associated", is_being_retired=True), Reason.BEING_RETIRED),
        (Person(1, "a", "Registered", is_being_invited=True), None),
    ],
)
def test_who_is_retired(person: Person, reason: Reason | None) -> None:
    assert why_not_retire(person) == reason


def test_everybody_is_in_one_of_the_lists_in_their_order() -> None:
    people = [Person(n, f"p{n}", status) for n, status in enumerate(("", "Retired", "Associated"))]

    decided = plan_people(people, why_not_retire)

    assert [person.client_user_id for person in decided.go] == ["p0", "p2"]
    assert decided.skipped == [("p1", Reason.RETIRED_ALREADY)]
    assert plan_people(people, why_not_invite).go == []


@pytest.mark.parametrize(
    ("now", "is_worse"),
    [
        (RetireSummary(go=2, returning=5, irrevocable=1), False),
        (RetireSummary(go=2, returning=4), False),
        (RetireSummary(go=2, returning=6, irrevocable=1), True),
        (RetireSummary(go=2, returning=5, irrevocable=2), True),
        (RetireSummary(go=1, returning=5, irrevocable=1), True),
        (RetireSummary(go=3, returning=5, irrevocable=1), True),
    ],
)
def test_what_makes_a_plan_worse(now: RetireSummary, is_worse: bool) -> None:
    shown = asdict(RetireSummary(go=2, returning=5, irrevocable=1))

    assert now.is_worse_than(shown) == is_worse


# --- What the plan says ---------------------------------------------------------------------------


def test_the_plan_says_what_returns_what_stays_and_what_ends(
    organization: Organization, account: VppAccount, titles: dict[str, LicensedApp], ada: VppUser
) -> None:
    left = OwnerFactory(organization=organization, missing_since=timezone.now())
    ben = VppUserFactory(account=account, owner=left, apple_status="Registered")
    new = VppUserFactory(account=account, apple_status="")
    AssignmentFactory(licensed_app=titles[KEYNOTE], holder=ben.client_user_id, holder_kind="user")
    InvitationFactory(user=ben)
    for state, adam_id in (("waiting", PAGES), ("planned", BOOK), ("failed", KEYNOTE)):
        BatchItemFactory(
            batch__account=account,
            licensed_app=titles[adam_id],
            holder_kind="user",
            holder=ben.client_user_id,
            state=state,
        )
    gone = VppUserFactory(account=account, apple_status="Retired")

    made = plan([ada, ben, new, gone, 4711])

    def line(adam_id: str, **numbers: Any) -> dict[str, Any]:
        return {"id": titles[adam_id].pk, "kind": "user", "revocable": True, "stay": 0, **numbers}

    def named(holder: str, reason: str) -> dict[str, Any]:
        return {"title": None, "kind": "user", "holder": holder, "reason": reason}

    assert said(made) == {
        "go": 3,
        "skipped": 2,
        "reasons": {"alreadyRetired": 1, "unknownUser": 1},
        "named": [
            named(gone.client_user_id, "alreadyRetired"),
            named("user 4711", "unknownUser"),
        ],
        "titles": [
            line(KEYNOTE, go=2, before=4, after=6),
            line(PAGES, go=1, before=0, after=1),
            line(BOOK, go=0, before=3, after=3, stay=1, revocable=False),
        ],
        "returning": 3,
        "irrevocable": 1,
        "staying_with": 1,
        "dropped": 2,
        "invitations": 1,
        "have_left": 1,
        "unregistered": 1,
    }
    assert not Batch.objects.filter(kind="retire").exists()


def test_nobody_chosen_is_refused(account: VppAccount) -> None:
    wish = batches.wish_for(kind="retire", users=[])

    with pytest.raises(NothingChosen, match="Choose at least one person to retire"):
        batches.make_plan(by=BY, membership=None, account=account, wish=wish)


def test_a_network_admin_retires_people_of_accounts_that_they_manage(
    organization: Organization, ada: VppUser
) -> None:
    access = NetworkAccessFactory(membership__organization=organization)
    with pytest.raises(PermissionDenied, match="Only admins with full access"):
        plan([ada], access.membership)
    ada.account.allowed_admins = "networks"
    ada.account.save()
    ada.account.allowed_networks.set([access.network])

    made = plan([ada], access.membership)

    assert (made.summary["go"], made.summary["reasons"]) == (1, {})


def test_a_plan_takes_as_many_statements_for_many_people_as_for_few(
    account: VppAccount, titles: dict[str, LicensedApp], django_assert_max_num_queries: Any
) -> None:
    people = [VppUserFactory(account=account, apple_status="Associated") for _ in range(60)]
    for user in people:
        AssignmentFactory(
            licensed_app=titles[KEYNOTE], holder=user.client_user_id, holder_kind="user"
        )

    with django_assert_max_num_queries(10):
        made = plan(people)
    with django_assert_max_num_queries(45):
        batch = batches.start(by=BY, membership=None, plan=made)

    assert (made.summary["returning"], batch.planned) == (60, 60)


# --- Confirming it --------------------------------------------------------------------------------


def test_books_that_stay_have_to_be_confirmed(ada: VppUser) -> None:
    made = plan([ada])

    with pytest.raises(ConfirmIrrevocable, match="1 permanent licenses stay with these people"):
        start(made, confirmed=False)

    assert start(made).planned == 1


def test_more_licenses_than_shown_are_asked_about_again(
    titles: dict[str, LicensedApp], ada: VppUser
) -> None:
    made = plan([ada])
    other = LicensedApp.objects.create(
        **{
            field.attname: getattr(titles[KEYNOTE], field.attname)
            for field in LicensedApp._meta.concrete_fields
            if field.attname not in ("id", "pricing_param")
        },
        pricing_param="PLUS",
    )
    AssignmentFactory(licensed_app=other, holder="ada", holder_kind="user")

    with pytest.raises(PlanGotWorse) as refused:
        start(made)

    assert refused.value.plan.summary["returning"] == 3
    assert start(refused.value.plan).planned == 1


def test_confirming_twice_begins_once(ada: VppUser) -> None:
    made = plan([ada])

    assert start(made) == start(made)
    assert list(BatchItem.objects.values_list("holder", "kind")) == [("ada", "retire")]


def test_an_account_that_takes_no_changes_retires_nobody(ada: VppUser) -> None:
    made = plan([ada])
    VppAccount.objects.filter(pk=ada.account_id).update(state=AccountState.EXPIRED)

    with pytest.raises(AccountCannotWrite):
        start(made)


def test_what_is_planned_or_waited_for_is_dropped(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp], ada: VppUser
) -> None:
    ben = VppUserFactory(account=account, apple_status="")
    fake.assign(account.uid, PAGES, serial_numbers=["S1"])
    pages = synced(account)[PAGES]
    grant = begin("grant", [pages], users=[ben])
    register = Batch.objects.get(kind="register")

    batch = start(plan([ada, ben]))
    grant.refresh_from_db()
    register.refresh_from_db()

    assert states(batch) == {"ada": "planned", ben.client_user_id: "planned"}
    assert (grant.state, grant.cancelled, grant.waiting) == (BatchState.FINISHED, 1, 0)
    assert (register.state, register.cancelled) == (BatchState.FINISHED, 1)
    messages = BatchItem.objects.filter(state="cancelled").values_list("message", flat=True)
    assert set(messages) == {"Retired meanwhile."}


def test_who_is_being_retired_gets_nothing_more(
    titles: dict[str, LicensedApp], ada: VppUser
) -> None:
    retire(ada)

    batch = begin("grant", [titles[KEYNOTE]], users=[ada])

    assert BatchItem.objects.get(batch=batch).message == Reason.BEING_RETIRED.sentence
    assert plan([ada]).summary["reasons"] == {"beingRetired": 1}


# --- At Apple -------------------------------------------------------------------------------------


def test_licenses_return_and_books_stay(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp], ada: VppUser
) -> None:
    before = timezone.now()

    batch = retire(ada)
    with TestCase.captureOnCommitCallbacks(execute=True):
        drain(account, fake)

    ada.refresh_from_db()
    batch.refresh_from_db()
    account.refresh_from_db()
    assert (ada.apple_status, ada.retired_at is not None) == ("Retired", True)
    assert (batch.state, batch.succeeded, batch.calls) == (BatchState.FINISHED, 1, 1)
    assert holders(account) == {(BOOK, "ada")}
    assert {
        title.adam_id: title.available_count
        for title in LicensedApp.objects.filter(account=account)
    } == {KEYNOTE: 5, PAGES: 2, BOOK: 4}
    told_of = AuditEvent.objects.filter(action="assignment.revoked").order_by("target_id")
    assert [(event.target_id, event.before, event.actor_name) for event in told_of] == [
        (titles[adam_id].pk, {"holder": "ada", "kind": "user", "batch": batch.pk}, BY.name)
        for adam_id in (KEYNOTE, PAGES)
    ]
    assert account.next_sync_at >= before  # soon, to verify it
    assert fake.location(account.uid).records("ada")[-1].status == "Retired"


def test_the_invitation_of_who_is_retired_ends(fake: FakeApple, account: VppAccount) -> None:
    fake.add_users(account.uid, [{"clientUserId": "ben", "email": "ben@example.org"}])
    synced(account)
    ben = VppUser.objects.get(client_user_id="ben")
    invitation = InvitationFactory(user=ben)

    retire(ben)
    drain(account, fake)

    invitation.refresh_from_db()
    ben.refresh_from_db()
    assert (invitation.ending, invitation.ended_at is not None) == ("retired", True)
    assert (ben.invite_code, ben.invite_code_digest) == ("", "")


def test_a_notification_settles_it_too(fake: FakeApple, account: VppAccount, ada: VppUser) -> None:
    subscribe(fake, account)
    batch = retire(ada)
    turn(account)

    told(fake, account)

    batch.refresh_from_db()
    assert (batch.state, batch.succeeded) == (BatchState.FINISHED, 1)
    assert holders(account) == {(BOOK, "ada")}


@pytest.mark.parametrize("at_once", [True, False])
def test_whom_apple_has_retired_already_is_retired(
    at_once: bool, fake: FakeApple, account: VppAccount, ada: VppUser
) -> None:
    location = fake.location(account.uid)
    fake.change_settings({"guesses": {"unknown_users_are_refused": at_once}})
    batch = retire(ada)
    fake.retire(location, location.records("ada"))

    drain(account, fake)

    batch.refresh_from_db()
    ada.refresh_from_db()
    assert (batch.state, batch.succeeded) == (BatchState.FINISHED, 1)
    assert ada.apple_status == "Retired"
    assert holders(account) == {(BOOK, "ada")}


@pytest.mark.parametrize("count", [1, 25])
@pytest.mark.parametrize("fault", ["answer_lost", "refused_connection", "event_lost", "overload"])
def test_a_lost_answer_is_found_out_at_apple(
    fault: str, count: int, fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    names = [f"person{number}" for number in range(count)]
    people_at_apple(fake, account, *names)
    synced(account)
    fake.set_fault(fault, uid=account.uid, path="users/retire", times=1)

    batch = retire(*VppUser.objects.filter(account=account).order_by("pk"))
    drain(account, fake)

    batch.refresh_from_db()
    assert (batch.state, batch.succeeded) == (BatchState.FINISHED, count)
    statuses = {fake.location(account.uid).records(name)[-1].status for name in names}
    assert statuses == {"Retired"}
    assert set(account.vpp_users.values_list("apple_status", flat=True)) == {"Retired"}


def test_whom_apple_does_not_know_is_retired_without_a_word_to_apple(
    fake: FakeApple, account: VppAccount
) -> None:
    new = VppUserFactory(account=account, apple_status="", failure="Apple refused it.")

    batch = retire(new)
    drain(account, fake)

    batch.refresh_from_db()
    new.refresh_from_db()
    assert (batch.state, batch.succeeded, batch.calls) == (BatchState.FINISHED, 1, 0)
    assert (new.is_retired, new.failure, new.retired_at is not None) == (True, "", True)
    assert not fake.location(account.uid).users


def test_whom_apple_is_just_learning_of_is_retired_afterwards(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    new = VppUserFactory(account=account, apple_status="")
    begin("grant", [titles[KEYNOTE]], users=[new])
    turn(account)  # Apple has been asked to register them

    batch = retire(new)
    drain(account, fake)

    batch.refresh_from_db()
    assert (batch.state, batch.succeeded) == (BatchState.FINISHED, 1)
    [record] = fake.location(account.uid).records(new.client_user_id)
    assert record.status == "Retired"
    assert holders(account) == set()


def test_a_license_that_is_just_being_given_comes_first(
    fake: FakeApple, account: VppAccount, ada: VppUser
) -> None:
    fake.purchase(account.uid, "409183694", quantity=1)
    numbers = synced(account)["409183694"]
    fake.change_settings({"eventDelaySeconds": 20})
    grant = begin("grant", [numbers], users=[ada])
    turn(account)

    batch = retire(ada)
    turn(account)
    meanwhile = states(batch)
    drain(account, fake)

    grant.refresh_from_db()
    batch.refresh_from_db()
    assert meanwhile == {"ada": "planned"}
    assert (grant.succeeded, batch.succeeded) == (1, 1)
    assert holders(account) == {(BOOK, "ada")}


def test_who_waited_gets_what_returns(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp], ada: VppUser
) -> None:
    fake.assign(account.uid, PAGES, serial_numbers=["S1"])
    waiting = begin("grant", [synced(account)[PAGES]], serials=["S2"])

    retire(ada)
    drain(account, fake)

    waiting.refresh_from_db()
    assert (waiting.waiting, waiting.succeeded) == (0, 1)
    assert (PAGES, "S2") in holders(account)


def test_a_reading_from_before_brings_no_license_back(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp], ada: VppUser
) -> None:
    as_of = timezone.now()
    retire(ada)
    drain(account, fake)

    changes.apply(account, new=[f"{titles[KEYNOTE].pk}\tuser\tada"], gone=[], as_of=as_of)
    assert holders(account) == {(BOOK, "ada")}

    later = timezone.now() + timedelta(seconds=1)
    changes.apply(account, new=[f"{titles[KEYNOTE].pk}\tuser\tada"], gone=[], as_of=later)
    assert holders(account) == {(BOOK, "ada"), (KEYNOTE, "ada")}


def test_the_same_id_in_another_account_is_somebody_else(
    fake: FakeApple, account: VppAccount, ada: VppUser
) -> None:
    as_of = timezone.now()
    retire(ada)
    drain(account, fake)
    other = VppAccountFactory(organization=account.organization)
    title = LicensedAppFactory(account=other)

    changes.apply(other, new=[f"{title.pk}\tuser\tada"], gone=[], as_of=as_of)

    assert holders(other) == {(title.adam_id, "ada")}


@pytest.mark.django_db(transaction=True, databases=["default", "system", "owner"])
@pytest.mark.parametrize("what", ["retired", "refused"])
def test_people_are_locked_in_the_order_of_all_others(
    what: str, account: VppAccount, organization: Organization
) -> None:
    """A sync writes them by their ids; in another order the two would wait for each other."""
    people = [
        VppUserFactory(account=account, apple_status="", client_user_id=name)
        for name in ("zoe", "ada")  # by whose index they would come the other way round
    ]
    kind = {"retired": "retire", "refused": "register"}[what]
    batch = BatchFactory(account=account, organization=organization, kind=kind)
    items = [
        BatchItemFactory(batch=batch, kind=kind, licensed_app=None, holder_kind="user", **each)
        for each in ({"holder": user.client_user_id, "state": "failed"} for user in people)
    ]
    # Its row stands after the other's now.
    VppUser.objects.filter(pk=people[0].pk).update(name="Zoe", email="zoe@example.net")
    wait: dict[str, Callable[[], Any]] = {
        "retired": lambda: retiring.take_effect(batch.pk, [i.holder for i in items]),
        "refused": lambda: note_failures(account.pk, [i.pk for i in items]),
    }
    errors: list[DatabaseError] = []

    def other() -> None:
        try:
            with transaction.atomic():
                wait[what]()
        except DatabaseError as error:
            errors.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=other)
    with transaction.atomic():
        VppUser.objects.select_for_update(no_key=True).get(pk=people[0].pk)
        thread.start()
        _until_somebody_waits()
        VppUser.objects.select_for_update(no_key=True).get(pk=people[1].pk)
    thread.join()

    assert errors == []


def _until_somebody_waits() -> None:
    with connection.cursor() as cursor:
        for _ in range(10_000):
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
    raise AssertionError("Nobody waits.")


@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize("step", steps.STEPS)
def test_a_worker_that_dies_at_any_step_leaves_nothing_half_done(
    step: str,
    at: int,
    fake: FakeApple,
    account: VppAccount,
    ada: VppUser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    people_at_apple(fake, account, "ben", "cy")
    fake.assign(account.uid, KEYNOTE, client_user_ids=["ben"])
    fake.change_settings({"limits": {"maxUsers": 2}})
    synced(account)
    batch = retire(*VppUser.objects.filter(account=account).order_by("pk"))

    monkeypatch.setattr(steps, "reached", killing(step, at=at))
    died = 0
    for _ in range(4):
        try:
            turn(account)
        except Killed:
            died += 1
        fake.advance(5)
    drain(account, fake)

    batch.refresh_from_db()
    assert died == 1 or at > 1
    assert (batch.state, batch.succeeded) == (BatchState.FINISHED, 3)
    assert set(account.vpp_users.values_list("apple_status", flat=True)) == {"Retired"}
    assert holders(account) == {(BOOK, "ada")}
    assert AuditEvent.objects.filter(action="assignment.revoked").count() == 3


# --- Afterwards -----------------------------------------------------------------------------------


def test_what_failed_is_tried_again(
    fake: FakeApple, account: VppAccount, ada: VppUser, failing: Callable[[], None]
) -> None:
    failing()
    batch = retire(ada)
    drain(account, fake)
    batch.refresh_from_db()
    assert (batch.failed, ada.account.vpp_users.get().is_retired) == (1, False)

    with TestCase.captureOnCommitCallbacks(execute=True):
        again = batches.retry(by=BY, membership=None, batch=batch)
    drain(account, fake)

    again.refresh_from_db()
    assert (again.kind, again.retry_of, again.succeeded) == ("retire", batch, 1)
    assert batches.retry(by=BY, membership=None, batch=batch) == again


@pytest.fixture
def failing(fake: FakeApple, account: VppAccount) -> Callable[[], None]:
    """The line is cut five times before Apple hears of it."""

    def lose() -> None:
        fake.set_fault("refused_connection", uid=account.uid, path="users/retire", times=5)

    return lose


def test_what_is_not_sent_can_be_cancelled(account: VppAccount, ada: VppUser) -> None:
    batch = retire(ada)

    assert batches.cancel(by=BY, batch=batch) == 1

    assert (batch.state, batch.cancelled) == (BatchState.CANCELLED, 1)
    assert plan([ada]).summary["go"] == 1
