"""What may be entered about an identity provider, checked and put in order."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from organizations.models import IdentityProvider
from organizations.refusals import Refusal
from organizations.signin import certificates, openid, outbound
from organizations.signin.claims import WrongAnswer

LONGEST_NAME = 100
DOMAIN = re.compile(r"(?=.{3,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
Kind = IdentityProvider.Kind
# What has to be there before anybody can sign in, and how the form calls it.
NEEDED = {
    Kind.OIDC: {"issuer": "issuer", "client_id": "client ID", "client_secret": "client secret"},
    Kind.SAML: {
        "entity_id": "entity ID",
        "sign_in_url": "sign-in address",
        "certificate": "certificate",
    },
}


class ProviderWrong(Refusal):
    code = "provider_wrong"

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True)
class ProviderDetails:
    """What an admin says about a provider. An empty `client_secret` keeps the one that is stored."""

    name: str
    is_enabled: bool = False
    email_domains: tuple[str, ...] = ()
    issuer: str = ""
    client_id: str = ""
    client_secret: str = ""
    manages_addresses: bool = False
    entity_id: str = ""
    sign_in_url: str = ""
    certificate: str = ""
    email_attribute: str = ""


def oidc(provider: IdentityProvider, details: ProviderDetails) -> dict[str, Any]:
    issuer = details.issuer.strip()
    if issuer and issuer != provider.issuer:
        issuer = checked_issuer(issuer)
    return {
        "issuer": issuer,
        "client_id": details.client_id.strip(),
        "manages_addresses": details.manages_addresses,
    }


def saml(provider: IdentityProvider, details: ProviderDetails) -> dict[str, Any]:
    url, text = details.sign_in_url.strip(), details.certificate.strip()
    if url and not openid.is_address(url):
        raise ProviderWrong("sign_in_url", f"“{url[:80]}” is not an https address.")
    return {
        "entity_id": details.entity_id.strip(),
        "sign_in_url": url,
        "certificate": certificates.checked(text) if text else "",
        "email_attribute": details.email_attribute.strip(),
    }


def checked_issuer(issuer: str) -> str:
    """In the provider's own spelling: many write it with a slash at the end, others without."""
    issuer = issuer.removesuffix(openid.WELL_KNOWN)
    if not openid.is_address(issuer):
        raise ProviderWrong("issuer", f"“{issuer[:80]}” is not an https address.")
    try:
        return openid.own_name(issuer)
    except outbound.Unreachable as error:
        raise ProviderWrong(
            "issuer", f"{error} Compare the issuer with what the provider shows."
        ) from error
    except WrongAnswer as error:
        raise ProviderWrong(
            "issuer", f"This is no issuer of OpenID Connect: {error.detail}."
        ) from error


def checked_name(text: str) -> str:
    name = " ".join(text.split())
    if not name:
        raise ProviderWrong("name", "Give it a name: it stands on the button for signing in.")
    if len(name) > LONGEST_NAME:
        raise ProviderWrong(
            "name", f"The name is longer than {LONGEST_NAME} characters. Shorten it."
        )
    return name


def checked_domains(domains: Iterable[str]) -> list[str]:
    once = dict.fromkeys(domain.strip().lower().removeprefix("@") for domain in domains)
    for domain in once:
        if not DOMAIN.fullmatch(domain):
            raise ProviderWrong(
                "email_domains", f"“{domain[:80]}” is not a domain. Write it like example.org."
            )
    return list(once)


def missing(provider: IdentityProvider) -> list[str]:
    """What has to be entered before anybody can sign in, as the form calls it."""
    words = NEEDED[Kind(provider.kind)]
    return [words[name] for name in missing_fields(provider)]


def missing_fields(provider: IdentityProvider) -> list[str]:
    # Not opened for that: the key may be lost.
    columns = {"client_secret": "client_secret_ciphertext"}
    return [
        name
        for name in NEEDED[Kind(provider.kind)]
        if not getattr(provider, columns.get(name, name), "")
    ]


def facts(provider: IdentityProvider) -> dict[str, Any]:
    shared = {
        "name": provider.name,
        "enabled": provider.is_enabled,
        "emailDomains": list(provider.email_domains),
    }
    if provider.kind == Kind.OIDC:
        return shared | {
            "issuer": provider.issuer,
            "clientId": provider.client_id,
            "managesAddresses": provider.manages_addresses,
        }
    prints = [each.fingerprint for each in certificates.described(provider.certificate)]
    return shared | {
        "entityId": provider.entity_id,
        "signInUrl": provider.sign_in_url,
        "certificates": prints,
        "emailAttribute": provider.email_attribute,
    }
