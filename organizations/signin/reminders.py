"""Mail to full admins before the certificate of a SAML provider ends."""

from __future__ import annotations

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from organizations import outbox, tenancy
from organizations.models import IdentityProvider, Membership
from organizations.outbox import Letter
from organizations.signin import certificates
from organizations.signin.certificates import Certificate


def remind_of_certificates() -> int:
    """Once for each certificate and admin, however often this runs."""
    known = IdentityProvider.objects.using("system").select_related("organization")
    in_use = known.filter(
        kind=IdentityProvider.Kind.SAML,
        is_enabled=True,
        organization__suspended_at=None,
        organization__deletion_asked_at=None,
    ).exclude(certificate="")
    return sum(remind(provider) for provider in in_use.iterator(chunk_size=200))


def remind(provider: IdentityProvider) -> int:
    last = certificates.last(certificates.described(provider.certificate))
    if last is None or not last.ends_soon:
        return 0
    with tenancy.inside(provider.organization_id):
        full = Membership.objects.full().filter(organization=provider.organization_id)
        addresses = full.values_list("admin__email", flat=True).order_by("pk")
        letters = [
            (f"sso-certificate:{last.fingerprint}", letter(provider, last, address))
            for address in addresses
        ]
        return outbox.post_keyed(organization=provider.organization, letters=letters)


def letter(provider: IdentityProvider, certificate: Certificate, address: str) -> Letter:
    page = reverse("organizations:sign_in_provider", args=[provider.organization_id, provider.pk])
    context = {
        "provider": provider,
        "certificate": certificate,
        "subject": f"The certificate of {provider.name} ends in {certificate.days_left} days",
        "url": settings.BASE_URL + page,
    }
    return Letter(
        address,
        context["subject"],
        render_to_string("mail/sign_in_certificate.txt", context),
        render_to_string("mail/sign_in_certificate.html", context),
    )
