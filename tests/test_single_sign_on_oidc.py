"""Signing in with OpenID Connect: who comes in, what the session opens, and every way to be refused."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.totp.internal import auth as totp
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertRedirects

from organizations.models import Admin, AuditEvent, IdentityProvider, Membership, Organization
from organizations.signin.limits import KEY
from tests.factories import AdminFactory, MembershipFactory, OrganizationFactory
from tests.oidc_provider import OTHER_KEY, SECRET, OidcProvider, running
from tests.single_sign_on import (
    begin,
    failed_check,
    is_signed_in,
    oidc_row,
    sent_to,
    sign_in,
    way_back,
)

PASSWORD = "a long enough password"


@pytest.fixture(scope="module")
def server() -> Iterator[OidcProvider]:
    with running() as provider:
        yield provider


@pytest.fixture
def provider(server: OidcProvider, settings: Any) -> OidcProvider:
    """As new for each test."""
    settings.SSO_ALLOW_PRIVATE = True
    server.__init__(server.issuer)  # type: ignore[misc]
    return server


@pytest.fixture
def row(organization: Organization, provider: OidcProvider) -> IdentityProvider:
    return oidc_row(organization, provider)


def refusals_of(organization: Organization) -> list[dict[str, str]]:
    events = AuditEvent.objects.filter(organization=organization, refused=True)
    return [event.after for event in events.order_by("pk")]


# --- Coming in ------------------------------------------------------------------------------------


def test_an_admin_comes_in(
    client: Client, owner: Admin, organization: Organization, row: IdentityProvider
) -> None:
    before = timezone.now()

    answer = sign_in(client, row)

    assertRedirects(answer, "/", fetch_redirect_response=False)
    assert client.session["_auth_user_id"] == str(owner.pk)
    assert client.session[KEY] == organization.pk
    account = SocialAccount.objects.get()
    assert (account.provider, account.uid, account.user) == (
        str(row.uuid),
        "248289761001",
        owner,
    )
    assert account.extra_data == {}
    row.refresh_from_db()
    assert row.last_used_at
    assert row.last_used_at >= before


def test_the_page_one_wanted_comes_after_signing_in(
    client: Client, owner: Admin, organization: Organization, row: IdentityProvider
) -> None:
    wanted = f"/organizations/{organization.pk}/networks/"

    answer = sign_in(client, row, next=wanted)

    assertRedirects(answer, wanted)


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example/", "https:evil.example", "/\\evil.example"]
)
def test_nobody_is_sent_elsewhere(
    client: Client, owner: Admin, row: IdentityProvider, wanted: str
) -> None:
    answer = sign_in(client, row, next=wanted)

    assertRedirects(answer, "/", fetch_redirect_response=False)


def test_a_request_carries_state_nonce_and_pkce(
    client: Client, owner: Admin, row: IdentityProvider, provider: OidcProvider
) -> None:
    sign_in(client, row)

    asked = dict(provider.asked)["/authorize"]
    assert asked.keys() == {
        *("client_id", "redirect_uri", "response_type", "scope", "state", "nonce"),
        *("code_challenge", "code_challenge_method"),
    }
    assert set(asked["scope"].split()) == {"openid", "email"}
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")


def test_a_second_time_the_subject_counts_and_not_the_address(
    client: Client, owner: Admin, row: IdentityProvider, provider: OidcProvider
) -> None:
    sign_in(client, row)
    client.logout()
    provider.email, provider.is_verified = "married@example.org", False

    sign_in(client, row)

    assert client.session["_auth_user_id"] == str(owner.pk)


def test_an_invitation_is_accepted_by_coming_in(
    client: Client, organization: Organization, row: IdentityProvider, provider: OidcProvider
) -> None:
    invited = MembershipFactory(
        organization=organization,
        admin__email="new@example.org",
        admin__password=None,
        access="read-only",
        accepted_at=None,
        invited_at=timezone.now(),
    )
    provider.email = "New@Example.org"

    sign_in(client, row)

    assert client.session["_auth_user_id"] == str(invited.admin_id)
    assert Membership.objects.get(pk=invited.pk).accepted_at is not None


def test_nobody_joins_in_the_name_of_who_is_known_here(
    client: Client,
    owner_client: Client,
    organization: Organization,
    row: IdentityProvider,
    provider: OidcProvider,
) -> None:
    known = MembershipFactory(admin__email="known@example.org", admin__name="Known Elsewhere").admin
    invited = MembershipFactory(
        organization=organization, admin=known, accepted_at=None, invited_at=timezone.now()
    )
    provider.email = known.email

    answer = sign_in(client, row)

    assert failed_check(answer) == "not_accepted"
    assert Membership.objects.get(pk=invited.pk).accepted_at is None
    assert known.name not in owner_client.get(f"/organizations/{organization.pk}/admins/").text


def test_an_address_in_the_userinfo_alone_is_enough(
    client: Client, owner: Admin, row: IdentityProvider, provider: OidcProvider
) -> None:
    provider.without = {"email", "email_verified"}

    sign_in(client, row)

    assert is_signed_in(client)


def test_a_provider_that_manages_its_addresses_need_not_verify_them(
    client: Client, owner: Admin, row: IdentityProvider, provider: OidcProvider
) -> None:
    provider.without = {"email_verified"}
    IdentityProvider.objects.update(manages_addresses=True)

    sign_in(client, row)

    assert is_signed_in(client)


def test_a_second_factor_of_the_person_is_asked_for_as_well(
    client: Client, owner: Admin, organization: Organization, row: IdentityProvider
) -> None:
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(owner, secret)
    answer = sign_in(client, row)
    assertRedirects(answer, "/accounts/2fa/authenticate/")
    assert not is_signed_in(client)
    kept = json.dumps(dict(client.session))
    assert owner.password not in kept
    assert SECRET not in kept

    client.post("/accounts/2fa/authenticate/", {"code": code_now(secret)})

    assert client.session["_auth_user_id"] == str(owner.pk)
    assert client.session[KEY] == organization.pk


def test_a_provider_switched_off_before_the_second_factor_opens_nothing(
    client: Client, owner: Admin, organization: Organization, row: IdentityProvider
) -> None:
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(owner, secret)
    sign_in(client, row)
    IdentityProvider.objects.update(is_enabled=False)

    client.post("/accounts/2fa/authenticate/", {"code": code_now(secret)})

    assert client.get(f"/organizations/{organization.pk}/").status_code == 404


def code_now(secret: str) -> str:
    counter = next(iter(totp.yield_hotp_counters_from_time()))
    return totp.format_hotp_value(totp.hotp_value(secret, counter))


# --- What such a session opens --------------------------------------------------------------------


@pytest.fixture
def elsewhere(owner: Admin) -> Organization:
    """Another organization of the same person, with full access."""
    return MembershipFactory(admin=owner, organization__name="Elsewhere Too").organization


def test_the_session_opens_this_organization_and_nothing_of_another(
    client: Client,
    owner: Admin,
    organization: Organization,
    elsewhere: Organization,
    row: IdentityProvider,
) -> None:
    sign_in(client, row)

    here = client.get(f"/organizations/{organization.pk}/networks/")
    there = client.get(f"/organizations/{elsewhere.pk}/networks/")
    home = client.get("/", follow=True)

    assert (here.status_code, there.status_code) == (200, 404)
    assert home.status_code == 200
    assert "Elsewhere Too" not in here.content.decode() + home.content.decode()


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/2fa/",
        "/accounts/2fa/app/activate/",
        "/accounts/2fa/recovery-codes/",
        "/accounts/password/change/",
        "/accounts/password/set/",
        "/accounts/sessions/",
        "/accounts/reauthenticate/",
        "/invitation/1/accept/",
    ],
)
def test_the_persons_own_pages_are_closed(
    client: Client, owner: Admin, row: IdentityProvider, path: str
) -> None:
    sign_in(client, row)

    answers = [client.get(path), client.post(path)]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert "This page belongs to you and not to one organization." in answers[0].content.decode()


def test_a_password_in_the_same_browser_begins_a_session_without_limit(
    client: Client, owner: Admin, elsewhere: Organization, row: IdentityProvider
) -> None:
    sign_in(client, row)
    client.post("/accounts/logout/")

    client.post("/accounts/login/", {"login": owner.email, "password": PASSWORD})

    assert KEY not in client.session
    assert client.get(f"/organizations/{elsewhere.pk}/networks/").status_code == 200


def test_single_sign_on_limits_a_session_that_was_open(
    client: Client, owner: Admin, elsewhere: Organization, row: IdentityProvider
) -> None:
    client.force_login(owner)

    sign_in(client, row)

    assert client.get(f"/organizations/{elsewhere.pk}/networks/").status_code == 404


def test_a_hostile_provider_takes_over_nothing_elsewhere(
    client: Client,
    outsider: Admin,
    organization: Organization,
    row: IdentityProvider,
    provider: OidcProvider,
) -> None:
    """It vouches for an admin of another organization, who has come into this one as well."""
    theirs = outsider.memberships.get().organization
    MembershipFactory(organization=organization, admin=outsider)
    provider.email = outsider.email

    sign_in(client, row)

    assert client.session[KEY] == organization.pk
    assert client.get(f"/organizations/{theirs.pk}/networks/").status_code == 404
    assert client.get("/accounts/password/change/").status_code == 403


# --- Who is not let in ----------------------------------------------------------------------------


def test_a_stranger_is_refused_told_and_recorded(
    client: Client,
    outsider: Admin,
    organization: Organization,
    row: IdentityProvider,
    provider: OidcProvider,
) -> None:
    provider.email = outsider.email

    answer = sign_in(client, row)

    assert failed_check(answer) == "not_an_admin"
    assert "outsider@example.net is not an administrator of Example Schools." in (
        answer.content.decode()
    )
    assert not is_signed_in(client)
    assert refusals_of(organization) == [{"check": "not_an_admin", "email": outsider.email}]
    assert not SocialAccount.objects.exists()
    assert not Admin.objects.exclude(pk=outsider.pk).exists()


@pytest.mark.parametrize("verified", [False, None, "false", 1, "yes"])
def test_an_address_that_is_not_verified_is_not_believed(
    client: Client, owner: Admin, row: IdentityProvider, provider: OidcProvider, verified: object
) -> None:
    provider.is_verified = verified

    assert failed_check(sign_in(client, row)) == "not_verified"
    assert not is_signed_in(client)


def test_a_letter_that_only_looks_the_same_is_another(
    client: Client, organization: Organization, row: IdentityProvider, provider: OidcProvider
) -> None:
    """The Kelvin sign becomes a k in small letters."""
    MembershipFactory(organization=organization, admin__email="kate@example.org")
    provider.email = "\N{KELVIN SIGN}ate@example.org"

    assert failed_check(sign_in(client, row)) == "not_an_admin"


def test_without_an_address_nobody_is_known(
    client: Client, owner: Admin, row: IdentityProvider, provider: OidcProvider
) -> None:
    provider.email = ""

    assert failed_check(sign_in(client, row)) == "no_address"


@pytest.mark.parametrize(
    ("domains", "check"), [(["example.org"], "HTTP 302"), (["example.edu"], "other_domain")]
)
def test_a_provider_speaks_for_its_domains_only(
    client: Client, owner: Admin, row: IdentityProvider, domains: list[str], check: str
) -> None:
    IdentityProvider.objects.update(email_domains=domains)

    assert failed_check(sign_in(client, row)) == check


def test_another_subject_with_the_same_address_is_refused(
    client: Client, owner: Admin, row: IdentityProvider, provider: OidcProvider
) -> None:
    sign_in(client, row)
    client.logout()
    provider.subject = "another"

    answer = sign_in(client, row)

    assert failed_check(answer) == "other_subject"
    assert not is_signed_in(client)


def test_a_subject_that_left_the_organization_is_refused(
    client: Client, owner: Admin, row: IdentityProvider
) -> None:
    sign_in(client, row)
    client.logout()
    Membership.objects.filter(admin=owner).delete()

    assert failed_check(sign_in(client, row)) == "not_an_admin"


def test_a_deactivated_admin_is_refused(
    client: Client, owner: Admin, row: IdentityProvider
) -> None:
    Admin.objects.filter(pk=owner.pk).update(is_active=False)

    assert failed_check(sign_in(client, row)) == "deactivated"


def test_an_invitation_that_is_too_old_is_not_accepted(
    client: Client, organization: Organization, row: IdentityProvider, provider: OidcProvider
) -> None:
    MembershipFactory(
        organization=organization,
        admin__email="late@example.org",
        admin__password=None,
        accepted_at=None,
        invited_at=timezone.now() - timedelta(days=30),
    )
    provider.email = "late@example.org"

    answer = sign_in(client, row)

    assert failed_check(answer) == "invitation_over"
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"suspended_at": timezone.now()}, "closed"),
        ({"deletion_asked_at": timezone.now()}, "closed"),
    ],
)
def test_a_closed_organization_lets_nobody_in(
    client: Client,
    owner: Admin,
    organization: Organization,
    row: IdentityProvider,
    change: dict[str, object],
    check: str,
) -> None:
    url = begin(client, row)
    Organization.objects.filter(pk=organization.pk).update(**change)

    answers = [client.get(way_back(url)), client.post(f"/accounts/sso/{row.uuid}/")]

    assert [failed_check(answer) for answer in answers] == [check, check]
    assert not is_signed_in(client)


def test_a_provider_that_is_switched_off_signs_nobody_in(
    client: Client, owner: Admin, row: IdentityProvider
) -> None:
    url = begin(client, row)
    IdentityProvider.objects.update(is_enabled=False)

    answers = [client.get(way_back(url)), client.post(f"/accounts/sso/{row.uuid}/")]

    assert [failed_check(answer) for answer in answers] == ["switched_off", "switched_off"]


# --- Answers that break the protocol --------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "check"),
    [
        ({"iss": "https://other.example"}, "id_token"),
        ({"aud": "another client"}, "id_token"),
        ({"aud": ["vpp-dashboard", "another"], "azp": "another"}, "id_token"),
        ({"exp": int(time.time()) - 3600}, "id_token"),
        ({"iat": int(time.time()) + 3600}, "id_token"),
        ({"sub": ""}, "id_token"),
        ({"nonce": "of another sign-in"}, "nonce"),
        ({"nonce": None}, "nonce"),
    ],
)
def test_claims_that_are_not_for_us_now_are_refused(
    client: Client,
    owner: Admin,
    row: IdentityProvider,
    provider: OidcProvider,
    claims: dict[str, object],
    check: str,
) -> None:
    provider.claims = claims

    assert failed_check(sign_in(client, row)) == check
    assert not is_signed_in(client)


@pytest.mark.parametrize(
    ("claims", "check"),
    [
        ({"sub": "a\x00b"}, "unreadable"),
        ({"sub": "\ud800"}, "unreadable"),
        ({"email": "owner\x00@example.org"}, "unreadable"),
        ({"email": "\ud800@example.org"}, "unreadable"),
        ({"email": f"{'a' * 300}@example.org"}, "unreadable"),
        ({"nonce": "\ud800"}, "unreadable"),
        ({"auth_time": 10**400}, "id_token"),
        ({"auth_time": float("nan")}, "id_token"),
        ({"exp": float("inf")}, "id_token"),
    ],
)
def test_claims_that_nothing_can_hold_are_told_in_a_sentence(
    client: Client,
    owner: Admin,
    row: IdentityProvider,
    provider: OidcProvider,
    claims: dict[str, object],
    check: str,
) -> None:
    provider.claims = claims

    assert failed_check(sign_in(client, row)) == check
    assert not is_signed_in(client)


@pytest.mark.parametrize(("late", "is_let_in"), [(90, True), (150, False)])
def test_clocks_may_differ_by_two_minutes(
    client: Client,
    owner: Admin,
    row: IdentityProvider,
    provider: OidcProvider,
    late: int,
    is_let_in: bool,
) -> None:
    provider.claims = {"exp": int(time.time()) - late, "iat": int(time.time()) - late - 60}

    sign_in(client, row)

    assert is_signed_in(client) == is_let_in


@pytest.mark.parametrize(
    ("key", "algorithm"), [(OTHER_KEY, "RS256"), (SECRET * 2, "HS256"), (None, "none")]
)
def test_a_token_that_the_issuer_did_not_sign_is_refused(
    client: Client,
    owner: Admin,
    row: IdentityProvider,
    provider: OidcProvider,
    key: object,
    algorithm: str,
) -> None:
    provider.sign_with, provider.algorithm = key, algorithm

    assert failed_check(sign_in(client, row)) == "id_token"
    assert not is_signed_in(client)


@pytest.mark.parametrize("path", ["/token", "/keys", "/.well-known/openid-configuration"])
@pytest.mark.parametrize(
    "answer",
    [
        (500, b"{}"),
        (200, b"<html>not at all</html>"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"keys": 1, "id_token": 1, "access_token": [], "issuer": {}}'),
        (200, b'{"keys": [1, {"kid": []}], "id_token": "a.b", "access_token": "x"}'),
        (200, b" " * 1_100_000),
        (200, b"[" * 200_000),
        (200, b'{"a":' * 100_000),
        (302, b""),
    ],
)
def test_garbage_is_told_in_a_sentence(
    client: Client,
    owner: Admin,
    row: IdentityProvider,
    provider: OidcProvider,
    path: str,
    answer: tuple[int, bytes],
) -> None:
    url = begin(client, row)
    back = way_back(url)
    provider.answers[path] = answer

    told = client.get(back)

    assert told.status_code == 403
    assert "did not sign you in" in told.content.decode()
    assert not is_signed_in(client)


@pytest.mark.parametrize(
    "described",
    [
        {"token_endpoint_auth_methods_supported": None},
        {"token_endpoint_auth_methods_supported": 5},
    ],
)
def test_a_description_that_says_nothing_of_client_secrets_is_enough(
    client: Client,
    owner: Admin,
    row: IdentityProvider,
    provider: OidcProvider,
    described: dict[str, object],
) -> None:
    told = json.dumps(provider.configuration() | described).encode()
    provider.answers["/.well-known/openid-configuration"] = (200, told)

    sign_in(client, row)

    assert is_signed_in(client)


def test_an_address_that_no_browser_is_sent_to_is_refused(
    client: Client, row: IdentityProvider, provider: OidcProvider
) -> None:
    far = provider.configuration() | {"authorization_endpoint": f"http://{'x' * 3000}"}
    provider.answers["/.well-known/openid-configuration"] = (200, json.dumps(far).encode())

    assert failed_check(client.post(f"/accounts/sso/{row.uuid}/")) == "discovery"


def test_userinfo_of_somebody_else_is_refused(
    client: Client, owner: Admin, row: IdentityProvider, provider: OidcProvider
) -> None:
    provider.without = {"email"}
    told = {"sub": "somebody else", "email": owner.email, "email_verified": True}
    provider.answers["/userinfo"] = (200, json.dumps(told).encode())

    assert failed_check(sign_in(client, row)) == "userinfo"


def test_a_provider_that_is_away_is_told(
    client: Client, owner: Admin, row: IdentityProvider, provider: OidcProvider
) -> None:
    IdentityProvider.objects.update(issuer="http://127.0.0.1:9")

    answer = client.post(f"/accounts/sso/{row.uuid}/")

    assert failed_check(answer) == "unreachable"


def test_a_wrong_client_secret_is_told_and_never_shown(
    client: Client, owner: Admin, row: IdentityProvider, provider: OidcProvider
) -> None:
    provider.client_secret = "changed at the provider"

    answer = sign_in(client, row)

    assert failed_check(answer) == "token"
    assert SECRET not in answer.content.decode()


def test_a_lost_encryption_key_is_told(
    client: Client, owner: Admin, row: IdentityProvider, settings: Any
) -> None:
    url = begin(client, row)
    settings.FIELD_ENCRYPTION_KEYS = ["MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE="]

    assert failed_check(client.get(way_back(url))) == "secret_lost"


# --- Answers that nobody had asked for ------------------------------------------------------------


def test_an_answer_in_another_browser_is_refused(
    client: Client, owner: Admin, row: IdentityProvider
) -> None:
    back = way_back(begin(client, row))
    victim = Client()

    answer = victim.get(back)

    assert failed_check(answer) == "state"
    assert not is_signed_in(victim)


def test_an_answer_is_taken_once(client: Client, owner: Admin, row: IdentityProvider) -> None:
    back = way_back(begin(client, row))
    client.get(back)

    assert failed_check(client.get(back)) == "state"


def test_an_answer_of_one_provider_is_none_of_another(
    client: Client, owner: Admin, row: IdentityProvider, provider: OidcProvider
) -> None:
    other = oidc_row(OrganizationFactory(), provider)
    back = way_back(begin(client, row))

    answer = client.get(back.replace(str(row.uuid), str(other.uuid)))

    assert failed_check(answer) == "state"
    assert not is_signed_in(client)


def test_a_link_alone_begins_nothing(
    client: Client, owner: Admin, row: IdentityProvider, provider: OidcProvider
) -> None:
    client.force_login(owner)

    answer = client.get(f"/accounts/sso/{row.uuid}/?process=connect&auth_params=prompt%3Dnone")

    assert answer.status_code == 200
    assert "Sign in with Directory" in answer.content.decode()
    assert provider.asked == []


def test_the_form_of_the_sign_in_address_needs_our_own_page(
    owner: Admin, row: IdentityProvider
) -> None:
    strict = Client(enforce_csrf_checks=True)

    answer = strict.post(f"/accounts/sso/{row.uuid}/", {"process": "connect"})

    assert answer.status_code == 403


def test_nobody_is_connected_by_asking_for_it(
    client: Client, reader: Admin, owner: Admin, row: IdentityProvider
) -> None:
    """allauth connects accounts where a request says so; ours never does."""
    client.force_login(reader)

    sign_in(client, row, process="connect")

    assert SocialAccount.objects.get().user == owner


def test_who_ended_it_at_the_provider_is_told_so(
    client: Client, owner: Admin, row: IdentityProvider
) -> None:
    url = begin(client, row)
    state = parse_qs(urlsplit(url).query)["state"][0]

    answer = client.get(f"/accounts/oidc/{row.uuid}/callback/?error=access_denied&state={state}")

    assert failed_check(answer) == "cancelled"


def test_the_same_refusal_is_recorded_once_in_five_minutes(
    client: Client, organization: Organization, row: IdentityProvider
) -> None:
    for _ in range(3):
        client.get(f"/accounts/oidc/{row.uuid}/callback/?code=x&state=y")

    assert refusals_of(organization) == [{"check": "state"}]


# --- Again, before what cannot be undone ----------------------------------------------------------


def test_a_session_of_single_sign_on_shows_who_it_is_there(
    client: Client,
    owner: Admin,
    organization: Organization,
    row: IdentityProvider,
    provider: OidcProvider,
) -> None:
    sign_in(client, row)
    make_old(client)
    wanted = f"/organizations/{organization.pk}/sign-in/providers/add/"
    asked = client.get(wanted)
    assertRedirects(asked, f"/accounts/sso/again/?next={wanted}")

    page = client.post("/accounts/sso/again/", {"next": wanted})
    url = sent_to(page)
    answer = client.get(way_back(url), follow=True)

    assert "prompt=login" in url
    assert "max_age=0" in url
    assert answer.redirect_chain[-1][0] == wanted
    assert answer.status_code == 200


def make_old(client: Client) -> None:
    session = client.session
    session["signed_in_at"] = time.time() - 3600
    session.save()


@pytest.mark.parametrize(
    ("claims", "email", "check"),
    [
        ({"auth_time": int(time.time()) - 3600}, "owner@example.org", "not_recent"),
        ({"sub": "reader's"}, "reader@example.org", "other_person"),
    ],
)
def test_neither_an_old_sign_in_nor_another_person_counts_as_shown(
    client: Client,
    owner: Admin,
    reader: Admin,
    organization: Organization,
    row: IdentityProvider,
    provider: OidcProvider,
    claims: dict[str, object],
    email: str,
    check: str,
) -> None:
    sign_in(client, row)
    make_old(client)
    provider.claims, provider.email = claims, email

    answer = client.get(way_back(sent_to(client.post("/accounts/sso/again/"))))

    assert failed_check(answer) == check
    assert client.session["_auth_user_id"] == str(owner.pk)


def test_a_session_by_password_is_not_confirmed_by_a_provider(
    owner_client: Client, row: IdentityProvider
) -> None:
    assert owner_client.post("/accounts/sso/again/").status_code == 404


# --- Sign-in addresses ----------------------------------------------------------------------------


def test_unknown_addresses_lead_nowhere(client: Client, db: None) -> None:
    uuid = "0e9c3bd4-2d4f-4b3a-9f7e-000000000000"

    answers = [
        client.get(f"/accounts/sso/{uuid}/"),
        client.get(f"/accounts/oidc/{uuid}/callback/"),
        client.post(f"/accounts/saml/{uuid}/acs/"),
        client.get(f"/accounts/saml/{uuid}/finish/"),
        client.get(f"/accounts/saml/{uuid}/metadata/"),
    ]

    assert [answer.status_code for answer in answers] == [404] * 5


def test_the_inactive_and_the_unknown_are_as_good_as_strangers(
    client: Client, row: IdentityProvider, provider: OidcProvider
) -> None:
    AdminFactory(email="nobody@example.org")
    provider.email = "nobody@example.org"

    assert failed_check(sign_in(client, row)) == "not_an_admin"
