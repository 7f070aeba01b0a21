# ruff: noqa: N815  # the names are those on the wire
"""What the endpoints of signing in give."""

from __future__ import annotations

from rest_framework import serializers

from organizations.api.serializers import WireSerializer
from organizations.models import IdentityProvider


class SignInSerializer(WireSerializer):
    requiresSecondFactor = serializers.BooleanField(
        help_text="Of everybody who signs in by password."
    )
    requiresSingleSignOn = serializers.BooleanField()
    adminIdsWithoutSecondFactor = serializers.ListField(
        child=serializers.CharField(), help_text="Who would have to set one up before going on."
    )
    adminIdsThatSkipSingleSignOn = serializers.ListField(
        child=serializers.CharField(),
        help_text="Who may sign in by password also where single sign-on is required.",
    )


class OpenIdSerializer(WireSerializer):
    issuer = serializers.CharField(allow_blank=True)
    clientId = serializers.CharField(allow_blank=True)
    hasClientSecret = serializers.BooleanField(
        help_text="Whether one is stored; it is never shown."
    )
    managesAddresses = serializers.BooleanField(
        help_text="Whether nobody there can choose their own address, so that it need not be verified."
    )
    redirectUri = serializers.CharField(help_text="To be entered at the provider.")


class CertificateSerializer(WireSerializer):
    subject = serializers.CharField(allow_blank=True)
    fingerprint = serializers.CharField(help_text="SHA-256, hexadecimal.")
    endsAt = serializers.DateTimeField()


class SamlSerializer(WireSerializer):
    entityId = serializers.CharField(allow_blank=True, help_text="Of the provider.")
    singleSignOnUrl = serializers.CharField(allow_blank=True, help_text="Of the provider.")
    emailAttribute = serializers.CharField(
        allow_blank=True,
        help_text="The attribute with the address; empty: the usual names, then the Name ID.",
    )
    certificates = CertificateSerializer(many=True, help_text="With which the provider signs.")
    ownEntityId = serializers.CharField(
        help_text="To be entered at the provider; the metadata lie at this address."
    )
    consumerUrl = serializers.CharField(help_text="The ACS URL, to be entered at the provider.")


class ProviderSerializer(WireSerializer):
    id = serializers.CharField()
    kind = serializers.ChoiceField(IdentityProvider.Kind.values)
    name = serializers.CharField(help_text="On the button for signing in.")
    enabled = serializers.BooleanField()
    emailDomains = serializers.ListField(
        child=serializers.CharField(),
        help_text="Whom it may sign in; empty: every admin of the organization.",
    )
    missing = serializers.ListField(
        child=serializers.ChoiceField(
            ["issuer", "clientId", "clientSecret", "entityId", "singleSignOnUrl", "certificate"]
        ),
        help_text="What has to be entered before anybody can sign in with it.",
    )
    signInUrl = serializers.CharField(help_text="Where signing in with it begins.")
    lastUsedAt = serializers.DateTimeField(
        allow_null=True, help_text="As it is set up now; null before the first time."
    )
    openId = OpenIdSerializer(allow_null=True, help_text="null for SAML.")
    saml = SamlSerializer(allow_null=True, help_text="null for OpenID Connect.")
