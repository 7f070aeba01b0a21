"""How often a password or a code may be wrong, counted in the database: it holds without Redis.

A failure is counted before the answer is known and taken back if it was right, so that asking often
at once is no way around. Every wait ends after a quarter of an hour at most; who attacks somebody
from many places makes strange browsers wait, but not those in which that person has been before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from allauth.account.signals import password_reset
from django.db.models import Max, QuerySet, Sum, Value
from django.db.models.functions import Least
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from organizations import bulk, throttle
from organizations.audit import Actor
from organizations.models import Admin, SignInFailure
from organizations.refusals import Refusal
from organizations.signin import browsers, journal

log = structlog.get_logger(__name__)

FREE = 5  # wrong answers of one login from one address before it waits 1, 2, 4 … minutes
OF_ONE_LOGIN = 50  # in an hour, from wherever
OF_ONE_ADDRESS = 100  # in an hour, for whichever login
# With the waits in between, one login cannot fail more often from one address within an hour.
MOST_OF_A_PAIR = 12
WINDOW = timedelta(hours=1)
LONGEST = timedelta(minutes=15)
KEPT = timedelta(days=1)
UNKNOWN = "0.0.0.0"  # noqa: S104  the client behind a socket without addresses

# One statement, so that of many attempts at once only one goes through where a wait begins.
COUNT = """
INSERT INTO organizations_signinfailure AS known
  (login_digest, address, failures, first_at, last_at)
VALUES (%(login)s, %(address)s, 1, %(now)s, %(now)s)
ON CONFLICT (login_digest, address) DO UPDATE SET
  failures = CASE WHEN known.last_at < %(window)s THEN 1 ELSE known.failures + 1 END,
  first_at = CASE WHEN known.last_at < %(window)s THEN %(now)s ELSE known.first_at END,
  last_at = %(now)s,
  waits_until = CASE WHEN known.last_at >= %(window)s AND known.failures + 1 >= %(free)s
    THEN %(now)s + least(interval '1 minute' * power(2, least(known.failures + 1 - %(free)s, 10)),
                         %(longest)s) END
WHERE known.waits_until IS NULL OR known.waits_until <= %(now)s
RETURNING failures, waits_until
"""


class TooManyFailures(Refusal):
    code = "too_many_failures"

    def __init__(self, until: datetime, way_out: str) -> None:
        left = max(1, int((until - timezone.now()).total_seconds()))
        self.retry_after = left
        minutes = -(-left // 60)
        wait = "a minute" if minutes == 1 else f"{minutes} minutes"
        super().__init__(f"Too many failed sign-ins. Wait {wait}{way_out}")


@dataclass(frozen=True, slots=True)
class What:
    """What is answered: a login's password, or a code of its second factor. Each has its own count."""

    kind: str
    way_out: str

    def digest(self, login: str) -> str:
        # Keyed: people type passwords into the field of the login.
        name = f"{self.kind}:{login.strip().lower()}"
        return salted_hmac("organizations.signin.lockout", name, algorithm="sha256").hexdigest()


PASSWORD = What(
    "password",
    " and try again, or set a new password by mail: its link lets you in at once.",
)
CODE = What("code", " and try again with the code that your app shows then.")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One answer that may be right or wrong, counted as wrong until it is known."""

    what: What
    login: str
    address: str
    admin: Admin | None
    failures: int
    waits_until: datetime | None

    def was_right(self) -> None:
        digest = self.what.digest(self.login)
        SignInFailure.objects.filter(login_digest=digest, address=self.address).delete()

    def was_wrong(self) -> None:
        digest = self.what.digest(self.login)
        log.warning("signin.failed", login=digest[:12], kind=self.what.kind, address=self.address)
        if self.admin and (self.waits_until or self._is_the_last_from_anywhere(digest)):
            tell_their_organizations(self, self.admin)

    def _is_the_last_from_anywhere(self, digest: str) -> bool:
        return failures_in(recent().filter(login_digest=digest)) == OF_ONE_LOGIN


def begin(what: What, login: str, request: HttpRequest, admin: Admin | None) -> Attempt:
    """Before a password or a code is looked at; refuses while there is something to wait for."""
    now, address, digest = timezone.now(), address_of(request), what.digest(login)
    if not (admin and browsers.is_known(request, admin)):
        refuse_while(recent().filter(login_digest=digest), OF_ONE_LOGIN, what)
        refuse_while(recent().filter(address=address), OF_ONE_ADDRESS, what)
    facts = {
        "login": digest,
        "address": address,
        "now": now,
        "window": now - WINDOW,
        "free": FREE,
        "longest": LONGEST,
    }
    counted = bulk.returned(COUNT, facts)
    if not counted:
        raise TooManyFailures(waiting_until(digest, address) or now, what.way_out)
    return Attempt(what, login, address, admin, *counted[0])


def refuse_while(failures: QuerySet[SignInFailure], most: int, what: What) -> None:
    if failures_in(failures) < most:
        return
    last: datetime = failures.aggregate(last=Max("last_at"))["last"]
    if last + LONGEST > timezone.now():
        raise TooManyFailures(last + LONGEST, what.way_out)


def recent() -> QuerySet[SignInFailure]:
    return SignInFailure.objects.filter(last_at__gt=timezone.now() - WINDOW)


def failures_in(rows: QuerySet[SignInFailure]) -> int:
    most = Least("failures", Value(MOST_OF_A_PAIR))
    return int(rows.aggregate(total=Sum(most))["total"] or 0)


def waiting_until(digest: str, address: str) -> datetime | None:
    found = SignInFailure.objects.filter(login_digest=digest, address=address)
    return found.values_list("waits_until", flat=True).first()


def address_of(request: HttpRequest) -> str:
    address = throttle.address_of(request)
    return UNKNOWN if address == "unknown" else address


def tell_their_organizations(attempt: Attempt, admin: Admin) -> None:
    """Once for each lock: as it begins."""
    until = attempt.waits_until or timezone.now() + LONGEST
    journal.record_everywhere(
        "admin.sign_in_locked",
        by=Actor.system("Sign-in"),
        admin=admin,
        after={"failures": attempt.failures, "from": attempt.address, "until": until.isoformat()},
        refused=True,
    )


# --- For the Administrators page -------------------------------------------------------------------


def unlock(email: str) -> bool:
    """Forget every failure of this login; whether there was one."""
    return forget(email, PASSWORD, CODE)


def forget(email: str, *kinds: What) -> bool:
    digests = [what.digest(email) for what in kinds]
    return bool(SignInFailure.objects.filter(login_digest__in=digests).delete()[0])


def is_locked(email: str) -> bool:
    return bool(locked([email]))


def locked(emails: Iterable[str]) -> set[str]:
    """Those who have to wait now, at least at one place; in one statement for all of them."""
    owners = {what.digest(email): email for email in emails for what in (PASSWORD, CODE)}
    found = (
        recent()
        .filter(login_digest__in=owners)
        .values("login_digest")
        .annotate(
            total=Sum(Least("failures", Value(MOST_OF_A_PAIR))),
            last=Max("last_at"),
            until=Max("waits_until"),
        )
        .order_by()
    )
    return {owners[row["login_digest"]] for row in found if _waits(row)}


def _waits(row: Mapping[str, Any]) -> bool:
    now = timezone.now()
    if row["total"] >= OF_ONE_LOGIN and row["last"] + LONGEST > now:
        return True
    return row["until"] is not None and row["until"] > now


def connect() -> None:
    password_reset.connect(_password_reset, dispatch_uid="lockout.password_reset")


def _password_reset(user: Admin, **kwargs: Any) -> None:
    """Who reads the mail of an address need not wait for whoever guessed; codes still count."""
    forget(user.email, PASSWORD)


def forget_old() -> int:
    """What does not matter any more; the daily sweep."""
    return SignInFailure.objects.filter(last_at__lt=timezone.now() - KEPT).delete()[0]
