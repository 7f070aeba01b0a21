"""What an identity provider says about a person, once its answer has passed every check."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers.base import ProviderException

from organizations.models import Admin

LONGEST_SUBJECT = 191  # allauth's column
LONGEST_ADDRESS = 254
SKEW = 120  # seconds by which their clock and ours may differ


@dataclass(frozen=True, slots=True)
class Claims:
    """`subject` is the provider's own, lasting name of the person; the address may change."""

    subject: str
    email: str
    is_verified: bool
    signed_in_at: float | None = None  # where the provider tells when it asked the person
    nonce: str = ""

    def __post_init__(self) -> None:
        if len(self.email) > LONGEST_ADDRESS:
            raise WrongAnswer("unreadable", f"an address of {len(self.email)} characters")
        if not all(map(is_storable, (self.subject, self.email, self.nonce))):
            raise WrongAnswer("unreadable", "characters that are none")

    @property
    def address(self) -> str:
        """As we keep addresses. Outside of ASCII other letters may become the same small one."""
        email = self.email.strip()
        return email.lower() if email.isascii() else email

    @property
    def uid(self) -> str:
        if len(self.subject) <= LONGEST_SUBJECT:
            return self.subject
        return "sha256:" + hashlib.sha256(self.subject.encode()).hexdigest()


class WrongAnswer(ProviderException):  # type: ignore[misc]  # allauth has no types
    """An answer that breaks the protocol. `check` is the rule, `detail` for the operator's log."""

    def __init__(self, check: str, detail: str = "") -> None:
        super().__init__(f"{check}: {detail}" if detail else check)
        self.check, self.detail = check, detail


def is_storable(text: str) -> bool:
    """JSON can carry NUL and halves of characters, which no table takes."""
    return "\x00" not in text and text == text.encode(errors="replace").decode()


def login_of(provider: object, uuid: UUID, claims: Claims) -> SocialLogin:
    """For allauth to finish. Nothing that the provider tells is kept but the subject."""
    account = SocialAccount(provider=str(uuid), uid=claims.uid, extra_data={})
    login = SocialLogin(user=Admin(), account=account, provider=provider)
    login.claims = claims
    return login
