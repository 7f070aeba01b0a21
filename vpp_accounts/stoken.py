"""Reading a VPP service token: what the file says, and what it is when it is not one.

A `.vpptoken` file is one Base64 text of a JSON object with `token`, `expDate` and `orgName`. The
whole Base64 text is the credential. The file's name never matters.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from organizations.refusals import Refusal

ENROLLMENT = (
    "This is a server token of Automated Device Enrollment (.p7m), not a VPP service token. "
    "Download the content token under Payments and Billing > Apps and Books instead."
)
ENVELOPED = bytes.fromhex("2a864886f70d010703")  # the OID of encrypted PKCS #7, in DER
PLAUSIBLE_YEARS = (2000, 2200)
LONGEST = 64 * 1024  # real ones are below 2 kB
WHERE = "Download the content token of the location at Apple and add that file unchanged."


class TokenRefusal(Refusal):
    """A text that cannot be used as a service token."""

    code = "token_refused"
    field = "token"


@dataclass(frozen=True, slots=True)
class ParsedToken:
    """What a token file says about itself; Apple has not been asked."""

    text: str = field(repr=False)  # the credential
    org_name: str
    expires_at: datetime

    @property
    def digest(self) -> str:
        """SHA-1 of the text, 40 hex digits: Meraki's `hashedToken`. Not a secret, not a key."""
        return hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


def parse(data: str | bytes) -> ParsedToken:
    """Read a file's bytes or a pasted text; raises TokenRefusal with one cause and a way out."""
    text = _as_text(data)
    _refuse_other_kinds(text)
    content = _decode(text)
    secret, expiry = content.get("token"), content.get("expDate")
    for name, value in (("token", secret), ("expDate", expiry)):
        if not isinstance(value, str) or not value.strip():
            raise TokenRefusal(f"This service token has no “{name}” in it. {WHERE}")
    return ParsedToken(
        text="".join(text.split()),
        org_name=str(content.get("orgName") or "").replace("\x00", "")[:200],
        expires_at=_moment(str(expiry)),
    )


def _as_text(data: str | bytes) -> str:
    if len(data) > LONGEST:
        raise TokenRefusal(f"This file is too large for a service token. {WHERE}")
    if isinstance(data, bytes):
        if data[:2] == b"PK":
            raise TokenRefusal(f"This is a ZIP or Office file, not a service token. {WHERE}")
        if ENVELOPED in data[:64]:
            raise TokenRefusal(ENROLLMENT)
        if data[:2] in (b"\x30\x82", b"\x30\x83"):
            raise TokenRefusal(
                f"This is a push certificate or key file, not a service token. {WHERE}"
            )
        encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        try:
            data = data.decode(encoding)
        except UnicodeDecodeError:
            raise TokenRefusal(f"This is a binary file, not a service token. {WHERE}") from None
    text = data.lstrip("\ufeff").strip()
    if not text:
        raise TokenRefusal("VPP service token can't be blank")
    return text


def _refuse_other_kinds(text: str) -> None:
    """The files that people upload by mistake, each named for what it is."""
    head = text[:2000].lower()
    if "pkcs7-mime" in head or "begin pkcs7" in head or "smime.p7m" in head:
        raise TokenRefusal(ENROLLMENT)
    if "begin certificate" in head or "private key" in head:
        raise TokenRefusal(
            "This is a push certificate or key (.pem), not a VPP service token. "
            "Download the content token under Payments and Billing > Apps and Books instead."
        )
    if head.startswith(("{", "[")):
        raise TokenRefusal(
            "This is the decoded content of a token. Add the file exactly as Apple gave it (Base64)."
        )
    if head.startswith(("<", "%pdf")):
        raise TokenRefusal(f"This is a web page or document, not a service token. {WHERE}")


def _decode(text: str) -> dict[str, Any]:
    compact = "".join(text.split()).replace("-", "+").replace("_", "/")
    if not re.fullmatch(r"[A-Za-z0-9+/]+=*", compact):
        raise TokenRefusal(f"This is not a service token: it is not Base64 text. {WHERE}")
    padded = compact.rstrip("=") + "=" * (-len(compact.rstrip("=")) % 4)
    try:
        decoded = base64.b64decode(padded, validate=True)
    except binascii.Error:
        raise TokenRefusal(
            f"This service token is cut off: its Base64 is incomplete. {WHERE}"
        ) from None
    try:
        content = orjson.loads(decoded)  # also refuses what is nested without end
    except ValueError:
        raise TokenRefusal(
            f"This is not a service token, or it is cut off: there is no JSON in it. {WHERE}"
        ) from None
    if not isinstance(content, dict):
        raise TokenRefusal(f"This is not a service token: its JSON is not an object. {WHERE}")
    return content


def _moment(text: str) -> datetime:
    """Apple writes +0000, others write +02:00 or Z."""
    normal = re.sub(r"([+-]\d{2})(\d{2})$", r"\1:\2", text.strip())
    try:
        moment = datetime.fromisoformat(normal)
    except ValueError:
        raise TokenRefusal(
            f"This service token's expDate “{text[:40]}” is not a date. {WHERE}"
        ) from None
    if moment.tzinfo is None:
        raise TokenRefusal(f"This service token's expDate “{text[:40]}” has no time zone. {WHERE}")
    if not is_plausible(moment):
        raise TokenRefusal(f"This service token's expDate “{text[:40]}” cannot be right. {WHERE}")
    return moment


def is_plausible(moment: datetime) -> bool:
    """Not so far away that a calendar in some zone ends before it."""
    return PLAUSIBLE_YEARS[0] <= moment.year <= PLAUSIBLE_YEARS[1]
