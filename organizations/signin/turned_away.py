"""Who is not let in by single sign-on is told which check failed and whom to ask.

The operator finds the details in the log, and the organization finds the attempt in its own.
"""

from __future__ import annotations

import hashlib

import structlog
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from organizations import audit, tenancy
from organizations.audit import Actor
from organizations.models import IdentityProvider

log = structlog.get_logger(__name__)

FOLDED_FOR = 300  # seconds in which the same attempt is recorded once
SENTENCES = {
    "audience": "Its answer was made for another application. Compare the entity ID or client ID.",
    "cancelled": "You or {provider} ended the sign-in. Begin again if that was by mistake.",
    "discovery": "Its description of itself has addresses that cannot be used.",
    "expired": "Its answer is too old or not valid yet. Its clock and ours may differ: two minutes"
    " are allowed.",
    "id_token": "Its ID token did not pass our checks.",
    "issuer": "The answer comes from another issuer than the one that is set up.",
    "nonce": "The answer belongs to another sign-in than the one begun in this browser.",
    "not_recent": "{provider} did not ask you anew who you are, and that was needed.",
    "other_person": "You came back as somebody else than who is signed in here.",
    "provider_error": "{provider} answered with an error.",
    "recipient": "Its answer was made for another address, or its time was over.",
    "replay": "This answer was used before. Begin again.",
    "secret_lost": "The stored client secret cannot be read: this server has lost an encryption key."
    " An admin can enter the secret again.",
    "signature": "The signature of its answer is missing, wrong or of a kind that is not safe."
    " Compare the certificate.",
    "state": "This sign-in was not begun in this browser, or more than ten minutes ago. Begin again.",
    "switched_off": "This single sign-on is switched off.",
    "closed": "{organization} is closed just now.",
    "token": "{provider} did not accept our request. Compare the client ID and the client secret.",
    "transient": "It sends a Name ID that is new every time. Set it to send a persistent one.",
    "unreachable": "{provider} cannot be reached just now. Try again in a few minutes.",
    "unreadable": "Its answer cannot be read.",
    "unsolicited": "It sent an answer that nobody here had asked for. Begin at the sign-in address"
    " of the organization and not at {provider}.",
    "userinfo": "It told the address of somebody else.",
}


def sentence(provider: IdentityProvider, check: str) -> str:
    words = SENTENCES.get(check, SENTENCES["provider_error"])
    return words.format(provider=provider, organization=provider.organization)


def turn_away(
    request: HttpRequest,
    provider: IdentityProvider,
    check: str,
    *,
    text: str = "",
    detail: str = "",
    email: str = "",
) -> HttpResponse:
    log.warning(
        "single_sign_on.refused",
        organization=provider.organization_id,
        provider=str(provider.uuid),
        check=check,
        detail=detail[:500],
    )
    note(provider, check, email)
    context = {
        "provider": provider,
        "organization": provider.organization,
        "check": check,
        "sentence": text or sentence(provider, check),
    }
    return render(request, "organizations/sign_in_failed.html", context, status=403)


def note(provider: IdentityProvider, check: str, email: str) -> None:
    """In the organization's log; the same again is folded, so that nobody can flood it."""
    attempt = f"{provider.uuid}:{check}:{email.lower()}"
    digest = hashlib.sha256(attempt.encode()).hexdigest()
    if not cache.add(f"sso-refused:{digest}", True, timeout=FOLDED_FOR):
        return
    with tenancy.inside(provider.organization_id):
        audit.record(
            "single_sign_on.refused",
            by=Actor.system(f"Single sign-on by {provider}"),
            organization=provider.organization,
            target=provider,
            after={"check": check, **({"email": email} if email else {})},
            refused=True,
        )
