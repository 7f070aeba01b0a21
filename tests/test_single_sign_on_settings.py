"""Organization > Sign-in, the sign-in addresses by mail, and where providers may lie."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.totp.internal import auth as totp
from allauth.socialaccount.models import SocialAccount
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.asserts import assertRedirects

from organizations.audit import Actor
from organizations.models import (
    Admin,
    AuditEvent,
    IdentityProvider,
    Membership,
    Organization,
    OutgoingMail,
)
from organizations.signin import certificates, providers, single
from organizations.tasks import remind_of_certificates
from tests import saml_provider as idp
from tests.conftest import signed_in
from tests.factories import MembershipFactory, NetworkAccessFactory
from tests.oidc_provider import SECRET, OidcProvider, running
from tests.reading import errors_of, text_of
from tests.single_sign_on import oidc_form, oidc_row, sent_to, sign_in, way_back


@pytest.fixture(scope="module")
def server() -> Iterator[OidcProvider]:
    with running() as provider:
        yield provider


@pytest.fixture
def provider(server: OidcProvider, settings: Any) -> OidcProvider:
    settings.SSO_ALLOW_PRIVATE = True
    server.__init__(server.issuer)  # type: ignore[misc]
    return server


@pytest.fixture
def row(organization: Organization, provider: OidcProvider) -> IdentityProvider:
    return oidc_row(organization, provider)


def page(organization: Organization, below: str = "") -> str:
    return f"/organizations/{organization.pk}/sign-in/{below}"


def events_of(organization: Organization) -> list[tuple[str, Any, Any]]:
    events = AuditEvent.objects.filter(organization=organization, refused=False).order_by("pk")
    return [(event.action, event.before, event.after) for event in events]


def give_second_factor(admin: Admin) -> None:
    totp.TOTP.activate(admin, totp.generate_totp_secret())


# --- Who may ---------------------------------------------------------------------------------------

READING = ["", "providers/{row}/"]
WRITING = [
    "second-factor/",
    "required/",
    "without/",
    "providers/add/",
    "providers/{row}/edit/",
    "providers/{row}/delete/",
    "providers/{row}/reset/",
    "providers/{row}/test/",
]


@pytest.mark.parametrize("below", READING)
def test_readers_look_and_network_admins_and_outsiders_find_nothing(
    owner_client: Client,
    reader_client: Client,
    outsider_client: Client,
    organization: Organization,
    row: IdentityProvider,
    below: str,
) -> None:
    local = NetworkAccessFactory(membership__organization=organization).membership.admin
    clients = [owner_client, reader_client, signed_in(local), outsider_client, Client()]

    answers = [client.get(page(organization, below.format(row=row.pk))) for client in clients]

    assert [answer.status_code for answer in answers] == [200, 200, 404, 404, 302]


@pytest.mark.parametrize("below", WRITING)
def test_only_full_admins_write(
    reader_client: Client,
    outsider_client: Client,
    organization: Organization,
    row: IdentityProvider,
    below: str,
) -> None:
    address = page(organization, below.format(row=row.pk))

    answers = [client.post(address) for client in (reader_client, outsider_client, Client())]

    assert [answer.status_code for answer in answers] == [403, 404, 302]
    assert events_of(organization) == []


def test_a_provider_of_another_organization_is_not_there(
    outsider: Admin, outsider_client: Client, row: IdentityProvider
) -> None:
    theirs = outsider.memberships.get().organization
    below = [each for each in (*READING, *WRITING) if "{row}" in each]

    answers = [outsider_client.post(page(theirs, each.format(row=row.pk))) for each in below[1:]]
    looked = outsider_client.get(page(theirs, f"providers/{row.pk}/"))

    assert {answer.status_code for answer in (*answers, looked)} == {404}


def test_writing_needs_a_recent_sign_in(
    owner_client: Client, organization: Organization, row: IdentityProvider
) -> None:
    session = owner_client.session
    session["signed_in_at"] = timezone.now().timestamp() - 3600
    session.save()

    answer = owner_client.post(page(organization, f"providers/{row.pk}/delete/"))

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/accounts/")
    assert IdentityProvider.objects.count() == 1


def test_the_pages_cost_the_same_with_many(
    owner_client: Client, organization: Organization, row: IdentityProvider, provider: OidcProvider
) -> None:
    owner_client.get(page(organization))
    with CaptureQueriesContext(
        connection,
    ) as few:
        owner_client.get(page(organization))
    for _ in range(3):
        oidc_row(organization, provider)
        MembershipFactory(organization=organization)

    with CaptureQueriesContext(connection) as many:
        owner_client.get(page(organization))

    assert len(many) == len(few)


# --- Providers ------------------------------------------------------------------------------------


def test_adding_one_shows_what_to_paste(
    owner_client: Client, organization: Organization, db: None
) -> None:
    answer = owner_client.post(
        page(organization, "providers/add/"), {"kind": "saml", "name": " Our   directory "}
    )

    row = IdentityProvider.objects.get()
    assertRedirects(answer, page(organization, f"providers/{row.pk}/"))
    shown = text_of(owner_client.get(answer.headers["Location"]))
    base = "http://127.0.0.1:8000/accounts"
    assert (row.name, row.is_enabled) == ("Our directory", False)
    for address in (f"saml/{row.uuid}/acs/", f"saml/{row.uuid}/metadata/", f"sso/{row.uuid}/"):
        assert f"{base}/{address}" in shown
    assert "Not finished" in shown
    assert events_of(organization) == [("single_sign_on.added", None, {"kind": "SAML 2.0"})]


def test_an_openid_provider_is_asked_and_its_secret_never_shown(
    owner_client: Client, organization: Organization, provider: OidcProvider
) -> None:
    row = IdentityProvider.objects.create(
        organization=organization, kind="oidc", name="New", is_enabled=False
    )

    answer = owner_client.post(
        page(organization, f"providers/{row.pk}/edit/"),
        oidc_form(provider, issuer=provider.issuer + "/"),
        follow=True,
    )

    row.refresh_from_db()
    assert (row.issuer, row.client_secret) == (provider.issuer, SECRET)
    assert row.email_domains == ["example.org", "example.edu"]
    assert SECRET not in answer.content.decode()
    assert SECRET not in row.client_secret_ciphertext
    assert events_of(organization) == [
        (
            "single_sign_on.edited",
            {"name": "New", "enabled": False, "emailDomains": [], "issuer": "", "clientId": ""},
            {
                "name": "Directory",
                "enabled": True,
                "emailDomains": ["example.org", "example.edu"],
                "issuer": provider.issuer,
                "clientId": "vpp-dashboard",
                "clientSecret": "a new one",
            },
        )
    ]


def test_an_empty_secret_keeps_the_stored_one(
    owner_client: Client, organization: Organization, row: IdentityProvider, provider: OidcProvider
) -> None:
    IdentityProvider.objects.update(email_domains=["example.org", "example.edu"])
    form = oidc_form(provider, client_secret="")

    owner_client.post(page(organization, f"providers/{row.pk}/edit/"), form)

    row.refresh_from_db()
    assert row.client_secret == SECRET
    assert events_of(organization) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": " "}, "Give it a name: it stands on the button for signing in."),
        ({"issuer": "ftp://example.org"}, "“ftp://example.org” is not an https address."),
        (
            {"issuer": "https://user@example.org"},
            "“https://user@example.org” is not an https address.",
        ),
        (
            {"issuer": "http://127.0.0.1:9"},
            "127.0.0.1 cannot be reached (ConnectionError). Compare the issuer with what the"
            " provider shows.",
        ),
        ({"email_domains": "exa mple"}, "“exa” is not a domain. Write it like example.org."),
        ({"client_id": ""}, "Enter the client ID."),
    ],
)
def test_what_is_wrong_is_told_beside_its_field(
    owner_client: Client,
    organization: Organization,
    row: IdentityProvider,
    provider: OidcProvider,
    changes: dict[str, str],
    told: str,
) -> None:
    form = oidc_form(provider, **changes)

    answer = owner_client.post(page(organization, f"providers/{row.pk}/edit/"), form)

    assert errors_of(answer) == [told]
    assert events_of(organization) == []


def test_an_issuer_that_calls_itself_otherwise_is_refused(
    owner_client: Client, organization: Organization, row: IdentityProvider, provider: OidcProvider
) -> None:
    form = oidc_form(provider, issuer=provider.issuer.replace("127.0.0.1", "localhost"))

    answer = owner_client.post(page(organization, f"providers/{row.pk}/edit/"), form)

    assert errors_of(answer) == [
        f"This is no issuer of OpenID Connect: {form['issuer']} calls itself {provider.issuer}."
    ]


def saml_form(**changes: str) -> dict[str, str]:
    return {
        "name": "Directory",
        "entity_id": idp.ENTITY_ID,
        "sign_in_url": idp.SIGN_IN_URL,
        "certificate": idp.CERTIFICATE,
        "is_enabled": "on",
    } | changes


@pytest.fixture
def saml_row(organization: Organization) -> IdentityProvider:
    return IdentityProvider.objects.create(
        organization=organization, kind="saml", name="Directory", is_enabled=False
    )


@pytest.mark.parametrize("bare", [False, True])
def test_a_certificate_is_shown_with_its_end(
    owner_client: Client, organization: Organization, saml_row: IdentityProvider, bare: bool
) -> None:
    text = "".join(idp.CERTIFICATE.splitlines()[1:-1]) if bare else idp.CERTIFICATE
    form = saml_form(certificate=text)

    answer = owner_client.post(
        page(organization, f"providers/{saml_row.pk}/edit/"), form, follow=True
    )

    saml_row.refresh_from_db()
    (known,) = certificates.described(saml_row.certificate)
    assert saml_row.certificate == idp.CERTIFICATE
    assert f"Certificate until {known.ends_at:%-d %b %Y}" in text_of(answer)
    assert known.fingerprint in text_of(answer)


WEAK = idp.certificate(idp.new_key(1024))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"certificate": "hello, world"},
            "This is no certificate. Paste the X.509 certificate of the provider, with its lines"
            " BEGIN CERTIFICATE and END CERTIFICATE.",
        ),
        (
            {"certificate": "aGVsbG8="},
            "This certificate cannot be read. Copy it from the provider again, all its lines.",
        ),
        (
            {"certificate": WEAK},
            "This certificate has a key that is too weak or of an unknown kind. Let the provider"
            " make one with RSA of 2048 bits or more.",
        ),
        ({"sign_in_url": "javascript:alert(1)"}, "“javascript:alert(1)” is not an https address."),
        (
            {"sign_in_url": "http://idp.example.org"},
            "“http://idp.example.org” is not an https address.",
        ),
        ({"certificate": ""}, "Enter the certificate."),
    ],
)
def test_a_saml_provider_that_cannot_be_safe_is_refused(
    owner_client: Client,
    organization: Organization,
    saml_row: IdentityProvider,
    changes: dict[str, str],
    told: str,
) -> None:
    answer = owner_client.post(
        page(organization, f"providers/{saml_row.pk}/edit/"), saml_form(**changes)
    )

    assert errors_of(answer) == [told]


def test_deleting_one_ends_what_came_through_it(
    owner_client: Client,
    client: Client,
    reader: Admin,
    organization: Organization,
    row: IdentityProvider,
    provider: OidcProvider,
) -> None:
    provider.email = reader.email
    sign_in(client, row)

    owner_client.post(page(organization, f"providers/{row.pk}/delete/"))

    assert not IdentityProvider.objects.exists()
    assert not SocialAccount.objects.exists()
    assert client.get(page(organization)).status_code == 302
    assert events_of(organization)[-1][0] == "single_sign_on.deleted"
    assert SECRET not in str(events_of(organization))


def test_a_reset_lets_another_account_of_the_same_person_in(
    owner_client: Client,
    client: Client,
    reader: Admin,
    organization: Organization,
    row: IdentityProvider,
    provider: OidcProvider,
) -> None:
    provider.email = reader.email
    sign_in(client, row)
    provider.subject = "made anew"

    owner_client.post(page(organization, f"providers/{row.pk}/reset/"), {"admin": reader.pk})
    sign_in(Client(), row)

    assert [(each.user, each.uid) for each in SocialAccount.objects.all()] == [
        (reader, "made anew")
    ]
    assert ("admin.single_sign_on_reset", {"provider": "Directory"}, None) in events_of(
        organization
    )


def test_an_admin_of_another_organization_cannot_be_reset(
    owner_client: Client, outsider: Admin, organization: Organization, row: IdentityProvider
) -> None:
    address = page(organization, f"providers/{row.pk}/reset/")

    whom = (outsider.pk, "x", "", "9" * 5000)
    answers = [owner_client.post(address, {"admin": who}) for who in whom]

    assert [answer.status_code for answer in answers] == [404] * 4


def test_a_changed_connection_has_not_been_used_yet(
    owner_client: Client, organization: Organization, row: IdentityProvider, provider: OidcProvider
) -> None:
    address = page(organization, f"providers/{row.pk}/edit/")
    IdentityProvider.objects.update(
        last_used_at=timezone.now(), email_domains=["example.org", "example.edu"]
    )
    used = []

    for changes in ({"name": "Another name", "client_secret": ""}, {"client_id": "another"}):
        owner_client.post(address, oidc_form(provider, **changes))
        used.append(IdentityProvider.objects.get().last_used_at is not None)

    assert used == [True, False]


@pytest.mark.parametrize("name", ["issuer", "entity_id"])
def test_under_another_issuer_a_subject_is_another_person(
    client: Client,
    reader: Admin,
    by: Actor,
    organization: Organization,
    row: IdentityProvider,
    provider: OidcProvider,
    name: str,
) -> None:
    provider.email = reader.email
    sign_in(client, row)

    with transaction.atomic():
        providers.write(by, row, {name: "https://another.example"}, "")

    assert not SocialAccount.objects.exists()
    assert client.get(page(organization)).status_code == 302


# --- Requiring it ---------------------------------------------------------------------------------


@pytest.fixture
def ready(owner: Admin, row: IdentityProvider) -> IdentityProvider:
    """Used by somebody, and its owner can come in without it."""
    give_second_factor(owner)
    IdentityProvider.objects.update(last_used_at=timezone.now())
    Membership.objects.filter(admin=owner).update(may_skip_single_sign_on=True)
    return row


def require(client: Client, organization: Organization, wanted: bool = True) -> Any:
    form = {"requires_single_sign_on": "on"} if wanted else {}
    return client.post(page(organization, "required/"), form)


def test_required_it_holds_back_who_came_by_password(
    owner_client: Client,
    reader_client: Client,
    organization: Organization,
    ready: IdentityProvider,
) -> None:
    assertRedirects(require(owner_client, organization), page(organization))

    wanted = f"/organizations/{organization.pk}/networks/"
    answers = [client.get(wanted) for client in (owner_client, reader_client)]

    assert answers[0].status_code == 200
    assert answers[1].headers["Location"] == (
        f"{single.address_of(ready)}?next=%2Forganizations%2F{organization.pk}%2Fnetworks%2F"
    )
    assert events_of(organization)[-1] == (
        "organization.single_sign_on_required",
        {"requiresSingleSignOn": False},
        {"requiresSingleSignOn": True},
    )


NOT_TRIED = (
    "Nobody has come in by single sign-on since it was last changed. Sign in through it once"
    " yourself, in another browser, before you require it."
)
NOBODY = (
    "If single sign-on broke, nobody could repair it. Let at least one full admin who has a second"
    " factor sign in without it."
)


@pytest.mark.parametrize(
    ("provider_is", "owner_is", "told"),
    [
        ({"last_used_at": None}, {}, NOT_TRIED),
        ({"is_enabled": False}, {}, NOT_TRIED),
        ({}, {"may_skip_single_sign_on": False}, NOBODY),
        ({}, {"access": "read-only"}, "HTTP 403"),
    ],
)
def test_it_cannot_be_required_where_it_would_lock_everybody_out(
    owner_client: Client,
    organization: Organization,
    ready: IdentityProvider,
    provider_is: dict[str, Any],
    owner_is: dict[str, Any],
    told: str,
) -> None:
    IdentityProvider.objects.filter(pk=ready.pk).update(**{"name": "x", **provider_is})
    Membership.objects.filter(organization=organization).update(
        **{"wants_alarms": True, **owner_is}
    )

    answer = require(owner_client, organization)

    said = errors_of(answer) if answer.status_code == 200 else [f"HTTP {answer.status_code}"]
    assert said == [told]
    assert not Organization.objects.get(pk=organization.pk).requires_single_sign_on


def test_without_a_second_factor_nobody_counts_as_able_to_repair_it(
    owner: Admin, owner_client: Client, organization: Organization, ready: IdentityProvider
) -> None:
    owner.authenticator_set.all().delete()

    assert errors_of(require(owner_client, organization)) == [NOBODY]


def test_while_required_the_last_way_out_stays_open(
    owner: Admin, owner_client: Client, organization: Organization, ready: IdentityProvider
) -> None:
    require(owner_client, organization)

    nobody = owner_client.post(page(organization, "without/"), {})
    gone = owner_client.post(page(organization, f"providers/{ready.pk}/delete/"))

    assert errors_of(nobody) == [NOBODY]
    assert Membership.objects.get(admin=owner).may_skip_single_sign_on
    assert "Single sign-on is required, and this is the only one." in text_of(gone)
    assert IdentityProvider.objects.exists()


def test_who_may_skip_it_is_chosen_and_recorded(
    owner: Admin, reader: Admin, owner_client: Client, organization: Organization, db: None
) -> None:
    theirs = Membership.objects.get(admin=reader)

    answer = owner_client.post(page(organization, "without/"), {"memberships": [theirs.pk]})

    assertRedirects(answer, page(organization))
    assert list(
        Membership.objects.filter(may_skip_single_sign_on=True).values_list("admin", flat=True)
    ) == [reader.pk]
    assert events_of(organization) == [
        (
            "admin.single_sign_on_exempted",
            {"maySkipSingleSignOn": False},
            {"maySkipSingleSignOn": True},
        )
    ]


def test_nobody_of_another_organization_is_let_skip(
    owner_client: Client, outsider: Admin, organization: Organization
) -> None:
    theirs = outsider.memberships.get()

    answer = owner_client.post(page(organization, "without/"), {"memberships": [theirs.pk]})

    assert errors_of(answer) == ["An admin was removed meanwhile. Look at the list again."]
    theirs.refresh_from_db()
    assert not theirs.may_skip_single_sign_on


def test_the_second_factor_is_required_here_too(
    owner: Admin, owner_client: Client, organization: Organization, db: None
) -> None:
    address, form = page(organization, "second-factor/"), {"requires_second_factor": "on"}
    refused = owner_client.post(address, form)
    give_second_factor(owner)

    answer = owner_client.post(address, form)

    assert len(errors_of(refused)) == 1
    assertRedirects(answer, page(organization))
    assert Organization.objects.get(pk=organization.pk).requires_second_factor


# --- Trying one out -------------------------------------------------------------------------------


def test_a_test_tells_what_came_back_and_leaves_the_session_alone(
    owner: Admin,
    reader: Admin,
    owner_client: Client,
    organization: Organization,
    row: IdentityProvider,
    provider: OidcProvider,
) -> None:
    IdentityProvider.objects.update(is_enabled=False)
    provider.email, before = reader.email, owner_client.session["_auth_user_hash"]

    url = sent_to(owner_client.post(page(organization, f"providers/{row.pk}/test/")))
    answer = owner_client.get(way_back(url), follow=True)

    told = text_of(answer)
    assert "It works. This would have signed in reader@example.org." in told
    assert "248289761001" in told
    assert owner_client.session["_auth_user_id"] == str(owner.pk)
    assert owner_client.session["_auth_user_hash"] == before
    assert "only_organization" not in owner_client.session
    assert not SocialAccount.objects.exists()
    assert IdentityProvider.objects.get().last_used_at is None
    again = owner_client.get(page(organization, f"providers/{row.pk}/test/result/"))
    assert "No result." in text_of(again)


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ({"email": "nobody@example.org"}, "nobody@example.org is not an administrator of"),
        ({"is_verified": False}, "does not confirm that owner@example.org is yours."),
        ({"claims": {"aud": "another"}}, "Its ID token did not pass our checks."),
        ({"client_secret": "another"}, "Compare the client ID and the client secret."),
    ],
)
def test_a_test_tells_what_would_fail(
    owner_client: Client,
    organization: Organization,
    row: IdentityProvider,
    provider: OidcProvider,
    says: dict[str, Any],
    told: str,
) -> None:
    for name, value in says.items():
        setattr(provider, name, value)

    url = sent_to(owner_client.post(page(organization, f"providers/{row.pk}/test/")))
    answer = owner_client.get(way_back(url), follow=True)

    assert "Nobody would have been signed in: " in text_of(answer)
    assert told in text_of(answer)
    assert AuditEvent.objects.filter(refused=True).count() == 0


def test_an_unfinished_provider_cannot_be_tested(
    owner_client: Client, organization: Organization, saml_row: IdentityProvider
) -> None:
    address = page(organization, f"providers/{saml_row.pk}/test/")

    answer = owner_client.post(address, follow=True)

    assert "Enter the entity ID and the sign-in address and the certificate first" in text_of(
        answer
    )


# --- Sign-in addresses by mail --------------------------------------------------------------------


def mails() -> list[tuple[str, str, str]]:
    found = OutgoingMail.objects.order_by("organization__name")
    return [(mail.organization.name, mail.to, mail.text) for mail in found]


def ask(client: Client, email: str) -> str:
    answer = client.post("/accounts/sso/", {"email": email})
    return text_of(answer).replace(email, "…")


def test_each_organization_mails_its_own_address(
    client: Client, owner: Admin, organization: Organization, row: IdentityProvider
) -> None:
    second = MembershipFactory(admin=owner, organization__name="Second", accepted_at=None)
    other = oidc_row(second.organization, OidcProvider("https://idp.example.org"))
    MembershipFactory(admin=owner, organization__name="Without single sign-on")

    ask(client, " Owner@Example.org ")
    ask(client, owner.email)

    sent = mails()
    assert [(name, to) for name, to, _ in sent] == [
        ("Example Schools", owner.email),
        ("Second", owner.email),
    ]
    assert f"/accounts/sso/{row.uuid}/" in sent[0][2]
    assert f"/{other.uuid}/" in sent[1][2]
    assert "Second" not in sent[0][2]
    assert "Example Schools" not in sent[1][2]


def test_nobody_learns_who_is_an_admin(client: Client, owner: Admin, row: IdentityProvider) -> None:
    assert ask(client, owner.email) == ask(client, "nobody@example.org")
    assert len(mails()) == 1


def test_asking_is_limited(client: Client, db: None) -> None:
    answers = [client.post("/accounts/sso/", {"email": "a@example.org"}) for _ in range(11)]

    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_a_closed_organization_mails_nothing(
    client: Client, owner: Admin, organization: Organization, row: IdentityProvider
) -> None:
    Organization.objects.filter(pk=organization.pk).update(suspended_at=timezone.now())

    ask(client, owner.email)

    assert mails() == []


# --- Certificates that end ------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "reminded"), [(29, True), (31, False), (-1, False)])
def test_full_admins_are_told_a_month_before_a_certificate_ends(
    owner: Admin,
    reader: Admin,
    organization: Organization,
    saml_row: IdentityProvider,
    days: int,
    reminded: bool,
) -> None:
    ends_at = timezone.now() + timedelta(days=days, hours=1)
    text = idp.certificate(idp.KEY, ends_at)
    IdentityProvider.objects.update(certificate=text, is_enabled=True)

    remind_of_certificates()
    remind_of_certificates()

    assert [to for _, to, _ in mails()] == ([owner.email] if reminded else [])


def test_a_new_certificate_beside_the_old_one_is_enough(
    owner: Admin, organization: Organization, saml_row: IdentityProvider
) -> None:
    old = idp.certificate(idp.KEY, timezone.now() + timedelta(days=5))
    IdentityProvider.objects.update(certificate=old + idp.CERTIFICATE, is_enabled=True)

    remind_of_certificates()

    assert mails() == []


def test_an_ending_certificate_shows_on_the_page(
    owner_client: Client, organization: Organization, saml_row: IdentityProvider
) -> None:
    ends = [timedelta(days=5, hours=1), timedelta(days=-2)]
    told = []
    for each in ends:
        text = idp.certificate(idp.KEY, timezone.now() + each)
        IdentityProvider.objects.update(certificate=text)
        told.append(text_of(owner_client.get(page(organization))))

    assert "Certificate ends in 5 days" in told[0]
    assert "Certificate ended on" in told[1]


# --- What goes with whom --------------------------------------------------------------------------


def test_a_connection_goes_with_the_membership_and_no_other(
    owner: Admin,
    reader: Admin,
    organization: Organization,
    row: IdentityProvider,
    saml_row: IdentityProvider,
) -> None:
    elsewhere = IdentityProvider.objects.create(
        organization=MembershipFactory(admin=reader).organization, kind="saml", name="Theirs"
    )
    for provider in (row, saml_row, elsewhere):
        SocialAccount.objects.create(provider=str(provider.uuid), uid="1", user=reader)
    SocialAccount.objects.create(provider=str(row.uuid), uid="2", user=owner)

    Membership.objects.get(admin=reader, organization=organization).delete()

    assert set(SocialAccount.objects.values_list("provider", "user")) == {
        (str(elsewhere.uuid), reader.pk),
        (str(row.uuid), owner.pk),
    }


def test_connections_of_providers_that_are_gone_are_swept(
    owner: Admin, row: IdentityProvider
) -> None:
    for uuid in (row.uuid, "0e9c3bd4-2d4f-4b3a-9f7e-000000000000"):
        SocialAccount.objects.create(provider=str(uuid), uid="1", user=owner)

    remind_of_certificates()

    assert [each.provider for each in SocialAccount.objects.all()] == [str(row.uuid)]
