"""A SAML identity provider that signs: it reads our request and writes the form that a browser posts.

What a test wants to be wrong it sets in `Wording`, or it changes the text after the signature.
"""

from __future__ import annotations

import base64
import uuid
import zlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape, quoteattr

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from defusedxml.ElementTree import fromstring
from django.utils import timezone
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Words
from onelogin.saml2.utils import OneLogin_Saml2_Utils

ENTITY_ID = "https://idp.example.org/metadata"
SIGN_IN_URL = "https://idp.example.org/sso"
EMAIL = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"
ASSERTION, PROTOCOL = (
    "urn:oasis:names:tc:SAML:2.0:assertion",
    "urn:oasis:names:tc:SAML:2.0:protocol",
)


def certificate(
    key: rsa.RSAPrivateKey, ends_at: datetime | None = None, name: str = "idp.example.org"
) -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    ends_at = ends_at or timezone.now() + timedelta(days=700)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends_at - timedelta(days=1000))
        .not_valid_after(ends_at)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


def new_key(size: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=size)


KEY, OTHER_KEY = new_key(), new_key()
CERTIFICATE = certificate(KEY)


@dataclass(frozen=True)
class Asked:
    """What our request says."""

    id: str
    consumer_url: str
    audience: str
    force: bool


@dataclass(frozen=True)
class Wording:
    """What the answer says; None leaves it out."""

    in_response_to: str | None
    audience: str | None
    recipient: str | None
    destination: str | None
    issuer: str = ENTITY_ID
    name_id: str | None = "248289761001"
    name_id_format: str = Words.NAMEID_PERSISTENT
    attributes: dict[str, str] = field(default_factory=lambda: {EMAIL: "owner@example.org"})
    from_seconds: int = -10
    to_seconds: int | None = 300
    signed_in_seconds: int = 0
    status: str = Words.STATUS_SUCCESS
    id: str = field(default_factory=lambda: f"_{uuid.uuid4().hex}")
    response_in_response_to: str | None = ""  # empty: as the assertion says


def read_request(url: str) -> Asked:
    """As the provider does, from the address to which the browser was sent."""
    text = parse_qs(urlsplit(url).query)["SAMLRequest"][0]
    request = fromstring(zlib.decompress(base64.b64decode(text), -15).decode())
    return Asked(
        id=request.attrib["ID"],
        consumer_url=request.attrib["AssertionConsumerServiceURL"],
        audience=request.find(f"{{{ASSERTION}}}Issuer").text,
        force=request.attrib.get("ForceAuthn") == "true",
    )


def wording(asked: Asked, **changes: Any) -> Wording:
    said = Wording(
        in_response_to=asked.id,
        audience=asked.audience,
        recipient=asked.consumer_url,
        destination=asked.consumer_url,
    )
    return replace(said, **changes)


def assertion(said: Wording) -> str:
    attributes = "".join(
        f"<saml:Attribute Name={quoteattr(name)}>"
        f"<saml:AttributeValue>{escape(value)}</saml:AttributeValue></saml:Attribute>"
        for name, value in said.attributes.items()
    )
    statement = f"<saml:AttributeStatement>{attributes}</saml:AttributeStatement>"
    audience = (
        "<saml:AudienceRestriction>"
        f"<saml:Audience>{said.audience}</saml:Audience></saml:AudienceRestriction>"
    )
    data = attrs(
        InResponseTo=said.in_response_to, Recipient=said.recipient, NotOnOrAfter=at(said.to_seconds)
    )
    times = attrs(NotBefore=at(said.from_seconds), NotOnOrAfter=at(said.to_seconds))
    name_id = (
        f'<saml:NameID Format="{said.name_id_format}">{escape(said.name_id or "")}</saml:NameID>'
    )
    return (
        f'<saml:Assertion xmlns:saml="{ASSERTION}" ID="{said.id}" Version="2.0"'
        f' IssueInstant="{at(0)}"><saml:Issuer>{said.issuer}</saml:Issuer>'
        f"<saml:Subject>{name_id}"
        f'<saml:SubjectConfirmation Method="{Words.CM_BEARER}">'
        f"<saml:SubjectConfirmationData{data}/></saml:SubjectConfirmation></saml:Subject>"
        f"<saml:Conditions{times}>{audience if said.audience else ''}</saml:Conditions>"
        f'<saml:AuthnStatement AuthnInstant="{at(said.signed_in_seconds)}">'
        f"<saml:AuthnContext><saml:AuthnContextClassRef>{Words.AC_PASSWORD}"
        "</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>"
        f"{statement if said.attributes else ''}</saml:Assertion>"
    )


def response(said: Wording, body: str) -> str:
    answered = said.in_response_to
    if said.response_in_response_to != "":
        answered = said.response_in_response_to
    head = attrs(Destination=said.destination, InResponseTo=answered)
    return (
        f'<samlp:Response xmlns:samlp="{PROTOCOL}" xmlns:saml="{ASSERTION}"'
        f' ID="_{uuid.uuid4().hex}" Version="2.0" IssueInstant="{at(0)}"{head}>'
        f"<saml:Issuer>{said.issuer}</saml:Issuer>"
        f'<samlp:Status><samlp:StatusCode Value="{said.status}"/></samlp:Status>'
        f"{body}</samlp:Response>"
    )


def signed(
    text: str,
    key: rsa.RSAPrivateKey = KEY,
    algorithm: str = Words.RSA_SHA256,
    digest: str = Words.SHA256,
) -> str:
    """With the certificate inside, as providers do; what counts is the one that we were given."""
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    mine = CERTIFICATE if key is KEY else certificate(key)
    done = OneLogin_Saml2_Utils.add_sign(
        text, private, mine, sign_algorithm=algorithm, digest_algorithm=digest
    )
    return done.decode() if isinstance(done, bytes) else done


def answer(said: Wording, **how: Any) -> str:
    """The whole form field: a response whose assertion is signed."""
    return encoded(response(said, signed(assertion(said), **how)))


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def attrs(**values: str | None) -> str:
    return "".join(f' {name}="{value}"' for name, value in values.items() if value is not None)


def at(seconds: int | None) -> str | None:
    if seconds is None:
        return None
    return (timezone.now() + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
