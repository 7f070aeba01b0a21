"""Signing in with SAML 2.0: who comes in, and every answer that is refused."""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from defusedxml.ElementTree import fromstring
from django.http import HttpResponse
from django.test import Client
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Words
from pytest_django.asserts import assertRedirects

from organizations.models import Admin, IdentityProvider, Organization
from organizations.signin.limits import KEY
from organizations.signin.saml import TRANSIENT
from tests import saml_provider as idp
from tests.factories import OrganizationFactory
from tests.single_sign_on import begin, failed_check, is_signed_in, sent_to


@pytest.fixture
def row(organization: Organization) -> IdentityProvider:
    return saml_row(organization)


def saml_row(organization: Organization, **fields: Any) -> IdentityProvider:
    return IdentityProvider.objects.create(
        organization=organization,
        kind="saml",
        name="Directory",
        entity_id=idp.ENTITY_ID,
        sign_in_url=idp.SIGN_IN_URL,
        certificate=fields.pop("certificate", idp.CERTIFICATE),
        **fields,
    )


def post(client: Client, row: IdentityProvider, text: str, **data: str) -> HttpResponse:
    """What the provider's page makes the browser send; the browser goes on to `finish`."""
    answer = client.post(f"/accounts/saml/{row.uuid}/acs/", {"SAMLResponse": text, **data})
    return client.get(answer.headers["Location"]) if answer.status_code == 302 else answer


def sign_in(client: Client, row: IdentityProvider, **changes: Any) -> HttpResponse:
    asked = idp.read_request(begin(client, row))
    return post(client, row, idp.answer(idp.wording(asked, **changes)))


# --- Coming in ------------------------------------------------------------------------------------


def test_an_admin_comes_in(
    client: Client, owner: Admin, organization: Organization, row: IdentityProvider
) -> None:
    answer = sign_in(client, row)

    assertRedirects(answer, "/", fetch_redirect_response=False)
    assert client.session["_auth_user_id"] == str(owner.pk)
    assert client.session[KEY] == organization.pk
    account = SocialAccount.objects.get()
    assert (account.provider, account.uid, account.user, account.extra_data) == (
        str(row.uuid),
        "248289761001",
        owner,
        {},
    )


def test_a_response_that_is_signed_as_a_whole_is_as_good(
    client: Client, owner: Admin, row: IdentityProvider
) -> None:
    said = idp.wording(idp.read_request(begin(client, row)))
    whole = idp.signed(idp.response(said, idp.assertion(said)))

    post(client, row, idp.encoded(whole))

    assert is_signed_in(client)


def test_our_request_names_our_addresses_and_nothing_of_the_browser(
    client: Client, row: IdentityProvider
) -> None:
    url = begin(client, row, next="/organizations/")

    asked = idp.read_request(url)

    base = "http://127.0.0.1:8000/accounts/saml"
    assert url.startswith(f"{idp.SIGN_IN_URL}?SAMLRequest=")
    assert asked == idp.Asked(
        id=asked.id,
        consumer_url=f"{base}/{row.uuid}/acs/",
        audience=f"{base}/{row.uuid}/metadata/",
        force=False,
    )


def test_our_metadata_names_the_same_addresses(client: Client, row: IdentityProvider) -> None:
    answer = client.get(f"/accounts/saml/{row.uuid}/metadata/")

    metadata = fromstring(answer.content)
    consumer = metadata.find(".//{urn:oasis:names:tc:SAML:2.0:metadata}AssertionConsumerService")
    base = f"http://127.0.0.1:8000/accounts/saml/{row.uuid}"
    assert answer.headers["Content-Type"] == "application/samlmetadata+xml"
    assert metadata.attrib["entityID"] == f"{base}/metadata/"
    assert consumer.attrib["Location"] == f"{base}/acs/"


@pytest.mark.parametrize(
    ("attribute", "changes"),
    [
        ("", {"attributes": {"email": "owner@example.org"}}),
        ("", {"attributes": {}, "name_id": "owner@example.org"}),
        ("workMail", {"attributes": {"workMail": "Owner@Example.org", "email": "x@example.org"}}),
    ],
)
def test_the_address_comes_in_an_attribute_or_as_the_name_id(
    client: Client,
    owner: Admin,
    row: IdentityProvider,
    attribute: str,
    changes: dict[str, Any],
) -> None:
    IdentityProvider.objects.update(email_attribute=attribute)

    sign_in(client, row, **changes)

    assert is_signed_in(client)


def test_while_certificates_change_either_is_right(
    client: Client, owner: Admin, organization: Organization
) -> None:
    other = idp.certificate(idp.OTHER_KEY)
    row = saml_row(organization, certificate=other + idp.CERTIFICATE)

    sign_in(client, row)

    assert is_signed_in(client)


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example"])
def test_relay_state_leads_nowhere(
    client: Client, owner: Admin, row: IdentityProvider, wanted: str
) -> None:
    text = idp.answer(idp.wording(idp.read_request(begin(client, row, next=wanted))))

    answer = post(client, row, text, RelayState=wanted)

    assertRedirects(answer, "/", fetch_redirect_response=False)


# --- Answers that are refused ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"audience": "https://other.example/"}, "audience"),
        ({"audience": None}, "audience"),
        ({"recipient": "https://other.example/acs/"}, "recipient"),
        ({"recipient": None}, "recipient"),
        ({"destination": "https://other.example/acs/"}, "recipient"),
        ({"issuer": "https://other.example/"}, "issuer"),
        ({"to_seconds": None}, "recipient"),
        ({"from_seconds": 150}, "expired"),
        ({"to_seconds": -150, "from_seconds": -300}, "expired"),
        ({"in_response_to": None}, "unsolicited"),
        ({"in_response_to": None, "response_in_response_to": "_of_ours"}, "unsolicited"),
        ({"in_response_to": "_of_another_browser"}, "state"),
        ({"name_id_format": TRANSIENT}, "transient"),
        ({"status": Words.STATUS_RESPONDER}, "provider_error"),
        ({"attributes": {"email": "stranger@example.org"}}, "not_an_admin"),
        ({"attributes": {}}, "no_address"),
    ],
)
def test_an_answer_that_is_not_for_us_now_is_refused(
    client: Client,
    owner: Admin,
    row: IdentityProvider,
    changes: dict[str, Any],
    check: str,
) -> None:
    answer = sign_in(client, row, **changes)

    assert failed_check(answer) == check
    assert not is_signed_in(client)


def test_what_the_unsigned_part_says_about_our_request_does_not_count(
    client: Client, owner: Admin, row: IdentityProvider
) -> None:
    """A stolen assertion, in a response that answers the victim's own request."""
    stolen = idp.read_request(begin(Client(), row))
    ours = idp.read_request(begin(client, row))
    said = idp.wording(stolen, response_in_response_to=ours.id)

    answer = post(client, row, idp.answer(said))

    assert failed_check(answer) in ("recipient", "state")
    assert not is_signed_in(client)


@pytest.mark.parametrize(
    "how",
    [
        {"key": idp.OTHER_KEY},
        {"algorithm": Words.RSA_SHA1},
        {"digest": Words.SHA1},
    ],
)
def test_a_signature_that_is_wrong_or_weak_is_refused(
    client: Client, owner: Admin, row: IdentityProvider, how: dict[str, Any]
) -> None:
    said = idp.wording(idp.read_request(begin(client, row)))

    assert failed_check(post(client, row, idp.answer(said, **how))) == "signature"
    assert not is_signed_in(client)


def test_an_answer_that_nobody_signed_is_refused(
    client: Client, owner: Admin, row: IdentityProvider
) -> None:
    said = idp.wording(idp.read_request(begin(client, row)))

    answer = post(client, row, idp.encoded(idp.response(said, idp.assertion(said))))

    assert failed_check(answer) == "signature"


def test_what_was_changed_after_signing_is_refused(
    client: Client, owner: Admin, reader: Admin, row: IdentityProvider
) -> None:
    said = idp.wording(idp.read_request(begin(client, row)))
    text = idp.response(said, idp.signed(idp.assertion(said)))

    answer = post(client, row, idp.encoded(text.replace("owner@", "reader@")))

    assert failed_check(answer) == "signature"


def test_a_forged_assertion_beside_the_signed_one_is_refused(
    client: Client, owner: Admin, row: IdentityProvider
) -> None:
    """Signature wrapping: the signed one is hidden, and the other is hoped to be read."""
    said = idp.wording(idp.read_request(begin(client, row)), attributes={"email": "x@example.org"})
    forged = idp.assertion(idp.replace(said, attributes={"email": owner.email}, id="_forged"))
    real = idp.signed(idp.assertion(said))
    texts = [
        idp.response(said, forged + real),
        idp.response(said, real + forged),
        idp.response(said, forged.replace("</saml:Subject>", f"</saml:Subject>{real}", 1)),
        idp.response(said, f"<samlp:Extensions>{real}</samlp:Extensions>{forged}"),
    ]

    answers = [post(client, row, idp.encoded(text)) for text in texts]

    assert {answer.status_code for answer in answers} == {403}
    assert not is_signed_in(client)


def test_a_comment_does_not_cut_a_name(
    client: Client, owner: Admin, organization: Organization, row: IdentityProvider
) -> None:
    """Canonical XML leaves comments out, so one may be put into signed text."""
    said = idp.wording(
        idp.read_request(begin(client, row)), attributes={"email": "owner@example.org.evil.example"}
    )
    text = idp.response(said, idp.signed(idp.assertion(said)))

    answer = post(client, row, idp.encoded(text.replace(".evil.example", "<!-- -->.evil.example")))

    assert answer.status_code == 403
    assert not is_signed_in(client)


def test_an_assertion_is_taken_once(client: Client, owner: Admin, row: IdentityProvider) -> None:
    text = idp.answer(idp.wording(idp.read_request(begin(client, row))))
    post(client, row, text)
    assert is_signed_in(client)

    again = [post(client, row, text), post(Client(), row, text)]

    assert [failed_check(answer) for answer in again] == ["replay", "replay"]


def test_an_assertion_is_taken_once_without_the_cache(
    client: Client, owner: Admin, row: IdentityProvider
) -> None:
    from django.core.cache import cache  # noqa: PLC0415

    text = idp.answer(idp.wording(idp.read_request(begin(client, row))))
    post(client, row, text)
    cache.clear()
    client.logout()

    answer = post(client, row, text)

    assert failed_check(answer) == "state"
    assert not is_signed_in(client)


def test_the_answer_of_one_organization_is_none_of_another(
    client: Client, owner: Admin, row: IdentityProvider
) -> None:
    other = saml_row(OrganizationFactory())
    text = idp.answer(idp.wording(idp.read_request(begin(client, row))))

    answer = post(client, other, text)

    assert failed_check(answer) in ("audience", "recipient")


@pytest.mark.parametrize(
    "xml",
    [
        '<!DOCTYPE x [<!ENTITY a "owner@example.org">]><x>&a;</x>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><x/>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>',
        "<x/>",
        "<x",
        "",
        "\x00",
        f'<samlp:Response xmlns:samlp="{idp.PROTOCOL}"/>',
        f'<samlp:Response xmlns:samlp="{idp.PROTOCOL}" ID="a" Version="2.0"/>',
        f'<samlp:Response xmlns:samlp="{idp.PROTOCOL}" xmlns:saml="{idp.ASSERTION}" ID="a"'
        ' Version="2.0"><saml:EncryptedAssertion/></samlp:Response>',
    ],
)
def test_hostile_and_broken_xml_is_refused(
    client: Client, owner: Admin, row: IdentityProvider, xml: str
) -> None:
    answer = post(client, row, idp.encoded(xml))

    assert answer.status_code == 403
    assert "passwd" not in answer.content.decode()


@pytest.mark.parametrize("text", ["", "not base64 at all ä", "A" * 400_000, "====", "PHg"])
def test_text_that_is_no_answer_is_refused(
    client: Client, owner: Admin, row: IdentityProvider, text: str
) -> None:
    assert failed_check(post(client, row, text)) == "unreadable"


def test_a_forged_hand_over_is_refused(client: Client, owner: Admin, row: IdentityProvider) -> None:
    begin(client, row)
    told = base64.b64encode(b'{"subject": "x", "email": "owner@example.org"}').decode()
    client.cookies["saml_answer"] = told

    answer = client.get(f"/accounts/saml/{row.uuid}/finish/")

    assert failed_check(answer) == "state"


def test_a_wrong_kind_of_provider_has_no_such_address(
    client: Client, row: IdentityProvider
) -> None:
    IdentityProvider.objects.update(kind="oidc", issuer="https://idp.example.org")

    answers = [
        client.post(f"/accounts/saml/{row.uuid}/acs/"),
        client.get(f"/accounts/saml/{row.uuid}/finish/"),
        client.get(f"/accounts/saml/{row.uuid}/metadata/"),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]


# --- Again ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("signed_in_seconds", "check"), [(0, "HTTP 302"), (-3600, "not_recent")])
def test_a_session_of_single_sign_on_shows_who_it_is_there(
    client: Client,
    owner: Admin,
    row: IdentityProvider,
    signed_in_seconds: int,
    check: str,
) -> None:
    sign_in(client, row)
    session = client.session
    session["signed_in_at"] = time.time() - 3600
    session.save()

    asked = idp.read_request(sent_to(client.post("/accounts/sso/again/")))
    said = idp.wording(asked, signed_in_seconds=signed_in_seconds)
    answer = post(client, row, idp.answer(said))

    assert asked.force
    assert failed_check(answer) == check
    assert is_signed_in(client)
