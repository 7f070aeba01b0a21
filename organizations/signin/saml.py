"""SAML 2.0 by python3-saml, and what we are stricter about.

Taken from the signed assertion and nowhere else: which request it answers, at which address, for
whom and until when. What the library lets pass when it is missing has to be there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import xmlsec
from allauth.socialaccount.providers.saml.provider import SAMLProvider
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from lxml import etree
from onelogin.saml2.auth import OneLogin_Saml2_Auth
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Words
from onelogin.saml2.errors import OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from organizations.models import IdentityProvider
from organizations.signin.certificates import split
from organizations.signin.claims import SKEW, Claims, WrongAnswer

LONGEST_ANSWER = 300_000  # characters of base64
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
CONFIRMATION = "/saml:Subject/saml:SubjectConfirmation[@Method='" + Words.CM_BEARER + "']"
# Under which names an address comes where the organization has not said.
ADDRESSES = (
    "email",
    "mail",
    "urn:oid:0.9.2342.19200300.100.1.3",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
)
# Every way in which the libraries say that they cannot make sense of something.
UNREADABLE = (
    OneLogin_Saml2_Error,
    OneLogin_Saml2_ValidationError,
    xmlsec.Error,
    etree.LxmlError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
)


@dataclass(frozen=True, slots=True)
class Answer:
    claims: Claims
    in_response_to: str


# --- Our addresses, which are pasted at the provider ----------------------------------------------


def consumer_url(provider: IdentityProvider) -> str:
    return f"{settings.BASE_URL}{reverse('sso_saml_acs', args=[provider.uuid])}"


def entity_id(provider: IdentityProvider) -> str:
    return f"{settings.BASE_URL}{reverse('sso_saml_metadata', args=[provider.uuid])}"


def metadata(provider: IdentityProvider) -> bytes:
    ours = OneLogin_Saml2_Settings(configuration(provider), sp_validation_only=True)
    text: bytes | str = ours.get_sp_metadata()
    return text.encode() if isinstance(text, str) else text


def configuration(provider: IdentityProvider) -> dict[str, Any]:
    return {
        "strict": True,
        "sp": {
            "entityId": entity_id(provider),
            "assertionConsumerService": {
                "url": consumer_url(provider),
                "binding": Words.BINDING_HTTP_POST,
            },
            "NameIDFormat": Words.NAMEID_UNSPECIFIED,
        },
        "idp": {
            "entityId": provider.entity_id,
            "singleSignOnService": {
                "url": provider.sign_in_url,
                "binding": Words.BINDING_HTTP_REDIRECT,
            },
            "x509certMulti": {"signing": split(provider.certificate), "encryption": []},
        },
        "security": {
            "requestedAuthnContext": False,
            "rejectDeprecatedAlgorithm": True,
            "wantAttributeStatement": False,  # the address may be the Name ID itself
            "allowRepeatAttributeName": True,
            "allowSingleLabelDomains": settings.SSO_ALLOW_PRIVATE,
            # Providers read this once, when it is pasted.
            "metadataValidUntil": (timezone.now() + timedelta(days=3650)).strftime("%FT%TZ"),
        },
    }


# --- Asking ---------------------------------------------------------------------------------------


class SamlProvider(SAMLProvider):  # type: ignore[misc]  # allauth has no types
    @property
    def row(self) -> IdentityProvider:
        row: IdentityProvider = self.app.row
        return row

    def serialize(self) -> dict[str, Any]:
        return {"id": self.app.provider_id}

    def redirect(
        self,
        request: HttpRequest,
        process: str,
        next_url: str | None = None,
        data: Any = None,
        **kwargs: Any,
    ) -> HttpResponseRedirect:
        auth = auth_of(self.row)
        url = auth.login(return_to="", force_authn=kwargs.pop("force", False))
        state_id = auth.get_last_request_id()
        self.stash_redirect_state(request, process, next_url, data, state_id=state_id)
        return HttpResponseRedirect(url)


def auth_of(provider: IdentityProvider) -> OneLogin_Saml2_Auth:
    return OneLogin_Saml2_Auth(here(provider), configuration(provider))


def here(provider: IdentityProvider) -> dict[str, Any]:
    """Our address by configuration: whatever host a request names, recipients are compared with it."""
    place = urlsplit(consumer_url(provider))
    secure = "on" if place.scheme == "https" else "off"
    return {"https": secure, "http_host": place.netloc, "script_name": place.path, "get_data": {}}


# --- Reading what comes back ----------------------------------------------------------------------


class SamlResponse(OneLogin_Saml2_Response):  # type: ignore[misc]  # it has no types
    def validate_timestamps(self, raise_exceptions: bool = True) -> bool:
        """As the library does, with two minutes of skew in the place of five."""
        now = OneLogin_Saml2_Utils.now()
        for conditions in self._query_assertion("/saml:Conditions"):
            early, late = moments(conditions)
            if early is not None and early > now + SKEW:
                raise WrongAnswer("expired", "not valid yet")
            if late is not None and late + SKEW <= now:
                raise WrongAnswer("expired", "not valid any more")
        return True

    def confirmations(self) -> Iterator[Any]:
        yield from self._query_assertion(f"{CONFIRMATION}/saml:SubjectConfirmationData")

    def signed_in_at(self) -> float | None:
        for statement in self._query_assertion("/saml:AuthnStatement[@AuthnInstant]"):
            return float(OneLogin_Saml2_Utils.parse_SAML_to_time(statement.get("AuthnInstant")))
        return None


def moments(element: Any) -> tuple[int | None, int | None]:
    found = (element.get(name) for name in ("NotBefore", "NotOnOrAfter"))
    early, late = (
        OneLogin_Saml2_Utils.parse_SAML_to_time(text) if text else None for text in found
    )
    return early, late


def read(provider: IdentityProvider, text: str) -> Answer:
    """What a response says, after every check but the one that only the browser's session can make."""
    if not text or len(text) > LONGEST_ANSWER:
        raise WrongAnswer("unreadable", f"{len(text)} characters")
    try:
        auth = auth_of(provider)
        response = SamlResponse(auth.get_settings(), text)
        if not response.is_valid(here(provider)):
            raise WrongAnswer(check_of(response.get_error()), str(response.get_error()))
        return answer_of(provider, response)
    except UNREADABLE as error:
        raise WrongAnswer("unreadable", f"{type(error).__name__}: {str(error)[:200]}") from error


def answer_of(provider: IdentityProvider, response: SamlResponse) -> Answer:
    if response.get_audiences() != [entity_id(provider)]:
        raise WrongAnswer("audience", f"made for {response.get_audiences()}")
    in_response_to = request_answered(provider, response)
    if response.get_nameid_format() == TRANSIENT:
        raise WrongAnswer("transient")
    refuse_replay(provider, response)
    claims = Claims(
        subject=response.get_nameid() or "",
        email=address_of(provider, response),
        is_verified=True,  # signed by a provider that the organization has chosen for this
        signed_in_at=response.signed_in_at(),
    )
    if not claims.subject:
        raise WrongAnswer("unreadable", "no Name ID")
    return Answer(claims, in_response_to)


def request_answered(provider: IdentityProvider, response: SamlResponse) -> str:
    """The id of our request. A response that answers none was not begun here."""
    unsolicited = False
    for data in response.confirmations():
        _, late = moments(data)
        recipient, asked = data.get("Recipient"), data.get("InResponseTo")
        if recipient != consumer_url(provider) or late is None:
            continue
        if asked:
            return str(asked)
        unsolicited = True
    raise WrongAnswer("unsolicited" if unsolicited else "recipient")


def refuse_replay(provider: IdentityProvider, response: SamlResponse) -> None:
    """Each assertion once. Without the cache the request that it answers still works only once."""
    key = f"saml:{provider.uuid}:{response.get_assertion_id()}"
    ends = response.get_assertion_not_on_or_after() or 0
    seconds = max(ends - OneLogin_Saml2_Utils.now(), 0) + 2 * SKEW
    if not cache.add(key, True, timeout=seconds):
        raise WrongAnswer("replay")


def address_of(provider: IdentityProvider, response: SamlResponse) -> str:
    attributes = response.get_attributes()
    names = [provider.email_attribute] if provider.email_attribute else ADDRESSES
    for name in names:
        for value in attributes.get(name, ()):
            if value:
                return str(value)
    name_id = str(response.get_nameid() or "")
    return name_id if "@" in name_id and not provider.email_attribute else ""


def check_of(error: object) -> str:
    """The library tells its reason in a sentence only."""
    text = str(error).lower()
    words = {
        "signature": "signature",
        "not signed": "signature",
        "deprecated": "signature",
        "audience": "audience",
        "issuer": "issuer",
        "instead of": "recipient",
        "subjectconfirmation": "recipient",
        "expired": "expired",
        "status code": "provider_error",
    }
    return next((check for word, check in words.items() if word in text), "unreadable")
