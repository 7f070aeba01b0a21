"""How often a password or a code may be wrong, and that nobody is kept out by somebody else for long."""

from __future__ import annotations

import threading
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from django.conf import LazySettings
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from organizations.models import Admin, AuditEvent, Organization, SignInFailure
from organizations.signin import lockout
from organizations.tasks import forget_sign_ins
from tests.factories import MembershipFactory
from tests.reading import errors_of, text_of
from tests.signing_in import (
    NEW_PASSWORD,
    PASSWORD,
    SECOND_STEP,
    code,
    events,
    fail,
    is_signed_in,
    minutes_told,
    sign_in,
    with_app,
)

HERE, THERE = "203.0.113.7", "198.51.100.9"


def crowd(failures: int, email: str) -> None:
    """So many wrong passwords, from many addresses."""
    now = timezone.now()
    SignInFailure.objects.bulk_create(
        SignInFailure(
            login_digest=lockout.PASSWORD.digest(email),
            address=f"10.0.{number // 250}.{number % 250}",
            failures=1,
            first_at=now,
            last_at=now,
        )
        for number in range(failures)
    )


# --- One login from one address ----------------------------------------------------------------------


def test_five_failures_are_free_and_the_sixth_waits_a_minute(client: Client, owner: Admin) -> None:
    fail(owner.email, 5, at=HERE)

    answer = sign_in(client, owner.email, at=HERE)

    assert errors_of(answer) == [
        "Too many failed sign-ins. Wait a minute and try again, or set a new password by mail:"
        " its link lets you in at once."
    ]
    assert not is_signed_in(client)


def test_each_wait_is_twice_the_last_up_to_a_quarter_of_an_hour(owner: Admin) -> None:
    waits = []

    with time_machine.travel(timezone.now(), tick=False) as clock:
        fail(owner.email, 5)
        for _ in range(6):
            waits.append(minutes_told(text_of(sign_in(Client(), owner.email, "wrong"))))
            clock.shift(timedelta(minutes=waits[-1] or 0))
            fail(owner.email)

    assert waits == [1, 2, 4, 8, 15, 15]


def test_asking_while_waiting_makes_it_no_longer(client: Client, owner: Admin) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        fail(owner.email, 50)
        clock.shift(timedelta(minutes=1))
        sign_in(client, owner.email)

    assert is_signed_in(client)


def test_a_right_password_makes_the_earlier_ones_forgotten(owner: Admin) -> None:
    fail(owner.email, 4)
    sign_in(Client(), owner.email)
    fail(owner.email, 4)

    client = Client()
    sign_in(client, owner.email)

    assert is_signed_in(client)
    assert not SignInFailure.objects.exists()


def test_an_hour_of_quiet_does_as_well(owner: Admin) -> None:
    fail(owner.email, 5)
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        fail(owner.email, 4)

        assert not lockout.is_locked(owner.email)


def test_who_fails_elsewhere_makes_nobody_wait_here(client: Client, owner: Admin) -> None:
    fail(owner.email, 20, at=THERE)

    sign_in(client, owner.email, at=HERE)

    assert is_signed_in(client)


def test_the_whole_site_of_an_ipv6_address_is_one(client: Client, owner: Admin) -> None:
    for number in range(5):
        fail(owner.email, at=f"2001:db8:1:2::{number}")

    sign_in(client, owner.email, at="2001:db8:1:2:ffff::1")

    assert not is_signed_in(client)


def test_strange_logins_are_treated_the_same(client: Client, owner: Admin) -> None:
    fail("nobody@example.org", 5)
    fail(owner.email, 5)

    stranger = text_of(sign_in(client, "nobody@example.org"))
    known = text_of(sign_in(client, owner.email))

    assert stranger == known
    assert minutes_told(known) == 1


def test_a_login_is_not_kept_as_it_was_typed(owner: Admin) -> None:
    fail("secret-typed-into-the-wrong-field@example.org")

    [row] = SignInFailure.objects.values()

    assert "secret" not in str(row)
    assert len(row["login_digest"]) == 64


# --- One login from everywhere -----------------------------------------------------------------------


def test_an_attack_from_everywhere_makes_strange_browsers_wait(owner: Admin) -> None:
    stranger, at_home = Client(), Client()
    sign_in(at_home, owner.email, at=HERE)
    at_home.post("/accounts/logout/")
    crowd(50, owner.email)

    refused = sign_in(stranger, owner.email, at=THERE)
    sign_in(at_home, owner.email, at=HERE)

    assert minutes_told(text_of(refused)) == 15
    assert (is_signed_in(stranger), is_signed_in(at_home)) == (False, True)


def test_strange_browsers_wait_a_quarter_of_an_hour_at_most(client: Client, owner: Admin) -> None:
    crowd(400, owner.email)

    with time_machine.travel(timezone.now() + timedelta(minutes=15, seconds=1), tick=False):
        sign_in(client, owner.email)

    assert is_signed_in(client)


def test_a_new_password_makes_old_browsers_strange(owner: Admin) -> None:
    at_home, changed = Client(), Client()
    sign_in(at_home, owner.email)
    sign_in(changed, owner.email)
    told = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    changed.post("/accounts/password/change/", told)
    for browser in (at_home, changed):
        browser.post("/accounts/logout/")
    crowd(50, owner.email)

    for browser in (at_home, changed):
        sign_in(browser, owner.email, NEW_PASSWORD)

    assert (is_signed_in(at_home), is_signed_in(changed)) == (False, True)


def test_the_cookie_is_no_readable_and_no_transferable_one(owner: Admin, reader: Admin) -> None:
    at_home = Client()
    sign_in(at_home, owner.email)
    at_home.post("/accounts/logout/")
    crowd(50, reader.email)

    sign_in(at_home, reader.email)

    cookie = at_home.cookies["known_browser"]
    assert not is_signed_in(at_home)
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 31536000)
    assert owner.email not in cookie.value


@pytest.mark.parametrize("cookie", ["", "x", "a:b:c", "W10:1tZZZZ:bad", "é"])
def test_a_made_up_cookie_is_no_known_browser(client: Client, owner: Admin, cookie: str) -> None:
    client.cookies["known_browser"] = cookie
    crowd(50, owner.email)

    sign_in(client, owner.email)

    assert not is_signed_in(client)


def test_the_mail_lets_in_at_once(client: Client, owner: Admin) -> None:
    crowd(50, owner.email)
    fail(owner.email, 5)
    client.post("/accounts/password/reset/", {"email": owner.email})
    link = next(word for word in str(mail.outbox[-1].body).split() if "/key/" in word)
    page = client.get(urlsplit(link).path, follow=True)

    client.post(page.request["PATH_INFO"], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})

    assert is_signed_in(client)
    assert not lockout.is_locked(owner.email)


# --- One address, whichever login --------------------------------------------------------------------


def test_an_address_that_tries_many_logins_waits(owner: Admin) -> None:
    stranger, at_home = Client(), Client()
    sign_in(at_home, owner.email, at=HERE)
    at_home.post("/accounts/logout/")
    for number in range(100):
        lockout_row(f"person{number}@example.org", HERE)

    refused = sign_in(stranger, "somebody@example.org", at=HERE)
    sign_in(at_home, owner.email, at=HERE)

    assert minutes_told(text_of(refused)) == 15
    assert is_signed_in(at_home)  # behind the same address, in a browser that is known


def lockout_row(email: str, address: str) -> None:
    now = timezone.now()
    SignInFailure.objects.create(
        login_digest=lockout.PASSWORD.digest(email),
        address=address,
        failures=1,
        first_at=now,
        last_at=now,
    )


# --- Codes -------------------------------------------------------------------------------------------


def test_wrong_codes_count_too_and_a_right_password_does_not_undo_them(owner: Admin) -> None:
    with_app(owner)
    client = Client()
    for _ in range(5):
        sign_in(client, owner.email)
        client.post(SECOND_STEP, {"code": "000000"})
    sign_in(client, owner.email)

    answer = client.post(SECOND_STEP, {"code": code()})

    assert errors_of(answer) == [
        "Too many failed sign-ins. Wait a minute and try again with the code that your app shows then."
    ]
    assert not is_signed_in(client)


def test_guessing_at_an_open_browser_counts_as_well(owner: Admin) -> None:
    client = Client()
    sign_in(client, owner.email)
    for _ in range(3):
        client.post("/accounts/reauthenticate/", {"password": "wrong"})
    for _ in range(2):
        told = {"oldpassword": "wrong", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
        client.post("/accounts/password/change/", told)

    answer = client.post("/accounts/reauthenticate/", {"password": PASSWORD})

    assert minutes_told(text_of(answer)) == 1


# --- Without Redis -----------------------------------------------------------------------------------


def test_without_redis_one_signs_in_and_is_still_limited(
    settings: LazySettings, client: Client, owner: Admin
) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "organizations.forgiving_cache.ForgivingCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    fail(owner.email, 5, at=THERE)

    sign_in(client, owner.email, at=HERE)
    refused = sign_in(Client(), owner.email, at=THERE)

    assert is_signed_in(client)
    assert minutes_told(text_of(refused)) == 1


# --- What others see of it ---------------------------------------------------------------------------


def test_each_lock_is_told_once_in_every_organization_of_the_person(
    owner: Admin, outsider: Admin
) -> None:
    MembershipFactory(admin=owner, organization__name="Second Schools")

    fail(owner.email, 9, at=THERE)

    assert sorted(events("admin.sign_in")) == [
        ("Example Schools", "admin.sign_in_locked"),
        ("Second Schools", "admin.sign_in_locked"),
    ]
    event = AuditEvent.objects.filter(action="admin.sign_in_locked").first()
    assert event is not None
    assert (event.refused, event.target_name, event.after["from"]) == (True, str(owner), THERE)


def test_an_invitation_that_was_not_accepted_hears_nothing(owner: Admin) -> None:
    MembershipFactory(admin=owner, organization__name="Not yet", accepted_at=None)

    fail(owner.email, 5)

    assert events("admin.sign_in") == [("Example Schools", "admin.sign_in_locked")]


def test_who_is_locked_is_known_for_many_in_one_statement(
    owner: Admin, reader: Admin, outsider: Admin, django_assert_num_queries: object
) -> None:
    fail(owner.email, 5)
    crowd(50, reader.email)
    everybody = [owner.email, reader.email, outsider.email]

    with django_assert_num_queries(1):  # type: ignore[operator]
        found = lockout.locked(everybody)

    assert found == {owner.email, reader.email}


def test_unlocking(client: Client, owner: Admin) -> None:
    fail(owner.email, 5)

    unlocked = (lockout.unlock(owner.email), lockout.unlock(owner.email))
    sign_in(client, owner.email)

    assert unlocked == (True, False)
    assert is_signed_in(client)


def test_what_no_longer_matters_is_forgotten_in_a_day(
    owner: Admin, organization: Organization
) -> None:
    fail(owner.email)
    with time_machine.travel(timezone.now() + timedelta(hours=25), tick=False):
        fail("somebody@example.org")

        forgotten = forget_sign_ins()

    assert forgotten == 1
    assert SignInFailure.objects.count() == 1


# --- Many at once ------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_many_tries_at_once_are_no_way_around() -> None:
    """Thirty right passwords at the same moment: five may be looked at, for they count as wrong."""
    digest = lockout.PASSWORD.digest("someone@example.org")
    facts = {"login": digest, "address": HERE, "now": timezone.now()}
    facts |= {"window": facts["now"] - lockout.WINDOW, "free": lockout.FREE}
    facts["longest"] = lockout.LONGEST
    through: list[int] = []

    def attempt() -> None:
        with connection.cursor() as cursor:
            cursor.execute(lockout.COUNT, facts)
            through.extend(row[0] for row in cursor.fetchall())
        connection.close()

    threads = [threading.Thread(target=attempt) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(through) == [1, 2, 3, 4, 5]
