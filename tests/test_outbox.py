"""The mail outbox: each mail once, whatever the mail server and the workers do."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.core import mail as django_mail
from django.db import connections, transaction
from django.utils import timezone

from organizations import hooks, outbox
from organizations.models import Organization, OutgoingMail
from organizations.outbox import Letter
from organizations.tasks import forget_old_records, send_mail
from tests.factories import OrganizationFactory
from tests.smtp_server import MailServer, mail_server

NOON = datetime(2026, 11, 12, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def server(settings: LazySettings) -> Iterator[MailServer]:
    """A real mail server, instead of Django's list in memory."""
    with mail_server() as running:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", running.port
        yield running


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def post(organization: Organization, *to: str, **changes: Any) -> int:
    told = {"key": "greeting", "subject": "Hello", "text": "Good morning", **changes}
    return outbox.post(organization=organization, to=to, **told)


def outcomes() -> dict[str, tuple[bool, str, timedelta | None]]:
    """Address → sent, error, and how long until the next attempt."""
    now = timezone.now()
    return {
        mail.to: (
            mail.sent_at is not None,
            mail.error,
            mail.next_attempt_at - now if mail.next_attempt_at else None,
        )
        for mail in OutgoingMail.objects.order_by("pk")
    }


SENT = (True, "", None)


# --- Posting --------------------------------------------------------------------------------------


def test_a_mail_of_one_key_goes_to_an_address_once(organization: Organization) -> None:
    counts = [
        post(organization, "a@example.org", " A@Example.org ", "b@example.org"),
        post(organization, "a@example.org", "c@example.org"),
        post(organization, "a@example.org", key="another"),
        post(OrganizationFactory(), "a@example.org"),
    ]

    sent = send_mail()

    assert (counts, sent) == ([2, 1, 1, 1], 5)
    assert [(m.to, m.subject) for m in django_mail.outbox] == [
        (["a@example.org"], "Hello"),
        (["b@example.org"], "Hello"),
        (["c@example.org"], "Hello"),
        (["a@example.org"], "Hello"),
        (["a@example.org"], "Hello"),
    ]


def test_posting_again_after_it_was_sent_sends_nothing(organization: Organization) -> None:
    post(organization, "a@example.org")
    send_mail()

    again = (post(organization, "a@example.org"), send_mail())

    assert (again, len(django_mail.outbox)) == ((0, 0), 1)


def test_letters_with_a_key_each_go_out_once_each(
    organization: Organization, django_assert_num_queries: Any
) -> None:
    letters = [(f"greeting:{n}", Letter("a@example.org", f"Hello {n}", "")) for n in range(300)]
    outbox.post_keyed(organization=organization, letters=letters[:2])

    with django_assert_num_queries(2):
        new = outbox.post_keyed(organization=organization, letters=letters)

    send_mail()
    assert new == 298
    assert [m.subject for m in django_mail.outbox] == [f"Hello {n}" for n in range(300)]


def test_nothing_is_mailed_about_what_was_rolled_back(organization: Organization) -> None:
    with transaction.atomic():
        post(organization, "a@example.org")
        transaction.set_rollback(True)

    assert send_mail() == 0


def test_the_doorbell_rings_after_the_commit_and_only_for_something_new(
    organization: Organization, django_capture_on_commit_callbacks: Any
) -> None:
    rung: list[type] = []
    hooks.mail_posted.connect(ring := lambda sender, **kwargs: rung.append(sender))

    with django_capture_on_commit_callbacks(execute=True):
        post(organization, "a@example.org", "b@example.org")
        before = list(rung)
    with django_capture_on_commit_callbacks(execute=True):
        post(organization, "a@example.org")
    hooks.mail_posted.disconnect(ring)

    assert (before, rung) == ([], [OutgoingMail])


@pytest.mark.parametrize(
    ("subject", "line"),
    [
        ("Hello\r\nBcc: everybody@example.com", "Hello Bcc: everybody@example.com"),
        ("North\u2028: token\texpires", "North : token expires"),
        ("x" * 300, "x" * 200),
    ],
)
def test_a_subject_stays_one_line(subject: str, line: str, organization: Organization) -> None:
    post(organization, "a@example.org", subject=subject)

    send_mail()

    (sent,) = django_mail.outbox
    assert (sent.subject, sent.recipients()) == (line, ["a@example.org"])


# --- Sending --------------------------------------------------------------------------------------


def test_many_mails_go_over_one_connection(organization: Organization, server: MailServer) -> None:
    letters = [
        Letter(
            f"p{n}@example.org", "Hello", f"Good morning, {n}", f"<p>{n}</p>", {"X-Number": f"{n}"}
        )
        for n in range(5)
    ]
    outbox.post_letters(organization=organization, key="greeting", letters=letters)

    sent = send_mail()

    assert (sent, server.sessions) == (5, 1)
    assert [
        (
            m["To"],
            m["X-Number"],
            m["Auto-Submitted"],
            *(p.get_content().strip() for p in m.iter_parts()),
        )
        for m in server.accepted
    ] == [
        (f"p{n}@example.org", f"{n}", "auto-generated", f"Good morning, {n}", f"<p>{n}</p>")
        for n in range(5)
    ]


def test_what_was_sent_is_not_kept(organization: Organization) -> None:
    post(organization, "a@example.org", html="<p>secret</p>", headers={"X-Link": "secret"})

    send_mail()

    (kept,) = OutgoingMail.objects.values_list("text", "html", "headers", "attempts")
    assert kept == ("", "", {}, 1)
    assert outcomes() == {"a@example.org": SENT}


def test_a_mail_that_is_sent_twice_by_a_crash_is_recognised_as_one(
    organization: Organization, server: MailServer
) -> None:
    post(organization, "a@example.org")
    crashed = outbox.claim()
    with outbox.get_connection() as connection:
        outbox.send(crashed[0], connection)

    with time_machine.travel(timezone.now() + outbox.LEASE + MINUTE):
        send_mail()

    ids = [message["Message-ID"] for message in server.accepted]
    assert len(ids) == 2
    assert len(set(ids)) == 1


@pytest.mark.usefixtures("clock")
def test_a_refused_address_is_given_up_and_the_others_get_theirs(
    organization: Organization, server: MailServer
) -> None:
    server.replies["gone@example.org"] = "550 5.1.1 No such\x00 user"
    post(organization, "a@example.org", "gone@example.org", "z@example.org")

    sent = send_mail()

    assert sent == 2
    assert outcomes() == {
        "a@example.org": SENT,
        "gone@example.org": (
            False,
            "The mail server refused this address: 550 5.1.1 No such user",
            None,
        ),
        "z@example.org": SENT,
    }
    assert set(OutgoingMail.objects.values_list("text", flat=True)) == {""}


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("step", "reply", "error", "again"),
    [
        (
            "grey@example.org",
            "451 4.7.1 Greylisted",
            "The mail server refused this address: 451 4.7.1 Greylisted",
            MINUTE,
        ),
        ("DATA", "451 4.3.0 Busy", "The mail server refused this mail: 451 4.3.0 Busy", MINUTE),
        ("DATA", "554 5.7.1 Spam", "The mail server refused this mail: 554 5.7.1 Spam", None),
        (
            "MAIL",
            "550 5.7.1 Not from here",
            "The mail server refused the sender VPP Dashboard <vpp@localhost>: 550 5.7.1 Not from here",
            MINUTE,
        ),
        (
            "DATA",
            "hang up",
            "The mail server cannot be reached: Connection unexpectedly closed",
            MINUTE,
        ),
    ],
)
def test_what_the_mail_server_can_say(
    step: str,
    reply: str,
    error: str,
    again: timedelta | None,
    organization: Organization,
    server: MailServer,
) -> None:
    server.replies[step] = reply
    post(organization, "grey@example.org")

    sent = send_mail()

    assert sent == 0
    assert outcomes() == {"grey@example.org": (False, error, again)}


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("to", "headers"), [("a@example.org\nBcc: b@example.org", {}), ("a@example.org", {"X": "1\n2"})]
)
def test_a_mail_that_cannot_be_written_keeps_no_other(
    to: str, headers: dict[str, str], organization: Organization
) -> None:
    post(organization, to, headers=headers)
    post(organization, "z@example.org")

    sent = send_mail()

    unwritten, other = outcomes().values()
    assert (sent, other) == (1, SENT)
    assert (unwritten[0], unwritten[2]) == (False, None)
    assert unwritten[1].startswith(
        "This mail cannot be written: Header values can't contain newlines"
    )


def test_while_the_server_is_away_it_is_asked_once_a_sweep(
    organization: Organization, server: MailServer, clock: time_machine.Traveller
) -> None:
    server.replies["MAIL"] = "hang up"
    post(organization, *(f"p{n}@example.org" for n in range(outbox.GROUP + 1)))

    away = send_mail()
    waiting = list(outcomes().values())
    server.replies.clear()
    clock.shift(MINUTE)

    assert (away, server.sessions) == (0, 1)
    error = "The mail server cannot be reached: Connection unexpectedly closed"
    assert waiting == [(False, error, MINUTE)] * outbox.GROUP + [(False, "", timedelta())]
    assert send_mail() == outbox.GROUP + 1


def test_a_mail_is_tried_for_a_day_and_then_given_up(
    organization: Organization, server: MailServer, clock: time_machine.Traveller
) -> None:
    server.replies["MAIL"] = "421 4.3.2 Closing"
    post(organization, "a@example.org")
    pauses: list[float] = []

    while not pauses or pauses[-1]:
        send_mail()
        ((_, error, pause),) = outcomes().values()
        pauses.append((pause or timedelta()) / MINUTE)
        clock.shift(pause or timedelta())

    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 417, 0]
    assert sum(pauses) == 24 * 60
    assert (
        error
        == "The mail server refused the sender VPP Dashboard <vpp@localhost>: 421 4.3.2 Closing"
    )
    assert list(OutgoingMail.objects.values_list("text", "sent_at")) == [("", None)]


def test_higher_apps_hear_what_became_of_mails(
    organization: Organization, server: MailServer
) -> None:
    server.replies["gone@example.org"] = "550 Unknown"
    server.replies["grey@example.org"] = "451 Later"
    heard: list[list[tuple[str, bool, str]]] = []
    hear = lambda sender, mails, **kwargs: heard.append(  # noqa: E731
        [(mail.to, mail.sent_at is not None, mail.error) for mail in mails]
    )
    hooks.mail_settled.connect(hear)

    post(organization, "a@example.org", "gone@example.org", "grey@example.org")
    send_mail()
    hooks.mail_settled.disconnect(hear)

    assert heard == [
        [
            ("a@example.org", True, ""),
            ("gone@example.org", False, "The mail server refused this address: 550 Unknown"),
        ]
    ]


def test_who_hears_of_mails_and_fails_keeps_no_mail(
    organization: Organization, server: MailServer
) -> None:
    def fail(sender: Any, **kwargs: Any) -> None:
        raise RuntimeError

    hooks.mail_settled.connect(fail)

    post(organization, *(f"p{n}@example.org" for n in range(outbox.GROUP + 1)))
    sent = send_mail()
    hooks.mail_settled.disconnect(fail)

    assert sent == len(server.accepted) == outbox.GROUP + 1


# --- Leases and the limit -------------------------------------------------------------------------


def test_what_is_urgent_passes_a_thousand_others(
    organization: Organization, server: MailServer
) -> None:
    many = [
        (f"invitation:{n}", outbox.Letter(f"p{n}@example.org", "Come", "…", is_bulk=True))
        for n in range(outbox.GROUP)
    ]
    outbox.post_keyed(organization=organization, letters=many)
    post(organization, "admin@example.org")

    (first, *_) = outbox.claim()

    assert first.to == "admin@example.org"


def test_what_a_dead_worker_held_is_sent_after_its_lease(
    organization: Organization, clock: time_machine.Traveller
) -> None:
    post(organization, "a@example.org")
    outbox.claim()

    sent = [send_mail()]
    clock.shift(outbox.LEASE)
    sent.append(send_mail())

    assert sent == [0, 1]


@pytest.mark.usefixtures("clock")
def test_a_worker_that_was_thought_dead_does_not_spoil_the_work_of_the_next(
    organization: Organization, clock: time_machine.Traveller
) -> None:
    post(organization, "a@example.org")
    (held,) = outbox.claim()
    clock.shift(outbox.LEASE)
    outbox.claim()

    outbox.settle(held, outbox.Failure("The mail server refused this address", for_good=True))

    assert outcomes() == {"a@example.org": (False, "", outbox.LEASE)}
    assert OutgoingMail.objects.get().text == "Good morning"


def test_no_more_mails_leave_than_a_minute_may_have(
    organization: Organization, clock: time_machine.Traveller, settings: LazySettings
) -> None:
    settings.MAIL_PER_MINUTE = 30
    post(organization, *(f"p{n}@example.org" for n in range(70)))

    sent = [send_mail(), send_mail()]
    for seconds in (59, 1, 60):
        clock.shift(timedelta(seconds=seconds))
        sent.append(send_mail())

    assert sent == [30, 0, 0, 30, 10]


@pytest.mark.django_db(transaction=True)
def test_workers_share_the_mails_and_the_limit(settings: LazySettings) -> None:
    settings.MAIL_PER_MINUTE = 50
    post(OrganizationFactory(), *(f"p{n}@example.org" for n in range(70)))

    with ThreadPoolExecutor(4) as pool:
        claimed = list(pool.map(lambda _: claim_in_a_thread(), range(4)))

    ids = [mail.pk for mails in claimed for mail in mails]
    assert sorted(map(len, claimed)) == [0, 10, 20, 20]
    assert len(set(ids)) == 50


def claim_in_a_thread() -> list[OutgoingMail]:
    try:
        return outbox.claim()
    finally:
        connections.close_all()


def test_mail_is_kept_for_ninety_days(
    organization: Organization, clock: time_machine.Traveller
) -> None:
    post(organization, "old@example.org")
    clock.shift(timedelta(days=1))
    post(organization, "new@example.org")
    clock.shift(timedelta(days=89, seconds=1))

    forget_old_records()

    assert list(OutgoingMail.objects.values_list("to", flat=True)) == ["new@example.org"]
