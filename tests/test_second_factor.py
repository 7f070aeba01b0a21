"""Authenticator apps and recovery codes. Passkeys need a browser: tests/browser/test_passkey.py."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import unquote

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.conf import LazySettings
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from pytest_django.asserts import assertRedirects

from organizations import tenancy
from organizations.audit import Actor
from organizations.crypto import is_current
from organizations.models import Admin, ApiKey, Organization
from organizations.signin import factors, requirements
from tests.conftest import signed_in
from tests.factories import MembershipFactory
from tests.reading import errors_of, text_of
from tests.signing_in import (
    LOGIN,
    SECOND_STEP,
    SECRET,
    code,
    events,
    is_signed_in,
    recovery_codes,
    sign_in,
    with_app,
    with_passkey,
)

SET_UP = "/accounts/2fa/"
ADD_APP = "/accounts/2fa/app/activate/"
REMOVE_APP = "/accounts/2fa/app/remove/"
CODES = "/accounts/2fa/recovery-codes/"
NEW_KEY = base64.urlsafe_b64encode(b"1" * 32).decode()


@pytest.fixture(autouse=True)
def _committed(django_capture_on_commit_callbacks: Any, request: pytest.FixtureRequest) -> Any:
    """What is done after a commit is done after each request of the product."""
    with pytest.MonkeyPatch.context() as patch:
        send = Client.request

        def request_and_commit(client: Client, **environ: Any) -> HttpResponse:
            with django_capture_on_commit_callbacks(execute=True):
                return send(client, **environ)

        patch.setattr(Client, "request", request_and_commit)
        yield


# --- Setting up an app -------------------------------------------------------------------------------


def test_adding_an_app(owner_client: Client, owner: Admin) -> None:
    page = owner_client.get(ADD_APP)
    secret = owner_client.session["mfa.totp.secret"]
    shown = owner_client.post(ADD_APP, {"code": code_of(secret)}, follow=True)

    assert secret in text_of(page)
    assert "Keep these codes now" in text_of(shown)
    assert factors.has_second_factor(owner)
    assert sorted(events()) == [
        ("Example Schools", "admin.recovery_codes_made"),
        ("Example Schools", "admin.second_factor_added"),
    ]
    assert [letter.subject for letter in mail.outbox] == [
        "Authenticator app added to VPP Dashboard"
    ]


def code_of(secret: str) -> str:
    counter = next(totp.yield_hotp_counters_from_time())
    return totp.format_hotp_value(totp.hotp_value(secret, counter))


def test_the_picture_is_allowed_by_the_policy(owner_client: Client) -> None:
    page = owner_client.get(ADD_APP).content.decode()

    picture = page.partition('src="data:image/svg+xml;base64,')[2].partition('"')[0]
    assert base64.b64decode(picture).startswith(b'<svg xmlns="http://www.w3.org/2000/svg"')


def test_a_wrong_code_adds_no_app(owner_client: Client, owner: Admin) -> None:
    owner_client.get(ADD_APP)

    answer = owner_client.post(ADD_APP, {"code": "000000"})

    assert errors_of(answer) == ["That is not the right code, or it has been used already."]
    assert not factors.has_second_factor(owner)


def test_secrets_are_encrypted_at_rest(owner: Admin) -> None:
    with_app(owner)

    stored = {each.type: each.data for each in Authenticator.objects.filter(user=owner)}

    assert SECRET not in str(stored)
    assert is_current(stored["totp"]["secret"])
    assert is_current(stored["recovery_codes"]["seed"])


# --- Signing in with it ------------------------------------------------------------------------------


def test_the_password_alone_does_not_sign_in(client: Client, owner: Admin) -> None:
    with_app(owner)

    answer = sign_in(client, owner.email)

    assertRedirects(answer, SECOND_STEP)
    assert not is_signed_in(client)


def test_the_code_does_and_goes_on_to_the_wanted_page(client: Client, owner: Admin) -> None:
    with_app(owner)
    sign_in(client, owner.email, next="/accounts/sessions/")

    answer = client.post(SECOND_STEP, {"code": f" {code()[:3]} {code()[3:]} "})

    assertRedirects(answer, "/accounts/sessions/")


@pytest.mark.parametrize("steps", [-1, 0, 1])
@time_machine.travel("2027-03-01 12:00:10+00:00", tick=False)
def test_clocks_may_differ_by_half_a_minute(client: Client, owner: Admin, steps: int) -> None:
    with_app(owner)
    sign_in(client, owner.email)

    client.post(SECOND_STEP, {"code": code(steps)})

    assert is_signed_in(client)


@pytest.mark.parametrize("wrong", ["000000", "", "x", "é" * 6, "1" * 5000])
def test_other_codes_do_not(client: Client, owner: Admin, wrong: str) -> None:
    with_app(owner)
    sign_in(client, owner.email)

    answer = client.post(SECOND_STEP, {"code": wrong})

    assert answer.status_code == 200
    assert not is_signed_in(client)


@time_machine.travel("2027-03-01 12:00:10+00:00", tick=False)
def test_a_code_counts_once_and_none_before_it(owner: Admin) -> None:
    with_app(owner)
    came_in = []

    for tried in (code(), code(), code(-1), code(1)):
        browser = Client()
        sign_in(browser, owner.email)
        browser.post(SECOND_STEP, {"code": tried})
        came_in.append(is_signed_in(browser))

    assert came_in == [True, False, False, True]


def test_a_recovery_code_counts_once_and_is_told(client: Client, owner: Admin) -> None:
    with_app(owner)
    first = recovery_codes(owner)[0]
    mail.outbox.clear()
    outcomes = []

    for browser in (client, Client()):
        sign_in(browser, owner.email)
        browser.post(SECOND_STEP, {"code": first})
        outcomes.append(is_signed_in(browser))

    assert outcomes == [True, False]
    assert "9 left" in str(mail.outbox[0].body)
    assert ("Example Schools", "admin.recovery_code_used") in events()
    assert "9 codes left" in text_of(client.get(SET_UP))


def test_a_password_set_by_mail_does_not_go_around_it(client: Client, owner: Admin) -> None:
    with_app(owner)
    client.post("/accounts/password/reset/", {"email": owner.email})
    link = next(word for word in str(mail.outbox[-1].body).split() if "/key/" in word)
    page = client.get(link[link.index("/accounts/") :], follow=True)

    told = {"password1": "quite another long one", "password2": "quite another long one"}
    answer = client.post(page.request["PATH_INFO"], told)

    assertRedirects(answer, SECOND_STEP)
    assert not is_signed_in(client)


# --- Recovery codes ----------------------------------------------------------------------------------


def test_the_codes_are_shown_once_and_can_be_downloaded(owner_client: Client, owner: Admin) -> None:
    with_app(owner)
    codes = recovery_codes(owner)

    first, second = (owner_client.get(CODES).content.decode() for _ in range(2))

    assert all(f"<code>{each}</code>" in first for each in codes)
    file = first.partition('href="data:text/plain,')[2].partition('"')[0]
    assert unquote(file).split() == codes
    assert not any(each in second for each in codes)
    assert "10 of 10 codes are left" in " ".join(second.split())


def test_new_codes_end_the_old_ones(owner_client: Client, owner: Admin, client: Client) -> None:
    with_app(owner)
    old = recovery_codes(owner)[0]

    owner_client.post(f"{CODES}generate/")
    sign_in(client, owner.email)
    client.post(SECOND_STEP, {"code": old})

    assert not is_signed_in(client)
    assert mail.outbox[-1].subject == "New recovery codes for VPP Dashboard"


def test_without_a_factor_there_are_no_codes(owner_client: Client) -> None:
    assertRedirects(owner_client.get(CODES), SET_UP)
    assert "Set up an authenticator app or a passkey first." in text_of(
        owner_client.post(f"{CODES}generate/")
    )


# --- Removing ----------------------------------------------------------------------------------------


def test_removing_the_app(owner_client: Client, owner: Admin) -> None:
    with_app(owner)
    mail.outbox.clear()

    owner_client.post(REMOVE_APP)

    assert not Authenticator.objects.exists()
    assert mail.outbox[0].subject == "Authenticator app removed from VPP Dashboard"
    assert events()[-1] == ("Example Schools", "admin.second_factor_removed")


def test_the_last_factor_stays_while_an_organization_requires_one(
    owner_client: Client, owner: Admin, organization: Organization
) -> None:
    with_app(owner)
    Organization.objects.filter(pk=organization.pk).update(requires_second_factor=True)

    index = text_of(owner_client.get(SET_UP))
    answer = owner_client.post(REMOVE_APP)

    why = "Example Schools requires a second factor, and this is your only one. Add another first."
    assert why in text_of(answer)
    assert "Remove" in index
    assert factors.has_second_factor(owner)


@pytest.mark.parametrize("may_skip", [True, False])
def test_whoever_may_skip_single_sign_on_keeps_a_factor(
    owner_client: Client, owner: Admin, organization: Organization, may_skip: bool
) -> None:
    with_app(owner)
    Organization.objects.filter(pk=organization.pk).update(requires_single_sign_on=True)
    owner.memberships.update(may_skip_single_sign_on=may_skip)

    owner_client.post(REMOVE_APP)

    assert factors.has_second_factor(owner) == may_skip


def test_one_of_two_may_go(owner_client: Client, owner: Admin, organization: Organization) -> None:
    with_app(owner)
    with_passkey(owner)
    passkey = Authenticator.objects.get(type="webauthn")
    Organization.objects.filter(pk=organization.pk).update(requires_second_factor=True)

    owner_client.post(f"/accounts/2fa/passkeys/{passkey.pk}/remove/")
    owner_client.post(REMOVE_APP)

    assert list(Authenticator.objects.values_list("type", flat=True).order_by("type")) == [
        "recovery_codes",
        "totp",
    ]


def test_the_last_passkey_stays_as_well(
    owner_client: Client, owner: Admin, organization: Organization
) -> None:
    with_passkey(owner)
    passkey = Authenticator.objects.get(type="webauthn")
    Organization.objects.filter(pk=organization.pk).update(requires_second_factor=True)

    answer = owner_client.post(f"/accounts/2fa/passkeys/{passkey.pk}/remove/", follow=True)

    assert "this is your only one" in text_of(answer)
    assert factors.has_second_factor(owner)


@pytest.mark.parametrize("what", ["", "remove/"])
def test_passkeys_of_others_are_not_there(owner_client: Client, outsider: Admin, what: str) -> None:
    with_passkey(outsider)
    passkey = Authenticator.objects.get(type="webauthn")

    answers = [
        getattr(owner_client, method)(f"/accounts/2fa/passkeys/{passkey.pk}/{what}").status_code
        for method in ("get", "post")
    ]

    assert answers == [404, 404]


def test_renaming_a_passkey(owner_client: Client, owner: Admin) -> None:
    with_passkey(owner)
    passkey = Authenticator.objects.get(type="webauthn")

    owner_client.post(f"/accounts/2fa/passkeys/{passkey.pk}/", {"name": "Work laptop"})

    assert "Work laptop" in text_of(owner_client.get(SET_UP))


@pytest.mark.parametrize(
    "credential", ["", "x", "null", "[]", "{}", '{"id": 1}', '{"id": "x", "response": []}']
)
@pytest.mark.parametrize(
    "path", ["2fa/passkeys/add/", "2fa/passkeys/reauthenticate/", "2fa/passkeys/login/"]
)
def test_what_is_no_passkey_is_refused_and_breaks_nothing(
    owner: Admin, owner_client: Client, client: Client, path: str, credential: str
) -> None:
    with_passkey(owner)
    browser = client if path.endswith("login/") else owner_client

    answer = browser.post(f"/accounts/{path}", {"credential": credential, "name": "x"})

    assert answer.status_code in (200, 302)
    assert Authenticator.objects.filter(type="webauthn").count() == 1
    assert not is_signed_in(client)


# --- Keys --------------------------------------------------------------------------------------------


def test_a_lost_key_is_told_in_words(client: Client, owner: Admin, settings: LazySettings) -> None:
    with_app(owner)
    settings.FIELD_ENCRYPTION_KEYS = [NEW_KEY]
    sign_in(client, owner.email)

    answer = client.post(SECOND_STEP, {"code": code()})

    assert "this server has lost an encryption key" in errors_of(answer)[0]
    pages = [signed_in(owner).get(path).status_code for path in (SET_UP, CODES, REMOVE_APP)]
    assert pages == [200, 302, 200]


def test_an_older_key_still_opens(client: Client, owner: Admin, settings: LazySettings) -> None:
    with_app(owner)
    settings.FIELD_ENCRYPTION_KEYS = [NEW_KEY, *settings.FIELD_ENCRYPTION_KEYS]
    sign_in(client, owner.email)

    client.post(SECOND_STEP, {"code": code()})

    assert is_signed_in(client)


# --- An organization that requires one ---------------------------------------------------------------


@pytest.fixture
def strict(organization: Organization) -> Organization:
    organization.requires_second_factor = True
    organization.save()
    return organization


def test_a_browser_is_sent_to_set_one_up_and_back(
    owner: Admin, owner_client: Client, strict: Organization
) -> None:
    wanted = f"/organizations/{strict.pk}/networks/?page=2"

    sent = owner_client.get(wanted)
    page = owner_client.get(sent["Location"])
    owner_client.get(ADD_APP)
    secret = owner_client.session["mfa.totp.secret"]
    owner_client.post(ADD_APP, {"code": code_of(secret)})
    back = owner_client.get(SET_UP)

    assert sent["Location"].startswith(f"{SET_UP}?next=")
    assert "Example Schools requires a second factor. Set one up to go on." in text_of(page)
    assertRedirects(back, wanted)


def test_htmx_takes_the_whole_browser_there(owner_client: Client, strict: Organization) -> None:
    page = f"/organizations/{strict.pk}/networks/"

    answer = owner_client.get(page, HTTP_HX_REQUEST="true")

    assert answer["HX-Redirect"] == f"{SET_UP}?next=%2Forganizations%2F{strict.pk}%2Fnetworks%2F"


def test_a_key_is_told(owner: Admin, strict: Organization, client: Client) -> None:
    _, text = ApiKey.objects.issue(admin=owner, name="Script")
    url = f"/api/v1/organizations/{strict.pk}/networks"
    headers = {"Authorization": f"Bearer {text}"}

    refused = client.get(url, headers=headers)
    with_app(owner)
    let_in = client.get(url, headers=headers)

    sentence = "Example Schools requires a second factor; sign in to the dashboard and set one up."
    assert (refused.status_code, refused.json()) == (
        403,
        {"errors": [sentence], "code": "second_factor_required"},
    )
    assert let_in.status_code == 200


def test_other_organizations_do_not_mind(outsider_client: Client, outsider: Admin, strict) -> None:
    own = outsider.memberships.get().organization

    assert outsider_client.get(f"/organizations/{own.pk}/networks/").status_code == 200
    assert outsider_client.get(f"/organizations/{strict.pk}/networks/").status_code == 404


def test_who_has_none_cannot_require_one(owner: Admin, organization: Organization) -> None:
    with tenancy.inside(organization.pk), pytest.raises(requirements.NoSecondFactorYourself):
        requirements.require_second_factor(
            by=Actor.of_admin(owner), organization=organization, wanted=True
        )

    organization.refresh_from_db()
    assert not organization.requires_second_factor


def test_requiring_one_says_whom_it_asks(
    owner: Admin, reader: Admin, organization: Organization, outsider: Admin
) -> None:
    with_app(owner)
    MembershipFactory(organization=organization, accepted_at=None)
    with tenancy.inside(organization.pk):
        asked = [each.admin for each in requirements.without_second_factor(organization)]
        for wanted in (True, True, False):
            requirements.require_second_factor(
                by=Actor.of_admin(owner), organization=organization, wanted=wanted
            )

    assert asked == [reader]
    assert (
        events("organization.second")
        == [("Example Schools", "organization.second_factor_required")] * 2
    )


def test_with_second_factor_is_one_statement(
    owner: Admin, reader: Admin, django_assert_num_queries
) -> None:
    with_app(owner)

    with django_assert_num_queries(1):
        found = factors.with_second_factor([owner.pk, reader.pk])

    assert found == {owner.pk}


# --- Who may see these pages -------------------------------------------------------------------------


@pytest.mark.parametrize("path", [SET_UP, ADD_APP, CODES, "/accounts/2fa/passkeys/add/"])
def test_who_is_not_signed_in_sees_nothing(client: Client, db: None, path: str) -> None:
    for answer in (client.get(path), client.post(path)):
        assert answer.status_code in (302, 405)
        assert answer.get("Location", LOGIN).startswith(LOGIN)


def test_the_second_step_without_the_first_leads_to_the_first(client: Client, db: None) -> None:
    assertRedirects(client.post(SECOND_STEP, {"code": "123456"}), LOGIN)


def test_pages_are_kept_by_nobody(owner_client: Client, owner: Admin) -> None:
    with_app(owner)

    for path in (SET_UP, CODES, REMOVE_APP):
        assert "no-store" in owner_client.get(path)["Cache-Control"]
