"""Passkeys: as the second step, as the only one, and when one shows again who one is."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertRedirects

from organizations.models import Admin
from tests.reading import text_of
from tests.signing_in import (
    ADD_PASSKEY,
    LOGIN,
    PASSKEY_LOGIN,
    SECOND_STEP,
    SoftPasskey,
    events,
    is_signed_in,
    made_old,
    options_in,
    sign_in,
    with_passkey,
)

AGAIN = "/accounts/2fa/passkeys/reauthenticate/"


def login_options(client: Client) -> dict:
    answer = client.get(PASSKEY_LOGIN, headers={"Accept": "application/json"})
    return answer.json()["request_options"]


def sign_in_with(client: Client, passkey: SoftPasskey, admin: Admin, **told: str) -> object:
    answer = passkey.get(login_options(client), admin)
    return client.post(PASSKEY_LOGIN, {"credential": answer, **told})


# --- Adding ------------------------------------------------------------------------------------------


def test_a_passkey_is_added_with_its_name_and_recovery_codes(owner: Admin) -> None:
    with_passkey(owner)

    kinds = Authenticator.objects.order_by("type").values_list("type", flat=True)
    assert list(kinds) == ["recovery_codes", "webauthn"]
    assert str(Authenticator.objects.get(type="webauthn")) == "Laptop"
    assert sorted(action for _, action in events()) == [
        "admin.recovery_codes_made",
        "admin.second_factor_added",
    ]


def test_it_can_be_the_only_step_where_the_device_is_able_to(owner_client: Client) -> None:
    options = options_in(owner_client.get(ADD_PASSKEY))["publicKey"]

    selection = options["authenticatorSelection"]
    assert (selection["residentKey"], selection["userVerification"]) == ("preferred", "preferred")
    assert "requireResidentKey" not in selection


def test_an_answer_to_another_page_adds_nothing(owner_client: Client) -> None:
    first = options_in(owner_client.get(ADD_PASSKEY))
    owner_client.get(ADD_PASSKEY)

    answer = owner_client.post(ADD_PASSKEY, {"credential": SoftPasskey().create(first)})

    assert "That passkey was not accepted." in text_of(answer)
    assert not Authenticator.objects.exists()


# --- Signing in --------------------------------------------------------------------------------------


def test_as_the_only_step_of_signing_in(client: Client, owner: Admin) -> None:
    passkey = with_passkey(owner)

    answer = sign_in_with(client, passkey, owner, next="/accounts/sessions/")

    assertRedirects(answer, "/accounts/sessions/")


def test_as_the_second_step(client: Client, owner: Admin) -> None:
    passkey = with_passkey(owner)
    sign_in(client, owner.email)

    options = options_in(client.get(SECOND_STEP))
    client.post(SECOND_STEP, {"credential": passkey.get(options)})

    assert is_signed_in(client)


def test_a_key_that_does_not_check_who_holds_it_is_no_only_step(
    client: Client, owner: Admin
) -> None:
    passkey = with_passkey(owner, verifies=False)

    page = sign_in_with(client, passkey, owner)
    refused = text_of(client.get(page["Location"]))
    sign_in(client, owner.email)
    client.post(SECOND_STEP, {"credential": passkey.get(options_in(client.get(SECOND_STEP)))})

    assert "That passkey was not accepted." in refused
    assert is_signed_in(client)  # after the password it is enough


def test_nor_does_the_challenge_of_a_second_step_make_it_one(
    client: Client, owner: Admin, reader: Admin
) -> None:
    stolen = with_passkey(owner, verifies=False)
    with_passkey(reader)
    sign_in(client, reader.email)
    options = options_in(client.get(SECOND_STEP))  # this one does not ask who holds the key

    # Given up after a quarter of an hour; the challenge is still in the session.
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        answer = client.post(PASSKEY_LOGIN, {"credential": stolen.get(options, owner)})

    assertRedirects(answer, LOGIN)
    assert not is_signed_in(client)


@pytest.mark.parametrize(
    "whose", ["another passkey", "another admin", "an old challenge", "forged"]
)
def test_what_does_not_fit_does_not_sign_in(
    client: Client, owner: Admin, reader: Admin, whose: str
) -> None:
    passkey = with_passkey(owner)
    stale = login_options(client)
    options = stale if whose == "an old challenge" else login_options(client)
    if whose == "an old challenge":
        login_options(client)
    signing = SoftPasskey() if whose == "another passkey" else passkey
    told = json.loads(signing.get(options, reader if whose == "another admin" else owner))
    if whose == "forged":
        told["response"]["signature"] = "MEUCIQ" + told["response"]["signature"][6:-4] + "AAAA"

    answer = client.post(PASSKEY_LOGIN, {"credential": json.dumps(told)})

    assertRedirects(answer, LOGIN)
    assert not is_signed_in(client)


def test_who_is_switched_off_does_not_come_in(client: Client, owner: Admin) -> None:
    passkey = with_passkey(owner)
    Admin.objects.filter(pk=owner.pk).update(is_active=False)

    sign_in_with(client, passkey, owner)

    assert not is_signed_in(client)


def test_a_lock_of_the_password_does_not_hold_it_up(client: Client, owner: Admin) -> None:
    passkey = with_passkey(owner)
    for _ in range(8):
        sign_in(client, owner.email, "wrong")

    sign_in_with(client, passkey, owner)

    assert is_signed_in(client)


def test_an_answer_counts_once(client: Client, owner: Admin) -> None:
    passkey = with_passkey(owner)
    answer = passkey.get(login_options(client), owner)
    client.post(PASSKEY_LOGIN, {"credential": answer})
    client.post("/accounts/logout/")

    client.post(PASSKEY_LOGIN, {"credential": answer})

    assert not is_signed_in(client)


# --- Showing again who one is ------------------------------------------------------------------------


def test_it_shows_again_who_one_is(owner: Admin, owner_client: Client) -> None:
    passkey = with_passkey(owner)
    made_old(owner_client)
    page = owner_client.get(AGAIN, {"next": ADD_PASSKEY})

    told = {"credential": passkey.get(options_in(page)), "next": ADD_PASSKEY}
    answer = owner_client.post(AGAIN, told)

    assertRedirects(answer, ADD_PASSKEY)


def test_another_one_does_not_and_the_way_back_is_kept(owner: Admin, owner_client: Client) -> None:
    with_passkey(owner)
    made_old(owner_client)
    page = owner_client.get(AGAIN, {"next": ADD_PASSKEY})

    told = {"credential": SoftPasskey().get(options_in(page)), "next": ADD_PASSKEY}
    answer = owner_client.post(AGAIN, told)

    assertRedirects(answer, f"{AGAIN}?next=%2Faccounts%2F2fa%2Fpasskeys%2Fadd%2F")
