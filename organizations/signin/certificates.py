"""The certificates with which a SAML provider signs: pasted as text, one or, during a change, more."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.utils import timezone

from organizations.refusals import Refusal

ENDS_SOON = timedelta(days=30)
MOST = 5
SMALLEST_RSA = 2048
PEM = re.compile(r"-----BEGIN CERTIFICATE-----\s*([A-Za-z0-9+/=\s]+?)\s*-----END CERTIFICATE-----")
BARE = re.compile(r"[A-Za-z0-9+/=\s]+")


class CertificateWrong(Refusal):
    code = "certificate_wrong"
    field = "certificate"


@dataclass(frozen=True, slots=True)
class Certificate:
    subject: str
    ends_at: datetime
    fingerprint: str  # SHA-256

    @property
    def has_ended(self) -> bool:
        return self.ends_at <= timezone.now()

    @property
    def ends_soon(self) -> bool:
        return not self.has_ended and self.ends_at <= timezone.now() + ENDS_SOON

    @property
    def days_left(self) -> int:
        return max((self.ends_at - timezone.now()).days, 0)


def checked(text: str) -> str:
    """The same certificates, each in its lines; refused if one of them is not one or is too weak."""
    bodies = split(text)
    if not bodies:
        raise CertificateWrong(
            "This is no certificate. Paste the X.509 certificate of the provider, with its lines"
            " BEGIN CERTIFICATE and END CERTIFICATE."
        )
    if len(bodies) > MOST:
        raise CertificateWrong(
            f"These are {len(bodies)} certificates; at most {MOST} are possible."
        )
    for body in bodies:
        refuse_weak(parsed(body))
    return "".join(pem(body) for body in bodies)


def split(text: str) -> list[str]:
    """The base64 of each, without its lines."""
    found = PEM.findall(text)
    if not found and BARE.fullmatch(text.strip()):
        found = [text]
    return ["".join(body.split()) for body in found if body.strip()]


def described(text: str) -> list[Certificate]:
    return [description(parsed(body)) for body in split(text)]


def last(certificates: Iterable[Certificate]) -> Certificate | None:
    """The one that lasts longest: while there is one, signing goes on."""
    return max(certificates, key=lambda each: each.ends_at, default=None)


def description(certificate: x509.Certificate) -> Certificate:
    return Certificate(
        subject=certificate.subject.rfc4514_string(),
        ends_at=certificate.not_valid_after_utc,
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
    )


def parsed(body: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem(body).encode())
    except (ValueError, TypeError) as error:
        raise CertificateWrong(
            "This certificate cannot be read. Copy it from the provider again, all its lines."
        ) from error


def refuse_weak(certificate: x509.Certificate) -> None:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= SMALLEST_RSA:
        return
    if isinstance(key, ec.EllipticCurvePublicKey):
        return
    raise CertificateWrong(
        f"This certificate has a key that is too weak or of an unknown kind. Let the provider make"
        f" one with RSA of {SMALLEST_RSA} bits or more."
    )


def pem(body: str) -> str:
    lines = "\n".join(textwrap.wrap(body, 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"
