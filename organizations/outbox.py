"""The mail outbox: what must be said stands in the database, and a worker says it.

`post` it in the transaction of what it is about. A worker claims a few mails at a time, sends them
over one connection and settles each by itself; what a worker leaves behind is due again by itself.
"""

from __future__ import annotations

import smtplib
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connections, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from organizations import hooks, tenancy
from organizations.mime import logos_of, message_of
from organizations.models import Logo, Organization, OutgoingMail

log = structlog.get_logger(__name__)

GROUP = 20  # mails over one connection
LEASE = timedelta(minutes=10)
FIRST_PAUSE = timedelta(minutes=1)  # doubled after each failure
TRIED_FOR = timedelta(days=1)
TELLS_OF_CLOSING = "closing:"  # mails of these keys go out though their organization is closed
CLAIMING = 0x6D61696C  # the advisory lock: one worker at a time counts and claims
EMPTIED: dict[str, Any] = {"text": "", "html": "", "headers": {}, "next_attempt_at": None}


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to one address, in text and perhaps in HTML."""

    to: str
    subject: str
    text: str
    html: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    from_name: str = ""
    with_logo: bool = False
    is_bulk: bool = False  # goes out when nothing else waits


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a mail did not go out, in words; `for_all`: no other mail would go out now either."""

    error: str
    for_good: bool = False
    for_all: bool = False


# --- Posting --------------------------------------------------------------------------------------


def post(
    *,
    organization: Organization,
    key: str,
    to: Iterable[str],
    subject: str,
    text: str,
    html: str = "",
    headers: Mapping[str, str] | None = None,
) -> int:
    """The same mail to all these addresses; answers to how many of them it is new."""
    letters = [Letter(address, subject, text, html, headers or {}) for address in to]
    return post_letters(organization=organization, key=key, letters=letters)


def post_letters(*, organization: Organization, key: str, letters: Iterable[Letter]) -> int:
    """To each address at most one mail of this key, however often this is called."""
    return post_keyed(organization=organization, letters=((key, letter) for letter in letters))


def post_keyed(*, organization: Organization, letters: Iterable[tuple[str, Letter]]) -> int:
    """The same for letters with a key each, thousands of them in a few statements."""
    new = {(key, letter.to.strip().lower()): letter for key, letter in letters}
    keys, addresses = {key for key, _ in new}, {address for _, address in new}
    known = OutgoingMail.objects.filter(organization=organization, key__in=keys, to__in=addresses)
    for place in known.values_list("key", "to"):
        new.pop(place, None)
    mails = [
        OutgoingMail(
            organization=organization,
            key=key,
            to=address,
            subject=one_line(letter.subject),
            text=letter.text,
            html=letter.html,
            headers=dict(letter.headers),
            from_name=one_line(letter.from_name),
            with_logo=letter.with_logo,
            is_bulk=letter.is_bulk,
        )
        for (key, address), letter in new.items()
    ]
    OutgoingMail.objects.bulk_create(mails, ignore_conflicts=True, batch_size=500)
    if mails:
        # The broker is a doorbell: if it does not ring, the sweep finds the rows.
        transaction.on_commit(lambda: hooks.mail_posted.send(OutgoingMail), robust=True)
    return len(mails)


def give_up(*, organization_id: int, keys: Collection[str], why: str) -> None:
    """What has not gone out and is not wanted any more. What is just going out goes out."""
    mails = OutgoingMail.objects.filter(organization=organization_id, key__in=keys)
    # With an attempt more, so that whoever is sending it just now does not put it back.
    waiting = mails.filter(next_attempt_at__isnull=False)
    waiting.update(**EMPTIED, error=why, attempts=F("attempts") + 1)


def one_line(text: str) -> str:
    """A line break would end the header, and the mail would not be sent at all."""
    return " ".join(text.split())[:200]


# --- Sending --------------------------------------------------------------------------------------


def send_due() -> int:
    """Send what is due, as fast as the installation may; answers how many went out."""
    sent = 0
    while mails := claim():
        outcomes = send_group(mails)
        sent += outcomes.count(None)
        if any(failure and failure.for_all for failure in outcomes):
            break
    return sent


def claim() -> list[OutgoingMail]:
    """The next few mails, ours for the time of the lease."""
    waiting = OutgoingMail.objects.using("system")
    now = timezone.now()
    with transaction.atomic(using="system"):
        with connections["system"].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CLAIMING])
        due = waiting.filter(_may_go_out(), next_attempt_at__lte=now)
        due = due.order_by("is_bulk", "next_attempt_at", "pk")
        ours = list(due.select_for_update(skip_locked=True)[: min(GROUP, allowance(now))])
        # Without an error and with a time to come: that is what a mail under way looks like.
        waiting.filter(pk__in=[mail.pk for mail in ours]).update(
            next_attempt_at=now + LEASE, attempts=F("attempts") + 1, error=""
        )
    for mail in ours:
        mail.attempts += 1
    return ours


def _may_go_out() -> Q:
    """Mail of a closed organization waits until it is open again."""
    is_open = Q(organization__in=Organization.objects.open())
    return is_open | Q(key__startswith=TELLS_OF_CLOSING)


def allowance(now: datetime) -> int:
    """How many mails may go out now: the limit of a minute less those of the last and under way."""
    mails = OutgoingMail.objects.using("system")
    sent = mails.filter(sent_at__gt=now - timedelta(minutes=1)).count()
    under_way = mails.filter(next_attempt_at__gt=now, error="").count()
    limit: int = settings.MAIL_PER_MINUTE
    return max(0, limit - sent - under_way)


def send_group(mails: list[OutgoingMail]) -> list[Failure | None]:
    """Over one connection. Where the server is away, the rest waits without asking it again."""
    outcomes: list[Failure | None] = []
    settled: list[OutgoingMail] = []
    connection = get_connection()
    logos = logos_of(mails)
    try:
        for mail in mails:
            failure = outcomes[-1] if outcomes else None
            if failure is None or not failure.for_all:
                failure = send(mail, connection, logos.get(mail.organization_id))
            with tenancy.inside(mail.organization_id):
                over = settle(mail, failure)
            settled += [mail] if over else []
            outcomes.append(failure)
    finally:
        with suppress(OSError):
            connection.close()
        announce(settled)
    return outcomes


def announce(settled: list[OutgoingMail]) -> None:
    """Each organization's mails in its own place."""
    theirs = attrgetter("organization_id")
    for organization_id, mails in groupby(sorted(settled, key=theirs), theirs):
        with tenancy.inside(organization_id):
            hooks.mail_settled.send_robust(OutgoingMail, mails=list(mails))


def send(
    mail: OutgoingMail, connection: BaseEmailBackend, logo: Logo | None = None
) -> Failure | None:
    try:
        connection.open()
        message_of(mail, connection, logo).send()
    except (OSError, ValueError) as error:
        log.warning("mail.not_sent", mail=mail.pk, key=mail.key, error=str(error))
        return failure_of(error)
    except Exception as error:  # the other mails go on
        log.exception("mail.not_sent", mail=mail.pk, key=mail.key)
        return failure_of(error)
    return None


# --- What became of it ----------------------------------------------------------------------------


def settle(mail: OutgoingMail, failure: Failure | None) -> bool:
    """Write down what became of a mail; whether nothing more will be tried."""
    if failure is None:
        ours = OutgoingMail.objects.filter(pk=mail.pk)  # sent is sent, whoever has the lease now
        return note(mail, ours, **EMPTIED, sent_at=timezone.now(), error="")
    # After the lease somebody else may have claimed it, which raised the attempts.
    ours = OutgoingMail.objects.filter(pk=mail.pk, attempts=mail.attempts, sent_at=None)
    pause = None if failure.for_good else pause_after(mail.attempts)
    if pause:
        note(mail, ours, next_attempt_at=timezone.now() + pause, error=failure.error[:500])
        return False
    return note(mail, ours, **EMPTIED, error=failure.error[:500])


def note(mail: OutgoingMail, where: QuerySet[OutgoingMail], **fields: Any) -> bool:
    for name, value in fields.items():
        setattr(mail, name, value)
    return where.update(**fields) == 1


def pause_after(attempts: int) -> timedelta | None:
    """1, 2, 4 … minutes, a day in all; None when that day is over."""
    waited = FIRST_PAUSE * (2 ** min(attempts - 1, 20) - 1)
    return min(waited + FIRST_PAUSE, TRIED_FOR - waited) if waited < TRIED_FOR else None


def failure_of(error: Exception) -> Failure:
    """What an error means. What whoever runs the server can repair is tried again."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            code, reply = next(iter(error.recipients.values()))
            return refused("this address", code, reply)
        case smtplib.SMTPDataError():
            return refused("this mail", error.smtp_code, error.smtp_error)
        case smtplib.SMTPSenderRefused():
            said = words(error.smtp_code, error.smtp_error)
            return Failure(
                f"The mail server refused the sender {error.sender}: {said}", for_all=True
            )
        case smtplib.SMTPResponseException():
            said = words(error.smtp_code, error.smtp_error)
            return Failure(f"The mail server did not let us in: {said}", for_all=True)
        case OSError():
            why = str(error) or type(error).__name__
            return Failure(f"The mail server cannot be reached: {why}", for_all=True)
        case ValueError():
            return Failure(f"This mail cannot be written: {error}", for_good=True)
    return Failure(f"An error of ours, {type(error).__name__}; it is in the server's log.")


def refused(what: str, code: int, reply: bytes | str) -> Failure:
    """Codes from 500 on are the server's last word; below, it asks to come again."""
    return Failure(f"The mail server refused {what}: {words(code, reply)}", for_good=code >= 500)


def words(code: int, reply: bytes | str) -> str:
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    return " ".join(f"{code} {text}".replace("\x00", "").split())
