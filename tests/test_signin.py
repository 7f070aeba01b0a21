"""Signing in, passwords, and the first page."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertRedirects

from organizations.models import Admin, IdempotentAnswer, Organization
from organizations.tasks import forget_old_records
from tests.factories import AdminFactory, MembershipFactory
from tests.reading import errors_of, text_of
from tests.signing_in import LOGIN, NEW_PASSWORD, PASSWORD, events, is_signed_in, sign_in


def link_in_the_mail() -> str:
    found = re.search(
        r"https?://[^/]+(/accounts/password/reset/key/\S+)", str(mail.outbox[-1].body)
    )
    assert found
    return found[1]


# --- Signing in -----------------------------------------------------------------------------------


def test_signing_in_by_address_and_password(client: Client, owner: Admin) -> None:
    answer = sign_in(client, "OWNER@example.org")

    assertRedirects(answer, "/", fetch_redirect_response=False)
    assert is_signed_in(client)


@pytest.mark.parametrize(
    ("email", "password"), [("owner@example.org", "wrong"), ("nobody@example.org", PASSWORD)]
)
def test_a_wrong_address_and_a_wrong_password_look_the_same(
    client: Client, owner: Admin, email: str, password: str
) -> None:
    answer = sign_in(client, email, password)

    assert errors_of(answer) == ["The email address and/or password you specified are not correct."]
    assert not is_signed_in(client)


def test_who_is_switched_off_cannot_sign_in(client: Client, db: None) -> None:
    admin = AdminFactory(is_active=False)

    sign_in(client, admin.email)

    assert not is_signed_in(client)


def test_the_page_one_wanted_comes_after_signing_in(
    client: Client, owner: Admin, organization: Organization
) -> None:
    wanted = reverse("organizations:network_list", args=[organization.pk])

    answer = client.get(wanted)

    assertRedirects(answer, f"{LOGIN}?next={wanted}")
    signed_in = client.post(LOGIN, {"login": owner.email, "password": PASSWORD, "next": wanted})
    assertRedirects(signed_in, wanted)


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_nobody_is_sent_elsewhere_after_signing_in(
    client: Client, owner: Admin, wanted: str
) -> None:
    client.get(LOGIN, {"next": wanted})

    answer = sign_in(client, owner.email, next=wanted)

    assertRedirects(answer, "/", fetch_redirect_response=False)


def test_signing_in_begins_a_new_session(client: Client, owner: Admin) -> None:
    client.get(LOGIN)
    before = client.session.session_key

    sign_in(client, owner.email)

    assert client.session.session_key != before
    assert client.cookies["sessionid"]["httponly"]
    assert client.cookies["sessionid"]["samesite"] == "Lax"


def test_where_there_is_no_such_admin_a_password_is_hashed_all_the_same(
    client: Client, owner: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the time of the answer would tell who is an admin."""
    hashed: list[str] = []
    for name in ("encode", "verify"):
        original = getattr(MD5PasswordHasher, name)
        monkeypatch.setattr(
            MD5PasswordHasher,
            name,
            lambda self, *args, original=original: hashed.append("") or original(self, *args),
        )

    sign_in(client, owner.email, "wrong")
    for_an_admin = len(hashed)
    hashed.clear()
    sign_in(client, "nobody@example.org", "wrong")

    assert (bool(hashed), bool(for_an_admin)) == (True, True)


def test_nobody_signs_up(client: Client, db: None) -> None:
    page = client.get("/accounts/signup/")
    client.post("/accounts/signup/", {"email": "new@example.org", "password1": PASSWORD})

    assert "Admins are invited" in text_of(page)
    assert not Admin.objects.exists()


def test_signing_out_needs_a_deliberate_press(owner_client: Client) -> None:
    asked = owner_client.get("/accounts/logout/")
    still_in = is_signed_in(owner_client)
    owner_client.post("/accounts/logout/")

    assert "Sign out?" in text_of(asked)
    assert (still_in, is_signed_in(owner_client)) == (True, False)


# --- Passwords ------------------------------------------------------------------------------------


def test_a_forgotten_password_is_set_anew_by_mail(client: Client, owner: Admin) -> None:
    client.post("/accounts/password/reset/", {"email": owner.email})
    page = client.get(link_in_the_mail(), follow=True)
    told = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    client.post(page.request["PATH_INFO"], told)

    assert "Set your password" in text_of(page)
    owner.refresh_from_db()
    assert owner.check_password(NEW_PASSWORD)


def test_the_mail_says_what_it_is(client: Client, owner: Admin) -> None:
    client.post("/accounts/password/reset/", {"email": owner.email})

    assert mail.outbox[0].subject.endswith("Set your password for VPP Dashboard")
    assert "sign up" not in str(mail.outbox[0].body)


def test_a_stranger_gets_the_same_page_and_another_mail(client: Client, owner: Admin) -> None:
    known = client.post("/accounts/password/reset/", {"email": owner.email}, follow=True)
    unknown = client.post("/accounts/password/reset/", {"email": "x@example.org"}, follow=True)

    assert text_of(known) == text_of(unknown)
    assert "no admin signs in with x@example.org" in str(mail.outbox[-1].body)


def test_a_link_works_once(client: Client, owner: Admin) -> None:
    client.post("/accounts/password/reset/", {"email": owner.email})
    link = link_in_the_mail()
    owner.set_password(NEW_PASSWORD)
    owner.save()

    page = client.get(link, follow=True)

    assert "This link no longer works" in text_of(page)


def test_a_weak_password_is_refused_beside_its_field(owner_client: Client, owner: Admin) -> None:
    told = {"oldpassword": PASSWORD, "password1": "short", "password2": "short"}

    answer = owner_client.post("/accounts/password/change/", told)

    assert errors_of(answer) == [
        "This password is too short. It must contain at least 12 characters."
    ]
    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)


@pytest.mark.parametrize(
    ("password", "complaint"),
    [
        ("password12345", "This password is too common."),
        ("owner@example.org", "The password is too similar to the email."),
        ("x" * 129, "This password has 129 characters; at most 128 are possible."),
    ],
)
def test_a_password_that_others_guess_is_refused(
    owner_client: Client, owner: Admin, password: str, complaint: str
) -> None:
    told = {"oldpassword": PASSWORD, "password1": password, "password2": password}

    answer = owner_client.post("/accounts/password/change/", told)

    assert errors_of(answer) == [complaint]


def test_plain_words_are_a_good_password(owner_client: Client, owner: Admin) -> None:
    words = "correct horse battery staple"
    told = {"oldpassword": PASSWORD, "password1": words, "password2": words}

    owner_client.post("/accounts/password/change/", told)

    owner.refresh_from_db()
    assert owner.check_password(words)


def test_a_changed_password_is_told_by_mail_and_in_the_log(
    owner_client: Client, owner: Admin, django_capture_on_commit_callbacks: Any
) -> None:
    told = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}

    with django_capture_on_commit_callbacks(execute=True):
        answer = owner_client.post("/accounts/password/change/", told)

    assertRedirects(answer, "/accounts/")
    assert [letter.subject for letter in mail.outbox] == ["Your VPP Dashboard password was changed"]
    assert "From: 127.0.0.1" in str(mail.outbox[0].body)
    assert events() == [("Example Schools", "admin.password_changed")]


def test_a_mail_server_that_is_away_is_told(
    client: Client, owner: Admin, settings: LazySettings
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1

    page = client.post("/accounts/password/reset/", {"email": owner.email}, follow=True)

    assert "A mail about this could not be sent" in text_of(page)


def test_the_link_in_a_mail_leads_to_our_own_address(client: Client, owner: Admin) -> None:
    client.post("/accounts/password/reset/", {"email": owner.email}, HTTP_HOST="evil.example")

    assert "evil.example/" not in str(mail.outbox[-1].body)


def test_changing_ones_password(owner_client: Client, owner: Admin) -> None:
    told = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}

    owner_client.post("/accounts/password/change/", told)

    owner.refresh_from_db()
    assert owner.check_password(NEW_PASSWORD)


@pytest.mark.parametrize("path", ["inactive", "reauthenticate", "password/reset/done"])
def test_every_page_around_signing_in_has_the_look(path: str, owner_client: Client) -> None:
    page = owner_client.get(f"/accounts/{path}/")

    assert page.status_code == 200
    assert "VPP Dashboard" in text_of(page)


# --- The first page -------------------------------------------------------------------------------


def test_home_asks_to_sign_in(client: Client, db: None) -> None:
    assertRedirects(client.get("/"), f"{LOGIN}?next=/")


def test_home_is_the_only_organization(owner_client: Client, organization: Organization) -> None:
    assertRedirects(owner_client.get("/"), reverse("licensing:overview", args=[organization.pk]))


def test_home_offers_the_choice_of_several(
    owner: Admin, owner_client: Client, outsider: Admin
) -> None:
    MembershipFactory(admin=owner, organization__name="Second Schools", access="read-only")

    page = text_of(owner_client.get("/", follow=True))

    assert "Example Schools" in page
    assert "Second Schools" in page
    assert "Elsewhere" not in page


def test_home_explains_why_there_is_nothing(client: Client, db: None) -> None:
    admin = AdminFactory(email="lost@example.org")
    client.force_login(admin)

    page = text_of(client.get("/"))

    assert "You belong to no organization yet" in page
    assert "lost@example.org" in page


# --- Housekeeping ---------------------------------------------------------------------------------


def test_answers_kept_for_repeated_requests_are_forgotten_after_a_day(owner: Admin) -> None:
    for key, age in (("old", timedelta(hours=25)), ("new", timedelta(hours=23))):
        answer = IdempotentAnswer.objects.create(admin=owner, key=key, request_digest="0")
        answer.created_at = timezone.now() - age
        answer.save()

    forgotten = forget_old_records()

    assert forgotten == 1
    assert [answer.key for answer in IdempotentAnswer.objects.all()] == ["new"]
