"""Signing in, passwords, and the first page."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertRedirects

from organizations.models import Admin, IdempotentAnswer, Organization
from organizations.tasks import forget_old_records
from tests.factories import AdminFactory, MembershipFactory
from tests.reading import errors_of, text_of

PASSWORD = "a long enough password"
NEW_PASSWORD = "quite another long one"
LOGIN = "/accounts/login/"


def sign_in(client: Client, email: str, password: str = PASSWORD) -> HttpResponse:
    return client.post(LOGIN, {"login": email, "password": password})


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


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


def test_many_wrong_passwords_are_stopped(client: Client, owner: Admin) -> None:
    for _ in range(12):
        sign_in(client, owner.email, "wrong")

    answer = sign_in(client, owner.email)

    assert not is_signed_in(client)
    assert "Too many failed login attempts" in text_of(answer)


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

    page = text_of(owner_client.get("/"))

    assert "Example Schools Full" in page
    assert "Second Schools Read-only" in page
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
