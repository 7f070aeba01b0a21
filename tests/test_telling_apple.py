"""Telling Apple of people: whole districts registered, and what is said of them changed."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from licensing import batches
from licensing.batches.calls import Planned, plan_calls
from licensing.batches.people import Person, is_done
from licensing.batches.refusals import NothingToRetry
from licensing.batches.registering import register, update
from licensing.models import Batch, BatchItem, BatchKind, BatchState, ItemState
from organizations.audit import Actor
from organizations.models import Owner
from tests.draining import BY, drain, states, synced, turn
from tests.factories import OwnerFactory, VppAccountFactory, VppUserFactory
from tests.notifying import subscribe, told
from users.models import VppUser
from users.services import PersonDetails, add_person, edit_person
from users.states import PersonStatus, status_of
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.apple.types import Limits
from vpp_accounts.models import VppAccount

ELSEWHERE = (
    "The Managed Apple Account is unknown, or belongs to another organization than the token."
)
TAKEN = "This Managed Apple Account belongs to another person of this location already."


@pytest.fixture
def ada(fake: FakeApple, account: VppAccount, by: Actor) -> VppUser:
    """Somebody whom Apple knows, who has not accepted yet."""
    user = add_person(by=by, account=account, details=PersonDetails(email="ada@example.org"))
    drain(account, fake)
    user.refresh_from_db()
    return user


def at_apple(fake: FakeApple, account: VppAccount) -> list[tuple[str, str, str]]:
    users = fake.location(account.uid).users
    return [(user.email, user.status, user.apple_account) for user in users]


def writes(fake: FakeApple, path: str) -> int:
    return sum(entry.path.endswith(path) and entry.method == "POST" for entry in fake.journal)


def people_of(account: VppAccount, number: int) -> list[int]:
    """Added by an import, not known to Apple."""
    users = [
        VppUser(
            organization=account.organization,
            account=account,
            client_user_id=f"user-{n:05}",
            email=f"{n}@example.org",
        )
        for n in range(number)
    ]
    return [user.pk for user in VppUser.objects.bulk_create(users)]


# --- Registering ----------------------------------------------------------------------------------


def test_fifty_thousand_people_take_five_hundred_calls() -> None:
    items = [Planned(n, "register", None, f"user-{n}", is_device=False) for n in range(50_000)]

    calls = plan_calls(items, Limits())

    assert (len(calls), {call.tasks for call in calls}) == (500, {100})
    assert sorted(pk for call in calls for pk in call.item_ids) == list(range(50_000))


def test_whole_schools_are_registered_in_full_calls(fake: FakeApple, account: VppAccount) -> None:
    fake.settings.limits["maxUsers"] = 30
    ids = people_of(account, 120)

    batch = register(by=BY, account=account, users=ids)
    drain(account, fake)

    batch.refresh_from_db()
    assert (batch.about, batch.state, batch.succeeded) == ("120 people", BatchState.FINISHED, 120)
    assert (batch.calls, writes(fake, "users/create")) == (4, 4)
    known = VppUser.objects.exclude(registered_at=None).exclude(invite_code_digest="")
    assert known.filter(apple_status="Registered").count() == 120


@pytest.mark.parametrize("by_query", [True, False])
def test_many_people_take_as_few_statements_as_one(
    account: VppAccount, django_assert_max_num_queries: Any, *, by_query: bool
) -> None:
    ids = people_of(account, 300)
    users: Any = VppUser.objects.filter(pk__in=ids) if by_query else ids

    with django_assert_max_num_queries(20):
        batch = register(by=BY, account=account, users=users)

    assert batch.planned == 300


def test_who_is_being_registered_is_not_registered_twice(account: VppAccount) -> None:
    one, two = people_of(account, 2)

    first = register(by=BY, account=account, users=[one])
    second = register(by=BY, account=account, users=[one, two])
    third = register(by=BY, account=account, users=[one, two])

    assert [batch and batch.planned for batch in (first, second, third)] == [1, 1, None]
    assert Batch.objects.count() == 2


def test_only_people_of_the_account_whom_apple_does_not_know_are_registered(
    account: VppAccount, ada: VppUser
) -> None:
    stranger = VppUserFactory(account__organization=account.organization, apple_status="")

    assert register(by=BY, account=account, users=[ada.pk, stranger.pk]) is None
    assert update(by=BY, account=stranger.account, users=[ada.pk, stranger.pk]) is None


def test_a_failed_registration_is_tried_again(
    fake: FakeApple, account: VppAccount, by: Actor
) -> None:
    fake.change_settings({"managedDomains": ["school.example"]})
    details = PersonDetails(email="ada@example.org", managed_apple_account="ada@elsewhere.example")
    ada = add_person(by=by, account=account, details=details)
    drain(account, fake)
    [failed] = Batch.objects.all()
    fake.change_settings({"managedDomains": []})

    again = batches.retry(by=by, membership=None, batch=failed)
    drain(account, fake)

    ada.refresh_from_db()
    assert (again.kind, again.retry_of, again.planned) == (BatchKind.REGISTER, failed, 1)
    assert (ada.apple_status, ada.failure) == ("Associated", "")
    assert ada.registered_at == ada.associated_at
    assert batches.retry(by=by, membership=None, batch=failed) == again


def test_what_apple_refused_them_for_is_put_right(
    fake: FakeApple, account: VppAccount, by: Actor
) -> None:
    fake.change_settings({"managedDomains": ["school.example"]})
    details = PersonDetails(email="ada@example.org", managed_apple_account="ada@elsewhere.example")
    ada = add_person(by=by, account=account, details=details)
    drain(account, fake)
    ada.refresh_from_db()
    refused = (status_of(ada), ada.failure)

    edit_person(by=by, user=ada, details=PersonDetails(managed_apple_account="ada@school.example"))
    drain(account, fake)

    ada.refresh_from_db()
    assert refused == (PersonStatus.FAILED, ELSEWHERE)
    assert (status_of(ada), ada.failure) == (PersonStatus.ASSOCIATED, "")


# --- Changing what is said ------------------------------------------------------------------------


@pytest.mark.parametrize("is_told", [False, True])
def test_apple_is_told_another_address(
    fake: FakeApple, account: VppAccount, by: Actor, ada: VppUser, *, is_told: bool
) -> None:
    synced(account)
    if is_told:
        subscribe(fake, account)

    edit_person(by=by, user=ada, details=PersonDetails(email="lovelace@example.org"))
    turn(account)
    told(fake, account)
    drain(account, fake)

    batch = Batch.objects.get(kind=BatchKind.UPDATE)
    ada.refresh_from_db()
    assert (batch.actor_name, batch.about, batch.state) == (by.name, "1 person", "finished")
    assert states(batch) == {ada.client_user_id: "succeeded"}
    assert ada.email == "lovelace@example.org"
    assert at_apple(fake, account) == [("lovelace@example.org", "Registered", "")]


def test_a_managed_apple_account_associates_whom_apple_knows(
    fake: FakeApple, account: VppAccount, by: Actor, ada: VppUser
) -> None:
    edit_person(by=by, user=ada, details=PersonDetails(managed_apple_account="ada@school.example"))
    drain(account, fake)

    ada.refresh_from_db()
    assert (ada.apple_status, bool(ada.associated_at)) == ("Associated", True)
    assert at_apple(fake, account) == [("ada@example.org", "Associated", "ada@school.example")]


def test_what_apple_need_not_know_is_not_told(
    fake: FakeApple, account: VppAccount, by: Actor, ada: VppUser
) -> None:
    edit_person(by=by, user=ada, details=PersonDetails(name="Ada", username="ada"))

    ada.refresh_from_db()
    assert ada.name == "Ada"
    assert not Batch.objects.filter(kind=BatchKind.UPDATE).exists()


def test_every_account_of_a_person_is_told(
    fake: FakeApple, account: VppAccount, by: Actor, ada: VppUser
) -> None:
    location = fake.create_location(name="South")
    south = VppAccountFactory(
        organization=account.organization, uid=location.uid, token=location.issue_token()
    )
    there = add_person(by=by, account=south, details=PersonDetails(), owner=ada.owner)
    drain(south, fake)
    retired = VppUserFactory(
        account__organization=account.organization, owner=ada.owner, apple_status="Retired"
    )

    edit_person(by=by, user=ada, details=PersonDetails(email="b@example.org", name="Byron"))
    drain(account, fake)
    drain(south, fake)

    told_to = Batch.objects.filter(kind=BatchKind.UPDATE).values_list("account", flat=True)
    assert set(told_to) == {account.pk, south.pk}
    assert at_apple(fake, account) == at_apple(fake, south) == [("b@example.org", "Registered", "")]
    names = VppUser.objects.filter(pk__in=[ada.pk, there.pk, retired.pk])
    assert set(names.values_list("name", flat=True)) == {"Byron"}


@pytest.mark.parametrize("accepted", [False, True])
def test_what_apple_refuses_to_change_is_said_until_it_is_right(
    fake: FakeApple, account: VppAccount, by: Actor, ada: VppUser, *, accepted: bool
) -> None:
    fake.add_users(account.uid, [{"clientUserId": "u", "appleAccount": "taken@school.example"}])
    if accepted:
        fake.accept_invitation(ada.invite_code, "ada@icloud.test")
    synced(account)

    edit_person(
        by=by, user=ada, details=PersonDetails(managed_apple_account="taken@school.example")
    )
    drain(account, fake)
    ada.refresh_from_db()
    refused = (status_of(ada), ada.failure)
    edit_person(by=by, user=ada, details=PersonDetails(managed_apple_account="ada@school.example"))
    drain(account, fake)

    ada.refresh_from_db()
    failed = BatchItem.objects.get(kind=BatchKind.UPDATE, state=ItemState.FAILED)
    assert (failed.error_number, failed.message) == (9641, TAKEN)
    assert refused == (PersonStatus.ASSOCIATED if accepted else PersonStatus.FAILED, TAKEN)
    assert (status_of(ada), ada.failure) == (PersonStatus.ASSOCIATED, "")


def test_an_address_that_apple_does_not_take_fails_alone(
    fake: FakeApple, account: VppAccount, by: Actor, ada: VppUser
) -> None:
    ben = add_person(by=by, account=account, details=PersonDetails(email="ben@example.org"))
    drain(account, fake)
    Owner.objects.filter(pk=ada.owner_id).update(email="ada at home")
    Owner.objects.filter(pk=ben.owner_id).update(email="b@example.org")

    batch = update(by=by, account=account, users=[ada.pk, ben.pk])
    drain(account, fake)

    ada.refresh_from_db()
    assert states(batch) == {ada.client_user_id: "failed", ben.client_user_id: "succeeded"}
    assert ada.failure == "Apple does not accept this e-mail address."
    assert at_apple(fake, account)[1][0] == "b@example.org"


def test_whom_apple_has_lost_is_to_be_registered_again(
    fake: FakeApple, account: VppAccount, by: Actor, ada: VppUser
) -> None:
    fake.retire(fake.location(account.uid), fake.location(account.uid).users)

    batch = update(by=by, account=account, users=[ada.pk])
    drain(account, fake)

    assert states(batch) == {ada.client_user_id: "failed"}
    assert BatchItem.objects.get(batch=batch).error_number == 9609


def test_a_lost_update_is_found_at_apple(
    fake: FakeApple, account: VppAccount, by: Actor, ada: VppUser
) -> None:
    fake.set_fault("answer_lost", uid=account.uid, path="users/update", times=1)
    fake.journal.clear()

    edit_person(by=by, user=ada, details=PersonDetails(email="lovelace@example.org"))
    drain(account, fake)

    assert states(Batch.objects.get(kind=BatchKind.UPDATE)) == {ada.client_user_id: "succeeded"}
    assert writes(fake, "users/update") == 1


def test_what_is_said_while_apple_is_being_told_is_told_afterwards(
    fake: FakeApple, account: VppAccount, by: Actor, ada: VppUser
) -> None:
    """Nobody can see at Apple which Managed Apple Account it is."""
    edit_person(by=by, user=ada, details=PersonDetails(managed_apple_account="a@school.example"))
    turn(account)

    edit_person(by=by, user=ada, details=PersonDetails(managed_apple_account="b@school.example"))
    sent = Batch.objects.filter(kind=BatchKind.UPDATE).count()
    drain(account, fake)
    drain(account, fake)

    first, second = Batch.objects.filter(kind=BatchKind.UPDATE).order_by("pk")
    assert (sent, first.sent, first.succeeded, second.succeeded) == (1, 0, 1, 1)
    assert at_apple(fake, account) == [("ada@example.org", "Associated", "b@school.example")]
    assert not VppUser.objects.filter(tell_again=True).exists()


def test_what_is_said_before_it_is_sent_is_told_at_once(
    fake: FakeApple, account: VppAccount, by: Actor, ada: VppUser
) -> None:
    fake.journal.clear()
    for email in ("one@example.org", "two@example.org"):
        edit_person(by=by, user=ada, details=PersonDetails(email=email))

    drain(account, fake)

    assert writes(fake, "users/update") == Batch.objects.filter(kind=BatchKind.UPDATE).count() == 1
    assert at_apple(fake, account) == [("two@example.org", "Registered", "")]


def test_one_thing_about_a_person_waits_for_the_other(
    fake: FakeApple, account: VppAccount, by: Actor
) -> None:
    """Registered, and changed before Apple has said how that ended."""
    ada = add_person(by=by, account=account, details=PersonDetails(email="ada@example.org"))
    turn(account)
    VppUser.objects.update(apple_status="Registered")
    batch = update(by=by, account=account, users=[ada.pk])

    turn(account)
    meanwhile = (states(batch), writes(fake, "users/update"))
    drain(account, fake)

    assert meanwhile == ({ada.client_user_id: "planned"}, 0)
    assert states(batch) == {ada.client_user_id: "succeeded"}


def test_what_failed_to_be_told_is_told_again(
    fake: FakeApple, account: VppAccount, by: Actor, ada: VppUser
) -> None:
    fake.change_settings({"managedDomains": ["school.example"]})
    edit_person(by=by, user=ada, details=PersonDetails(managed_apple_account="a@other.example"))
    drain(account, fake)
    failed = Batch.objects.get(kind=BatchKind.UPDATE)
    fake.change_settings({"managedDomains": []})

    again = batches.retry(by=by, membership=None, batch=failed)
    drain(account, fake)

    ada.refresh_from_db()
    assert (again.retry_of, again.kind) == (failed, BatchKind.UPDATE)
    assert (ada.apple_status, ada.failure) == ("Associated", "")


def test_nothing_is_told_again_of_who_was_retired_since(
    fake: FakeApple, account: VppAccount, by: Actor, ada: VppUser
) -> None:
    fake.change_settings({"managedDomains": ["school.example"]})
    edit_person(by=by, user=ada, details=PersonDetails(managed_apple_account="a@other.example"))
    drain(account, fake)
    VppUser.objects.update(apple_status="Retired")

    with pytest.raises(NothingToRetry), transaction.atomic():
        batches.retry(by=by, membership=None, batch=Batch.objects.get(kind=BatchKind.UPDATE))


def test_somebody_found_at_apple_is_told_of_by_what_differs_only(
    fake: FakeApple, account: VppAccount, by: Actor
) -> None:
    """Tying them to the owner with their address tells Apple nothing new."""
    OwnerFactory(organization=account.organization, email="ada@example.org")
    ben = OwnerFactory(organization=account.organization, email="ben@example.org")
    Owner.objects.filter(pk=ben.pk).update(managed_apple_account="ben@school.example")
    users = [
        VppUserFactory(account=account, email=f"{name}@example.org") for name in ("ada", "ben")
    ]

    for user in users:
        edit_person(by=by, user=user, details=PersonDetails(name="Somebody"))

    assert list(BatchItem.objects.values_list("holder")) == [(users[1].client_user_id,)]


@pytest.mark.parametrize(
    ("kind", "person", "expected"),
    [
        ("register", Person("Registered", ""), True),
        ("register", Person("Associated", ""), True),
        ("register", Person("", ""), False),
        ("register", Person("Retired", ""), False),
        ("retire", Person("Retired", ""), True),
        ("retire", Person("Deleted", ""), True),
        ("retire", Person("Associated", ""), False),
        ("update", Person("Registered", "Ada@example.org", "ada@example.org"), True),
        ("update", Person("Registered", "x@example.org", "ada@example.org"), False),
        ("update", Person("Registered", "x@example.org", "ada@example.org", "", True), True),
        ("update", Person("Registered", "", "", "ada@school.example"), False),
        ("update", Person("Associated", "", "", "ada@school.example"), True),
        ("update", Person("Retired", "ada@example.org", "ada@example.org"), False),
        ("update", Person("Registered", ""), True),
    ],
)
def test_reading_back_decides(kind: str, person: Person, *, expected: bool) -> None:
    assert is_done(kind, person) is expected
