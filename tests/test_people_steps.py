"""The steps that people take at Apple: seen by syncs, notifications and read-backs, each with its time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import product

import pytest
from django.utils import timezone

from licensing import sync
from licensing.models import Assignment
from licensing.notifications.people import plan_users
from licensing.sync.account import invitation_url
from licensing.tasks import start_due_syncs
from organizations.audit import Actor
from organizations.models import Organization
from tests.draining import drain, synced
from tests.factories import VppAccountFactory, VppUserFactory
from tests.meanwhile import MovingApple
from tests.notifying import subscribe, told
from tests.test_notifications_handling import notify
from tests.test_sync import run_sync
from users.invitations.giving import give_out
from users.models import Invitation, VppUser
from users.services import PersonDetails, add_person
from users.states import PersonStatus, has_status, status_of
from vpp_accounts import connections
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.apple.fake.wire import Request
from vpp_accounts.apple.types import ClientUser, Limits, ServiceConfig
from vpp_accounts.models import SyncRun, VppAccount

BOOK = "1801147365"
STEPS = ("registered_at", "invited_at", "associated_at", "retired_at")

Step = Callable[[FakeApple, VppAccount], None]


@pytest.fixture
def ada(fake: FakeApple, account: VppAccount, by: Actor) -> VppUser:
    """Added here, registered at Apple, and invited."""
    synced(account)
    user = add_person(by=by, account=account, details=PersonDetails(email="ada@example.org"))
    drain(account, fake)
    give_out(by=by, account=account, user_ids=[user.pk])
    user.refresh_from_db()
    return user


def accept(fake: FakeApple, user: VppUser, apple_account: str = "ada@icloud.test") -> None:
    fake.accept_invitation(user.invite_code, apple_account)


def retire(fake: FakeApple, user: VppUser) -> None:
    location = fake.location(user.account.uid)
    fake.retire(location, [location.active_user(user.client_user_id)])


def taken(user: VppUser) -> set[str]:
    """The steps that somebody has taken as far as was seen."""
    user.refresh_from_db()
    return {step for step in STEPS if getattr(user, step)}


def by_whole_sync(fake: FakeApple, account: VppAccount) -> None:
    run_sync(account, full=True)


def by_delta(fake: FakeApple, account: VppAccount) -> None:
    run_sync(account)


def by_polling(fake: FakeApple, account: VppAccount) -> None:
    """Without notifications, an account in which somebody may accept has its turn every minute."""
    VppAccount.objects.filter(pk=account.pk).update(next_sync_at=timezone.now())
    start_due_syncs()
    [run] = SyncRun.objects.open().filter(account=account)
    assert run.trigger == SyncRun.Trigger.POLL
    sync.run(sync_run_id=run.pk)


def by_notification(fake: FakeApple, account: VppAccount) -> None:
    told(fake, account)


# --- Accepting ------------------------------------------------------------------------------------


@pytest.mark.parametrize("road", [by_whole_sync, by_delta, by_polling, by_notification])
def test_whoever_accepts_is_associated_and_their_invitation_over(
    fake: FakeApple, account: VppAccount, ada: VppUser, road: Step
) -> None:
    VppUser.objects.update(failure="Their mail server refused it.")
    if road is by_notification:
        subscribe(fake, account)
    accept(fake, ada)

    road(fake, account)

    assert taken(ada) == {"registered_at", "invited_at", "associated_at"}
    assert (status_of(ada), ada.failure, ada.invite_code) == (PersonStatus.ASSOCIATED, "", "")
    invitation = Invitation.objects.get(user=ada)
    assert (invitation.ending, invitation.ended_at is None) == (Invitation.Ending.ACCEPTED, False)


@pytest.mark.parametrize("road", [by_whole_sync, by_delta, by_notification])
def test_whoever_is_retired_at_apple_cannot_accept_any_more(
    fake: FakeApple, account: VppAccount, ada: VppUser, road: Step
) -> None:
    a_while_ago = timezone.now() - timedelta(hours=1)
    VppUser.objects.update(registered_at=a_while_ago)
    retire(fake, ada)
    if road is by_notification:
        gone = {"clientUserId": ada.client_user_id, "status": "Retired"}
        notify(account, "USER_MANAGEMENT", type="RETIRE", result="SUCCESS", users=[gone])

    road(fake, account)

    assert taken(ada) == {"registered_at", "invited_at", "retired_at"}
    assert (ada.registered_at, ada.invite_code) == (a_while_ago, "")
    assert Invitation.objects.get(user=ada).ending == Invitation.Ending.RETIRED


def test_who_is_found_at_apple_took_their_steps_before_we_looked(
    fake: FakeApple, account: VppAccount
) -> None:
    fake.add_users(account.uid, [{"clientUserId": "u-1", "appleAccount": "one@icloud.test"}])
    fake.add_users(account.uid, [{"clientUserId": "u-2"}])

    run_sync(account, full=True)

    found = VppUser.objects.order_by("client_user_id")
    assert [(user.apple_status, taken(user)) for user in found] == [
        ("Associated", set()),
        ("Registered", set()),
    ]


def test_whom_apple_lists_no_longer_is_gone_with_the_time(
    fake: FakeApple, account: VppAccount, ada: VppUser
) -> None:
    location = fake.location(account.uid)
    location.users.clear()
    location.user_versions.bump([])

    run_sync(account, full=True)

    assert taken(ada) == {"registered_at", "invited_at", "retired_at"}
    assert (ada.apple_status, ada.invite_code) == ("Deleted", "")
    assert Invitation.objects.get(user=ada).ending == Invitation.Ending.RETIRED


def test_a_failure_stays_as_long_as_the_status_does(
    fake: FakeApple, account: VppAccount, ada: VppUser
) -> None:
    VppUser.objects.update(failure="Their mail server refused it.")
    [record] = fake.location(account.uid).users
    record.email = "other@example.org"
    fake.location(account.uid).user_versions.bump([record])

    run_sync(account)

    ada.refresh_from_db()
    assert (ada.email, ada.failure) == ("other@example.org", "Their mail server refused it.")


def test_a_new_record_at_apple_begins_anew(
    fake: FakeApple, account: VppAccount, ada: VppUser
) -> None:
    """Somebody else retired and registered them before we looked again."""
    accept(fake, ada)
    run_sync(account)
    retire(fake, ada)
    [record] = fake.add_users(account.uid, [{"clientUserId": ada.client_user_id}])

    run_sync(account)

    assert taken(ada) == {"registered_at"}
    assert (status_of(ada), ada.id_hash) == (PersonStatus.NEW, "")
    assert ada.invite_code == record.invite_code


# --- Codes of invitations -------------------------------------------------------------------------


def test_the_code_of_an_invitation_is_read_back_and_kept_secret(
    fake: FakeApple, account: VppAccount, ada: VppUser
) -> None:
    [record] = fake.location(account.uid).users

    assert ada.invite_code == record.invite_code
    assert record.invite_code not in ada.invite_code_ciphertext


@pytest.mark.parametrize("road", [by_whole_sync, by_delta, by_notification])
def test_the_code_of_somebody_found_at_apple_is_kept(
    fake: FakeApple, account: VppAccount, road: Step
) -> None:
    synced(account)
    subscribe(fake, account)
    [record] = fake.add_users(account.uid, [{"clientUserId": "u-1"}])

    road(fake, account)

    assert VppUser.objects.get().invite_code == record.invite_code


def test_only_another_code_is_encrypted_again(fake: FakeApple, account: VppAccount) -> None:
    same, other = fake.add_users(account.uid, [{"clientUserId": "u-1"}, {"clientUserId": "u-2"}])
    run_sync(account, full=True)
    before = dict(VppUser.objects.values_list("client_user_id", "invite_code_ciphertext"))
    same.email, other.invite_code = "new@example.org", "f" * 32

    run_sync(account, full=True)

    after = {user.client_user_id: user for user in VppUser.objects.all()}
    assert after["u-1"].invite_code_ciphertext == before["u-1"]
    assert (after["u-1"].email, after["u-2"].invite_code) == ("new@example.org", "f" * 32)


def test_a_record_without_a_code_does_not_take_the_known_one(
    fake: FakeApple, account: VppAccount
) -> None:
    [record] = fake.add_users(account.uid, [{"clientUserId": "u-1"}])
    run_sync(account, full=True)
    code, record.invite_code, record.email = record.invite_code, "", "one@example.org"

    run_sync(account, full=True)

    user = VppUser.objects.get()
    assert (user.invite_code, user.email) == (code, "one@example.org")


def test_nothing_new_is_nothing_written(fake: FakeApple, account: VppAccount) -> None:
    fake.add_users(account.uid, [{"clientUserId": "u-1"}, {"clientUserId": "u-2"}])
    run_sync(account, full=True)

    assert run_sync(account, full=True).counts == {}


def test_apples_page_for_invitations_is_remembered(fake: FakeApple, account: VppAccount) -> None:
    run_sync(account)

    assert account.invitation_url.endswith("?inviteCode=%25inviteCode%25&mt=8")


@pytest.mark.parametrize(
    "told_url",
    [
        None,
        "https://apple.test/without-a-place",
        "ftp://apple.test/?inviteCode=%25inviteCode%25",
        "https://apple.test/?inviteCode=%25inviteCode%25&x=" + "x" * 500,
    ],
)
def test_an_address_that_cannot_be_used_is_none(told_url: str | None) -> None:
    urls = {"invitationEmail": told_url} if told_url else {}

    assert invitation_url(ServiceConfig(Limits(), urls, ())) == ""


# --- Registered again -----------------------------------------------------------------------------


def added_again(fake: FakeApple, user: VppUser, by: Actor) -> VppUser:
    """They were retired, and we know."""
    retire(fake, user)
    run_sync(user.account)
    again = add_person(by=by, account=user.account, details=PersonDetails(), owner=user.owner)
    assert (again.pk, again.apple_status, taken(again)) == (user.pk, "", set())
    return again


def test_who_is_registered_again_gets_their_books_back(
    fake: FakeApple, account: VppAccount, ada: VppUser, by: Actor
) -> None:
    fake.purchase(account.uid, BOOK, quantity=5, product_type="Book")
    book = fake.location(account.uid).asset(BOOK)
    accept(fake, ada)
    fake.assign(account.uid, BOOK, client_user_ids=[ada.client_user_id])
    run_sync(account, full=True)
    added_again(fake, ada, by)
    drain(account, fake)
    registered, kept = taken(ada), (set(book.users), book.retired_count)

    accept(fake, ada)
    run_sync(account, full=True)

    assert (registered, kept) == ({"registered_at"}, (set(), 1))
    assert taken(ada) == {"registered_at", "associated_at"}
    assert [user.status for user in fake.location(account.uid).users] == ["Retired", "Associated"]
    assert (set(book.users), book.retired_count) == ({ada.client_user_id}, 0)
    assert Assignment.objects.get().holder == ada.client_user_id


def by_late_news(fake: FakeApple, account: VppAccount) -> None:
    """Apple tries again to tell what it could not deliver."""
    [record] = fake.location(account.uid).users
    for change in ("CREATE", "RETIRE"):
        notify(account, "USER_MANAGEMENT", type=change, result="SUCCESS", users=[record.wire()])
    told(fake, account)


@pytest.mark.parametrize("road", [by_whole_sync, by_delta, by_late_news])
def test_apples_old_record_is_not_that_of_who_waits_to_be_registered_again(
    fake: FakeApple, account: VppAccount, ada: VppUser, by: Actor, road: Step
) -> None:
    added_again(fake, ada, by)
    location = fake.location(account.uid)
    location.user_versions.bump(location.users)  # Apple tells of the old record once more

    road(fake, account)

    assert (taken(ada), ada.apple_status) == (set(), "")


def test_a_registration_that_apple_never_ends_is_made_again(
    fake: FakeApple, account: VppAccount, ada: VppUser, by: Actor
) -> None:
    """Reading back finds the old record only."""
    fake.set_fault("stuck_event", uid=account.uid, path="users/create", times=1)
    added_again(fake, ada, by)

    drain(account, fake)

    assert (taken(ada), ada.apple_status) == ({"registered_at"}, "Registered")
    assert [user.status for user in fake.location(account.uid).users] == ["Retired", "Registered"]


def test_late_news_do_not_retire_who_has_just_been_registered_again(
    fake: FakeApple, account: VppAccount, ada: VppUser, by: Actor
) -> None:
    added_again(fake, ada, by)
    drain(account, fake)
    old, _ = fake.location(account.uid).users
    notify(account, "USER_MANAGEMENT", type="RETIRE", result="SUCCESS", users=[old.wire()])

    told(fake, account)

    assert (taken(ada), ada.apple_status) == ({"registered_at"}, "Registered")


def test_a_notification_with_another_code_is_about_another_record() -> None:
    now = timezone.now()
    known = VppUser(client_user_id="u-1", apple_status="Registered")
    known.invite_code = "b" * 32
    accepted = [ClientUser("u-1", "Associated", None, code * 32, "hash") for code in ("a", "b")]

    plans = [plan_users([user], {"u-1": known}, now=now) for user in accepted]

    assert [[user for _, user in plan.change] for plan in plans] == [[], [accepted[1]]]


# --- Steps taken while Apple is asked -------------------------------------------------------------


@pytest.fixture
def moving(organization: Organization) -> Iterator[MovingApple]:
    apple = MovingApple()
    with connections.use_fake(apple):
        yield apple


@pytest.mark.parametrize("full", [True, False])
def test_what_was_read_before_a_step_does_not_undo_it(
    moving: MovingApple, organization: Organization, by: Actor, *, full: bool
) -> None:
    location = moving.create_location(name="North")
    account = VppAccountFactory(
        organization=organization, uid=location.uid, token=location.issue_token()
    )
    [record] = moving.add_users(account.uid, [{"clientUserId": "u-1"}])
    run_sync(account, full=True)
    record.email = "ada@example.org"
    location.user_versions.bump([record])

    def accepted_meanwhile(request: Request) -> None:
        """And a notification has told us so already."""
        if request.path.endswith("/users") and record.status == "Registered":
            moving.accept_invitation(record.invite_code, "ada@icloud.test")
            notify(account, "USER_ASSOCIATED", associatedUsers=[record.wire()])
            told(moving, account)

    moving.after = accepted_meanwhile
    run_sync(account, full=full)
    meanwhile = VppUser.objects.get().apple_status
    run_sync(account)

    user = VppUser.objects.get()
    assert (meanwhile, user.apple_status, user.email) == (
        "Associated",
        "Associated",
        "ada@example.org",
    )
    assert taken(user) == {"associated_at"}


@pytest.mark.parametrize("full", [True, False])
def test_who_has_just_taken_a_step_is_read_again_by_the_next_sync(
    moving: MovingApple, organization: Organization, *, full: bool
) -> None:
    """Otherwise what else Apple said of them would never be told again."""
    location = moving.create_location(name="North")
    account = VppAccountFactory(
        organization=organization, uid=location.uid, token=location.issue_token()
    )
    [record] = moving.add_users(account.uid, [{"clientUserId": "u-1"}])
    run_sync(account, full=True)
    moving.accept_invitation(record.invite_code, "ada@icloud.test")
    record.email = "ada@example.org"

    def told_meanwhile(request: Request) -> None:
        if request.path.endswith("/users"):
            moving.after = lambda request: None
            accepted = {"clientUserId": "u-1", "status": "Associated", "idHash": record.id_hash}
            notify(account, "USER_ASSOCIATED", associatedUsers=[accepted])
            told(moving, account)

    moving.after = told_meanwhile
    run_sync(account, full=full)
    run_sync(account)

    user = VppUser.objects.get()
    assert (user.apple_status, user.email) == ("Associated", "ada@example.org")


# --- Words ----------------------------------------------------------------------------------------


def test_a_person_is_found_by_the_status_that_they_have(db: None) -> None:
    account = VppAccountFactory()
    for apple_status, failure, invited_at in product(
        VppUser.AppleStatus.values, ["", "Refused."], [None, timezone.now()]
    ):
        VppUserFactory(
            account=account, apple_status=apple_status, failure=failure, invited_at=invited_at
        )

    users = VppUser.objects.filter(account=account)
    found = {status: set(users.filter(has_status(status))) for status in PersonStatus}

    assert found == {
        status: {user for user in users if status_of(user) == status} for status in PersonStatus
    }
    assert {status: len(people) for status, people in found.items()} == {
        PersonStatus.NEW: 2,
        PersonStatus.INVITED: 2,
        PersonStatus.ASSOCIATED: 4,
        PersonStatus.RETIRED: 8,
        PersonStatus.FAILED: 4,
    }
