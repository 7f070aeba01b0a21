"""Reminders: who is written to again, when, and that it happens once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail as django_mail
from django.db import connections, transaction
from django.utils import timezone

from organizations.models import OutgoingMail
from organizations.tasks import send_mail
from tests.factories import (
    InvitationFactory,
    OrganizationFactory,
    OwnerFactory,
    VppAccountFactory,
)
from users.invitations import giving, reminders
from users.models import Invitation, InvitationSettings
from users.tasks import remind_due
from vpp_accounts.models import AccountState, VppAccount

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def account(db: None) -> VppAccount:
    return account_with(first=7, second=3)


def account_with(first: int | None, second: int | None = None) -> VppAccount:
    organization = OrganizationFactory()
    InvitationSettings.objects.create(
        organization=organization, first_reminder_days=first, second_reminder_days=second
    )
    return VppAccountFactory(organization=organization)


def invited(account: VppAccount, **fields: Any) -> Invitation:
    """Their mail went out at noon."""
    owner = OwnerFactory(organization=account.organization)
    values = {"mails": 1, "sent_at": NOON, "last_sent_at": NOON, "user__owner": owner} | fields
    return InvitationFactory(user__account=account, **values)


def subjects() -> list[str]:
    return [mail.subject.split(":")[0] for mail in django_mail.outbox]


def test_two_reminders_each_after_its_days(
    account: VppAccount, clock: time_machine.Traveller
) -> None:
    invitation = invited(account)
    reminded: dict[int, int] = {}

    for day in range(40):
        clock.move_to(NOON + day * DAY)
        count = remind_due()
        send_mail()
        reminded |= {day: count} if count else {}

    invitation.refresh_from_db()
    assert reminded == {7: 1, 10: 1}
    assert subjects() == ["Reminder", "Reminder"]
    assert (invitation.mails, invitation.reminders, invitation.last_sent_at) == (
        3,
        2,
        NOON + 10 * DAY,
    )


@pytest.mark.parametrize(
    ("first", "second", "reminded"), [(None, None, 0), (7, None, 1), (7, 3, 2), (60, 60, 1)]
)
def test_as_many_as_the_organization_wants(
    first: int | None, second: int | None, reminded: int, clock: time_machine.Traveller
) -> None:
    invited(account_with(first, second))

    for day in range(100):  # the link is valid for 90
        clock.move_to(NOON + day * DAY)
        remind_due()
        send_mail()

    assert len(subjects()) == reminded


def test_an_organization_that_never_chose_sends_none(clock: time_machine.Traveller) -> None:
    invited(VppAccountFactory())
    clock.shift(50 * DAY)

    assert remind_due() == 0


@pytest.mark.parametrize(
    "why",
    [
        {"sent_at": None, "last_sent_at": None},
        {"bounced_at": NOON},
        {"ended_at": NOON, "ending": "withdrawn"},
        {"expires_at": NOON + 7 * DAY},
        {"last_sent_at": NOON + timedelta(seconds=1)},
        {"reminders": 2},
        {"user__apple_status": "Associated"},
        {"user__apple_status": "Retired"},
        {"user__apple_status": ""},
        {"user__failure": "The mail server refused this address: 550 Unknown"},
        {"user__owner": None, "user__email": ""},
    ],
    ids=lambda why: (
        " ".join(f"{name}={value}" for name, value in why.items() if name[-3:] != "_at")
        or next(iter(why))
    ),
)
def test_who_is_not_reminded(
    why: dict[str, Any], account: VppAccount, clock: time_machine.Traveller
) -> None:
    left_alone, reminded = invited(account, **why), invited(account)
    clock.move_to(NOON + 7 * DAY)

    count = remind_due()

    assert count == 1
    assert _reminders(left_alone, reminded) == [left_alone.reminders, 1]


@pytest.mark.parametrize(
    ("state", "count"),
    [
        (AccountState.IN_SYNC, 1),
        (AccountState.SYNC_FAILED, 1),
        (AccountState.READ_ONLY, 1),
        (AccountState.EXPIRED, 0),
        (AccountState.REVOKED, 0),
        (AccountState.CLAIMED, 0),
    ],
)
def test_reminders_wait_while_the_account_is_stopped(
    state: AccountState, count: int, account: VppAccount, clock: time_machine.Traveller
) -> None:
    invited(account)
    VppAccount.objects.update(state=state)
    clock.shift(8 * DAY)

    assert remind_due() == count


def test_no_second_one_while_the_first_still_waits_for_the_mail_server(
    account: VppAccount, clock: time_machine.Traveller
) -> None:
    invitation = invited(account)
    clock.move_to(NOON + 7 * DAY)

    counts = [remind_due(), remind_due()]  # after seven days three are over, too

    assert (counts, _reminders(invitation)) == ([1, 0], [1])
    assert OutgoingMail.objects.count() == 1


def test_none_right_after_an_admin_has_sent_it_again(
    account: VppAccount, clock: time_machine.Traveller
) -> None:
    invitation = invited(account)
    clock.move_to(NOON + 6 * DAY)
    with transaction.atomic():
        giving.mail([invitation], account=account)
    send_mail()
    reminded: list[int] = []

    for day in (7, 12, 13):
        clock.move_to(NOON + day * DAY)
        reminded.append(remind_due())

    assert reminded == [0, 0, 1]


def test_none_for_a_mail_that_went_out_without_our_hearing_of_it(
    account: VppAccount, clock: time_machine.Traveller
) -> None:
    invitation = invited(account)
    clock.move_to(NOON + 7 * DAY)
    remind_due()
    OutgoingMail.objects.update(sent_at=timezone.now(), next_attempt_at=None)

    assert (remind_due(), _reminders(invitation)) == (0, [1])


def test_each_organization_by_its_own_days(clock: time_machine.Traveller) -> None:
    early, late = invited(account_with(2)), invited(account_with(5))
    clock.move_to(NOON + 3 * DAY)

    remind_due()

    assert _reminders(early, late) == [1, 0]


def test_more_than_one_transaction_takes(
    account: VppAccount, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "AT_ONCE", 2)
    invitations = [invited(account) for _ in range(5)]
    clock.move_to(NOON + 7 * DAY)

    assert (remind_due(), _reminders(*invitations)) == (5, [1] * 5)


@pytest.mark.parametrize("many", [1, 40])
def test_however_many_are_reminded_it_takes_a_few_statements(
    many: int,
    account: VppAccount,
    clock: time_machine.Traveller,
    django_assert_num_queries: Any,
) -> None:
    for _ in range(many):
        invited(account)
    clock.move_to(NOON + 7 * DAY)

    # Which accounts; then twice, the second time for nothing: savepoint, account, claim, who, release;
    # and the mails themselves.
    with django_assert_num_queries(1 + 2 * 5 + 6):
        remind_due()

    assert OutgoingMail.objects.count() == many


@pytest.mark.django_db(transaction=True)
def test_workers_at_the_same_time_remind_once() -> None:
    account = account_with(first=7, second=3)
    for _ in range(20):
        invited(account, last_sent_at=NOON - 30 * DAY)

    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _: _in_a_thread(account.pk), range(4)))

    assert sum(counts) == 20
    assert set(Invitation.objects.values_list("reminders", "mails")) == {(1, 2)}
    assert OutgoingMail.objects.count() == 20


def _in_a_thread(account_id: int) -> int:
    try:
        return reminders.remind(account_id)
    finally:
        connections.close_all()


def _reminders(*invitations: Invitation) -> list[int]:
    found = Invitation.objects.in_bulk([invitation.pk for invitation in invitations])
    return [found[invitation.pk].reminders for invitation in invitations]
