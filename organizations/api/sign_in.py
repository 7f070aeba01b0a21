"""How admins of an organization sign in, to be read: Organization > Sign-in.

Changing it is for pages alone. They ask who sits there once more, which a key cannot show: whoever
found one must not open the organization to a directory of their own.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from organizations.api.doors import OrganizationApiView
from organizations.api.openapi import operation
from organizations.api.sign_in_serializers import ProviderSerializer, SignInSerializer
from organizations.models import IdentityProvider, Membership, Organization
from organizations.signin import certificates, openid, provider_checks, requirements, saml, single

TAG = "Sign-in"
# As the wire calls what has to be entered.
WORDS = {
    "issuer": "issuer",
    "client_id": "clientId",
    "client_secret": "clientSecret",
    "entity_id": "entityId",
    "sign_in_url": "singleSignOnUrl",
    "certificate": "certificate",
}
ON_PAGES = "It is changed on the pages only, because they ask for a fresh sign-in."


class SignInView(OrganizationApiView):
    organization_wide = True

    @operation(
        "getOrganizationSignIn",
        "Show what is required of a sign-in",
        tag=TAG,
        answers={200: SignInSerializer},
        description=f"A second factor, single sign-on, and who need not use it. {ON_PAGES}",
    )
    def get(self, request: Request, **path: str) -> Response:
        return Response(sign_in_json(self.organization))


class ProvidersApiView(OrganizationApiView):
    organization_wide = True

    def providers(self) -> QuerySet[IdentityProvider]:
        return single.providers_of(self.organization)


class ProvidersView(ProvidersApiView):
    @operation(
        "getOrganizationSignInProviders",
        "List the identity providers of an organization",
        tag=TAG,
        answers={200: ProviderSerializer(many=True)},
        description=f"Ten at most; not paged. {ON_PAGES}",
    )
    def get(self, request: Request, **path: str) -> Response:
        return Response([provider_json(provider) for provider in self.providers()])


class ProviderView(ProvidersApiView):
    @operation(
        "getOrganizationSignInProvider",
        "Show an identity provider",
        tag=TAG,
        answers={200: ProviderSerializer},
        description=f"Its client secret is never given out. {ON_PAGES}",
    )
    def get(self, request: Request, **path: str) -> Response:
        provider = self.providers().filter(pk=self.row_id("providerId")).first()
        if provider is None:
            raise Http404
        return Response(provider_json(provider))


def sign_in_json(organization: Organization) -> dict[str, Any]:
    accepted = Membership.objects.accepted().filter(organization=organization)
    skipping = accepted.filter(may_skip_single_sign_on=True).order_by("pk")
    without = requirements.without_second_factor(organization).order_by("pk")
    return {
        "requiresSecondFactor": organization.requires_second_factor,
        "requiresSingleSignOn": organization.requires_single_sign_on,
        "adminIdsWithoutSecondFactor": ids(without),
        "adminIdsThatSkipSingleSignOn": ids(skipping),
    }


def ids(members: QuerySet[Membership]) -> list[str]:
    return [str(pk) for pk in members.values_list("pk", flat=True)]


def provider_json(provider: IdentityProvider) -> dict[str, Any]:
    is_oidc = provider.kind == IdentityProvider.Kind.OIDC
    return {
        "id": str(provider.pk),
        "kind": provider.kind,
        "name": provider.name,
        "enabled": provider.is_enabled,
        "emailDomains": provider.email_domains,
        "missing": [WORDS[name] for name in provider_checks.missing_fields(provider)],
        "signInUrl": single.address_of(provider),
        "lastUsedAt": provider.last_used_at,
        "openId": openid_json(provider) if is_oidc else None,
        "saml": None if is_oidc else saml_json(provider),
    }


def openid_json(provider: IdentityProvider) -> dict[str, Any]:
    return {
        "issuer": provider.issuer,
        "clientId": provider.client_id,
        "hasClientSecret": bool(provider.client_secret_ciphertext),
        "managesAddresses": provider.manages_addresses,
        "redirectUri": openid.redirect_uri(provider),
    }


def saml_json(provider: IdentityProvider) -> dict[str, Any]:
    return {
        "entityId": provider.entity_id,
        "singleSignOnUrl": provider.sign_in_url,
        "emailAttribute": provider.email_attribute,
        "certificates": [
            {"subject": each.subject, "fingerprint": each.fingerprint, "endsAt": each.ends_at}
            for each in certificates.described(provider.certificate)
        ],
        "ownEntityId": saml.entity_id(provider),
        "consumerUrl": saml.consumer_url(provider),
    }
