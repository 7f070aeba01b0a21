"""Batches of invitations: who is written to, when, and what becomes of it."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.core import mail as django_mail
from django.db.models import F
from django.test import TestCase
from django.utils import timezone

from licensing import batches
from licensing.batches import inviting
from licensing.batches.inviting import Invitee, plan_mail
from licensing.batches.people_plans import InviteSummary, Person, why_not_invite
from licensing.batches.reasons import Reason
from licensing.batches.refusals import PlanGotWorse
from licensing.models import Batch, BatchItem, BatchPlan, BatchState, Writer
from organizations.hooks import mail_settled
from organizations.models import OutgoingMail
from organizations.tasks import send_mail
from tests.draining import BY, drain, states, turn
from tests.factories import InvitationFactory, OwnerFactory, VppUserFactory
from tests.smtp_server import MailServer, mail_server
from tests.test_sync import run_sync
from users import hooks
from users.invitations.giving import withdraw
from users.models import Invitation, VppUser
from users.states import PersonStatus, status_of
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import AccountState, VppAccount


@pytest.fixture
def server(settings: LazySettings) -> Iterator[MailServer]:
    with mail_server() as running:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", running.port
        yield running


@pytest.fixture
def ann(fake: FakeApple, account: VppAccount) -> VppUser:
    return registered(fake, account, "ann")


def registered(fake: FakeApple, account: VppAccount, *names: str) -> VppUser:
    """Apple knows them, and we their invitation codes; answers the last of them."""
    people = [{"clientUserId": name, "email": f"{name}@example.org"} for name in names]
    fake.add_users(account.uid, people)
    run_sync(account)
    return VppUser.objects.get(account=account, client_user_id=names[-1])


def newcomer(account: VppAccount, email: str = "new@example.org", **owner: str) -> VppUser:
    person = OwnerFactory(organization=account.organization, email=email, **owner)
    return VppUserFactory(account=account, owner=person, email=email, apple_status="")


def plan(users: Iterable[VppUser | int], account: VppAccount) -> BatchPlan:
    wish = batches.wish_for(kind="invite", users=users)
    return batches.make_plan(by=BY, membership=None, account=account, wish=wish)


def start(made: BatchPlan) -> Batch:
    with TestCase.captureOnCommitCallbacks(execute=True):
        return batches.start(by=BY, membership=None, plan=made)


def invite(*users: VppUser) -> Batch:
    return start(plan(users, users[0].account))


def turned(account: VppAccount, *batches_: Batch) -> None:
    turn(account)
    for batch in batches_:
        batch.refresh_from_db()


def addressed() -> list[str]:
    return [address for sent in django_mail.outbox for address in sent.to]


# --- Who ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("person", "reason"),
    [
        (Person(1, "a", "", has_address=True), None),
        (Person(1, "a", "Registered", has_address=True), None),
        (Person(1, "a", "Registered", has_address=True, was_invited=True), None),
        (Person(1, "a", "Registered", "550 unknown", has_address=True), None),
        (Person(1, "a", "", "Apple refused", has_address=True), Reason.REGISTRATION_FAILED),
        (Person(1, "a", "Registered"), Reason.NO_ADDRESS),
        (Person(1, "a", "Associated", has_address=True), Reason.ACCEPTED),
        (Person(1, "a", "Retired", has_address=True), Reason.RETIRED),
        (Person(1, "a", "Deleted", has_address=True), Reason.RETIRED),
        (Person(1, "user 1"), Reason.UNKNOWN_USER),
        (
            Person(1, "a", "Registered", has_address=True, is_being_retired=True),
            Reason.BEING_RETIRED,
        ),
        (
            Person(1, "a", "Registered", has_address=True, is_being_invited=True),
            Reason.BEING_INVITED,
        ),
    ],
)
def test_who_is_invited(person: Person, reason: Reason | None) -> None:
    assert why_not_invite(person) == reason


@pytest.mark.parametrize(
    ("invitee", "state"),
    [
        (Invitee("Registered", has_failed=False, has_code=True, has_address=True), "sent"),
        (Invitee("Registered", has_failed=True, has_code=True, has_address=True), "sent"),
        (Invitee("Registered", has_failed=False, has_code=False, has_address=True), "planned"),
        (Invitee("", has_failed=False, has_code=False, has_address=True), "planned"),
        (Invitee("", has_failed=True, has_code=False, has_address=True), "failed"),
        (Invitee("Registered", has_failed=False, has_code=True, has_address=False), "skipped"),
        (Invitee("Associated", has_failed=False, has_code=False, has_address=True), "skipped"),
        (Invitee("Retired", has_failed=False, has_code=False, has_address=True), "cancelled"),
        (Invitee("Deleted", has_failed=False, has_code=False, has_address=True), "cancelled"),
    ],
)
def test_what_becomes_of_a_planned_invitation(invitee: Invitee, state: str) -> None:
    assert plan_mail(invitee)[0] == state


@pytest.mark.parametrize(
    ("now", "is_worse"),
    [
        (InviteSummary(go=5), False),
        (InviteSummary(go=6), False),
        (InviteSummary(go=4, reasons={Reason.ACCEPTED: 2}), False),
        (InviteSummary(go=4, reasons={Reason.ACCEPTED: 1}), True),
        (InviteSummary(go=4, reasons={Reason.NO_ADDRESS: 1}), True),
    ],
)
def test_what_makes_a_plan_worse(now: InviteSummary, is_worse: bool) -> None:
    assert now.is_worse_than({"go": 5, "reasons": {"alreadyAccepted": 1}}) == is_worse


def test_the_plan_says_who_is_invited_again_and_who_is_registered_first(
    fake: FakeApple, account: VppAccount, ann: VppUser
) -> None:
    VppUser.objects.filter(pk=ann.pk).update(invited_at=timezone.now())
    silent = VppUserFactory(account=account, apple_status="Registered", email="")
    accepted = VppUserFactory(account=account, apple_status="Associated")

    made = plan([ann, newcomer(account), silent, accepted], account)

    assert {name: value for name, value in made.summary.items() if value} == {
        "go": 2,
        "again": 1,
        "unregistered": 1,
        "skipped": 2,
        "reasons": {"noEmailAddress": 1, "alreadyAccepted": 1},
        "named": [
            {"title": None, "kind": "user", "holder": holder, "reason": reason}
            for holder, reason in (
                (silent.client_user_id, "noEmailAddress"),
                (accepted.client_user_id, "alreadyAccepted"),
            )
        ],
    }
    assert not Batch.objects.exists()


def test_fewer_than_shown_are_asked_about_again(account: VppAccount, ann: VppUser) -> None:
    ben = VppUserFactory(account=account, apple_status="Registered")
    made = plan([ann, ben], account)
    VppUser.objects.filter(pk=ben.pk).update(email="")

    with pytest.raises(PlanGotWorse) as refused:
        start(made)

    assert refused.value.plan.summary["go"] == 1
    assert start(refused.value.plan) == start(refused.value.plan)


# --- Mail -----------------------------------------------------------------------------------------


def test_a_mail_goes_out_and_the_item_succeeds_when_the_server_has_taken_it(
    account: VppAccount, ann: VppUser
) -> None:
    batch = invite(ann)
    turned(account, batch)
    on_the_way = (batch.state, batch.sent)

    send_mail()

    batch.refresh_from_db()
    ann.refresh_from_db()
    assert on_the_way == (BatchState.RUNNING, 1)
    assert addressed() == ["ann@example.org"]
    assert (batch.state, batch.succeeded, batch.calls) == (BatchState.FINISHED, 1, 0)
    assert status_of(ann) == PersonStatus.INVITED
    invitation = Invitation.objects.get(user=ann)
    assert (invitation.mails, invitation.actor_name, invitation.is_open) == (1, BY.name, True)


def test_an_address_that_the_server_refuses_fails_in_its_words(
    account: VppAccount, ann: VppUser, server: MailServer
) -> None:
    server.replies["ann@example.org"] = "550 no such mailbox"
    batch = invite(ann)
    turned(account)

    send_mail()

    batch.refresh_from_db()
    item = BatchItem.objects.get(batch=batch)
    assert (batch.state, batch.failed) == (BatchState.FINISHED, 1)
    assert (item.state, item.message) == (
        "failed",
        "The mail server refused this address: 550 no such mailbox",
    )
    ann.refresh_from_db()
    assert status_of(ann) == PersonStatus.FAILED


def test_what_failed_is_sent_again(account: VppAccount, ann: VppUser, server: MailServer) -> None:
    server.replies["ann@example.org"] = "550 no such mailbox"
    batch = invite(ann)
    turned(account)
    send_mail()
    server.replies.clear()
    batch.refresh_from_db()

    with TestCase.captureOnCommitCallbacks(execute=True):
        again = batches.retry(by=BY, membership=None, batch=batch)
    turned(account)
    send_mail()

    again.refresh_from_db()
    assert (again.kind, again.retry_of, again.succeeded) == ("invite", batch, 1)
    assert [sent["To"] for sent in server.accepted] == ["ann@example.org"]


def test_a_server_that_is_away_keeps_the_items_on_their_way(
    account: VppAccount, ann: VppUser, server: MailServer
) -> None:
    server.replies["ann@example.org"] = "450 come back later"
    batch = invite(ann)
    turned(account)

    send_mail()
    turned(account, batch)

    assert (batch.state, batch.sent) == (BatchState.RUNNING, 1)


def test_lost_news_of_a_mail_is_found_in_its_row(
    account: VppAccount, ann: VppUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = invite(ann)
    turned(account)
    with monkeypatch.context() as patched:
        patched.setattr(hooks.invitations_mailed, "send", lambda *_, **__: [])
        send_mail()
    batch.refresh_from_db()
    assert batch.sent == 1

    turned(account, batch)

    assert (batch.state, batch.succeeded) == (BatchState.FINISHED, 1)


def test_what_nobody_heard_of_a_mail_is_said_on_the_person_too(
    fake: FakeApple,
    account: VppAccount,
    ann: VppUser,
    server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The worker of the mails died between the server's answer and its news."""
    ben = registered(fake, account, "ben")
    server.replies["ann@example.org"] = "550 no such mailbox"
    batch = invite(ann, ben)
    turned(account)
    with monkeypatch.context() as patched:
        patched.setattr(mail_settled, "send_robust", lambda *_, **__: [])
        send_mail()

    turned(account, batch)

    ann.refresh_from_db()
    assert (batch.succeeded, batch.failed) == (1, 1)
    assert status_of(ann) == PersonStatus.FAILED
    assert Invitation.objects.get(user=ann).bounced_at is not None
    assert Invitation.objects.get(user=ben).sent_at is not None  # or nobody would be reminded


def test_an_item_without_any_mail_has_failed(account: VppAccount, ann: VppUser) -> None:
    batch = invite(ann)
    turned(account)
    Invitation.objects.update(mails=0)

    turned(account, batch)

    assert BatchItem.objects.get(batch=batch).message == inviting.FORGOTTEN


def test_a_mail_in_the_queue_does_not_go_to_who_is_retired_or_withdrawn_meanwhile(
    fake: FakeApple, account: VppAccount, by: Any
) -> None:
    """A district's mails take hours to go out."""
    users = [registered(fake, account, name) for name in ("ann", "ben", "cy")]
    batch = invite(*users)
    turned(account)

    location = fake.location(account.uid)
    fake.retire(location, [location.active_user("ann")])
    run_sync(account)
    withdraw(by=by, invitation=Invitation.objects.get(user=users[1]))
    send_mail()
    turned(account, batch)

    assert addressed() == ["cy@example.org"]
    items = BatchItem.objects.filter(batch=batch).order_by("holder")
    assert list(items.values_list("holder", "state", "message")) == [
        ("ann", "failed", "Retired before the mail was sent."),
        ("ben", "failed", "Withdrawn before the mail was sent."),
        ("cy", "succeeded", ""),
    ]
    assert not OutgoingMail.objects.exclude(text="").exists()


def test_a_mail_that_nobody_remembers_has_failed(account: VppAccount, ann: VppUser) -> None:
    batch = invite(ann)
    turned(account)
    OutgoingMail.objects.all().delete()

    turned(account, batch)

    assert BatchItem.objects.get(batch=batch).message == inviting.FORGOTTEN


def test_while_mails_are_on_their_way_the_worker_sleeps(account: VppAccount, ann: VppUser) -> None:
    invite(ann)

    turned(account)

    writer = Writer.objects.get(account=account)
    wait = writer.next_work_at - timezone.now()
    assert inviting.LOOK_AGAIN - timedelta(seconds=30) < wait <= inviting.LOOK_AGAIN
    assert not Writer.objects.due().exists()


def test_without_invitations_the_worker_is_not_called_again(account: VppAccount) -> None:
    Writer.objects.create(account=account, organization=account.organization)

    turned(account)

    assert Writer.objects.get(account=account).next_work_at is None


def test_the_last_mail_decides_when_somebody_was_written_to_before(
    account: VppAccount, ann: VppUser
) -> None:
    earlier = InvitationFactory(user=ann, mails=3)
    batch = invite(ann)
    turned(account)

    send_mail()

    batch.refresh_from_db()
    earlier.refresh_from_db()
    assert (batch.succeeded, earlier.mails, Invitation.objects.count()) == (1, 4, 1)


def test_who_invited_is_who_began_the_batch(account: VppAccount, ann: VppUser, by: Any) -> None:
    made = plan([ann], account)
    batches.start(by=by, membership=None, plan=made)

    turned(account)

    invitation = Invitation.objects.get()
    assert (invitation.actor_kind, invitation.actor_id) == (by.kind, by.id)


def test_many_are_written_to_a_few_hundred_at_a_time(
    fake: FakeApple, account: VppAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"person{number}" for number in range(7)]
    registered(fake, account, *names)
    monkeypatch.setattr(inviting, "AT_A_TIME", 3)
    monkeypatch.setattr(inviting, "_WINDOW", inviting._WINDOW.replace("LIMIT 5000", "LIMIT 5"))

    batch = invite(*VppUser.objects.filter(account=account))
    turned(account, batch)
    send_mail()

    batch.refresh_from_db()
    assert (batch.succeeded, sorted(addressed())) == (7, [f"{n}@example.org" for n in names])


# --- People on their way --------------------------------------------------------------------------


def test_whom_apple_does_not_know_is_registered_first(fake: FakeApple, account: VppAccount) -> None:
    new = newcomer(account)

    batch = invite(new)
    drain(account, fake)
    send_mail()

    batch.refresh_from_db()
    assert (batch.state, batch.succeeded) == (BatchState.FINISHED, 1)
    assert addressed() == ["new@example.org"]
    assert Batch.objects.get(kind="register").succeeded == 1


def test_whom_apple_refuses_is_not_invited(fake: FakeApple, account: VppAccount) -> None:
    fake.change_settings({"managedDomains": ["school.example"]})
    new = newcomer(account, managed_apple_account="new@elsewhere.example")

    batch = invite(new)
    drain(account, fake)

    item = BatchItem.objects.get(batch=batch)
    assert (item.state, item.message) == ("failed", Reason.REGISTRATION_FAILED.sentence)
    assert not OutgoingMail.objects.exists()


def test_who_is_associated_at_once_needs_no_mail(fake: FakeApple, account: VppAccount) -> None:
    new = newcomer(account, managed_apple_account="new@school.example")

    batch = invite(new)
    drain(account, fake)

    item = BatchItem.objects.get(batch=batch)
    assert (item.state, item.message) == ("skipped", Reason.ACCEPTED.sentence)


def test_who_loses_the_address_is_skipped(account: VppAccount, ann: VppUser) -> None:
    batch = invite(ann)
    VppUser.objects.filter(pk=ann.pk).update(email="")

    turned(account)

    item = BatchItem.objects.get(batch=batch)
    assert (item.state, item.message) == ("skipped", Reason.NO_ADDRESS.sentence)


def test_who_is_retired_meanwhile_is_not_invited(account: VppAccount, ann: VppUser) -> None:
    batch = invite(ann)
    wish = batches.wish_for(kind="retire", users=[ann])
    made = batches.make_plan(by=BY, membership=None, account=account, wish=wish)

    start(made)
    turned(account, batch)

    assert (batch.state, batch.cancelled) == (BatchState.FINISHED, 1)
    assert not OutgoingMail.objects.exists()


def test_a_registration_that_was_cancelled_is_begun_again_for_who_is_invited(
    fake: FakeApple, account: VppAccount
) -> None:
    new = newcomer(account)
    batch = invite(new)
    batches.cancel(by=BY, batch=Batch.objects.get(kind="register"))

    drain(account, fake)

    assert states(batch) == {new.client_user_id: "sent"}


def test_what_is_not_written_can_be_cancelled(account: VppAccount, ann: VppUser) -> None:
    batch = invite(ann)

    assert batches.cancel(by=BY, batch=batch) == 1
    turned(account, batch)

    assert (batch.state, batch.cancelled) == (BatchState.CANCELLED, 1)
    assert BatchItem.objects.get(batch=batch).message == "Cancelled before the mail was written."
    assert not OutgoingMail.objects.exists()


def test_who_was_withdrawn_gets_a_new_invitation(
    account: VppAccount, ann: VppUser, by: Any
) -> None:
    invite(ann)
    turned(account)
    send_mail()
    withdraw(by=by, invitation=Invitation.objects.get())

    invite(ann)
    turned(account)
    send_mail()

    endings = Invitation.objects.order_by("pk").values_list("ending", flat=True)
    assert (list(endings), addressed()) == (["withdrawn", ""], ["ann@example.org"] * 2)


# --- Whatever is wrong with Apple -----------------------------------------------------------------


@pytest.mark.parametrize("state", [AccountState.EXPIRED, AccountState.READ_ONLY])
def test_mail_goes_out_while_the_account_takes_no_changes(
    state: AccountState, fake: FakeApple, account: VppAccount, ann: VppUser
) -> None:
    new = newcomer(account)
    VppAccount.objects.filter(pk=account.pk).update(state=state)

    batch = invite(ann, new)
    turned(account, batch)
    send_mail()
    turned(account, batch)

    assert addressed() == ["ann@example.org"]
    assert states(batch) == {"ann": "succeeded", new.client_user_id: "planned"}
    assert batch.state == BatchState.PAUSED


def test_mail_goes_out_while_apple_wants_to_be_left_alone(
    fake: FakeApple, account: VppAccount, ann: VppUser
) -> None:
    batch = invite(ann)
    Writer.objects.filter(account=account).update(not_before=timezone.now() + timedelta(hours=1))

    batches.run(account_id=account.pk)
    send_mail()

    batch.refresh_from_db()
    assert (batch.state, batch.succeeded) == (BatchState.FINISHED, 1)


def test_mail_goes_out_in_the_turn_in_which_apple_fails(
    fake: FakeApple, account: VppAccount, ann: VppUser
) -> None:
    newcomer_batch = invite(newcomer(account))
    batch = invite(ann)
    fake.set_fault("overload", uid=account.uid, path="users/create")

    turned(account, batch, newcomer_batch)

    assert (batch.sent, batch.state) == (1, BatchState.RUNNING)
    assert newcomer_batch.state == BatchState.PAUSED


def test_nobody_is_written_to_twice_after_a_worker_has_died(
    account: VppAccount, ann: VppUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything of a mail is one transaction; before it nothing, after it all has happened."""
    batch = invite(ann)
    with monkeypatch.context() as patched:
        patched.setattr(inviting, "mail", _killed)
        with pytest.raises(KeyboardInterrupt):
            turn(account)
    assert not OutgoingMail.objects.exists()

    Writer.objects.filter(account=account).update(lease_until=F("lease_until") - timedelta(days=1))
    turned(account)
    turned(account)
    send_mail()

    batch.refresh_from_db()
    assert (batch.succeeded, addressed()) == (1, ["ann@example.org"])


def _killed(*_: object, **__: object) -> int:
    raise KeyboardInterrupt


# --- Asked for by others --------------------------------------------------------------------------


def test_whoever_adds_people_can_have_them_invited(
    fake: FakeApple, account: VppAccount, ann: VppUser, by: Any
) -> None:
    new = newcomer(account)
    wanted = {"account": account, "user_ids": [ann.pk, new.pk], "by": by}

    batch_id = hooks.announce(hooks.invitations_wanted, **wanted)
    drain(account, fake)
    send_mail()

    batch = Batch.objects.get(pk=batch_id)
    assert (batch.kind, batch.about, batch.actor_id) == ("invite", "2 people", by.id)
    assert sorted(addressed()) == ["ann@example.org", "new@example.org"]


def test_nobody_to_invite_makes_no_batch(account: VppAccount, by: Any) -> None:
    done = VppUserFactory(account=account, apple_status="Associated")

    wanted = {"account": account, "user_ids": [done.pk], "by": by}

    assert hooks.announce(hooks.invitations_wanted, **wanted) is None
    assert not Batch.objects.exists()
